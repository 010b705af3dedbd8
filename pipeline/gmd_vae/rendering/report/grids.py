"""A drum part as the page shows and plays it: rows of a step grid in SVG, and times for the player."""

from __future__ import annotations

import collections
import dataclasses
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.rendering.bars import Bar, measure
from gmd_vae.rendering.drum_part import VOICES, DrumPart

MAX_BARS = 16
MAX_HITS = 4_000  # 16 bars of 4/4 with every drum on every sixteenth have 2,304
_BARS_PER_ROW = 4
_QUARTERS_PER_ROW = 32.0
_MAX_LINES = 300  # a row; more would be a grey area
_STEP = 0.25  # quarter notes: a sixteenth

QUARTER, LANE = 40, 12  # units of the picture
_WIDTH_OF_HIT = 7.6
_LEVELS = 4  # of opacity


@dataclasses.dataclass(frozen=True)
class Row:
    """Up to four bars beside each other, as SVG paths.

    Attributes:
        begin: quarter notes since the beginning.
        end: quarter notes.
        width: of the picture, in its units; the same for all rows of a beat.
        bars: lines between bars, and at the end of a row that is shorter than others.
        beats: lines between beats.
        hits: voice, level of loudness from 0 (soft), and path.
    """

    begin: float
    end: float
    width: float
    bars: str
    beats: str
    hits: list[tuple[int, int, str]]


@dataclasses.dataclass(frozen=True)
class Grid:
    """A beat for eyes, ears and screen readers.

    Attributes:
        rows: of the grid, four bars each.
        facts: tempo, meter, length.
        text: what can be seen, in words.
        player: what the script needs: times of hits and bars in seconds.
    """

    rows: list[Row]
    facts: str
    text: str
    player: dict[str, Any]


def grid_of(part: DrumPart) -> Grid:
    """The first 16 bars of a drum part.

    Raises:
        GmdVaeError: they have more than 4,000 hits.
    """
    ruler = measure(part, MAX_BARS)
    rows = _rows(ruler.bars)
    end = rows[-1][-1].start + rows[-1][-1].length
    early = _STEP / 2  # a hit that comes a little before a beat belongs to it
    whole = len(ruler.bars) == ruler.total
    shown = np.full(part.hits, True) if whole else ruler.hits < end - early
    if shown.sum() > MAX_HITS:
        raise GmdVaeError(f"{int(shown.sum()):,} hits in {len(ruler.bars)} bars: too many to draw")
    hits, voices, velocities = ruler.hits[shown], part.voices[shown], part.velocities[shown]
    edges = [row[0].start for row in rows[1:]]
    row_of = np.searchsorted(np.array(edges) - early, hits, side="right")
    bars = f"{ruler.total:,} bar{'s' * (ruler.total != 1)}"
    if not whole:
        bars = f"first {len(ruler.bars)} of {bars}"
    facts = [_tempo(part), _meter(part), bars, f"{part.hits:,} hit{'s' * (part.hits != 1)}"]
    widest = max(row[-1].start + row[-1].length - row[0].start for row in rows)
    counts = collections.Counter(voices.tolist())
    played = ", ".join(f"{VOICES[voice]} {counts[voice]}" for voice in sorted(counts))
    return Grid(
        [
            _row(row, widest, hits[row_of == number], voices[row_of == number], velocities[row_of == number])
            for number, row in enumerate(rows)
        ],
        " · ".join(fact for fact in facts if fact),
        f"Drum grid. {', '.join(fact for fact in facts if fact)}. {f'Hits: {played}.' if played else 'Silence.'}",
        _player(part, ruler.bars, rows, shown),
    )


def _rows(bars: list[Bar]) -> list[list[Bar]]:
    """Four bars a row, or fewer where they are long."""
    rows: list[list[Bar]] = []
    for bar in bars:
        row = rows[-1] if rows else []
        if 0 < len(row) < _BARS_PER_ROW and bar.start + bar.length - row[0].start <= _QUARTERS_PER_ROW:
            row.append(bar)
        else:
            rows.append([bar])
    return rows


