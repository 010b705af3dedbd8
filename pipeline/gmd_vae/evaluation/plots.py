"""The charts of an evaluation: confusion of drum classes, accuracy by bar, novelty, interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gmd_vae.common.charts import BLUE, GREEN, GREY, ORANGE, PALE_BLUE, drawing, small_title
from gmd_vae.evaluation import figures
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.label_accuracy import LabelReconstruction
from gmd_vae.evaluation.metrics.stream_accuracy import StreamReconstruction
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.formats import estimate, number
from gmd_vae.evaluation.tables.overview import BASELINES, MODELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NOTE_WIDTH = 50  # characters of the note next to a title
_VOICES = 16  # drum classes, at most, of a confusion matrix: a full drum kit has 61
_STEPS = 70  # bars, at most, of a histogram: thinner ones cannot be distinguished
_OFFSET = 0.06  # distance between neighbouring predictions, in bars of music
_TITLES = {**MODELS, **BASELINES}

# from white to nearly black: black or white text is readable on each shade
_SHADES = ("#FFFFFF", PALE_BLUE, BLUE, "#00304D")
_DARK = 0.6  # shares from here on have a dark shade

# prediction → colour, marker, line; all differ in marker and line, for readers who cannot see the colours
_LOOKS: dict[str, tuple[str, str, Any]] = {
    "teacher_forced": (BLUE, "o", "-"),
    "free_running": (ORANGE, "s", "-"),
    "free_running_sampled": (ORANGE, "D", (0, (4, 2))),
    "nearest_training": (GREEN, "^", "-"),
    "random_training": (GREEN, "d", (0, (1, 2))),
    "previous_bar": (GREY, "v", "-"),
    "most_frequent_step": (GREY, "P", (0, (4, 2))),
    "silence": (GREY, "x", (0, (1, 2))),
}


class _Chart(NamedTuple):
    """A chart and its size in inches.

    Attributes:
        name: Name of the file, without ``.png``.
        title: Title.
        width: Width in inches.
        height: Height in inches.
        draw: Function that draws into axes.
    """

    name: str
    title: str
    width: float
    height: float
    draw: Callable[[Axes], None]


def draw_all(result: Result, folder: Path) -> list[Path]:
    """Draws the charts of a result as PNG files; equal results give equal bytes.

    Args:
        result: The result.
        folder: Folder of the charts; it is made if it is missing.

    Returns:
        The files: ``confusion.png``, ``bars.png``, ``novelty.png`` and ``interpolation.png``, without those whose
        figures the result does not have.

    Raises:
        OSError: A file cannot be written.
    """
    paths = []
    for chart in _charts(result):
        paths.append(folder / f"{chart.name}.png")
        with drawing(
            paths[-1], width=chart.width, height=chart.height, title=chart.title, note=_describe_run(result)
        ) as figure:
            axes = figure.subplots()
            chart.draw(axes)
            if not axes.has_data():
                axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=GREY)
                axes.set(xticks=[], yticks=[])
    return paths


def _charts(result: Result) -> list[_Chart]:
    """Returns the charts that a result has figures for."""
    charts = []
    free = result.figures.reconstruction.get("free_running")
    if isinstance(free, LabelReconstruction) and len(free.voices) <= _VOICES:
        voices = max(4, len(free.voices))
        width, height = 4.5 + 0.62 * voices, 2.6 + 0.46 * voices
        charts.append(
            _Chart(
                "confusion", "Predictions at the true hits", width, height, lambda axes: _confusion(axes, result, free)
            )
        )
    by_bar = _accuracy_by_bar(result)
    if by_bar:
        bars = max(map(len, by_bar.values()))
        title = f"{figures.STEP_ACCURACY.heading.capitalize()}, by bar"
        charts.append(_Chart("bars", title, max(9.0, 5 + 0.55 * bars), 5.0, lambda axes: _bars(axes, by_bar)))
    return [
        *charts,
        _Chart("novelty", "Distance to the nearest training window", 9.0, 4.6, lambda axes: _novelty(axes, result)),
        _Chart("interpolation", "From one window to another", 7.5, 4.8, lambda axes: _interpolation(axes, result)),
    ]


def _accuracy_by_bar(result: Result) -> dict[str, tuple[Estimate, ...]]:
    """Returns the step accuracy of each bar, by the name of the prediction."""
    predictions = {name: result.figures.reconstruction.get(name) for name in _TITLES}
    return {
        name: prediction.bars
        for name, prediction in predictions.items()
        if isinstance(prediction, LabelReconstruction | StreamReconstruction)
    }


def _confusion(axes: Axes, result: Result, prediction: LabelReconstruction) -> None:
    """Draws the confusion matrix: true hits that were found, replaced by another drum class, or missed."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    cells = np.array(prediction.confusion)
    if not cells.size:
        return
    shades = LinearSegmentedColormap.from_list("", _SHADES)
    axes.imshow(np.nan_to_num(cells), vmin=0, vmax=1, aspect="auto", cmap=shades)
    for (row, column), share in np.ndenumerate(cells):
        shown, colour = f"{share:.2f}", "white" if share > _DARK else "black"
        if shown == "0.00":
            shown, colour = "·", GREY
        if shown != "nan":
            axes.text(column, row, shown, ha="center", va="center", fontsize=9, color=colour)
    for row in np.flatnonzero(np.isnan(cells).all(axis=1)):
        axes.text(cells.shape[1] / 2 - 0.5, row, "no true hit", ha="center", va="center", color=GREY)
    voices = result.figures.voices or ()
    hits = [f"{voice} ({number(found.hits)})" for voice, found in zip(voices, prediction.voices, strict=True)]
    axes.set_xticks(range(len(voices) + 1), [*voices, "nothing"], rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(voices)), hits)
    axes.set(xlabel="predicted at that step", ylabel="true hit (count)")
    axes.axvline(len(voices) - 0.5, color=GREY, linewidth=1)
    axes.grid(False)
    axes.tick_params(length=0)
    small_title(axes, "shares of each row; free-running, z is the posterior's mean")


