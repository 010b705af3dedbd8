"""Reads the drum windows of one split of an examples folder, with the source file of each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest
from gmd_vae.windows.storage.records import RecordError, read_label_example
from gmd_vae.windows.storage.shards import example_files, parse_examples


@dataclasses.dataclass(frozen=True)
class LabelWindows:
    """The drum windows of a split.

    Attributes:
        labels: Drum labels, uint16 ``[windows, steps]``; int64 for more than 16 drum classes.
        files: Number of each window's source file, int64 ``[windows]``. Windows of one file overlap, so they are not
            independent of each other. A window that several files contain belongs to the first.
        sources: Id of each source file (``NoteSequence.id``), by its number.
    """

    labels: npt.NDArray[np.integer[Any]]
    files: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def items(self) -> npt.NDArray[np.integer[Any]]:
        """The windows as a scorer reads them."""
        return self.labels


def load_windows(folder: Path, split: str) -> LabelWindows:
    """Reads a split of an examples folder.

    Args:
        folder: Folder that ``preprocess`` wrote.
        split: ``train``, ``validation`` or ``test``.

    Raises:
        GmdVaeError: The folder holds no drum labels, has no such split, or is damaged.
    """
    content = read_examples_manifest(folder)
    layout = content.layout
    if layout.format != "labels" or layout.steps is None:
        raise GmdVaeError(
            f"'{folder}' holds the tensors of '{content.config}', not drum labels",
            "Run 'gmd-vae preprocess' with a drum config.",
        )
    example_files(folder, split)  # their sizes: the manifest's counts follow from them
    count = content.split(folder, split).examples
    labels = np.zeros((count, layout.steps), np.uint16 if layout.classes <= 16 else np.int64)
    files = np.zeros(count, np.int64)
    numbers: dict[str, int] = {}

    def fitting(record: bytes) -> tuple[list[int], list[str]]:
        row, sources = read_label_example(record)
        if len(row) != layout.steps or min(row) < 0 or max(row) >> layout.classes:
            raise RecordError("does not fit its manifest")
        return row, sources

    for number, (row, sources) in enumerate(parse_examples(folder, split, fitting)):
        labels[number] = row
        source = sources[0] if sources else f"window {number}"  # without a source: a file of its own
        files[number] = numbers.setdefault(source, len(numbers))
    return LabelWindows(labels, files, tuple(numbers))
