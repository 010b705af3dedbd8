"""A drum part as a picture: a grid of sixteenth notes, with every hit where it is played."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.charts import GREY, drawing
from gmd_vae.rendering.bars import Bar, Ruler, measure
from gmd_vae.rendering.drum_part import KICK, LOW_TOM, SNARE, VOICES, DrumPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_BARS = 64
_BARS_PER_ROW = 4
_QUARTERS_PER_ROW = 32.0  # a row of long bars holds fewer of them
_MAX_ROWS = 24  # 6,200 pixels: bars of more than 8 quarter notes may need them
_STEP = 0.25  # quarter notes: a sixteenth
_TITLE_LETTERS = 60

# Inches. 120 pixels each: a row of four bars is 1,300 pixels wide.
_WIDTH, _LEFT, _RIGHT = 11.6, 1.15, 0.2
_TOP, _LANE, _BETWEEN, _BOTTOM = 0.62, 0.19, 0.42, 0.0

# Darker is louder, and higher too: the picture can be read in grey and without colours. From the blue of
# the charts; each is darker than the one before by about the same step.
_QUIET, _LOUD = (0.66, 0.82, 0.93), (0.0, 0.20, 0.40)
_DRUMS_WITH_A_SKIN = (KICK, SNARE, *range(LOW_TOM, LOW_TOM + 3))
_SHADE, _STEPS, _BEATS, _BARLINES = "#F4F4F4", "#E2E2E2", "#B4B4B4", "#3C3C3C"


def write_png(part: DrumPart, path: Path, title: str) -> tuple[int, int]:
    """Draws the part: a row of the grid for each voice, the kick at the bottom, four bars beside each other.

    A hit's left edge is where it begins, on the grid or off it; its height and darkness are its
    velocity. The same part gives the same bytes.

    Args:
        part: what to draw.
        path: the PNG file.
        title: the music's name.

    Returns:
        How many bars are drawn, at most 64 (fewer where bars are very long), and how many there are.
    """
    ruler = measure(part, MAX_BARS)
    rows = _rows(ruler.bars)[:_MAX_ROWS]
    drawn = sum(len(row) for row in rows)
    lanes = len(VOICES) * _LANE
    height = _TOP + len(rows) * (lanes + _BETWEEN) + _BOTTOM
    longest = max(row[-1].start + row[-1].length - row[0].start for row in rows)
    with drawing(path, width=_WIDTH, height=height) as figure:
        figure.set_layout_engine("none")  # every row has its place, to scale
        _heading(figure, part, drawn, ruler.total, _short(title), height)
        number = 1
        for index, row in enumerate(rows):
            top = height - _TOP - index * (lanes + _BETWEEN) - _BETWEEN / 2
            quarters = row[-1].start + row[-1].length - row[0].start
            width = (_WIDTH - _LEFT - _RIGHT) * quarters / longest
            axes = figure.add_axes((_LEFT / _WIDTH, (top - lanes) / height, width / _WIDTH, lanes / height))
            _draw_lines(axes, row, number, longest)
            last = index == len(rows) - 1 and drawn == ruler.total
            _draw_hits(axes, part, ruler, row, longest, last)
            number += len(row)
    return drawn, ruler.total


def _rows(bars: list[Bar]) -> list[list[Bar]]:
    """Four bars a row, or fewer where they are long."""
    rows: list[list[Bar]] = []
    for bar in bars:
        fits = (
            rows and len(rows[-1]) < _BARS_PER_ROW and bar.start + bar.length - rows[-1][0].start <= _QUARTERS_PER_ROW
        )
        if fits:
            rows[-1].append(bar)
        else:
            rows.append([bar])
    return rows


def _heading(figure: Figure, part: DrumPart, drawn: int, total: int, title: str, height: float) -> None:
    """The title; under it tempo, meter, bars; at the right what the marks mean."""
    # names are the user's: a dollar sign in one is no formula
    look: dict[str, Any] = {"va": "top", "fontsize": 13, "fontweight": "bold", "parse_math": False}
    figure.text(0.01, 1 - 0.12 / height, title, **look)
    bars = f"{total:,} bar" + "s" * (total != 1)
    if drawn < total:
        bars += f", the first {drawn} are drawn"
    facts = f"{_tempo(part)}   ·   {_meter(part)}   ·   {bars}   ·   {part.hits:,} hit{'s' * (part.hits != 1)}"
    figure.text(0.01, 1 - 0.40 / height, facts, ha="left", va="top", color=GREY, parse_math=False)

    width = 1.55
    axes = figure.add_axes(((_WIDTH - _RIGHT - width) / _WIDTH, 1 - 0.38 / height, width / _WIDTH, _LANE / height))
    axes.set(xlim=(0, width), ylim=(0, 1))
    axes.axis("off")
    velocities = range(15, 128, 14)
    size = width / len(velocities)
    for index, velocity in enumerate(velocities):
        x, tall = index * size, _tall(velocity)
        axes.fill([x, x + 0.75 * size, x + 0.75 * size, x], [0.1, 0.1, 0.1 + tall, 0.1 + tall], color=_colour(velocity))
    below = (_WIDTH - _RIGHT - width) / _WIDTH, (_WIDTH - _RIGHT) / _WIDTH
    for x, text, side in ((below[0], "soft", "left"), (below[1], "loud", "right")):
        figure.text(x, 1 - 0.40 / height, text, ha=side, va="top", fontsize=8, color=GREY)
    figure.text(sum(below) / 2, 1 - 0.40 / height, "velocity", ha="center", va="top", fontsize=8, color=GREY)


def _draw_lines(axes: Axes, row: list[Bar], number: int, longest: float) -> None:
    """The empty grid of one row: its first bar has that number."""
    begin, end = row[0].start, row[-1].start + row[-1].length
    axes.set(xlim=(begin, end), ylim=(0, len(VOICES)))
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    axes.set_yticks([voice + 0.5 for voice in range(len(VOICES))], VOICES, fontsize=9)
    axes.tick_params(axis="y", pad=7)
    axes.set_xticks([])
    for voice in _DRUMS_WITH_A_SKIN:
        axes.axhspan(voice, voice + 1, color=_SHADE, linewidth=0, zorder=0)
    axes.hlines(range(len(VOICES) + 1), begin, end, color=_STEPS, linewidth=0.6, zorder=1)
    inch = longest / (_WIDTH - _LEFT - _RIGHT)  # in quarter notes
    for beats, colour, width in ((False, _STEPS, 0.6), (True, _BEATS, 0.9)):
        inner: list[float] = []
        for bar in row:
            size = bar.beat if beats else _STEP
            if size >= 0.035 * inch:  # lines closer than 4 pixels would be a grey area
                inner += [bar.start + step * size for step in range(1, math.ceil(bar.length / size - 1e-3))]
        axes.vlines(inner, 0, len(VOICES), color=colour, linewidth=width, zorder=2 if beats else 1.5)
    barlines = [*(bar.start for bar in row), end]
    axes.vlines(barlines, 0, len(VOICES), color=_BARLINES, linewidth=1.2, zorder=2.5, clip_on=False)
    free = begin  # no number is written over the one before
    for place, bar in enumerate(row):
        if bar.start >= free:
            text = f"{number + place}"
            axes.text(bar.start, len(VOICES) + 0.25, text, fontsize=8.5, color=_BARLINES, va="bottom")
            free = bar.start + (0.1 + 0.09 * len(text)) * inch


def _draw_hits(axes: Axes, part: DrumPart, ruler: Ruler, row: list[Bar], longest: float, last: bool) -> None:
    """The hits of the row's steps, in the order of time: those that come a little before a beat belong to it."""
    import numpy as np
    from matplotlib.collections import PolyCollection

    begin, end = row[0].start, row[-1].start + row[-1].length
    early = _STEP / 2 if begin else 0.0
    shown = (ruler.hits >= begin - early) & ((ruler.hits < end - _STEP / 2) | last)
    inch = longest / (_WIDTH - _LEFT - _RIGHT)  # in quarter notes
    width = min(max(0.72 * _STEP, 0.035 * inch), 0.3 * inch)
    x, y = ruler.hits[shown], part.voices[shown] + 0.1
    tall = np.array([_tall(velocity) for velocity in part.velocities[shown].tolist()])
    corners = [np.stack([x, x + width, x + width, x], axis=1), np.stack([y, y, y + tall, y + tall], axis=1)]
    marks = PolyCollection(
        list(np.stack(corners, axis=2)),
        facecolors=[_colour(velocity) for velocity in part.velocities[shown].tolist()],
        edgecolors="white",
        linewidths=0.5,
        clip_on=False,  # the first and the last hit of a row may reach over its ends
        zorder=3,
    )
    axes.add_collection(marks, autolim=False)


def _tall(velocity: int) -> float:
    """How much of its lane a hit fills: the softest can still be seen."""
    return 0.18 + 0.62 * velocity / 127


def _colour(velocity: int) -> tuple[float, float, float]:
    red, green, blue = (soft + (loud - soft) * velocity / 127 for soft, loud in zip(_QUIET, _LOUD, strict=True))
    return red, green, blue


def _tempo(part: DrumPart) -> str:
    slowest, fastest = min(qpm for _, qpm in part.tempos), max(qpm for _, qpm in part.tempos)
    if slowest == fastest:
        return f"{slowest:.4g} bpm"
    return f"{slowest:.4g} to {fastest:.4g} bpm"


def _meter(part: DrumPart) -> str:
    meters = list(dict.fromkeys(f"{numerator}/{denominator}" for _, numerator, denominator in part.meters))
    return ", ".join(meters[:4]) + (", ..." if len(meters) > 4 else "")


def _short(title: str) -> str:
    """A title that leaves room for the key."""
    half = _TITLE_LETTERS // 2
    return title if len(title) <= _TITLE_LETTERS else f"{title[:half]}…{title[-half:]}"
