"""``metrics.jsonl`` as line charts in SVG that take their colours from the page."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

# the same preparation as for progress.png: steps in order, later lines count, long runs thinned out
from gmd_vae.training.progress_plot import Columns, best_validation, read_metrics, thin

MAX_BYTES = 256 << 20  # of metrics.jsonl: a million lines

WIDTH, HEIGHT = 360, 216
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 10, 24  # room for the labels
_TICKS = 5
_FEW = 20  # points: with so few no start is cut off


@dataclasses.dataclass(frozen=True)
class Tick:
    """A label of an axis and its place in the picture."""

    at: float
    label: str


@dataclasses.dataclass(frozen=True)
class Line:
    """One line: its name, its class in the style sheet, and its points for SVG."""

    label: str
    look: str
    points: str


@dataclasses.dataclass(frozen=True)
class Panel:
    """One chart.

    Attributes:
        title: what it shows.
        unit: of the y axis.
        text: what it shows, in words.
        lines: those with at least one value.
        x: labels below.
        y: labels at the left.
        best: where the best validation is, or ``None``.
    """

    title: str
    unit: str
    text: str
    lines: list[Line]
    x: list[Tick]
    y: list[Tick]
    best: float | None


@dataclasses.dataclass(frozen=True)
class Curves:
    """What was measured while the run was trained.

    Attributes:
        panels: the charts; none where nothing was measured.
        last_step: the last one measured, or ``None``.
        best_step: of the best validation, or ``None``.
        accuracy: share of validation steps that the best checkpoint has right, or ``None``.
    """

    panels: list[Panel]
    last_step: int | None = None
    best_step: int | None = None
    accuracy: float | None = None


def read_curves(metrics: Path) -> Curves:
    """Reads a run's ``metrics.jsonl``; damaged lines and unknown figures are passed over.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large.
    """
    if metrics.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    measured = read_metrics(metrics)
    steps = np.concatenate([of["step"] for of in measured.values()])
    steps = steps[np.isfinite(steps) & (steps >= 0) & (steps < 1e15)]
    if not len(steps):
        return Curves([])
    validation = measured["validation"]
    best = best_validation(validation)
    accuracy = None
    if best is not None:
        accuracy = float(validation["accuracy"][validation["step"] == best[0]][0])
    train, thinned = thin(measured["train"]), thin(validation)
    wanted = (
        ("Loss", "nats per window, lower is better", [("training", "train", train, "loss")]),
        (
            "ELBO",
            "nats per window, higher is better",
            [("training", "train", train, "elbo"), ("validation", "validation", thinned, "elbo")],
        ),
        ("Steps right", "share, on music it has not seen", [("validation", "validation", thinned, "accuracy")]),
    )
    last = float(steps.max())
    panels = [_panel(title, unit, lines, last, best[0] if best else None) for title, unit, lines in wanted]
    return Curves(
        [panel for panel in panels if panel is not None],
        int(last),
        int(best[0]) if best else None,
        accuracy if accuracy is not None and 0 <= accuracy <= 1 else None,
    )


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two others, about five of them."""
    if not high > low:
        return [low]
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((size * power for size in (1, 2, 5) if size * power >= rough * 0.999), 10 * power)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _panel(
    title: str, unit: str, wanted: list[tuple[str, str, Columns, str]], last: float, best: float | None
) -> Panel | None:
    """A chart, or ``None`` without a single value."""
    series = []
    for label, look, of, key in wanted:
        there = np.isfinite(of[key]) & np.isfinite(of["step"]) & (np.abs(of[key]) < 1e12) & (of["step"] >= 0)
        if there.any():
            series.append((label, look, of["step"][there], of[key][there]))
    if not series:
        return None
    low, high = _range(np.concatenate([x for *_, x, _ in series]), np.concatenate([y for *_, y in series]), last)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    end = max(last, 1.0)

    def across(step: float) -> float:
        return round(LEFT + width * step / end, 1)

    def down(value: float) -> float:
        return round(TOP + height * (high - value) / (high - low), 1)

    lines = []
    for label, look, x, y in series:
        inside = (y >= low) & (y <= high)  # the start may lie outside
        points = " ".join(f"{across(step):g},{down(value):g}" for step, value in zip(x[inside], y[inside], strict=True))
        lines.append(Line(label, look, points))
    steps = [at for at in ticks(0, end) if at == round(at)]
    return Panel(
        title,
        unit,
        "; ".join(_in_words(label, x.tolist(), y.tolist()) for label, _, x, y in series),
        lines,
        [Tick(across(at), f"{at:,.0f}") for at in steps],
        [Tick(down(at), _label(at, 2 * (high - low))) for at in ticks(low, high)],
        across(best) if best is not None else None,
    )


def _range(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], last: float) -> tuple[float, float]:
    """Lowest and highest value shown: the first 5 % of a run are left out where they would take most of the height."""
    late = y[x > 0.05 * last]
    if len(late) > _FEW and 0 < 1.5 * np.ptp(late) < np.ptp(y):
        y = late
    low, high = float(y.min()), float(y.max())
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def _label(value: float, span: float) -> str:
    digits = max(0, 1 - math.floor(math.log10(span))) if span < 10 else 0
    return f"{value + 0.0:,.{min(digits, 6)}f}".replace("-", "\N{MINUS SIGN}")


def _in_words(label: str, x: list[float], y: list[float]) -> str:
    first, last = (_label(value, abs(value) / 10 or 1.0) for value in (y[0], y[-1]))
    return f"{label} from {first} at step {x[0]:,.0f} to {last} at step {x[-1]:,.0f}"
