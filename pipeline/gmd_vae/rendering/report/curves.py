"""Draws the training curves of a run, ``metrics.jsonl``, as SVG line charts with matplotlib."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from markupsafe import Markup

from gmd_vae.common.charts import BLUE, GREY, ORANGE, Line, line_chart, styled_figure
from gmd_vae.rendering.report.svg import inline_svg
from gmd_vae.training.progress_plot import Columns, best_validation, leave_out_the_start, read_metrics, thin

MAX_BYTES = 256 << 20  # of metrics.jsonl: a million lines

_WIDTH, _HEIGHT = 4.6, 2.9  # inches: 10-point text stays readable in a card of 300 pixels
_LARGEST = 1e12  # larger values come from a damaged file and would leave no room for the others


@dataclasses.dataclass(frozen=True)
class Curves:
    """The training curves of a run.

    Attributes:
        charts: One ``<svg>`` element for each chart; empty without measurements.
        last_step: Last step measured, or ``None``.
        accuracy: Teacher-forced step accuracy of the best validation, 0 to 1, or ``None``.
    """

    charts: list[Markup]
    last_step: int | None = None
    accuracy: float | None = None


def read_curves(metrics: Path) -> Curves:
    """Draws the training curves of a run. Damaged lines and unknown figures are skipped.

    Args:
        metrics: The run's ``metrics.jsonl``.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is too large.
    """
    if metrics.stat().st_size > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES >> 20} MiB")
    measured = read_metrics(metrics)
    steps = np.concatenate([columns["step"] for columns in measured.values()])
    steps = steps[np.isfinite(steps) & (steps >= 0) & (steps < 1e15)]
    if not len(steps):
        return Curves([])
    last = float(steps.max())
    best = best_validation(measured["validation"])
    best_step = best.step if best is not None else None
    marked = "best validation" if best is None or best.objective is None else "best objective"
    train, validation = thin(measured["train"]), thin(measured["validation"])
    objective = [_line("objective, validation", validation, "objective", ORANGE)] if marked == "best objective" else []
    panels = (
        ("Loss", "nats per window, lower is better", [_line("training", train, "loss", BLUE), *objective]),
        (
            "ELBO",
            "nats per window, higher is better",
            [_line("training", train, "elbo", BLUE), _line("validation", validation, "elbo", ORANGE)],
        ),
        ("Step accuracy", "validation, teacher-forced", [_line("validation", validation, "accuracy", ORANGE)]),
    )
    charts = [
        _chart(title, unit, lines, last, best_step, marked)
        for title, unit, lines in panels
        if any(line.x for line in lines)
    ]
    return Curves(charts, int(last), _accuracy(measured["validation"], best_step))


def _line(label: str, columns: Columns, key: str, colour: str) -> Line:
    """Returns one curve, without values that cannot be drawn."""
    step, value = columns["step"], columns[key]
    shown = np.isfinite(value) & np.isfinite(step) & (np.abs(value) < _LARGEST) & (step >= 0)
    return Line(label, step[shown].tolist(), value[shown].tolist(), colour)


def _chart(title: str, unit: str, lines: list[Line], last: float, best_step: float | None, marked: str) -> Markup:
    """Draws one chart. The y axis leaves out the first 5 % of the run where they would take most of the height."""
    with styled_figure(_WIDTH, _HEIGHT) as figure:
        axes = figure.subplots()
        line_chart(axes, lines, title=title, unit=unit)
        axes.set_xlim(-0.02 * last, max(1.0, 1.02 * last))  # all charts show the whole run
        leave_out_the_start(axes, lines)
        if best_step is not None:
            axes.axvline(best_step, color=GREY, linestyle=":", linewidth=1.2, zorder=1, label=marked)
            axes.legend(loc="best")
        description = "; ".join(_in_words(line) for line in lines if line.x)
        return inline_svg(figure, name=title, description=f"{title}: {description}")


def _accuracy(validation: Columns, best_step: float | None) -> float | None:
    if best_step is None:
        return None
    accuracy = float(validation["accuracy"][validation["step"] == best_step][0])
    return accuracy if 0 <= accuracy <= 1 else None


def _in_words(line: Line) -> str:
    first, last = (f"{value:,.4g}".replace("-", "\N{MINUS SIGN}") for value in (line.y[0], line.y[-1]))
    return f"{line.label} from {first} at step {line.x[0]:,.0f} to {last} at step {line.x[-1]:,.0f}"
