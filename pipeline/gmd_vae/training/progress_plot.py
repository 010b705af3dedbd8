"""``progress.png``: what ``metrics.jsonl`` says, for people. Small enough to be drawn anew all through a run."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gmd_vae.common.charts import BLUE, GREEN, GREY, ORANGE, PALE_BLUE, Line, drawing, line_chart, small_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Columns: TypeAlias = dict[str, NDArray[np.float64]]  # figure → its values, as many as there are steps

_POINTS = 600  # of each curve: a panel is about as many pixels wide
_DECODED = 12_000  # lines of training: the mean of 20 makes a point; to decode 100,000 takes longer than to draw
_KEYS = {
    "train": ("loss", "reconstruction", "kl_bits", "elbo", "learning_rate", "kl_beta", "sampling_probability"),
    "validation": ("reconstruction", "kl_bits", "kl_bits_above_free", "elbo", "accuracy"),
}


def draw_progress(metrics: Path, target: Path, title: str) -> None:
    """Draws a run's ``metrics.jsonl`` as a PNG file, in place of the one before.

    Long runs are thinned out: each point is then the mean of neighbouring lines. Where a run did
    not validate, the panels say so. It takes about a second, also for 100,000 lines.

    Args:
        metrics: one JSON object a line; damaged lines and unknown figures are passed over.
        target: the file, written whole.
        title: above the panels, for example the run's name.

    Raises:
        OSError: ``metrics`` cannot be read or ``target`` cannot be written.
    """
    measured = read_metrics(metrics)
    best = best_validation(measured["validation"])
    train, validation = thin(measured["train"]), thin(measured["validation"])

    def line(label: str, of: Columns, key: str, colour: str, **look: Any) -> Line:
        return Line(label, of["step"].tolist(), of[key].tolist(), colour, **look)

    # the best step is marked where validation is shown, and the start of training may be cut off there
    panels: list[tuple[str, str, list[Line]]] = [
        (
            "Loss",
            "nats per window",
            [
                line("loss", train, "loss", PALE_BLUE, width=3.5),
                line("reconstruction, training", train, "reconstruction", BLUE),
                line("reconstruction, validation", validation, "reconstruction", ORANGE),
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
            "next step, from the true ones before",
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
                axes.axvline(best[0], color=GREY, linestyle=":", linewidth=1.2, zorder=1)
                if number == 1:
                    axes.plot(*best, "o", color=ORANGE, markersize=7, markeredgecolor="white")


def read_metrics(path: Path) -> dict[str, Columns]:
    """The figures of each split, in the order of their steps; what a line does not have is NaN."""
    # arrays, not lists: this happens beside a training run, which needs the memory
    values = {split: {key: array("d") for key in ("step", *keys)} for split, keys in _KEYS.items()}
    with open(path, "rb") as stream:
        last = sum(1 for _ in stream) - 1
        stride = 1 + last // _DECODED
        stream.seek(0)
        for number, text in enumerate(stream):
            # of a long run not every line of training, but its last
            if (last - number) % stride and b'"validation"' not in text:
                continue
            try:
                record = json.loads(text)
            except ValueError:
                continue  # half a line: the run was killed while it wrote, or is writing now
            if not isinstance(record, dict) or not isinstance(record.get("step"), int):
                continue
            # lines of the first runs have no split: all were of training
            for key, column in values.get(record.get("split", "train"), {}).items():
                value = record.get(key)
                column.append(value if isinstance(value, int | float) else float("nan"))
    return {split: _in_order({key: np.array(column) for key, column in of.items()}) for split, of in values.items()}


def _in_order(columns: Columns) -> Columns:
    """Steps that were done twice, after a kill, count as the later line has them."""
    steps = columns["step"]
    last_of_each = len(steps) - 1 - np.unique(steps[::-1], return_index=True)[1]
    return {key: column[last_of_each] for key, column in columns.items()}


def thin(columns: Columns) -> Columns:
    """At most ``_POINTS`` values: each the mean of neighbours, without those that are not finite."""
    count = len(columns["step"])
    if count <= _POINTS:
        return columns
    starts = np.arange(_POINTS) * count // _POINTS
    thinned = {}
    for key, column in columns.items():
        finite = np.isfinite(column)
        there = np.add.reduceat(finite, starts, dtype=np.float64)
        sums = np.add.reduceat(np.where(finite, column, 0.0), starts)
        thinned[key] = np.where(there > 0, sums / np.maximum(there, 1), np.nan)
    return thinned


def best_validation(validation: Columns) -> tuple[float, float] | None:
    """Step and ELBO (nats per window) of the best validation: the first with the highest ELBO."""
    elbo = np.where(np.isfinite(validation["elbo"]), validation["elbo"], -np.inf)
    if not len(elbo) or elbo.max() == -np.inf:
        return None
    index = int(elbo.argmax())
    return float(validation["step"][index]), float(elbo[index])


def _summary(measured: dict[str, Columns], best: tuple[float, float] | None) -> str:
    steps = np.concatenate([of["step"] for of in measured.values()])
    if not len(steps):
        return "nothing measured yet"
    now = f"step {steps.max():,.0f}"
    if best is None:
        return now
    elbo = f"{best[1]:.1f}".replace("-", "\N{MINUS SIGN}")  # as on the axes
    return f"{now}   best validation (dotted): ELBO {elbo} nats at step {best[0]:,.0f}"


def _same_steps(axes: Axes, measured: dict[str, Columns]) -> None:
    """All panels show the whole run, so that one can be read above the other."""
    last = max(of["step"].max() for of in measured.values() if len(of["step"]))
    axes.set_xlim(-0.02 * last, max(1.0, 1.02 * last))


def leave_out_the_start(axes: Axes, lines: list[Line]) -> None:
    """Fits the y axis to the run after its first 5 %, where the start would take most of the height.

    An untrained model's loss is several times that of the rest of the run, which would be a flat line.
    """
    x = np.concatenate([line.x for line in lines])
    y = np.concatenate([line.y for line in lines])
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    late = y[x > x.min() + 0.05 * (x.max() - x.min())]
    height = float(np.ptp(late)) if len(late) > 20 else 0.0
    if 0 < 1.5 * height < np.ptp(y):
        axes.set_ylim(late.min() - 0.05 * height, late.max() + 0.05 * height)
        small_title(axes, f"{axes.get_title(loc='right')}, start cut off")
