"""Lays out the grid of a drum part: bars in rows, lines, and a rectangle for each hit.

PNG files and the report page draw the same layout.

Units: across quarter notes from the beginning of the part, up lanes (one for each voice, the kick at the bottom).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gmd_vae.rendering.bars import Array, Bar, find_bars
from gmd_vae.rendering.drum_part import DrumPart

_BARS_PER_ROW = 4
_QUARTERS_PER_ROW = 32.0  # a row of long bars holds fewer than four
_STEP = 0.25  # quarter notes: a sixteenth
_FLOOR = 0.1  # lanes below each hit
_SOFTEST, _LOUDNESS = 0.18, 0.62  # height of a hit at velocity 0, and what velocity 127 adds; lanes
_HIT = 0.72 * _STEP  # quarter notes
# Shares of the longest row. Closer lines would be a grey area; narrower hits could not be seen.
_CLOSEST, _WIDEST_HIT = 0.00341, 0.0293


@dataclasses.dataclass(frozen=True)
class Row:
    """Up to four bars beside each other.

    Attributes:
        first_bar: Number of the first bar, from 1.
        begin: Start of the first bar.
        end: End of the last bar.
        bar_lines: Start of each bar, and ``end``.
        beat_lines: Beats inside the bars; empty where they are too close to be drawn.
        step_lines: Sixteenths inside the bars; empty where they are too close to be drawn.
        hits: Indices of the row's hits in the part, in the order of time, int64 [hits of the row].
    """

    first_bar: int
    begin: float
    end: float
    bar_lines: list[float]
    beat_lines: list[float]
    step_lines: list[float]
    hits: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Layout:
    """The grid of a part. Each hit is a rectangle that starts where the hit is played and grows with its velocity.

    Attributes:
        rows: Rows of bars, at least one.
        bars: Number of bars in the rows.
        total_bars: Number of bars in the part.
        longest: Length of the longest row; all rows are drawn to the same scale.
        hit_width: Width of every hit.
        lefts: Left edge of each hit of the part, float64 [hits].
        bottoms: Lower edge of each hit, float64 [hits].
        heights: Height of each hit, float64 [hits].
    """

    rows: list[Row]
    bars: int
    total_bars: int
    longest: float
    hit_width: float
    lefts: Array
    bottoms: Array
    heights: Array


def lay_out(part: DrumPart, *, max_bars: int, max_rows: int) -> Layout:
    """Lays out the first bars of a part.

    A hit that is played a little before a row belongs to that row. Hits after the last row are in no row.

    Args:
        part: Drum part.
        max_bars: Maximum number of bars.
        max_rows: Maximum number of rows.
    """
    found = find_bars(part, max_bars)
    rows = _rows(found.bars)[:max_rows]
    bars = sum(map(len, rows))
    longest = max(_end(row) - row[0].start for row in rows)
    edges = [row[0].start for row in rows[1:]]
    if bars < found.total:
        edges.append(_end(rows[-1]))
    splits = np.searchsorted(found.hits, np.array(edges) - _STEP / 2)
    hits = np.split(np.arange(part.hits), splits)[: len(rows)]
    return Layout(
        rows=[_row(row, 1 + sum(map(len, rows[:number])), longest, hits[number]) for number, row in enumerate(rows)],
        bars=bars,
        total_bars=found.total,
        longest=longest,
        hit_width=min(max(_HIT, _CLOSEST * longest), _WIDEST_HIT * longest),
        lefts=found.hits,
        bottoms=np.asarray(part.voices + _FLOOR, np.float64),
        heights=hit_height(part.velocities),
    )


def hit_height(velocities: npt.NDArray[np.int64]) -> Array:
    """Returns the heights of hits, in lanes; the softest can still be seen."""
    return np.asarray(_SOFTEST + _LOUDNESS * velocities / 127)


def _rows(bars: list[Bar]) -> list[list[Bar]]:
    """Groups bars into rows of four, or fewer where they are long."""
    rows: list[list[Bar]] = []
    for bar in bars:
        row = rows[-1] if rows else []
        if 0 < len(row) < _BARS_PER_ROW and bar.start + bar.length - row[0].start <= _QUARTERS_PER_ROW:
            row.append(bar)
        else:
            rows.append([bar])
    return rows


def _row(bars: list[Bar], first_bar: int, longest: float, hits: npt.NDArray[np.int64]) -> Row:
    def lines(distance: Callable[[Bar], float]) -> list[float]:
        return [
            bar.start + number * distance(bar)
            for bar in bars
            if distance(bar) >= _CLOSEST * longest
            for number in range(1, math.ceil(bar.length / distance(bar) - 1e-3))
        ]

    end = _end(bars)
    return Row(
        first_bar=first_bar,
        begin=bars[0].start,
        end=end,
        bar_lines=[*(bar.start for bar in bars), end],
        beat_lines=lines(lambda bar: bar.beat),
        step_lines=lines(lambda bar: _STEP),
        hits=hits,
    )


def _end(bars: list[Bar]) -> float:
    return bars[-1].start + bars[-1].length
