"""The table that compares runs, with the baselines below them."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.metrics.intervals import Estimate, FileSums, known_difference
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.seeds import Spread, enough_for_interval, leads_over_seeds, of_seeds, spread, stem, title
from gmd_vae.evaluation.tables.formats import NOTHING, Table, estimate, interval, number, text

MODELS = {
    "teacher_forced": "teacher-forced",
    "free_running": "free-running",
    "free_running_sampled": "sampled",
}
BASELINES = {
    "nearest_training": "nearest training window",
    "random_training": "random training window",
    "previous_bar": "previous bar, copied",
    "most_frequent_step": "most frequent step",
    "silence": "silence",
}
_FROM_TRAINING = ("nearest_training", "random_training", "most_frequent_step")  # baselines that read training windows
INTERVALS = "In brackets: 95 % intervals (bootstrap over files)."
INTERVAL_OVER_SEEDS = "95 % interval over seeds"  # name of a row
DECODING = (
    "Teacher-forced: each step is given the true steps before it. Free-running: z is the posterior's mean, and each "
    "step is the likeliest one given the decoded steps before it. Sampled: z and the steps are drawn."
)


class _Column(NamedTuple):
    """A figure of each run: of the likelihood, or of one prediction.

    Attributes:
        figure: The figure.
        prediction: Name of the prediction; empty for figures of the likelihood.
    """

    figure: Figure
    prediction: str = ""

    @property
    def heading(self) -> str:
        """Heading of the column."""
        if self.prediction:
            return f"{self.figure.heading},\n{MODELS[self.prediction]}"
        return self.figure.heading_with_unit

    def read(self, result: Result) -> Estimate | float | None:
        """Returns the figure of a result; ``None`` where the result does not have it."""
        if self.prediction:
            return self.of_prediction(result, self.prediction)
        figure: Estimate | None = self.figure.read(result.figures.likelihood)
        return figure

    def read_sums(self, result: Result) -> FileSums | None:
        """Returns the sums by file of a result; ``None`` where it has none."""
        measured = result.figures
        section = measured.reconstruction.get(self.prediction) if self.prediction else measured.likelihood
        sums: FileSums | None = self.figure.read_sums(section)
        return sums

    def of_prediction(self, result: Result, name: str) -> Estimate | None:
        """Returns the figure of a prediction or a baseline, by its name."""
        figure: Estimate | None = self.figure.read(result.figures.reconstruction.get(name))
        return figure


_COLUMNS = (
    _Column(figures.RECONSTRUCTION),
    _Column(figures.KL_BITS),
    _Column(figures.ELBO),
    _Column(figures.IMPORTANCE_BOUND),
    _Column(figures.STEP_ACCURACY, "teacher_forced"),
    _Column(figures.STEP_ACCURACY, "free_running"),
    _Column(figures.STEP_ACCURACY, "free_running_sampled"),
    _Column(figures.HITS_F1, "free_running"),
    _Column(figures.NOTES_F1, "free_running"),
    _Column(figures.ACCURACY_DROP, "free_running"),
)
_BOLD = (
    "Bold: the best of the runs on the same windows, where the 95 % interval of its paired difference to each other "
    "one is without 0. Figures without such differences, as the reconstruction in nats, are not bold."
)
_OPTIONAL = (figures.HITS_F1, figures.NOTES_F1)  # shown if a run has them
_NAMES = ("windows", "run", "config", "step")


def overview(results: Sequence[Result]) -> Table:
    """Compares runs, with the baselines on the same windows below them (Roberts et al. 2018, Table 1).

    Runs on other windows (another split, other examples) follow below a line, and a column names the windows. Among
    several runs on the same windows the best figure is bold where its paired differences to all others are clear. Runs
    that differ only in their seed have a row with their mean and standard deviation, and only this mean can be bold.

    Args:
        results: One result for each row, in order.
    """
    columns = [
        column
        for column in _COLUMNS
        if column.figure not in _OPTIONAL or any(column.read(result) is not None for result in results)
    ]
    groups: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        identity = result.identity
        groups.setdefault((identity.split, identity.examples.sha256, result.figures.windows), []).append(result)
    differ = len({result.settings for result in results}) > 1
    rows: list[tuple[str, ...]] = []
    bold: set[tuple[int, int]] = set()
    lines: set[int] = set()
    for group in groups.values():
        lines.add(len(rows))
        for place, column in enumerate(columns):
            if (best := _best(_sides(group), column)) is not None:
                bold.add((len(rows) + best, len(_NAMES) + place))
        for result in group:
            names = run_names(result)
            if differ:
                names = (*names[:3], names[3] + text(result.settings.suffix.replace("-", " ")))
            rows.append((*names, *(estimate(column.read(result), column.figure.digits) for column in columns)))
        if of_seeds := _seed_rows(group, columns):
            lines.add(len(rows))
            rows += of_seeds
        lines.add(len(rows))
        rows += _baseline_rows(group, columns)
    title, headings = "Evaluation", (*_NAMES, *(column.heading for column in columns))
    if len(groups) == 1:  # all runs have the same windows: they go into the title
        title = f"Evaluation on {rows[0][0]} windows"
        headings, *rows = ((*row[1:],) for row in (headings, *rows))
        bold = {(row, column - 1) for row, column in bold}
    return Table(
        title,
        headings,
        tuple(rows),
        _notes(results),
        names=headings.index("step"),
        bold=frozenset(bold),
        bold_meaning=_BOLD,
        lines=frozenset(lines - {0, len(rows)}),
    )


def mean_and_deviation(found: Spread, digits: int) -> str:
    """Formats a mean with its standard deviation, ``0.589 ± 0.032``; a dash for NaN."""
    if not math.isfinite(found.mean):
        return NOTHING
    return f"{number(found.mean, digits)} ± {number(found.deviation, digits)}"


def run_names(result: Result) -> tuple[str, str, str, str]:
    """Returns windows, run, config and step, as ``overview`` shows them."""
    identity = result.identity
    windows = f"{number(result.figures.windows)} {text(identity.split)}"
    return windows, text(identity.run), text(identity.config), number(identity.checkpoint.step)


def _seed_rows(group: Sequence[Result], columns: Sequence[_Column]) -> list[tuple[str, ...]]:
    """Returns rows for each set of runs that differ only in their seed: mean and standard deviation, and interval."""
    rows = []
    sets = of_seeds(group)
    for results in sets:
        spreads = [(_mean(results, column), column.figure.digits) for column in columns]
        windows, _, config, _ = run_names(results[0])
        means = (mean_and_deviation(found, digits) for found, digits in spreads)
        name = title(results) if len(sets) > 1 else f"mean of {len(results)} seeds"
        rows.append((windows, name, config, NOTHING, *means))
        if enough_for_interval(results):
            ends = (interval(found.low, found.high, digits) for found, digits in spreads)
            name = f"{stem(results)}, {INTERVAL_OVER_SEEDS}" if len(sets) > 1 else INTERVAL_OVER_SEEDS
            rows.append((windows, name, config, NOTHING, *ends))
    return rows


def _baseline_rows(group: Sequence[Result], columns: Sequence[_Column]) -> list[tuple[str, ...]]:
    """Returns each baseline once; those that read training windows once for each training set."""
    rows = []
    for name, baseline in BASELINES.items():
        by_training: dict[Any, Result] = {}
        for result in group:
            if name in result.figures.reconstruction:
                by_training.setdefault(result.identity.training.sha256 if name in _FROM_TRAINING else None, result)
        for result in by_training.values():
            label = f"{baseline} ({result.identity.training.folder})" if len(by_training) > 1 else baseline
            cells = [  # a baseline writes its own steps: it is compared with free-running models
                estimate(column.of_prediction(result, name), column.figure.digits)
                if column.prediction == "free_running"
                else NOTHING
                for column in columns
            ]
            rows.append((run_names(result)[0], label, NOTHING, NOTHING, *cells))
    return rows


def _sides(group: Sequence[Result]) -> dict[int, list[Result]]:
    """Returns what is compared for bold, by its row: each run that is in no set of seeds, and each set.

    The runs of a set do not take part: one lucky seed is not the best of its recipe.
    """
    sets = of_seeds(group)
    in_sets = {id(result) for members in sets for result in members}
    sides = {row: [result] for row, result in enumerate(group) if id(result) not in in_sets}
    row = len(group)
    for members in sets:
        sides[row] = members
        row += 1 + enough_for_interval(members)
    return sides


def _mean(members: Sequence[Result], column: _Column) -> Spread:
    """Returns the spread of a figure over a set of seeds; NaN where a run lacks it."""
    values = [_value(column.read(member)) for member in members]
    return spread([math.nan if value is None else value for value in values])


def _best(sides: Mapping[int, Sequence[Result]], column: _Column) -> int | None:
    """Returns the row of the best figure; ``None`` where it may be better than another one by chance.

    That is known from the paired differences, so only figures with sums by file have a best one.
    """
    means = {row: _mean_value(members, column) for row, members in sides.items()}
    known = {row: value for row, value in means.items() if value is not None}
    value = column.figure.best(known.values()) if len(known) > 1 else None
    best = next((row for row, other in known.items() if other == value), None)
    if best is None:
        return None
    others = (sides[row] for row in known if row != best)
    return best if all(_is_better(sides[best], other, column) for other in others) else None


def _mean_value(members: Sequence[Result], column: _Column) -> float | None:
    values = [_value(column.read(member)) for member in members]
    known = [value for value in values if value is not None and math.isfinite(value)]
    return statistics.mean(known) if len(known) == len(values) else None


def _is_better(members: Sequence[Result], others: Sequence[Result], column: _Column) -> bool:
    """Returns True if the intervals of a paired difference, over files and over seeds, are on the better side of 0."""
    lower = column.figure.better == "lower"
    of_members, of_others = (
        {each.identity.training_seed: value for each in side if (value := _value(column.read(each))) is not None}
        for side in (members, others)
    )
    if not leads_over_seeds(of_members, of_others, lower_is_better=lower):
        return False
    settings = members[0].settings
    ones, minus = ([column.read_sums(each) for each in side] for side in (members, others))
    found = known_difference(ones, minus, settings.resamples, settings.seed)
    return found is not None and (found.high < 0 if lower else found.low > 0)


def _notes(results: Sequence[Result]) -> tuple[str, ...]:
    draws = " or ".join(f"{value:g}" for value in sorted({result.settings.importance_samples for result in results}))
    leaks = [
        f"{number(result.figures.in_training)} of the {number(result.figures.windows)} windows of "
        f"{result.identity.run} ({result.identity.split}) are in its training set too."
        for result in results
        if result.figures.in_training
    ]
    seeds = (
        "Mean of seeds: of runs that differ only in their seed, ± their standard deviation. For bold, the mean stands "
        "for its runs, and the 95 % interval over seeds of the differences of the runs with the same seed must be "
        "without 0, too. It needs three pairs."
    )
    sizes = sorted({len(members) for members in of_seeds(results) if enough_for_interval(members)})
    degrees = " or ".join(f"{size - 1}" for size in sizes)
    over_seeds = (
        f"Interval over seeds: of the mean, Student's t with n − 1 = {degrees} degrees of freedom, for other "
        "seeds on these files. The bootstrap intervals are for other files with these runs; neither contains the other."
    )
    return (
        INTERVALS,
        f"{DECODING} Importance bound: {draws or NOTHING} draws of z per window.",
        "Accuracy drop: step accuracy in the last bar minus the first. The nearest training window and the previous "
        "bar (for the first bar, the next one) are chosen with knowledge of the true window.",
        *([seeds] if of_seeds(results) else []),
        *([over_seeds] if sizes else []),
        *leaks,
    )


def _value(figure: Estimate | float | None) -> float | None:
    return figure.value if isinstance(figure, Estimate) else figure