def _row(
    bars: list[Bar],
    widest: float,
    hits: npt.NDArray[np.float64],
    voices: npt.NDArray[np.int64],
    velocities: npt.NDArray[np.int64],
) -> Row:
    begin, end = bars[0].start, bars[-1].start + bars[-1].length
    width = QUARTER * (end - begin)
    beats = [
        bar.start + number * bar.beat for bar in bars for number in range(1, math.ceil(bar.length / bar.beat - 1e-3))
    ]
    paths: dict[tuple[int, int], list[str]] = collections.defaultdict(list)
    wide = min(_WIDTH_OF_HIT, width)
    for quarter, voice, velocity in zip(hits.tolist(), voices.tolist(), velocities.tolist(), strict=True):
        x = min(max(QUARTER * (quarter - begin) + 1.2, 0.0), width - wide)
        tall = 3.5 + 7 * velocity / 127
        y = LANE * (len(VOICES) - voice) - 0.75 - tall
        level = min(velocity * _LEVELS // 128, _LEVELS - 1)
        paths[voice, level].append(f"M{x:.4g} {y:.4g}h{wide:g}v{tall:.3g}h-{wide:g}z")
    return Row(
        begin,
        end,
        round(QUARTER * widest, 2),
        _lines([bar.start - begin for bar in bars[1:]] + ([end - begin] if end - begin < widest - 1e-6 else [])),
        _lines([beat - begin for beat in beats] if len(beats) < _MAX_LINES else []),
        [(voice, level, "".join(path)) for (voice, level), path in sorted(paths.items())],
    )


def _lines(quarters: list[float]) -> str:
    """Lines from top to bottom."""
    return "".join(f"M{QUARTER * at:.5g} 0v{LANE * len(VOICES)}" for at in quarters)


def _player(part: DrumPart, bars: list[Bar], rows: list[list[Bar]], shown: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Hits and bar lines in milliseconds; between two bar lines the cursor goes evenly."""
    quarters = [bar.start for bar in bars] + [bars[-1].start + bars[-1].length]
    seconds = _seconds(part, np.array(quarters))
    times = np.clip(part.times[shown], 0, seconds[-1])
    return {
        "bars": [[round(1000 * float(second)), quarter] for second, quarter in zip(seconds, quarters, strict=True)],
        "rows": [[row[0].start, row[-1].start + row[-1].length] for row in rows],
        "times": np.rint(1000 * times).astype(int).tolist(),
        "voices": part.voices[shown].tolist(),
        "velocities": part.velocities[shown].tolist(),
    }


def _seconds(part: DrumPart, quarters: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Quarter notes since the beginning in seconds, by the part's tempos: what ``bars`` turns round."""
    starts = np.array([time for time, _ in part.tempos])
    rates = np.array([qpm / 60 for _, qpm in part.tempos])
    before = np.concatenate([[0.0], np.cumsum(np.diff(starts) * rates[:-1])])
    at = np.maximum(np.searchsorted(before, quarters, side="right") - 1, 0)
    return np.asarray(starts[at] + (quarters - before[at]) / rates[at])


def _tempo(part: DrumPart) -> str:
    slowest, fastest = (round(pick(qpm for _, qpm in part.tempos), 1) for pick in (min, max))
    return f"{slowest:g} bpm" if slowest == fastest else f"{slowest:g} to {fastest:g} bpm"


def _meter(part: DrumPart) -> str:
    """The meter where it is not what everybody expects."""
    meters = list(dict.fromkeys(f"{numerator}/{denominator}" for _, numerator, denominator in part.meters))
    return "" if meters == ["4/4"] else ", ".join(meters[:3]) + ("…" if len(meters) > 3 else "")
