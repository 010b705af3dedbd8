"""Ticks to seconds, bit for bit as pretty_midi 0.2.11 computes them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader.events import Ints

Floats = npt.NDArray[np.float64]

_DEFAULT_QPM = 120.0
_MICROSECONDS_PER_MINUTE = 6e7


class TempoMap:
    """Converts ticks to seconds.

    Mirrors ``pretty_midi.PrettyMIDI._load_tempo_changes`` and ``_update_tick_to_time``. pretty_midi fills an array
    with one element for each tick of the file. This class holds one element for each tempo, and its results are
    equal to that array's elements.

    Args:
        resolution: Ticks per quarter note, at least 1.
        tempos: Tick, and microseconds per quarter note, at least 1, in order of time.

    Attributes:
        tempos: Seconds and quarter notes per minute of each tempo, from second 0 on.
    """

    def __init__(self, resolution: int, tempos: list[tuple[int, int]]) -> None:
        starts, scales = [0], [60.0 / (_DEFAULT_QPM * resolution)]  # first tick, and seconds per tick
        for tick, tempo in tempos:
            scale = 60.0 / (_MICROSECONDS_PER_MINUTE / tempo * resolution)
            if tick == 0:
                starts, scales = [0], [scale]
            elif scale != scales[-1]:  # pretty_midi skips a repeated tempo
                starts.append(tick)
                scales.append(scale)
        seconds = [0.0]
        for index in range(1, len(starts)):
            seconds.append(seconds[-1] + scales[index - 1] * (starts[index] - starts[index - 1]))
        self.tempos = [(time, 60.0 / (scale * resolution)) for time, scale in zip(seconds, scales, strict=True)]
        self._starts, self._scales, self._seconds = np.array(starts), np.array(scales), np.array(seconds)

    def seconds(self, ticks: Ints) -> Floats:
        """Returns the time of each tick in seconds, float64 [ticks]."""
        if len(self._scales) == 1:
            return self._scales[0] * ticks  # type: ignore[no-any-return]
        index = np.searchsorted(self._starts, ticks, side="right") - 1
        times: Floats = self._seconds[index] + self._scales[index] * (ticks - self._starts[index])
        return times
