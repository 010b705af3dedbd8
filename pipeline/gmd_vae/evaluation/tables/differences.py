"""The table of paired differences: between runs on the same windows, and between runs and baselines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from gmd_vae.evaluation import figures, json_form
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.metrics.intervals import Estimate, FileSums, known_difference
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.seeds import Spread, enough_for_interval, method, of_seeds, spread, stem, title
from gmd_vae.evaluation.tables import groove
from gmd_vae.evaluation.tables.formats import Table, difference, interval
from gmd_vae.evaluation.tables.overview import BASELINES, INTERVAL_OVER_SEEDS

# baselines that are near to models: the others are far below every trained one
_OF_WINDOWS = ("nearest_training", "random_training", "previous_bar")
_OF_GROOVE = ("as_usual", "boosted")
_BASELINES = (*_OF_WINDOWS, *_OF_GROOVE)
_TITLES = {**BASELINES, **groove.BASELINES}


class _Column(NamedTuple):
    """A figure with its sums by file.

    Attributes:
        figure: The figure.
        section: Place in ``result.json``: of predictions, or of the likelihood.
        prediction: Name of the prediction; empty for the likelihood.
        baselines: Names of the baselines in the same section that it is compared with.
    """

    figure: Figure
    section: str
    prediction: str = ""
    baselines: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """Heading of the column."""
        if not self.prediction:
            return self.figure.heading_with_unit
        return f"{self.figure.heading},\n{groove.PREDICTIONS[self.prediction]}"

    @property
    def place(self) -> str:
        """Place of the figure in ``result.json``."""
        return ".".join(filter(None, (self.section, self.prediction, self.figure.json_key)))

    def read(self, result: Result, name: str | None = None) -> FileSums | None:
        """Returns the sums of a run, or of a baseline by its name; ``None`` where it has none."""
        section: Any = result.figures
        for part in filter(None, (*self.section.split("."), self.prediction if name is None else name)):
            section = section.get(part) if isinstance(section, dict) else getattr(section, part, None)
        sums: FileSums | None = self.figure.read_sums(section)
        return sums


_COLUMNS = (
    _Column(figures.STEP_ACCURACY, "reconstruction", "teacher_forced"),
    *(
        _Column(figure, "reconstruction", "free_running", _OF_WINDOWS)
        for figure in (figures.STEP_ACCURACY, figures.HITS_F1, figures.NOTES_F1)
    ),
    *(
        _Column(figure, "groove.answers", "hits_given", _OF_GROOVE)
        for figure in (figures.TIMING_MAE_MS, figures.VELOCITY_MSE)
    ),
    _Column(figures.ELBO, "likelihood"),
)


class Difference(NamedTuple):
    """The figures of a run minus those of another run, or of a baseline.

    Attributes:
        result: The run.
        minus: The other run, or the name of a baseline.
        estimates: One for each of ``_COLUMNS``; ``None`` where a side lacks the sums by file.
    """

    result: Result
    minus: Result | str
    estimates: tuple[Estimate | None, ...]


class SeedDifference(NamedTuple):
    """The mean figures of a set of seeds minus those of another set.

    Attributes:
        members: The runs of the set, which differ only in their seed.
        minus: The runs of the other set.
        estimates: One for each of ``_COLUMNS``; ``None`` where a run lacks the sums by file.
        by_seed: The differences of two runs with the same seed, by their seed; empty where no seed is in both sets.
    """

    members: list[Result]
    minus: list[Result]
    estimates: tuple[Estimate | None, ...]
    by_seed: dict[int, Difference]

    @property
    def over_seeds(self) -> tuple[Spread, ...]:
        """The spread of the differences of ``by_seed``, for each of ``_COLUMNS``; NaN where one is not known."""
        pairs = [each.estimates for each in self.by_seed.values()]
        by_column = zip(*pairs, strict=True) if pairs else ((),) * len(_COLUMNS)
        return tuple(spread([math.nan if each is None else each.value for each in column]) for column in by_column)


def paired_differences(results: Sequence[Result]) -> list[Difference]:
    """Returns the differences of each run to another one on the same windows, and of each run to the baselines.

    The other run is the first one; where both belong to sets of seeds, the run with the same seed in the first set.

    Args:
        results: The results of ``overview``, in its order.
    """
    found = []
    for place, result in enumerate(results):
        first = next((other for other in results[:place] if _same_windows(result, other)), None)
        if first is not None:
            found.append(_difference(result, _partner(result, first, results)))
        for name in _BASELINES:
            of_baseline = (
                _estimate(result, column.read(result), column.read(result, name)) if name in column.baselines else None
                for column in _COLUMNS
            )
            found.append(Difference(result, name, tuple(of_baseline)))
    return [each for each in found if any(each.estimates)]


def seed_differences(results: Sequence[Result]) -> list[SeedDifference]:
    """Returns the differences between the means of sets of seeds: of each set to the first one on the same windows.

    Args:
        results: The results of ``overview``, in its order.
    """
    found = []
    sets = of_seeds(results)
    for place, members in enumerate(sets):
        first = next((other for other in sets[:place] if _same_windows(members[0], other[0])), None)
        if first is None:
            continue
        estimates = tuple(_of_means(members, first, column) for column in _COLUMNS)
        of_seed = {other.identity.training_seed: other for other in first}
        by_seed = {
            seed: _difference(member, of_seed[seed])
            for member in members
            if (seed := member.identity.training_seed) is not None and seed in of_seed
        }
        found.append(SeedDifference(members, first, estimates, by_seed))
    return [each for each in found if any(each.estimates)]


def differences(results: Sequence[Result]) -> Table | None:
    """Returns the table of ``paired_differences``; ``None`` where results have no sums by file."""
    found, of_means = paired_differences(results), seed_differences(results)
    shown = [place for place in range(len(_COLUMNS)) if any(each.estimates[place] for each in found)]

    def cells(estimates: Sequence[Estimate | None]) -> list[str]:
        return [difference(estimates[place], _COLUMNS[place].figure.digits) for place in shown]

    rows: list[tuple[str, ...]] = []
    for each_set in of_means:
        rows.append((title(each_set.members), title(each_set.minus), *cells(each_set.estimates)))
        spreads = [(each_set.over_seeds[place], _COLUMNS[place].figure.digits) for place in shown]
        if enough_for_interval(each_set.by_seed):
            ends = (interval(found.low, found.high, digits) for found, digits in spreads)
            pairs = f"of {len(each_set.by_seed)} pairs"
            rows.append((f"{stem(each_set.members)}, {INTERVAL_OVER_SEEDS}", f"{stem(each_set.minus)}, {pairs}", *ends))
    of_pairs = len(rows) > len(of_means)
    lines = frozenset({len(rows)} if rows else ())
    for each in found:
        minus = _TITLES[each.minus] if isinstance(each.minus, str) else _name(each.minus, results)
        rows.append((_name(each.result, results), minus, *cells(each.estimates)))
    columns = ("run", "minus", *(_COLUMNS[place].heading for place in shown))
    notes: tuple[str, ...] = (
        "In brackets: 95 % intervals of the differences (paired bootstrap: the same files for both). An interval "
        "without 0 is a difference that other files would hardly undo; another seed may.",
    )
    if of_means:
        notes += (
            "Above the line: differences of means over seeds. Their intervals, too, hold for these runs; compare the "
            "differences seed by seed below.",
        )
    if of_pairs:
        notes += (
            "Interval over seeds: of the mean of the differences seed by seed, Student's t with n − 1 degrees of "
            "freedom for n pairs with the same seed. It is for other seeds on these files.",
        )
    return Table("Differences", columns, tuple(rows), notes, names=2, lines=lines) if rows else None


def to_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Returns ``paired_differences`` as JSON; the figures have their places in ``result.json``."""
    return [
        {
            "run": each.result.identity.run,
            "step": each.result.identity.checkpoint.step,
            "split": each.result.identity.split,
            "minus": each.minus if isinstance(each.minus, str) else each.minus.identity.run,
            "figures": _by_place(each.estimates),
        }
        for each in paired_differences(results)
    ]


