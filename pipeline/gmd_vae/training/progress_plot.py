"""Draws ``progress.png`` from ``metrics.jsonl``; fast enough to be repeated throughout a run."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from gmd_vae.common.charts import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE_BLUE,
    PURPLE,
    Line,
    drawing,
    line_chart,
    small_title,
)
from gmd_vae.common.json_formats import Count
from gmd_vae.common.regular_files import open_regular
from gmd_vae.training.history import LONGEST_LINE, parse_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Columns: TypeAlias = dict[str, NDArray[np.float64]]  # values of each figure, float64 [lines]

_POINTS = 600  # per curve: the width of a panel in pixels
_DECODED = 12_000  # decoded lines of the training split, 20 per point; decoding 100,000 takes longer than drawing
_KEYS = {
    "train": ("loss", "reconstruction", "kl_bits", "elbo", "learning_rate", "kl_beta", "sampling_probability"),
    "validation": ("reconstruction", "kl_bits", "kl_bits_above_free", "elbo", "objective", "by_objective", "accuracy"),
}


class _Line(msgspec.Struct):
    """A line of ``metrics.jsonl``. Lines of early versions have no split: all are of training."""

    step: Count
    split: str = "train"
    loss: float | None = None
    reconstruction: float | None = None
    kl_bits: float | None = None
    kl_bits_above_free: float | None = None
    elbo: float | None = None
    learning_rate: float | None = None
    kl_beta: float | None = None
    sampling_probability: float | None = None
    accuracy: float | None = None
    objective: float | None = None
    best_by: str = "elbo"

    @property
    def by_objective(self) -> float:
        """1.0 where the objective chooses the best validation, 0.0 where the ELBO does."""
        return float(self.best_by == "objective")


class Best(NamedTuple):
    """The best validation of a run.

    Attributes:
        step: Its step.
        elbo: ELBO, nats per window.
        objective: Objective, nats per window; ``None`` where the ELBO chose it.
    """

    step: float
    elbo: float
    objective: float | None


def draw_progress(metrics: Path, target: Path, title: str) -> None:
    """Draws a run's ``metrics.jsonl`` as a PNG file; replaces the previous one.

    In long runs each point is the mean of neighbouring lines. Panels without data say so. Takes about a second, also
    for 100,000 lines.

    Args:
        metrics: File with one JSON object per line; damaged lines and unknown figures are skipped.
        target: PNG file; never left half written.
        title: Title above the panels, for example the name of the run.

    Raises:
        OSError: ``metrics`` cannot be read or ``target`` cannot be written.
    """
    measured = read_metrics(metrics)
    best = best_validation(measured["validation"])
    by_objective = best is not None and best.objective is not None
    train, validation = thin(measured["train"]), thin(measured["validation"])

    def line(label: str, columns: Columns, key: str, colour: str, **style: Any) -> Line:
        return Line(label, columns["step"].tolist(), columns[key].tolist(), colour, **style)

    # the first four panels mark the best step; the first two may cut off the start
    panels: list[tuple[str, str, list[Line]]] = [
        (
            "Loss",
            "nats per window",
            [
                line("loss", train, "loss", PALE_BLUE, width=3.5),
                line("reconstruction, training", train, "reconstruction", BLUE),
                line("reconstruction, validation", validation, "reconstruction", ORANGE),
                *([line("objective, validation", validation, "objective", PURPLE)] if by_objective else []),
            ],
        ),
        (
            "ELBO",
            "nats per window, higher is better",
            [line("training", train, "elbo", BLUE), line("validation", validation, "elbo", ORANGE)],
        ),
        (
            "KL divergence",
            "bits per window",
            [
                line("training", train, "kl_bits", BLUE),
                line("validation", validation, "kl_bits", ORANGE),
                line("validation, above the free bits", validation, "kl_bits_above_free", ORANGE, dashed=True),
            ],
        ),
        (
            "Validation accuracy",
            "step accuracy, teacher-forced",
            [line("validation", validation, "accuracy", ORANGE)],
        ),
        (
            "Learning rate",
            "",
            [line("learning rate", train, "learning_rate", BLUE)],
        ),
        (
            "β and sampling probability",
            "",
            [
                line("β, weight of the KL divergence", train, "kl_beta", ORANGE),
                line("sampling probability", train, "sampling_probability", GREEN),
            ],
        ),
    ]
    with drawing(target, width=14, height=7.6, title=title, note=_summary(measured, best)) as figure:
        for number, (axes, (name, unit, lines)) in enumerate(zip(figure.subplots(2, 3).flat, panels, strict=True)):
            line_chart(axes, lines, title=name, unit=unit)
            if not axes.lines:
                continue
            _same_steps(axes, measured)
            if number < 2:
                leave_out_the_start(axes, lines)
            elif number > 2:
                axes.set_ylim(bottom=0)
            if best is not None and number < 4:
                axes.axvline(best.step, color=GREY, linestyle=":", linewidth=1.2, zorder=1)
                if number == 1:
                    axes.plot(best.step, best.elbo, "o", color=ORANGE, markersize=7, markeredgecolor="white")


def read_metrics(path: Path) -> dict[str, Columns]:
    """Reads the figures of each split, sorted by step; missing figures are NaN.

    Args:
        path: ``metrics.jsonl``.

    Raises:
        OSError: The file cannot be read.
    """
    # arrays, not lists: this runs beside a training run, which needs the memory
    values = {split: {key: array("d") for key in ("step", *keys)} for split, keys in _KEYS.items()}
    with open_regular(path) as stream:
        last = sum(1 for _ in _lines(stream)) - 1
        stride = 1 + last // _DECODED
        stream.seek(0)
        for number, text in enumerate(_lines(stream)):
            # of a long run a sample of the training lines, the last one included
            if (last - number) % stride and b'"validation"' not in text:
                continue
            try:
                line = parse_line(text, _Line)
            except ValueError:
                continue  # an incomplete line: the run was killed while writing, or is writing now
            for key, column in values.get(line.split, {}).items():
                value = getattr(line, key)
                column.append(float("nan") if value is None else value)
    return {
        split: _sorted_by_step({key: np.array(column) for key, column in columns.items()})
        for split, columns in values.items()
    }


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Yields the lines of a file; of one without line ends, pieces."""
    while text := stream.readline(LONGEST_LINE):
        yield text


