"""Windows of examples that are stored as tensors, compressed in memory."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.windows.extraction import Layout, Tensors
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest
from gmd_vae.windows.storage.records import RecordError, read_tensor_example
from gmd_vae.windows.storage.shards import parse_examples

_COMPRESSION = 1  # zlib's fastest level: tensors are one-hot or mostly zeros, and shrink to a hundredth


@dataclasses.dataclass(frozen=True)
class TensorWindows:
    """The windows of a split.

    Attributes:
        tensors: Windows, decompressed at each access: take slices and drop them.
        files: Number of each window's source file, int64 ``[n]``. Windows of one file overlap and are not
            independent of each other.
        sources: ``NoteSequence.id`` of each file, by that number. A window of several files counts for the first.
    """

    tensors: Sequence[Tensors]
    files: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tensors)

    @property
    def items(self) -> Sequence[Tensors]:
        """The windows as a scorer reads them."""
        return self.tensors


def load_tensor_windows(folder: Path, split: str) -> TensorWindows:
    """Reads a split of tensors from a folder that ``gmd-vae preprocess`` made.

    Raises:
        GmdVaeError: The folder holds drum labels, has no such split, or is damaged.
    """
    content = read_examples_manifest(folder)
    layout = content.layout
    if layout.format != "tensors":
        raise GmdVaeError(
            f"'{folder}' holds the drum labels of '{content.config}', not tensors",
            "Run 'gmd-vae preprocess' with the config that was trained.",
        )
    content.split(folder, split)
    packed: list[bytes] = []
    files: list[int] = []
    numbers: dict[str, int] = {}

    def fitting(record: bytes) -> tuple[bytes, list[str]]:
        tensors, sources = read_tensor_example(record, layout)
        lengths = {len(tensors.inputs), len(tensors.outputs), len(tensors.controls)}
        longest = layout.steps or len(tensors.outputs)
        if len(lengths) > 1 or not 0 < len(tensors.outputs) <= longest or not 0 < sum(tensors.length) <= longest:
            raise RecordError("does not fit its manifest")
        return zlib.compress(record, _COMPRESSION), sources

    for number, (compressed, sources) in enumerate(parse_examples(folder, split, fitting)):
        packed.append(compressed)
        source = sources[0] if sources else f"window {number}"  # without a source, a window is its own file
        files.append(numbers.setdefault(source, len(numbers)))
    return TensorWindows(_Compressed(packed, layout), np.array(files, np.int64), tuple(numbers))


class _Compressed(Sequence[Tensors]):
    """Compressed records, read at each access."""

    def __init__(self, records: Sequence[bytes], layout: Layout) -> None:
        self._records, self._layout = records, layout

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, place: int) -> Tensors: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tensors]: ...
    def __getitem__(self, place: int | slice) -> Tensors | list[Tensors]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return read_tensor_example(zlib.decompress(self._records[place]), self._layout)[0]


class SelectedWindows(Sequence[Tensors]):
    """Windows by their numbers, read at each access; a number may occur several times."""

    def __init__(self, windows: Sequence[Tensors], numbers: npt.NDArray[np.int64]) -> None:
        self._windows, self._numbers = windows, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Tensors: ...
    @overload
    def __getitem__(self, place: slice) -> list[Tensors]: ...
    def __getitem__(self, place: int | slice) -> Tensors | list[Tensors]:
        if isinstance(place, slice):
            return [self._windows[int(number)] for number in self._numbers[place]]
        return self._windows[int(self._numbers[place])]


class ConditioningInputs(Sequence[npt.NDArray[np.generic]]):
    """The conditioning inputs ``[steps, control_depth]`` of windows, read at each access."""

    def __init__(self, windows: SelectedWindows) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    @overload
    def __getitem__(self, place: int) -> npt.NDArray[np.generic]: ...
    @overload
    def __getitem__(self, place: slice) -> list[npt.NDArray[np.generic]]: ...
    def __getitem__(self, place: int | slice) -> npt.NDArray[np.generic] | list[npt.NDArray[np.generic]]:
        if isinstance(place, slice):
            return [window.controls for window in self._windows[place]]
        return self._windows[place].controls