def seed_differences_to_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Returns ``seed_differences`` as JSON; the figures have their places in ``result.json``."""
    return [
        {
            "runs": [member.identity.run for member in each.members],
            "minus": [member.identity.run for member in each.minus],
            "split": each.members[0].identity.split,
            "figures": _by_place(each.estimates),
            **_over_seeds(each),
            "by_seed": {str(seed): _by_place(one.estimates) for seed, one in each.by_seed.items()},
        }
        for each in seed_differences(results)
    ]


def _over_seeds(difference: SeedDifference) -> dict[str, Any]:
    """Returns the spread of the differences seed by seed and the method of its interval; nothing for few pairs."""
    if not enough_for_interval(difference.by_seed):
        return {}
    spreads = zip(_COLUMNS, difference.over_seeds, strict=True)
    known = {column.place: found.to_json() for column, found in spreads if math.isfinite(found.mean)}
    return {"interval": method(len(difference.by_seed)), "over_seeds": known}


def _by_place(estimates: Sequence[Estimate | None]) -> dict[str, Any]:
    pairs = zip(_COLUMNS, estimates, strict=True)
    return {column.place: json_form.to_json(value) for column, value in pairs if value is not None}


def _partner(result: Result, first: Result, results: Sequence[Result]) -> Result:
    """Returns the run that is subtracted: that with the same seed in the first run's set of seeds, else the first."""
    sets = of_seeds(results)
    own, other = (next((each for each in sets if any(member is one for member in each)), []) for one in (result, first))
    if own is other or not own:
        return first
    seed = result.identity.training_seed
    return next((each for each in other if each.identity.training_seed == seed), first)


def _difference(result: Result, other: Result) -> Difference:
    estimates = (_estimate(result, column.read(result), column.read(other)) for column in _COLUMNS)
    return Difference(result, other, tuple(estimates))


def _of_means(members: Sequence[Result], others: Sequence[Result], column: _Column) -> Estimate | None:
    settings = members[0].settings
    ones, minus = ([column.read(each) for each in group] for group in (members, others))
    return known_difference(ones, minus, settings.resamples, settings.seed)


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


def _estimate(result: Result, sums: FileSums | None, other: FileSums | None) -> Estimate | None:
    return known_difference([sums], [other], result.settings.resamples, result.settings.seed)
