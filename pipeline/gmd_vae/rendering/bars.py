"""Finds bars and beats of a drum part in quarter notes, and converts seconds to quarter notes and back."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.quarter_positions import TempoMap
from gmd_vae.rendering.drum_part import DrumPart

_CLOSE = 1e-4  # quarter notes, 0.05 ms at 120 bpm: seconds converted back to quarters are not exact
_MOMENT = 0.25  # quarter notes

Array = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        start: Quarter notes from the beginning of the part.
        length: Quarter notes; shorter than the meter where another meter begins within the bar.
        beat: Quarter notes from beat to beat: 1.5 in 6/8, 9/8 and 12/8.
    """

    start: float
    length: float
    beat: float


@dataclasses.dataclass(frozen=True)
class Bars:
    """The bars of a part.

    Attributes:
        hits: Start of each hit, quarter notes, float64 [hits].
        bars: First bars, at least one.
        total: Number of all bars.
        end: End of the last of all bars, quarter notes.
    """

    hits: Array
    bars: list[Bar]
    total: int
    end: float


def find_bars(part: DrumPart, limit: int) -> Bars:
    """Finds the bars of a part from its meters, until its music ends.

    Args:
        part: Drum part.
        limit: Maximum number of bars to return.
    """
    hits = to_quarters(part, part.times)
    end = float(to_quarters(part, np.array([part.seconds]))[0])
    # the last note often ends a moment after the bar line, which does not begin another bar
    end = max(end - _MOMENT, float(hits.max(initial=0.0)) + 2 * _CLOSE)
    changes = to_quarters(part, np.array([time for time, _, _ in part.meters])).tolist()
    bars: list[Bar] = []
    total, last_end = 0, 0.0
    for index, (start, (_, numerator, denominator)) in enumerate(zip(changes, part.meters, strict=True)):
        stop = min(end, changes[index + 1]) if index + 1 < len(changes) else end
        length = 4 * numerator / denominator
        count = math.ceil((stop - start - _CLOSE) / length)
        if count <= 0:
            continue
        # a new meter cuts the last bar before it; the end of the music does not
        last = stop - start - (count - 1) * length if stop < end else length
        for number in range(min(count, limit - len(bars))):
            size = last if number == count - 1 else length
            bars.append(Bar(start + number * length, size, _beat(numerator, denominator)))
        total, last_end = total + count, start + (count - 1) * length + last
    if not bars:
        _, numerator, denominator = part.meters[0]
        last_end = 4 * numerator / denominator
        bars, total = [Bar(0.0, last_end, _beat(numerator, denominator))], 1
    return Bars(hits, bars, total, last_end)


def to_quarters(part: DrumPart, seconds: Array) -> Array:
    """Converts seconds to quarter notes from the beginning, by the part's tempos."""
    return TempoMap.from_changes(part.tempos).to_quarters(seconds)


def to_seconds(part: DrumPart, quarters: Array) -> Array:
    """Converts quarter notes from the beginning to seconds: the inverse of ``to_quarters``."""
    return TempoMap.from_changes(part.tempos).to_seconds(quarters)


def _beat(numerator: int, denominator: int) -> float:
    compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0
    return (12 if compound else 4) / denominator