def _sorted_by_step(columns: Columns) -> Columns:
    """Sorts by step; of a step that was repeated after a kill, the later line counts."""
    steps = columns["step"]
    last_of_each = len(steps) - 1 - np.unique(steps[::-1], return_index=True)[1]
    return {key: column[last_of_each] for key, column in columns.items()}


def thin(columns: Columns) -> Columns:
    """Reduces columns to at most ``_POINTS`` values, each the mean of neighbouring finite values."""
    count = len(columns["step"])
    if count <= _POINTS:
        return columns
    starts = np.arange(_POINTS) * count // _POINTS
    thinned = {}
    for key, column in columns.items():
        finite = np.isfinite(column)
        counts = np.add.reduceat(finite, starts, dtype=np.float64)
        sums = np.add.reduceat(np.where(finite, column, 0.0), starts)
        thinned[key] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return thinned


def best_validation(validation: Columns) -> Best | None:
    """Returns the best validation: the first with the highest ELBO, or the lowest objective; see ``history.improves``.

    ``None`` without a finite one.
    """
    by_objective = bool((validation["by_objective"] > 0).any())
    score = -validation["objective"] if by_objective else validation["elbo"]
    score = np.where(np.isfinite(score), score, -np.inf)
    if not len(score) or score.max() == -np.inf:
        return None
    index = int(score.argmax())
    objective = -float(score[index]) if by_objective else None
    return Best(float(validation["step"][index]), float(validation["elbo"][index]), objective)


def _summary(measured: dict[str, Columns], best: Best | None) -> str:
    steps = np.concatenate([columns["step"] for columns in measured.values()])
    if not len(steps):
        return "nothing measured yet"
    now = f"step {steps.max():,.0f}"
    if best is None:
        return now
    name, value = ("ELBO", best.elbo) if best.objective is None else ("objective", best.objective)
    shown = f"{value:.1f}".replace("-", "\N{MINUS SIGN}")  # as on the axes
    return f"{now}   best validation (dotted): {name} {shown} nats at step {best.step:,.0f}"


def _same_steps(axes: Axes, measured: dict[str, Columns]) -> None:
    """Gives all panels the x axis of the whole run, so that steps align."""
    last = max(columns["step"].max() for columns in measured.values() if len(columns["step"]))
    axes.set_xlim(-0.02 * last, max(1.0, 1.02 * last))


def leave_out_the_start(axes: Axes, lines: list[Line]) -> None:
    """Fits the y axis to the run after its first 5%, if the start would take most of the height.

    The loss of an untrained model is several times that of the rest of the run, which would be a flat line.
    """
    x = np.concatenate([line.x for line in lines])
    y = np.concatenate([line.y for line in lines])
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    late = y[x > x.min() + 0.05 * (x.max() - x.min())]
    height = float(np.ptp(late)) if len(late) > 20 else 0.0
    if 0 < 1.5 * height < np.ptp(y):
        axes.set_ylim(late.min() - 0.05 * height, late.max() + 0.05 * height)
        small_title(axes, f"{axes.get_title(loc='right')}, start cut off")
