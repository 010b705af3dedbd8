"""Draws a drum part as a PNG file: a grid of sixteenth notes, with each hit where it is played."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gmd_vae.common.charts import GREY, drawing
from gmd_vae.rendering.drum_part import KICK, LOW_TOM, SNARE, VOICES, DrumPart
from gmd_vae.rendering.layout import Layout, Row, hit_height, lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_BARS = 64
_MAX_ROWS = 24  # 6,200 pixels: bars of more than 8 quarter notes may need them
_TITLE_LETTERS = 60

# Inches. 120 pixels each: a row of four bars is 1,300 pixels wide.
_WIDTH, _LEFT, _RIGHT = 11.6, 1.15, 0.2
_TOP, _LANE, _BETWEEN = 0.62, 0.19, 0.42

# Louder hits are darker, and higher too: the picture can be read without colours. The scale is the blue of
# the charts in steps of about equal contrast.
_QUIET, _LOUD = (0.66, 0.82, 0.93), (0.0, 0.20, 0.40)
_DRUMS_WITH_A_SKIN = (KICK, SNARE, *range(LOW_TOM, LOW_TOM + 3))
_SHADE, _STEPS, _BEATS, _BARLINES = "#F4F4F4", "#E2E2E2", "#B4B4B4", "#3C3C3C"


def write_png(part: DrumPart, path: Path, title: str, labels: Mapping[int, str] | None = None) -> tuple[int, int]:
    """Draws the part: a lane for each voice, the kick at the bottom, four bars in a row.

    The left edge of a hit is its start, on the grid or off it; its height and darkness are its
    velocity. The same part gives the same bytes.

    Args:
        part: Drum part.
        path: PNG file to write.
        title: Name of the music.
        labels: Labels beside the numbers of bars, by bar, from 1; ``None`` for none.

    Returns:
        Number of bars drawn, at most 64 (fewer where bars are very long), and number of bars in the part.
    """
    layout = lay_out(part, max_bars=MAX_BARS, max_rows=_MAX_ROWS)
    lanes = len(VOICES) * _LANE
    height = _TOP + len(layout.rows) * (lanes + _BETWEEN)
    with drawing(path, width=_WIDTH, height=height) as figure:
        figure.set_layout_engine("none")  # every row has its place, to scale
        _draw_heading(figure, part, layout, _short(title), height)
        for index, row in enumerate(layout.rows):
            top = height - _TOP - index * (lanes + _BETWEEN) - _BETWEEN / 2
            width = (_WIDTH - _LEFT - _RIGHT) * (row.end - row.begin) / layout.longest
            axes = figure.add_axes((_LEFT / _WIDTH, (top - lanes) / height, width / _WIDTH, lanes / height))
            _draw_lines(axes, row, layout.longest, labels or {})
            _draw_hits(axes, part, layout, row)
    return layout.bars, layout.total_bars


def _draw_heading(figure: Figure, part: DrumPart, layout: Layout, title: str, height: float) -> None:
    """Writes the title, below it tempo, meter and bars, and at the right the key to the velocities."""
    # names are the user's: a dollar sign in one is no formula
    look: dict[str, Any] = {"va": "top", "fontsize": 13, "fontweight": "bold", "parse_math": False}
    figure.text(0.01, 1 - 0.12 / height, title, **look)
    bars = f"{layout.total_bars:,} bar" + "s" * (layout.total_bars != 1)
    if layout.bars < layout.total_bars:
        bars += f", the first {layout.bars} are drawn"
    hits = f"{part.hits:,} hit" + "s" * (part.hits != 1)
    facts = "   ·   ".join((part.tempo_text, part.meter_text, bars, hits))
    figure.text(0.01, 1 - 0.40 / height, facts, ha="left", va="top", color=GREY, parse_math=False)

    width = 1.55
    left, right = (_WIDTH - _RIGHT - width) / _WIDTH, (_WIDTH - _RIGHT) / _WIDTH
    axes = figure.add_axes((left, 1 - 0.38 / height, width / _WIDTH, _LANE / height))
    axes.set(xlim=(0, width), ylim=(0, 1))
    axes.axis("off")
    velocities = np.arange(15, 128, 14)
    size = width / len(velocities)
    for index, (velocity, tall) in enumerate(zip(velocities.tolist(), hit_height(velocities).tolist(), strict=True)):
        x = index * size
        axes.fill([x, x + 0.75 * size, x + 0.75 * size, x], [0.1, 0.1, 0.1 + tall, 0.1 + tall], color=_colour(velocity))
    for x, text, side in ((left, "soft", "left"), ((left + right) / 2, "velocity", "center"), (right, "loud", "right")):
        figure.text(x, 1 - 0.40 / height, text, ha=side, va="top", fontsize=8, color=GREY)


def _draw_lines(axes: Axes, row: Row, longest: float, labels: Mapping[int, str]) -> None:
    """Draws the empty grid of a row, with the numbers and labels of its bars above it."""
    axes.set(xlim=(row.begin, row.end), ylim=(0, len(VOICES)))
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([voice + 0.5 for voice in range(len(VOICES))], VOICES, fontsize=9)
    axes.tick_params(axis="y", pad=7)
    axes.set_xticks([])
    for voice in _DRUMS_WITH_A_SKIN:
        axes.axhspan(voice, voice + 1, color=_SHADE, linewidth=0, zorder=0)
    axes.hlines(range(len(VOICES) + 1), row.begin, row.end, color=_STEPS, linewidth=0.6, zorder=1)
    axes.vlines(row.step_lines, 0, len(VOICES), color=_STEPS, linewidth=0.6, zorder=1.5)
    axes.vlines(row.beat_lines, 0, len(VOICES), color=_BEATS, linewidth=0.9, zorder=2)
    axes.vlines(row.bar_lines, 0, len(VOICES), color=_BARLINES, linewidth=1.2, zorder=2.5, clip_on=False)
    inch = longest / (_WIDTH - _LEFT - _RIGHT)  # in quarter notes
    free = row.begin  # where the previous number ends
    for number, start in enumerate(row.bar_lines[:-1], start=row.first_bar):
        if start >= free:
            text = f"{number}"
            look: dict[str, Any] = {"fontsize": 8.5, "color": _BARLINES, "va": "bottom", "parse_math": False}
            axes.text(start, len(VOICES) + 0.25, text, **look)
            if number in labels:
                after = start + (0.1 + 0.09 * len(text)) * inch
                axes.text(after, len(VOICES) + 0.25, labels[number], fontweight="bold", **look)
                text += labels[number] + " "
            free = start + (0.1 + 0.09 * len(text)) * inch


def _draw_hits(axes: Axes, part: DrumPart, layout: Layout, row: Row) -> None:
    """Draws the hits of a row, in the order of time."""
    from matplotlib.collections import PolyCollection

    left, bottom = layout.lefts[row.hits], layout.bottoms[row.hits]
    right, top = left + layout.hit_width, bottom + layout.heights[row.hits]
    corners = [np.stack([left, right, right, left], axis=1), np.stack([bottom, bottom, top, top], axis=1)]
    marks = PolyCollection(
        list(np.stack(corners, axis=2)),
        facecolors=[_colour(velocity) for velocity in part.velocities[row.hits].tolist()],
        edgecolors="white",
        linewidths=0.5,
        clip_on=False,  # the first and the last hit of a row may reach over its ends
        zorder=3,
    )
    axes.add_collection(marks, autolim=False)


def _colour(velocity: int) -> tuple[float, float, float]:
    red, green, blue = (soft + (loud - soft) * velocity / 127 for soft, loud in zip(_QUIET, _LOUD, strict=True))
    return red, green, blue


def _short(title: str) -> str:
    """Shortens a long title in its middle, so that it leaves room for the key."""
    half = _TITLE_LETTERS // 2
    return title if len(title) <= _TITLE_LETTERS else f"{title[:half]}…{title[-half:]}"
