"""Windows of streams as numbers: one integer a step says the class of every stream.

What is measured of drum labels by comparing them (steps right, nearest windows, interpolation) serves these too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Labels
from gmd_vae.evaluation.data.tensor_data import TensorWindows
from gmd_vae.families.output_spec import Output
from gmd_vae.windows.extraction import Tensors

Classes: TypeAlias = npt.NDArray[np.int32]  # [n, steps, streams]; -1 where a window has no step

_ROWS = 64  # windows that are unpacked at one time


@dataclasses.dataclass(frozen=True)
class Coding:
    """How the classes of a step become one number, and come back.

    Attributes:
        output: what the model writes; of kind ``streams``.
    """

    output: Output

    @property
    def bits(self) -> int:
        """Numbers are below ``2 ** bits``."""
        return sum(self._widths)

    @property
    def end(self) -> int:
        """Of events: the class that ends a track."""
        return self.output.streams[0].classes - 1

    def join(self, classes: npt.NDArray[np.integer[Any]]) -> Labels:
        """Classes ``[..., streams]`` as int64 ``[...]``; 0 where all are -1, that is: no step."""
        codes = np.zeros(classes.shape[:-1], np.int64)
        for number, start in enumerate(self._starts):
            codes |= (classes[..., number].astype(np.int64) + 1) << start
        return codes

    def split(self, codes: Labels) -> Classes:
        """The classes ``[..., streams]`` of codes ``[...]``."""
        parts = [
            ((codes >> start) & ((1 << width) - 1)) - 1 for start, width in zip(self._starts, self._widths, strict=True)
        ]
        return np.stack(parts, axis=-1).astype(np.int32)

    def of_output(self, written: npt.NDArray[Any]) -> Labels:
        """What a decoder wrote, ``[steps, output_depth]``, as codes ``[steps]``; of events, to each track's end."""
        classes = np.stack(
            [written[:, stream.start : stream.stop].argmax(axis=-1) for stream in self.output.streams], axis=-1
        )
        return self.ended(self.join(classes))

    def of_window(self, window: Tensors) -> Labels:
        """The codes ``[steps]`` of a window; 0 behind the end of a track."""
        written = np.zeros((self.output.steps, window.outputs.shape[1]), window.outputs.dtype)
        written[: len(window.outputs)] = window.outputs
        classes = np.stack(
            [written[:, stream.start : stream.stop].argmax(axis=-1) for stream in self.output.streams], axis=-1
        )
        places = np.arange(self.output.steps).reshape(len(window.length), -1)
        present = (places - places[:, :1]) < np.array(window.length)[:, None]
        codes: Labels = np.where(present.reshape(-1), self.join(classes), 0)
        return codes

    def of_windows(self, windows: TensorWindows) -> Labels:
        """Of all windows of a split, int64 ``[n, steps]``; few of their tensors are in memory at one time."""
        codes = np.zeros((len(windows), self.output.steps), np.int64)
        for start in range(0, len(windows), _ROWS):
            for row, window in enumerate(windows.tensors[start : start + _ROWS], start):
                codes[row] = self.of_window(window)
        return codes

    def ended(self, codes: Labels) -> Labels:
        """Events ``[..., steps]`` without what stands behind the first end of each track; others as they are."""
        if not self.output.is_events:
            return codes
        tracks = codes.reshape(*codes.shape[:-1], self.output.tracks, -1)
        ends = tracks == self.end + 1
        ended = np.cumsum(ends, axis=-1) - ends > 0
        kept: Labels = np.where(ended, 0, tracks).reshape(codes.shape)
        return kept

    @property
    def _widths(self) -> list[int]:
        return [stream.classes.bit_length() for stream in self.output.streams]

    @property
    def _starts(self) -> list[int]:
        return [sum(self._widths[:number]) for number in range(len(self._widths))]


def decoded(
    coding: Coding,
    decode: Callable[[range], Sequence[npt.NDArray[Any]]],
    count: int,
) -> Labels:
    """The codes ``[count, steps]`` of windows that are decoded some at a time: whole ones need much memory.

    Args:
        coding: how.
        decode: gives some of the windows, each ``[steps, output_depth]``.
        count: how many there are.
    """
    codes = np.zeros((count, coding.output.steps), np.int64)
    for start in range(0, count, _ROWS):
        rows = range(start, min(start + _ROWS, count))
        for row, written in zip(rows, decode(rows), strict=True):
            codes[row] = coding.of_output(written)
    return codes
