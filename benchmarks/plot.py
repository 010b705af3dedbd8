"""The picture of a benchmark: bars of the times that users wait for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gmd_vae.common import charts

from benchmarks.summary import Cost, Group, labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (charts.GREY, charts.PALE_BLUE, charts.BLUE)
_STEP = "training step, median"
_PANELS = (  # name of the row, title, True if processor time is shown on machines without a GPU
    (_STEP, "One training step", True),
    ("start to first step done", "From the start to the first step", False),
    ("next evaluation", "One evaluation", False),
    ("1,000 MIDI files, whole process", "1,000 samples", False),
)
_FLOOR = "matrix products of a step (floor)"


def draw(groups: Sequence[Group], target: Path, note: str, *, gpu: bool) -> None:
    """Draws the groups to a PNG file.

    Args:
        groups: Groups from ``summary.groups``.
        target: PNG file.
        note: Name of the machine, below the title.
        gpu: True if a GPU was measured.
    """
    columns = labels(groups)
    bars = max(1, len(groups)) * len(columns)
    with charts.drawing(
        target, width=12, height=3 + 0.5 * bars, title="Stock Magenta and gmd-vae", note=note
    ) as figure:
        for axes, (row, title, computes) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
            shows_cpu = computes and not gpu
            _panel(axes, groups, columns, row, shows_cpu)
            axes.set_title(title)
            charts.small_title(axes, "seconds of processor time" if shows_cpu else "seconds")


def _panel(axes: Axes, groups: Sequence[Group], columns: Sequence[str], name: str, shows_cpu: bool) -> None:
    """Draws one quantity: a cluster of bars for each group, and a line at the floor."""

    def length(cost: Cost | None) -> float | None:
        return None if cost is None else cost.cpu if shows_cpu else cost.wall

    shown = [(group, row) for group in groups for row in group.rows if row.name == name]
    height = 0.8 / len(columns)
    for number, column in enumerate(columns):
        colour = _COLOURS[number % len(_COLOURS)]
        for place, (group, row) in enumerate(shown):
            at = place + (number + 0.5) * height - 0.4
            seconds = length(row.costs.get(column))
            axes.barh(at, seconds or 0, 0.9 * height, color=colour, label=column if place == 0 else None)
            if column in row.costs:
                text = "failed" if seconds is None else f"{seconds:.3g}"
                axes.annotate(text, (seconds or 0, at), (3, 0), textcoords="offset points", va="center", fontsize=8)
            floors = [least for least in group.rows if least.name == _FLOOR and name == _STEP]
            floor = next((length(least.costs.get(column)) for least in floors), None)
            if floor:
                ends = (at - 0.45 * height, at + 0.45 * height)
                axes.plot([floor, floor], ends, color=charts.ORANGE, linewidth=2)
    axes.set_yticks(range(len(shown)), [group.title.replace(", ", "\n") for group, _ in shown], fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.12)
    if name == _STEP:
        axes.plot([], [], color=charts.ORANGE, linewidth=2, label="its matrix products alone")
    if shown:
        axes.legend(loc="best", fontsize=8)
    else:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=charts.GREY)
        axes.set(xticks=[])
