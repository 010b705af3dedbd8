"""Draws a drum part for the page: the rows of its grid as SVG paths, a description, and times for the player."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.rendering.bars import to_seconds
from gmd_vae.rendering.drum_part import VOICES, DrumPart
from gmd_vae.rendering.layout import Layout, Row, lay_out

MAX_BARS = 16
MAX_HITS = 4_000  # 16 bars of 4/4 with every drum on every sixteenth have 2,304
_QUARTER, _LANE = 40, 12  # units of the SVG
HEIGHT = _LANE * len(VOICES)
_LEVELS = 4  # of opacity


@dataclasses.dataclass(frozen=True)
class SvgRow:
    """One row of the grid as SVG paths.

    Attributes:
        width: Width of the SVG in its units; the same for all rows of a beat.
        bars: Path of the lines between bars, and at the end of a row that is shorter than others.
        beats: Path of the lines between beats.
        hits: Voice, level of loudness from 0 (soft) to 3, and path of all hits that have both.
    """

    width: float
    bars: str
    beats: str
    hits: list[tuple[int, int, str]]


@dataclasses.dataclass(frozen=True)
class Grid:
    """A beat on the page.

    Attributes:
        rows: Rows of the grid, four bars each.
        facts: Tempo, meter and length as text.
        description: Accessible text of the grid.
        player: Data of the page's player: times of hits and bars, milliseconds.
    """

    rows: list[SvgRow]
    facts: str
    description: str
    player: dict[str, Any]


def draw_grid(part: DrumPart) -> Grid:
    """Draws the first 16 bars of a drum part.

    Args:
        part: Drum part.

    Raises:
        GmdVaeError: The bars have more than 4,000 hits.
    """
    layout = lay_out(part, max_bars=MAX_BARS, max_rows=MAX_BARS)
    drawn = np.concatenate([row.hits for row in layout.rows])
    if len(drawn) > MAX_HITS:
        raise GmdVaeError(f"{len(drawn):,} hits in {layout.bars} bars: too many to draw")
    bars = f"{layout.total_bars:,} bar{'s' * (layout.total_bars != 1)}"
    if layout.bars < layout.total_bars:
        bars = f"first {layout.bars} of {bars}"
    meter = [part.meter_text] if part.meter_text != "4/4" else []  # the usual meter needs no mention
    facts = [part.tempo_text, *meter, bars, f"{part.hits:,} hit{'s' * (part.hits != 1)}"]
    counts = collections.Counter(part.voices[drawn].tolist())
    played = ", ".join(f"{VOICES[voice]} {counts[voice]}" for voice in sorted(counts))
    return Grid(
        rows=[_row(part, layout, row) for row in layout.rows],
        facts=" · ".join(facts),
        description=f"Drum grid. {', '.join(facts)}. {f'Hits: {played}.' if played else 'Silence.'}",
        player=_player(part, layout, drawn.tolist()),
    )


def _row(part: DrumPart, layout: Layout, row: Row) -> SvgRow:
    paths: dict[tuple[int, int], list[str]] = collections.defaultdict(list)
    width = _QUARTER * layout.hit_width
    for hit in row.hits.tolist():
        voice, velocity = int(part.voices[hit]), int(part.velocities[hit])
        left = _QUARTER * (layout.lefts[hit] - row.begin)
        height = _LANE * layout.heights[hit]
        top = HEIGHT - _LANE * layout.bottoms[hit] - height  # SVG counts from the top
        level = min(velocity * _LEVELS // 128, _LEVELS - 1)
        paths[voice, level].append(f"M{left:.4g} {top:.4g}h{width:.3g}v{height:.3g}h-{width:.3g}z")
    shorter = layout.longest - (row.end - row.begin) > 1e-6
    return SvgRow(
        width=round(_QUARTER * layout.longest, 2),
        bars=_vertical_lines(row.bar_lines[1:] if shorter else row.bar_lines[1:-1], row.begin),
        beats=_vertical_lines(row.beat_lines, row.begin),
        hits=[(voice, level, "".join(path)) for (voice, level), path in sorted(paths.items())],
    )


def _vertical_lines(quarters: list[float], begin: float) -> str:
    return "".join(f"M{_QUARTER * (quarter - begin):.5g} 0v{HEIGHT}" for quarter in quarters)


def _player(part: DrumPart, layout: Layout, drawn: list[int]) -> dict[str, Any]:
    """Returns hits and bar lines in milliseconds; from one bar line to the next the cursor moves evenly."""
    quarters = [start for row in layout.rows for start in row.bar_lines[:-1]] + [layout.rows[-1].end]
    seconds = to_seconds(part, np.array(quarters))
    times = np.clip(part.times[drawn], 0, seconds[-1])
    return {
        "bars": [[round(1000 * float(second)), quarter] for second, quarter in zip(seconds, quarters, strict=True)],
        "rows": [[row.begin, row.end] for row in layout.rows],
        "times": np.rint(1000 * times).astype(int).tolist(),
        "voices": part.voices[drawn].tolist(),
        "velocities": part.velocities[drawn].tolist(),
    }
