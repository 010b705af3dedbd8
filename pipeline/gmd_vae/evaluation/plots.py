"""An evaluation's charts: what became of each voice, how accuracy fades, what is new, how interpolation moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gmd_vae.common.charts import BLUE, GREEN, GREY, ORANGE, PALE_BLUE, drawing, small_title
from gmd_vae.evaluation.tables.formats import estimate, number, text
from gmd_vae.evaluation.tables.overview import BASELINES, MODELS, Result, of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROOM = 50  # characters beside a title
_VOICES = 16  # of a table of confusion at most: a full drum kit has 61
_STEPS = 70  # of a histogram at most: thinner ones cannot be told apart
_APART = 0.06  # of a bar, between neighbouring predictions
_TITLES = {**MODELS, **BASELINES}

# white to nearly black, so that on each shade black or white text is readable
_SHADES = ("#FFFFFF", PALE_BLUE, BLUE, "#00304D")
_DARK = 0.6  # shares from here on have a dark shade

# prediction → colour, marker, line: no two share all but the colour, for readers who see no colours
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


def draw_all(result: Result, folder: Path) -> list[Path]:
    """Draws a result's charts as PNG files; the same result gives the same bytes.

    A chart that does not fit what the model writes is not drawn; where one that does has no figures, it says so.

    Args:
        result: as JSON has it.
        folder: where they go; it is made.

    Returns:
        Of ``confusion.png``, ``bars.png``, ``novelty.png`` and ``interpolation.png``, those that fit.

    Raises:
        OSError: a file cannot be written.
    """
    voices, bars = (len(of(result, "reconstruction", "free_running", key) or ()) for key in ("confusion", "bars"))
    charts = (  # inches wide and high
        (
            "confusion",
            "What became of the true hits",
            4.5 + 0.62 * max(4, voices),
            2.6 + 0.46 * max(4, voices),
            _confusion,
        ),
        ("bars", "Steps right, by bar", max(9.0, 5 + 0.55 * bars), 5.0, _bars),
        ("novelty", "Distance to the nearest training window", 9.0, 4.6, _novelty),
        ("interpolation", "From one window to another", 7.5, 4.8, _interpolation),
    )
    fitting = _fitting(result)
    paths = []
    for name, title, width, height, draw in charts:
        if name not in fitting:
            continue
        paths.append(folder / f"{name}.png")
        with drawing(paths[-1], width=width, height=height, title=title, note=_where(result)) as figure:
            axes = figure.subplots()
            draw(axes, result)
            if not axes.has_data():
                axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=GREY)
                axes.set(xticks=[], yticks=[])
    return paths


def _fitting(result: Result) -> set[str]:
    """The charts that say something of what the model writes."""
    found = of(result, "reconstruction") or {}
    fits = {
        "confusion": 0 < len(of(result, "voices") or ()) <= _VOICES,
        "bars": not found or any("bars" in predicted for predicted in found.values()),
        "novelty": "novelty" in result,
        "interpolation": "interpolation" in (of(result, "latent") or {}),
    }
    return {name for name, does in fits.items() if does}


def _confusion(axes: Axes, result: Result) -> None:
    """A row for each voice: its true hits that were found, that became another voice, or were missed."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    found = of(result, "reconstruction", "free_running")
    cells = np.array([[_finite(share) for share in row] for row in of(found, "confusion") or ()])
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
    voices = [text(of(result, "voices", row)) for row in range(len(cells))]
    hits = [f"{voice} ({number(of(found, 'voices', row, 'hits'))})" for row, voice in enumerate(voices)]
    axes.set_xticks(
        range(len(voices) + 1), [*voices, "nothing instead"], rotation=35, ha="right", rotation_mode="anchor"
    )
    axes.set_yticks(range(len(voices)), hits)
    axes.set(xlabel="written at that step", ylabel="true hit (how many)")
    axes.axvline(len(voices) - 0.5, color=GREY, linewidth=1)
    axes.grid(False)
    axes.tick_params(length=0)
    small_title(axes, "shares of a row; free-running, z the posterior's mean")


def _bars(axes: Axes, result: Result) -> None:
    """Steps right by bar, with intervals: the models and the baselines."""
    found = {key: bars for key in _TITLES if _any(bars := of(result, "reconstruction", key, "bars") or ())}
    if not found:
        return
    for place, (key, bars) in enumerate(found.items()):
        colour, marker, line = _LOOKS[key]
        value, low, high = ([_finite(of(bar, end)) for bar in bars] for end in ("value", "low", "high"))
        beside = _APART * (place - (len(found) - 1) / 2)  # intervals side by side, not on each other
        axes.errorbar(
            [1 + bar + beside for bar in range(len(bars))],
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
    count = max(map(len, found.values()))
    axes.set_xticks(range(1, count + 1))
    axes.set(xlabel="bar", xlim=(0.5, count + 0.5), ylim=(0, 1))
    axes.grid(axis="x", visible=False)
    small_title(axes, "share of steps, 95 % intervals")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), borderaxespad=0, labelspacing=0.8)


