"""Where the bars of a drum part lie: its tempos and meters as a ruler in quarter notes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from gmd_vae.rendering.drum_part import DrumPart

_CLOSE = 1e-4  # quarter notes, 0.05 ms at 120 bpm: seconds turned back into quarters are not exact
_MOMENT = 0.25  # quarter notes


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        start: quarter notes since the beginning.
        length: quarter notes; shorter than its meter says where the meter changes within it.
        beat: quarter notes between the beats: three eighths in 6/8, 9/8 and 12/8.
    """

    start: float
    length: float
    beat: float


@dataclasses.dataclass(frozen=True)
class Ruler:
    """A part's bars.

    Attributes:
        hits: where each hit of the part begins, quarter notes, float64 ``[hits]``.
        bars: the first of them, at least one.
        total: how many there are in all.
    """

    hits: npt.NDArray[np.float64]
    bars: list[Bar]
    total: int


def measure(part: DrumPart, limit: int) -> Ruler:
    """Lays the ruler: the first ``limit`` bars, and the number of all until the music ends."""
    quarters = _quarters(part, part.times)
    end = float(_quarters(part, np.array([part.seconds]))[0])
    # the last stroke's note often ends a moment after the bar line: that is no other bar
    end = max(end - _MOMENT, float(quarters.max(initial=0.0)) + 2 * _CLOSE)
    changes = _quarters(part, np.array([time for time, _, _ in part.meters])).tolist()
    bars: list[Bar] = []
    total = 0
    for index, (start, (_, numerator, denominator)) in enumerate(zip(changes, part.meters, strict=True)):
        stop = min(end, changes[index + 1]) if index + 1 < len(changes) else end
        length = 4 * numerator / denominator
        count = math.ceil((stop - start - _CLOSE) / length)
        if count <= 0:
            continue
        # a meter that changes cuts the last bar before it; the end of the music does not
        last = stop - start - (count - 1) * length if stop < end else length
        for number in range(min(count, limit - len(bars))):
            size = last if number == count - 1 else length
            bars.append(Bar(start + number * length, size, _beat(numerator, denominator)))
        total += count
    if not bars:
        _, numerator, denominator = part.meters[0]
        bars, total = [Bar(0.0, 4 * numerator / denominator, _beat(numerator, denominator))], 1
    return Ruler(quarters, bars, total)


def _beat(numerator: int, denominator: int) -> float:
    compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0
    return (12 if compound else 4) / denominator


def _quarters(part: DrumPart, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Seconds in quarter notes since the beginning, by the part's tempos."""
    starts = np.array([time for time, _ in part.tempos])
    rates = np.array([qpm / 60 for _, qpm in part.tempos])
    before = np.concatenate([[0.0], np.cumsum(np.diff(starts) * rates[:-1])])
    at = np.maximum(np.searchsorted(starts, seconds, side="right") - 1, 0)
    return np.asarray(before[at] + (seconds - starts[at]) * rates[at])
