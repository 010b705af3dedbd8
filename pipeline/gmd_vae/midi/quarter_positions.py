"""Positions in quarter notes by the tempos of a NoteSequence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DEFAULT_QPM = 120.0  # before the first tempo, as in note_seq


class TempoMap(NamedTuple):
    """The tempos of a NoteSequence from second 0 on.

    Attributes:
        times: Start of each tempo in seconds, ascending, float64 ``[tempos]``.
        quarters: The same in quarter notes, float64 ``[tempos]``.
        qpm: Quarter notes per minute, float64 ``[tempos]``.
    """

    times: Floats
    quarters: Floats
    qpm: Floats

    @classmethod
    def of(cls, sequence: Any) -> TempoMap | None:
        """Returns the tempos of a NoteSequence; ``None`` if one of them, or its time, is impossible.

        As in ``note_seq``, the tempo is 120 before the first one, and a tempo at or after ``total_time`` has no effect.
        """
        entries = [(0.0, DEFAULT_QPM)]
        for tempo in sorted(sequence.tempos, key=lambda tempo: tempo.time):
            if not (math.isfinite(tempo.time) and math.isfinite(tempo.qpm) and tempo.qpm > 0):
                return None
            if not tempo.time < sequence.total_time or tempo.qpm == entries[-1][1]:
                continue
            if tempo.time <= entries[-1][0]:
                entries[-1] = entries[-1][0], tempo.qpm
            else:
                entries.append((tempo.time, tempo.qpm))
        return cls.from_changes(entries)

    @classmethod
    def from_changes(cls, changes: Sequence[tuple[float, float]]) -> TempoMap:
        """Returns the map of tempos.

        Args:
            changes: Start in seconds, ascending, the first one 0, and quarter notes per minute of each tempo.
        """
        times, qpm = np.array(changes, np.float64).T
        with np.errstate(all="ignore"):  # tempos that no MIDI file has; the cutting drops times that are not finite
            quarters = np.concatenate([[0.0], np.cumsum(np.diff(times) * qpm[:-1] / 60)])
        return cls(times, quarters, qpm)

    @property
    def is_constant(self) -> bool:
        """True for a single tempo."""
        return len(self.qpm) == 1

    def to_quarters(self, seconds: Any) -> Floats:
        """Converts seconds to quarter notes from the beginning."""
        index = np.maximum(np.searchsorted(self.times, seconds, side="right") - 1, 0)
        with np.errstate(all="ignore"):
            return np.asarray(self.quarters[index] + (seconds - self.times[index]) * self.qpm[index] / 60)

    def to_seconds(self, quarters: Any) -> Floats:
        """Converts quarter notes from the beginning to seconds."""
        index = np.maximum(np.searchsorted(self.quarters, quarters, side="right") - 1, 0)
        return np.asarray(self.times[index] + (quarters - self.quarters[index]) * 60 / self.qpm[index])

    def tempo_between(self, begin: float, end: float) -> float:
        """Returns the median tempo between two positions in quarter notes, each tempo weighted with its quarter notes.

        The median is a tempo that the music has, also where it doubles half-way.
        """
        first = max(int(np.searchsorted(self.quarters, begin, side="right")) - 1, 0)
        last = max(int(np.searchsorted(self.quarters, end, side="left")), first + 1)
        weights = np.diff(np.clip(np.append(self.quarters[first:last], math.inf), begin, end))
        if not weights.sum() > 0:
            return float(self.qpm[first])
        qpm = self.qpm[first:last]
        order = np.argsort(qpm, kind="stable")
        sums = np.cumsum(weights[order])
        return float(qpm[order][int(np.searchsorted(sums, sums[-1] / 2))])
