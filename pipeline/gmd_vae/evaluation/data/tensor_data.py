"""The windows of configs whose examples are tensors (``layout`` "tensors"), in little memory."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.families.output_spec import Output
from gmd_vae.windows.extraction import Layout, Tensors
from gmd_vae.windows.storage.records import read_tensor_example
from gmd_vae.windows.storage.shards import layout_of, read_examples, read_examples_manifest

_COMPRESSION = 1  # tensors are one-hot, or mostly zeros: a hundredth is left


@dataclasses.dataclass(frozen=True)
class TensorWindows:
    """The windows of a split.

    Attributes:
        tensors: of each window; made when they are asked for, so slice them and let them go.
        files: int64 ``[n]``, the number of each window's source file: windows of one file overlap,
            and are not independent of each other.
        sources: the files' ids (``NoteSequence.id``), by that number. A window that several files
            hold counts for the first.
    """

    tensors: Sequence[Tensors]
    files: npt.NDArray[np.int64]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.tensors)


@dataclasses.dataclass(frozen=True)
class TensorData:
    """What a model with another output than drum labels is evaluated on.

    Attributes:
        windows: of the split.
        training: what it was trained on.
        styles: of each file of the split; ``None``: not known.
        training_styles: of each file of the training split.
        output: what the model writes.
        tempos: quarters a minute of each file of the split; ``None``: not known.
    """

    windows: TensorWindows
    training: TensorWindows
    styles: Sequence[str | None]
    training_styles: Sequence[str | None]
    output: Output
    tempos: Sequence[float | None] = ()


def load_tensor_windows(folder: Path, split: str) -> TensorWindows:
    """Reads a split of a folder that ``preprocess`` made, with tensors in it.

    Raises:
        GmdVaeError: the folder holds drum labels, has no such split, or is damaged.
    """
    content = read_examples_manifest(folder)
    layout = layout_of(content)
    if layout.format != "tensors":
        raise GmdVaeError(
            f"'{folder}' holds the drum labels of '{content.get('config')}', not tensors",
            "Run 'gmd-vae preprocess' with the config that was trained.",
        )
    if split not in content["splits"]:
        raise GmdVaeError(f"'{folder}' has no split '{split}'", f"There is: {', '.join(content['splits'])}.")
    packed: list[bytes] = []
    files: list[int] = []
    numbers: dict[str, int] = {}
    for number, record in enumerate(read_examples(folder, split)):
        tensors, sources = read_tensor_example(record, layout)
        lengths = {len(tensors.inputs), len(tensors.outputs), len(tensors.controls)}
        most = layout.steps or len(tensors.outputs)
        if len(lengths) > 1 or not 0 < len(tensors.outputs) <= most or not 0 < sum(tensors.length) <= most:
            raise GmdVaeError(
                f"Example {number} of '{folder}' ({split}) does not fit its manifest",
                f"Make '{folder}' again with 'gmd-vae preprocess'.",
            )
        packed.append(zlib.compress(record, _COMPRESSION))
        source = sources[0] if sources else f"window {number}"  # of no known file: of a file of its own
        files.append(numbers.setdefault(source, len(numbers)))
    return TensorWindows(_Packed(packed, layout), np.array(files, np.int64), tuple(numbers))


class _Packed(Sequence[Tensors]):
    """Records that are unpacked when somebody looks at them."""

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