def _bars(axes: Axes, by_bar: dict[str, tuple[Estimate, ...]]) -> None:
    """Draws the step accuracy by bar with intervals, of the model and the baselines."""
    defined = {key: bars for key, bars in by_bar.items() if any(math.isfinite(bar.value) for bar in bars)}
    if not defined:
        return
    for place, (key, bars) in enumerate(defined.items()):
        colour, marker, line = _LOOKS[key]
        value, low, high = zip(*((bar.value, bar.low, bar.high) for bar in bars), strict=True)
        offset = _OFFSET * (place - (len(defined) - 1) / 2)  # draws intervals side by side
        axes.errorbar(
            [1 + bar + offset for bar in range(len(bars))],
            value,
            yerr=[_lengths(low, value), _lengths(value, high)],
            label=_TITLES[key],
            color=colour,
            marker=marker,
            markersize=5,
            linestyle=line,
            linewidth=1.4 if key in MODELS else 1.1,
            elinewidth=1,
            capsize=2,
        )
    count = max(map(len, defined.values()))
    axes.set_xticks(range(1, count + 1))
    axes.set(xlabel="bar", xlim=(0.5, count + 0.5), ylim=(0, 1))
    axes.grid(axis="x", visible=False)
    small_title(axes, "95 % intervals")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, labelspacing=0.8)


def _novelty(axes: Axes, result: Result) -> None:
    """Draws histograms of the number of steps that differ from the nearest training window."""
    from matplotlib.ticker import MaxNLocator

    samples, held_out = result.figures.novelty.samples, result.figures.novelty.held_out
    longest = max(len(part.steps.histogram) for part in (samples, held_out))
    highest = 0.0
    for part in (samples, held_out):
        counts = part.steps.histogram
        if not sum(counts):
            continue
        shares, edges = _histogram(counts, longest)
        highest = max(highest, *shares)
        copies = f"copies: {estimate(part.copies, figures.COPIES.digits)}"
        if part is samples:
            colour = BLUE
            label = f"{number(sum(counts))} samples; {copies}"
            axes.stairs(shares, edges, label=label, color=PALE_BLUE, fill=True)
        else:
            colour = ORANGE
            label = f"{number(sum(counts))} held-out windows; {copies}"
            axes.stairs(shares, edges, label=label, color=ORANGE, linewidth=1.8)
        # up to the highest bar of the histogram; the legend is above
        axes.axvline(part.steps.median, 0, 0.77, color=colour, linestyle="--")
    if not highest:
        return
    axes.set(xlabel=f"differing steps, of {number(result.figures.steps)}", ylabel="share of windows")
    axes.set_xlim(-0.5 - 0.01 * longest, longest - 0.5 + 0.01 * longest)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1])
    axes.set_ylim(0, highest / 0.77)
    axes.grid(axis="x", visible=False)
    small_title(axes, "dashed: medians")
    axes.legend(loc="upper right")


def _interpolation(axes: Axes, result: Result) -> None:
    """Draws the distance from the first window along the path to the second."""
    interpolation = result.figures.latent.interpolation
    looks = (
        (interpolation.latent, "through latent space", BLUE, "o", "-"),
        (interpolation.data, "steps mixed", ORANGE, "s", "--"),
    )
    for curve, label, colour, marker, line in looks:
        if curve is None or not any(map(math.isfinite, curve.mean)):
            continue
        x = [point / max(1, len(curve.mean) - 1) for point in range(len(curve.mean))]
        axes.fill_between(x, curve.low, curve.high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, curve.mean, color=colour, marker=marker, markersize=4.5, linestyle=line, label=label)
    if not axes.has_data():
        return
    pairs = number(interpolation.latent.pairs if interpolation.latent else 0)
    axes.set(xlabel="position on the path", ylabel="distance from the first window", xlim=(-0.02, 1.02))
    axes.set_ylim(bottom=0)
    small_title(axes, f"distance between both windows = 1; means of {pairs} pairs, 95 % intervals")
    axes.legend(loc="upper left")


def _histogram(counts: Sequence[int], longest: int) -> tuple[list[float], list[float]]:
    """Returns shares and bin edges from the counts at each distance; equal ``longest`` give equal edges."""
    width = math.ceil(longest / _STEPS)
    shares = [sum(counts[start : start + width]) / sum(counts) for start in range(0, longest, width)]
    return shares, [step * width - 0.5 for step in range(len(shares) + 1)]


def _describe_run(result: Result) -> str:
    """Returns run, step and split, shortened to the space next to a title."""
    identity = result.identity
    rest = f", step {number(identity.checkpoint.step)}, {identity.split}"
    run, room = identity.run, max(8, _NOTE_WIDTH - len(rest))
    return (run if len(run) <= room else "…" + run[1 - room :]) + rest


def _lengths(starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    """Returns the distances from starts to ends; 0 where an end is NaN."""
    return [end - start if end > start else 0.0 for start, end in zip(starts, ends, strict=True)]
