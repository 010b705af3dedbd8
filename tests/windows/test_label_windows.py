"""Reading the drum windows of a split with their source files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from fixtures.changed_examples import changed_examples
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.windows.label_windows import load_windows
from gmd_vae.windows.storage.records import label_example, read_label_example
from gmd_vae.windows.storage.shards import read_examples


def test_each_window_has_its_labels_and_its_source_file(starter_examples: Path) -> None:
    windows = load_windows(starter_examples, "train")
    assert windows.labels.dtype == np.uint16  # nine classes
    assert len(windows) == len(windows.files) > 100
    assert sorted(set(windows.files.tolist())) == list(range(len(windows.sources)))
    records = [read_label_example(record) for record in read_examples(starter_examples, "train")]
    assert windows.labels.tolist() == [labels for labels, _ in records]
    assert [windows.sources[file] for file in windows.files] == [sources[0] for _, sources in records]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"junk", "is not a gmd-vae example record"),
        (label_example(np.array([], np.int64), ["a"]), "is not a gmd-vae labels record"),
        (label_example(np.full(64, 512), ["a"]), "does not fit its manifest"),
        (label_example(np.zeros(63, np.int64), ["a"]), "does not fit its manifest"),
    ],
)
def test_a_record_that_cannot_be_used_is_named_with_its_file_and_number(
    starter_examples: Path, tmp_path: Path, record: bytes, reason: str
) -> None:
    folder = changed_examples(starter_examples, tmp_path / "changed", lambda records: [*records[:2], record])
    message = f"Record 3 of '{folder}/train-00000-of-00004.tfrecord' {reason}. Make the examples again"
    with pytest.raises(GmdVaeError, match=re.escape(message)):
        load_windows(folder, "train")


def test_a_missing_split_is_an_error_with_its_name(starter_examples: Path) -> None:
    with pytest.raises(GmdVaeError, match=r"has no split 'tset'\. There is: train, validation, test"):
        load_windows(starter_examples, "tset")
