"""Reads the evaluations of a run as tables for the page."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.formats import NOTHING, Table
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.rendering.report.json_files import read_json

MAX_RESULTS = 6  # evaluations on the page; each has a dozen tables (30 kB)

# errors that a JSON file with unexpected content raises when it is read like one of ours
_UNEXPECTED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclasses.dataclass(frozen=True)
class Evaluations:
    """Evaluations of a run.

    Attributes:
        overview: Table with a column for each evaluation, or ``None`` without evaluations.
        details: Folder and tables of each evaluation.
        training_windows: Number of training windows, or ``None`` where no evaluation gives it.
        more: Number of evaluations that are not on the page.
    """

    overview: Table | None
    details: list[tuple[str, list[Table]]]
    training_windows: int | None
    more: int = 0


def read_evaluations(folder: Path, problems: list[str]) -> Evaluations:
    """Reads the evaluations of a run as tables, later steps first.

    Args:
        folder: Run folder.
        problems: Receives one line for each damaged evaluation.
    """
    paths = sorted(folder.glob("eval/*/result.json"), key=lambda path: _order(path.parent.name))
    shown: list[tuple[Result, str, list[Table]]] = []
    for path in paths[::-1]:  # later steps first
        if len(shown) == MAX_RESULTS:
            break
        name = printable(f"eval/{path.parent.name}")
        try:
            manifest.read(path.parent, "evaluate", "")
            result = Result.from_json(read_json(path))
            overview([result])  # raises if a part cannot be shown
            shown.append((result, name, details(result)))
        except GmdVaeError as error:
            problems.append(f"{name}: {printable(str(error))}")
        except _UNEXPECTED:
            problems.append(f"{name}: result.json is damaged")
    results = [result for result, *_ in shown]
    return Evaluations(
        overview=_of_one_run(overview(results)) if results else None,
        details=[(name, tables) for _, name, tables in shown],
        training_windows=results[0].identity.training.windows if results else None,
        more=max(0, len(paths) - MAX_RESULTS) if len(shown) == MAX_RESULTS else 0,
    )


def _of_one_run(table: Table) -> Table:
    """Returns an overview in which a step stands for run, config and step: all rows of a report are of one run.

    Args:
        table: Overview of ``evaluation.tables``.
    """
    run, step = table.columns.index("run"), table.columns.index("step")

    def shortened(row: tuple[str, ...]) -> tuple[str, ...]:
        name = row[run] if row[step] == NOTHING else f"step {row[step]}"  # baselines have a name and no step
        return (*row[:run], name, *row[step + 1 :])

    return dataclasses.replace(
        table,
        columns=(*table.columns[:run], "", *table.columns[step + 1 :]),
        rows=tuple(map(shortened, table.rows)),
        names=run + 1,
        bold=frozenset((row, column - (step - run)) for row, column in table.bold),
    )


def _order(name: str) -> tuple[int, bool, int, str]:
    """Returns the key that sorts results: by step, and those with the usual name last among the same step."""
    _, step, rest = re.fullmatch(r"([a-z]*)-?(\d*)(.*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
    return int(step or 0), not rest, len(name), name
