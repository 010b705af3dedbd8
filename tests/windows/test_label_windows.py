"""Reading the drum windows of a split with their source files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.storage.records import read_label_example
from gmd_vae.windows.storage.shards import read_examples


def test_each_window_has_its_labels_and_its_source_file(starter_examples: Path) -> None:
    windows = load_windows(starter_examples, "train")
    assert windows.labels.dtype == np.uint16  # nine classes
    assert len(windows) == len(windows.files) > 100
    assert sorted(set(windows.files.tolist())) == list(range(len(windows.sources)))
    records = [read_label_example(record) for record in read_examples(starter_examples, "train")]
    assert windows.labels.tolist() == [labels for labels, _ in records]
    assert [windows.sources[file] for file in windows.files] == [sources[0] for _, sources in records]


def test_a_missing_split_is_an_error_with_its_name(starter_examples: Path) -> None:
    with pytest.raises(GmdVaeError, match=r"has no split 'tset'\. There is: train, validation, test"):
        load_windows(starter_examples, "tset")
