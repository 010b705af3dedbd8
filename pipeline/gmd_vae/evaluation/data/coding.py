"""Windows of streams and events as integers: one code a step holds the classes of all streams.

Metrics that compare drum labels (step accuracy, nearest windows, interpolation) work on these codes too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.data.tensor_windows import TensorWindows
from gmd_vae.families.output_spec import OutputSpec
from gmd_vae.windows.extraction import Tensors

Classes: TypeAlias = npt.NDArray[np.int32]  # [n, steps, streams]; -1 where a window has no step

_ROWS = 64  # windows in memory as tensors at one time


@dataclasses.dataclass(frozen=True)
class StreamCoding:
    """Packs the classes of a step into one integer.

    Each stream has a field of bits that holds its class plus 1. A code of 0 means that the window has no such step.

    Attributes:
        output: Shapes of the model's output, with its streams.
    """

    output: OutputSpec

    @property
    def bits(self) -> int:
        """Number of bits of a code."""
        return sum(self._widths)

    @property
    def no_event(self) -> int:
        """Code of a step at which no stream has an event."""
        return int(self.join(np.zeros(len(self.output.streams), np.int64)))

    def join(self, classes: npt.NDArray[np.integer[Any]]) -> Labels:
        """Returns classes ``[..., streams]`` as codes, int64 ``[...]``."""
        codes = np.zeros(classes.shape[:-1], np.int64)
        for number, start in enumerate(self._starts):
            codes |= (classes[..., number].astype(np.int64) + 1) << start
        return codes

    def split(self, codes: Labels) -> Classes:
        """Returns codes ``[...]`` as classes ``[..., streams]``."""
        parts = [
            ((codes >> start) & ((1 << width) - 1)) - 1 for start, width in zip(self._starts, self._widths, strict=True)
        ]
        return np.stack(parts, axis=-1).astype(np.int32)

    def encode_output(self, written: npt.NDArray[Any]) -> Labels:
        """Returns a decoder's output ``[steps, output_depth]`` as codes ``[steps]``."""
        return self.join(self._likeliest(written))

    def encode_window(self, window: Tensors) -> Labels:
        """Returns the codes ``[steps]`` of a window; 0 after the end of a track."""
        written = np.zeros((self.output.steps, window.outputs.shape[1]), window.outputs.dtype)
        written[: len(window.outputs)] = window.outputs
        positions = np.arange(self.output.steps).reshape(len(window.length), -1)
        present = (positions - positions[:, :1]) < np.array(window.length)[:, None]
        codes: Labels = np.where(present.reshape(-1), self.join(self._likeliest(written)), 0)
        return codes

    def encode_windows(self, windows: TensorWindows) -> Labels:
        """Returns the codes of all windows of a split, int64 ``[n, steps]``."""
        codes = np.zeros((len(windows), self.output.steps), np.int64)
        for start in range(0, len(windows), _ROWS):
            for row, window in enumerate(windows.tensors[start : start + _ROWS], start):
                codes[row] = self.encode_window(window)
        return codes

    def encode_decoded(self, decode: Callable[[range], Sequence[npt.NDArray[Any]]], count: int) -> Labels:
        """Decodes windows in small batches and returns their codes: all tensors at once would fill the memory.

        Args:
            decode: Decoder of a range of rows; returns arrays ``[steps, output_depth]``.
            count: Number of rows.

        Returns:
            int64 ``[count, steps]``.
        """
        codes = np.zeros((count, self.output.steps), np.int64)
        for start in range(0, count, _ROWS):
            rows = range(start, min(start + _ROWS, count))
            for row, written in zip(rows, decode(rows), strict=True):
                codes[row] = self.encode_output(written)
        return codes

    def _likeliest(self, written: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        streams = self.output.streams
        return np.stack([written[:, stream.start : stream.stop].argmax(axis=-1) for stream in streams], axis=-1)

    @property
    def _widths(self) -> list[int]:
        return [stream.classes.bit_length() for stream in self.output.streams]

    @property
    def _starts(self) -> list[int]:
        return [sum(self._widths[:number]) for number in range(len(self._widths))]


class EventCoding(StreamCoding):
    """Codes of multitrack windows: one stream of events, track after track."""

    @property
    def end(self) -> int:
        """Class of the event that ends a track."""
        return self.output.streams[0].classes - 1

    def encode_output(self, written: npt.NDArray[Any]) -> Labels:
        """Returns a decoder's output as codes ``[steps]``; 0 after the first end of each track."""
        codes = super().encode_output(written)
        tracks = codes.reshape(self.output.tracks, -1)
        ends = tracks == self.end + 1
        ended = np.cumsum(ends, axis=-1) - ends > 0
        kept: Labels = np.where(ended, 0, tracks).reshape(codes.shape)
        return kept
