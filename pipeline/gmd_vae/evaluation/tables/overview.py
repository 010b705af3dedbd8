"""Runs beside each other, as a table.

Tables are made from results as JSON has them, so that a result from a file and a new one look the same.
Figures that a result does not have are shown as a dash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from gmd_vae.evaluation.tables.formats import NOTHING, Table, estimate, number, text

Result: TypeAlias = Mapping[str, Any]

MODELS = {
    "teacher_forced": "teacher-forced",
    "free_running": "free-running",
    "free_running_sampled": "sampled",
}
BASELINES = {
    "nearest_training": "nearest training window",
    "random_training": "random training window",
    "previous_bar": "bar before, copied",
    "most_frequent_step": "most frequent step",
    "silence": "silence",
}
_OF_BASELINES = {"steps_right": "steps right", "hits_f1": "hits F1", "notes_f1": "notes F1", "fade": "fade"}
_FROM_TRAINING = ("nearest_training", "random_training", "most_frequent_step")  # depend on the training windows
INTERVALS = "In brackets: 95 % intervals (bootstrap over files)."
DECODING = (
    "Teacher-forced: each step given the true steps before it. Free-running: z is the posterior's mean, each step the "
    "likeliest given what the model wrote. Sampled: z and the steps are drawn."
)


def of(result: Any, *path: str | int) -> Any:
    """What lies at a path of keys and indices in a result; ``None`` where there is nothing."""
    for key in path:
        if isinstance(result, Mapping):
            result = result.get(key)
        elif isinstance(result, Sequence) and isinstance(key, int) and -len(result) <= key < len(result):
            result = result[key]
        else:
            return None
    return result


def overview(results: Sequence[Result]) -> Table:
    """Runs beside each other, and below them the baselines on the same windows (Roberts et al. 2018, Table 1).

    Runs on other windows (another split, other examples) follow below a line, and a column says which. There are
    columns of hits and of notes only where a run plays such.
    The best of the runs on the same windows is bold, where there are several; the KL divergence and
    the fade have no best.

    Args:
        results: one a run, in the order of the rows.
    """
    figures = [
        column
        for column in _FIGURES
        if "F1" not in column.heading or any(column.figure(result) is not None for result in results)
    ]
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        windows = of(result, "split"), of(result, "examples", "sha256"), of(result, "windows")
        groups.setdefault(windows, []).append(result)
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    lines: set[int] = set()
    for group in groups.values():
        lines.add(len(rows))
        for place, column in enumerate(figures):
            best = _best([_value(column.figure(result)) for result in group], column.digits, column.best)
            bold |= {(len(rows) + row, len(_NAMES) + place) for row in best}
        for result in group:
            shown = (estimate(column.figure(result), column.digits) for column in figures)
            rows.append((*run_names(result), *shown))
        lines.add(len(rows))
        rows += _baseline_rows(group, [column.heading for column in figures])
    title, columns = "Evaluation", (*_NAMES, *(column.heading for column in figures))
    if len(groups) == 1:  # all have the same windows: no column needs to say so
        title = f"Evaluation on {rows[0][0]} windows"
        columns, *rows = ((*row[1:],) for row in (columns, *rows))
        bold = {(row, column - 1) for row, column in bold}
    return Table(
        title,
        columns,
        tuple(rows),
        _overview_notes(results),
        names=columns.index("step"),
        bold=frozenset(bold),
        lines=frozenset(lines - {0, len(rows)}),
    )


def _at(*path: str | int) -> Callable[[Result], Any]:
    return lambda result: of(result, *path)


class _Column(NamedTuple):
    """A figure of each run: heading, where it is, digits after the point, what is best."""

    heading: str
    figure: Callable[[Result], Any]
    digits: int
    best: Callable[[Iterable[float]], float] | None


_FIGURES = (
    _Column("reconstruction\nnats", _at("likelihood", "reconstruction"), 1, min),
    _Column("KL\nbits", _at("likelihood", "kl_bits"), 1, None),
    _Column("ELBO\nnats", _at("likelihood", "elbo"), 1, max),
    _Column("importance\nbound, nats", _at("likelihood", "importance_bound"), 1, max),
    _Column("steps right\nteacher-forced", _at("reconstruction", "teacher_forced", "steps_right"), 3, max),
    _Column("steps right\nfree-running", _at("reconstruction", "free_running", "steps_right"), 3, max),
    _Column("steps right\nsampled", _at("reconstruction", "free_running_sampled", "steps_right"), 3, max),
    _Column("hits F1\nfree-running", _at("reconstruction", "free_running", "hits_f1"), 3, max),
    _Column("notes F1\nfree-running", _at("reconstruction", "free_running", "notes_f1"), 3, max),
    _Column("fade\nfree-running", _at("reconstruction", "free_running", "fade"), 3, None),
)
_NAMES = ("windows", "run", "config", "step")


def run_names(result: Result) -> tuple[str, str, str, str]:
    """Windows, run, config and step, as the columns of ``overview`` have them."""
    windows = f"{number(of(result, 'windows'))} {text(of(result, 'split'))}"
    step = number(of(result, "checkpoint", "step"))
    return windows, text(of(result, "run")), text(of(result, "config")), step


def _baseline_rows(group: Sequence[Result], headings: Sequence[str]) -> list[tuple[str, ...]]:
    """The baselines once; those that come from training windows once for each training set."""
    rows = []
    for name, title in BASELINES.items():
        of_each: dict[Any, Result] = {}
        for result in group:
            if of(result, "reconstruction", name) is not None:
                training = of(result, "training", "sha256") if name in _FROM_TRAINING else None
                of_each.setdefault(training, result)
        for result in of_each.values():
            label = f"{title} ({text(of(result, 'training', 'folder'))})" if len(of_each) > 1 else title
            figures = {
                f"{title_of}\nfree-running": estimate(of(result, "reconstruction", name, key), 3)
                for key, title_of in _OF_BASELINES.items()
            }
            names = run_names(result)[0], label, NOTHING, NOTHING
            rows.append((*names, *(figures.get(heading, NOTHING) for heading in headings)))
    return rows


def _best(values: Sequence[float | None], digits: int, best: Callable[[Iterable[float]], float] | None) -> set[int]:
    """The places of the best among several; equal ones, as they are shown, are all best."""
    there = [value for value in values if value is not None and value == value]
    if best is None or len(there) < 2:
        return set()
    shown = number(best(there), digits)
    return {place for place, value in enumerate(values) if number(value, digits) == shown}


def _overview_notes(results: Sequence[Result]) -> tuple[str, ...]:
    def all_of(key: str) -> str:
        found = {of(result, "settings", key) for result in results} - {None}
        return " or ".join(f"{value:g}" for value in sorted(found)) or "an unknown number of"

    leaks = [
        f"{number(leaked)} of the {number(of(result, 'windows'))} windows of {text(of(result, 'run'))} "
        f"({text(of(result, 'split'))}) are in its training set too."
        for result in results
        if (leaked := of(result, "in_training"))
    ]
    return (
        f"{INTERVALS} Bold: the best of the runs on the same windows.",
        f"{DECODING} Importance bound: {all_of('importance_samples')} draws of z a window.",
        "Fade: steps right in the last bar minus the first. The nearest training window and the bar before (for the "
        "first bar, the one after it) are taken with the true window at hand.",
        *leaks,
    )


def _value(figure: Any) -> float | None:
    """Of an estimate or a bare figure."""
    value = figure.get("value") if isinstance(figure, Mapping) else figure
    return None if value is None else float(value)
