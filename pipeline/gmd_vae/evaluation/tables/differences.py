"""The table of paired differences: between runs on the same windows, and between runs and baselines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.metrics.intervals import FileSums
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.formats import NOTHING, Table, estimate
from gmd_vae.evaluation.tables.overview import BASELINES, MODELS

# baselines that are near to models: the others are far below every trained one
_BASELINES = ("nearest_training", "random_training", "previous_bar")


class _Column(NamedTuple):
    """A figure with its sums by file: of one prediction, or the ELBO."""

    figure: Figure
    prediction: str = ""

    @property
    def heading(self) -> str:
        """Heading of the column."""
        return f"{self.figure.heading}\n{MODELS[self.prediction]}" if self.prediction else self.figure.heading_with_unit

    def read(self, result: Result) -> FileSums | None:
        """Returns the sums of a run; ``None`` in results of earlier versions."""
        if self.prediction:
            return _of_prediction(result, self.prediction)
        return result.figures.likelihood.elbo_by_file


_COLUMNS = (
    _Column(figures.STEP_ACCURACY, "teacher_forced"),
    _Column(figures.STEP_ACCURACY, "free_running"),
    _Column(figures.ELBO),
)
_FREE_RUNNING = _COLUMNS[1]


def differences(results: Sequence[Result]) -> Table | None:
    """Returns the differences of each run to the first one on the same windows, and of each run to the baselines.

    Args:
        results: The results of ``overview``, in its order.

    Returns:
        The table; ``None`` where results have no sums by file.
    """
    rows = []
    for place, result in enumerate(results):
        first = next((other for other in results[:place] if _same_windows(result, other)), None)
        if first is not None:
            cells = [_difference(result, column.read(result), column.read(first), column.figure) for column in _COLUMNS]
            rows.append((_name(result, results), _name(first, results), *cells))
        for name in _BASELINES:
            if name in result.figures.reconstruction:
                sums = _FREE_RUNNING.read(result), _of_prediction(result, name)
                cell = _difference(result, *sums, _FREE_RUNNING.figure)
                cells = [cell if column is _FREE_RUNNING else NOTHING for column in _COLUMNS]
                rows.append((_name(result, results), BASELINES[name], *cells))
    rows = [row for row in rows if set(row[2:]) != {NOTHING}]
    columns = ("run", "minus", *(column.heading for column in _COLUMNS))
    notes = (
        "In brackets: 95 % intervals of the differences (paired bootstrap: the same files for both). An interval "
        "without 0 is a difference beyond the choice of the files; the choice of the seed is not in it.",
    )
    return Table("Differences", columns, tuple(rows), notes, names=2) if rows else None


def _same_windows(one: Result, other: Result) -> bool:
    keys = [(each.identity.split, each.identity.examples.sha256, each.figures.windows) for each in (one, other)]
    return keys[0] == keys[1]


def _name(result: Result, results: Sequence[Result]) -> str:
    """Returns the run, with what tells its other results in the table apart: step and split."""
    identity = result.identity
    others = [other.identity for other in results if other is not result and other.identity.run == identity.run]
    step = (
        f", step {identity.checkpoint.step}" if any(other.checkpoint != identity.checkpoint for other in others) else ""
    )
    split = f", {identity.split}" if any(other.split != identity.split for other in others) else ""
    return f"{identity.run}{step}{split}"


def _of_prediction(result: Result, name: str) -> FileSums | None:
    sums: FileSums | None = getattr(result.figures.reconstruction.get(name), "by_file", None)
    return sums


def _difference(result: Result, sums: FileSums | None, other: FileSums | None, figure: Figure) -> str:
    if sums is None or other is None or len(sums.numerators) != len(other.numerators):
        return NOTHING
    return estimate(sums.minus(other, result.settings.resamples, result.settings.seed), figure.digits)
