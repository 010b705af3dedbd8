"""Draws an answer of ``gmd-vae inspect`` as a PNG: charts of a collection, or one drum window as a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.charts import BLUE, GREY, ORANGE, drawing, small_title
from gmd_vae.inspection.text_grid import bar_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIGNATURES = 8  # chart bars with room for their names
_LEAST = 4  # places on the axis of a bar chart, so that a single bar does not fill the panel
_NAME = 60  # letters of a title
_STEPS_PER_INCH = 6.5


def draw(result: Mapping[str, Any], target: Path) -> None:
    """Draws an answer as a PNG file. The same answer gives the same bytes.

    Args:
        result: Answer of ``gmd-vae inspect --json``.
        target: PNG file; it appears whole or not at all.

    Raises:
        OSError: The file cannot be written.
    """
    title = result["path"].rstrip("/").rpartition("/")[2] or result["path"]
    title = title if len(title) <= _NAME else f"...{title[-_NAME:]}"
    note = f"windows for {result['config']}"
    if result["kind"] == "midi":
        grid = result["grid"]
        steps = len(result["shown"]["labels"]) if result["shown"] else 64
        bars = max(1, steps // grid["steps_per_bar"])
        per_row = max(1, min(bars, 4 * 16 // grid["steps_per_bar"]))
        rows = -(-bars // per_row)
        size = {"width": 2 + per_row * grid["steps_per_bar"] / _STEPS_PER_INCH, "height": 1.2 + 2.2 * rows}
        with drawing(target, title=title, note=note, **size) as figure:
            panels = list(figure.subplots(rows, squeeze=False)[:, 0])
            _window(panels, result, per_row * grid["steps_per_bar"])
        return
    with drawing(target, width=11, height=7.6, title=title, note=note) as figure:
        panels = figure.subplots(2, 2)
        if result["kind"] == "examples":
            _splits(panels[0, 0], result["splits"], ("windows",))
            _files(panels[0, 1], result["splits"])
            _voices(panels[1, 0], result["voices"])
            _most_frequent_bar(panels[1, 1], result)
        else:
            _tempos(panels[0, 0], result["tempos"])
            _signatures(panels[0, 1], result["time_signatures"])
            _voices(panels[1, 0], result["voices"])
            _splits(panels[1, 1], result["splits"], ("windows", "examples"))


def _window(panels: Sequence[Axes], result: Mapping[str, Any], per_row: int) -> None:
    """Draws a window as a grid, with as many bars in each panel as fit, and a square for each hit."""
    if result["shown"] is None:
        _draw_note(panels[0], "no window: " + (result["why"][0]["what"] if result["why"] else "no drums"))
        return
    labels, number = result["shown"]["labels"], result["shown"]["window"]
    first = result["windows"][number - 1]["bar"]
    bar = result["grid"]["steps_per_bar"]
    for row, axes in enumerate(panels):
        begin, end = row * per_row, min((row + 1) * per_row, len(labels))
        _hits(axes, labels[begin:end], result["grid"])
        starts = range(begin, end, bar)
        axes.set_xticks([step - begin for step in starts], [bar_number(first + step // bar) for step in starts])
        axes.set_xlabel("bar")
    panels[0].set_title(f"Window {number} of {len(result['windows']):,}")
    small_title(panels[0], f"at {result['windows'][number - 1]['seconds']:.1f} s; a square is a hit")


def _hits(axes: Axes, labels: Sequence[int], grid: Mapping[str, Any]) -> None:
    """Draws the hits of labels ``[steps]``; ``grid`` is the ``grid`` of the JSON answer."""
    voices = grid["voices"]
    hits = [(step, voice) for step, label in enumerate(labels) for voice in range(len(voices)) if label >> voice & 1]
    for step in range(0, len(labels) + 1, grid["steps_per_beat"]):
        on_bar = not step % grid["steps_per_bar"]
        axes.axvline(step, color=GREY if on_bar else "#E4E4E4", linewidth=1.2 if on_bar else 0.8, zorder=0)
    axes.bar(
        [step + 0.08 for step, _ in hits], 0.76, 0.84, [voice - 0.38 for _, voice in hits], align="edge", color=BLUE
    )
    axes.set_yticks(range(len(voices)), voices)
    axes.set(xlim=(0, len(labels)), ylim=(-0.6, len(voices) - 0.4))
    axes.grid(False)
    axes.tick_params(length=0)


def _tempos(axes: Axes, tempos: Mapping[str, Any]) -> None:
    axes.set_title("Tempos")
    found = tempos["histogram"]
    if not found:
        _draw_note(axes, "none given")
        return
    width = found[0]["to"] - found[0]["from"] if found[0]["to"] else 10
    axes.bar([entry["from"] for entry in found], [entry["files"] for entry in found], width * 0.92, align="edge")
    for patch in axes.patches:
        patch.set_facecolor(BLUE)
    axes.axvline(tempos["median"], color=ORANGE, linewidth=1.6)
    axes.set(xlabel="bpm" + (", the last with all that is faster" if found[-1]["to"] is None else ""), ylabel="files")
    axes.grid(False, axis="x")
    small_title(axes, f"median {tempos['median']:g} bpm (the line)")


def _signatures(axes: Axes, signatures: Mapping[str, int]) -> None:
    axes.set_title("Time signatures")
    found = list(signatures.items())
    rest = sum(count for _, count in found[_SIGNATURES:])
    _bars(axes, [*found[:_SIGNATURES], *([("others", rest)] if rest else [])], "files")


def _voices(axes: Axes, voices: Sequence[Mapping[str, Any]]) -> None:
    axes.set_title("Notes per drum class")
    _bars(axes, [(voice["voice"], voice["notes"]) for voice in voices], "notes")


def _splits(axes: Axes, splits: Mapping[str, Any], keys: Sequence[str]) -> None:
    """Draws the windows of each split; for a collection only those that preprocess would write."""
    axes.set_title("Windows per split")
    _bars(axes, [(name, split[keys[-1]]) for name, split in splits.items()], "windows")
    if len(keys) > 1:
        small_title(axes, f"without repeats; found: {sum(split[keys[0]] for split in splits.values()):,}")


def _files(axes: Axes, splits: Mapping[str, Any]) -> None:
    axes.set_title("Files per split")
    _bars(axes, [(name, split["files"]) for name, split in splits.items()], "files")
    silent = sum(split["silent"] for split in splits.values())
    small_title(axes, f"silent windows: {silent:,}")


def _most_frequent_bar(axes: Axes, result: Mapping[str, Any]) -> None:
    """Draws the most frequent bar that is not silent."""
    sounding = [bar for bar in result["bars"]["frequent"] if any(bar["labels"])]
    axes.set_title("The most frequent bar")
    if not sounding:
        _draw_note(axes, "no windows")
        return
    _hits(axes, sounding[0]["labels"], result["grid"])
    axes.set_xlabel("step")
    small_title(axes, f"{sounding[0]['count']:,} of {result['bars']['all']:,}")


def _bars(axes: Axes, counts: Sequence[tuple[str, int]], unit: str) -> None:
    """Draws a bar for each name, the first at the top, with its count at the end."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    if not any(count for _, count in counts):
        _draw_note(axes, "none")
        return
    places = range(len(counts))
    axes.barh(places, [count for _, count in counts], 0.7, color=BLUE)
    most = max(count for _, count in counts)
    for place, (_, count) in zip(places, counts, strict=True):
        axes.text(count + most * 0.015, place, f"{count:,}", va="center", fontsize=9, color=GREY)
    axes.set_yticks(places, [name for name, _ in counts])
    axes.set(xlabel=unit, xlim=(0, most * 1.14))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(max(len(counts), _LEAST) - 0.5, -0.5)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


def _draw_note(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, wrap=True)
    axes.set(xticks=[], yticks=[])