def _novelty(axes: Axes, result: Result) -> None:
    """Histograms of the steps that differ from the nearest training window."""
    from matplotlib.ticker import MaxNLocator

    found = {key: of(result, "novelty", key, "steps", "histogram") or () for key in ("samples", "held_out")}
    longest = max(map(len, found.values()))
    highest = 0.0
    for key, counts in found.items():
        if not sum(counts):
            continue
        shares, edges = _histogram(counts, longest)
        highest = max(highest, *shares)
        copies = estimate(of(result, "novelty", key, "copies"), 3)
        if key == "samples":
            label, colour = f"{number(sum(counts))} samples; copies: {copies}", BLUE
            axes.stairs(shares, edges, label=label, color=PALE_BLUE, fill=True)
        else:
            label, colour = f"{number(sum(counts))} held-out windows; copies: {copies}", ORANGE
            axes.stairs(shares, edges, label=label, color=ORANGE, linewidth=1.8)
        # as high as the highest step; above is the legend
        axes.axvline(_finite(of(result, "novelty", key, "steps", "median")), 0, 0.77, color=colour, linestyle="--")
    if not highest:
        return
    axes.set(xlabel=f"steps that differ, of {number(of(result, 'steps'))}", ylabel="share of windows")
    axes.set_xlim(-0.5 - 0.01 * longest, longest - 0.5 + 0.01 * longest)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_yticks([tick for tick in axes.get_yticks() if tick <= 1])
    axes.set_ylim(0, highest / 0.77)
    axes.grid(axis="x", visible=False)
    small_title(axes, "dashed: medians")
    axes.legend(loc="upper right")


def _interpolation(axes: Axes, result: Result) -> None:
    """How far the music is from the first window, along the way to the second."""
    looks = {"latent": ("through latent space", BLUE, "o", "-"), "data": ("steps mixed", ORANGE, "s", "--")}
    for key, (label, colour, marker, line) in looks.items():
        curve = of(result, "latent", "interpolation", key)
        if not _any(of(curve, "mean") or ()):
            continue
        mean, low, high = ([_finite(value) for value in of(curve, end)] for end in ("mean", "low", "high"))
        x = [point / max(1, len(mean) - 1) for point in range(len(mean))]
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(x, mean, color=colour, marker=marker, markersize=4.5, linestyle=line, label=label)
    if not axes.has_data():
        return
    axes.set(xlabel="share of the way", ylabel="distance from the first window", xlim=(-0.02, 1.02))
    axes.set_ylim(bottom=0)
    pairs = number(of(result, "latent", "interpolation", "latent", "pairs"))
    small_title(axes, f"distance between both = 1; means of {pairs} pairs, 95 % intervals")
    axes.legend(loc="upper left")


def _histogram(counts: Sequence[int], longest: int) -> tuple[list[float], list[float]]:
    """Shares and the edges between them, of counts at the distances from 0; both sets' edges are the same."""
    width = math.ceil(longest / _STEPS)
    shares = [sum(counts[start : start + width]) / sum(counts) for start in range(0, longest, width)]
    return shares, [step * width - 0.5 for step in range(len(shares) + 1)]


def _where(result: Result) -> str:
    """Which run, in short."""
    rest = f", step {number(of(result, 'checkpoint', 'step'))}, {text(of(result, 'split'))}"
    run, room = text(of(result, "run")), max(8, _ROOM - len(rest))
    return (run if len(run) <= room else "…" + run[1 - room :]) + rest


def _finite(value: float | None) -> float:
    """NaN for what is not there."""
    return math.nan if value is None or not math.isfinite(value) else float(value)


def _any(values: Iterable[Any]) -> bool:
    """Whether there is one figure at least, bare or an estimate."""
    figures = (of(value, "value") if isinstance(value, dict) else value for value in values)
    return any(not math.isnan(_finite(figure)) for figure in figures)


def _lengths(starts: Sequence[float], ends: Sequence[float]) -> list[float]:
    """From starts to ends; 0 where an end is not there."""
    return [end - start if end > start else 0.0 for start, end in zip(starts, ends, strict=True)]
