"""The verdict of an evaluation in a few lines: three figures beside their baselines; several runs side by side."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gmd_vae.common.printable import counted
from gmd_vae.evaluation.key_figures import KeyFigure, compare
from gmd_vae.evaluation.metrics.intervals import Estimate, known_difference
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.seeds import (
    Spread,
    by_shared_seed,
    enough_for_interval,
    leads_over_seeds,
    of_seeds,
    spread,
    stem,
    title,
)
from gmd_vae.evaluation.tables.formats import Table, difference, estimate, interval, number
from gmd_vae.evaluation.tables.overview import INTERVAL_OVER_SEEDS, mean_and_deviation


class Measured(NamedTuple):
    """A result with its key figures.

    Attributes:
        result: The result.
        key_figures: The three figures that its family names; fewer where the result lacks one.
    """

    result: Result
    key_figures: tuple[KeyFigure, ...]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A verdict.

    Attributes:
        sentence: The verdict in words.
        table: The figures that carry it.
    """

    sentence: str
    table: Table


def verdicts(measured: Sequence[Measured]) -> list[Verdict]:
    """Returns a verdict for each set of results on the same windows with the same key figures."""
    groups: dict[object, list[Measured]] = {}
    for each in measured:
        identity = each.result.identity
        names = tuple(figure.name for figure in each.key_figures)
        groups.setdefault((identity.split, identity.examples.sha256, names), []).append(each)
    return [_of_one(group[0]) if len(group) == 1 else _of_several(group) for group in groups.values()]


def collapses(results: Sequence[Result]) -> list[str]:
    """Returns a warning that names the results whose posterior has collapsed, if there are any."""
    found = [result for result in results if result.figures.latent.activity.collapsed]
    if not found:
        return []
    # one warning for all, so that those of many seeds do not hide the verdict
    runs = _listed(list(dict.fromkeys(result.identity.run for result in found)))
    sizes = sorted({result.figures.latent.activity.size for result in found})
    return [
        f"Posterior collapse in {runs}: 0 of {' or '.join(map(str, sizes))} dimensions of z are active, so z holds no "
        "information and every z decodes to the same kind of music. Train for more steps, or with a lower max_beta."
    ]


def _of_one(measured: Measured) -> Verdict:
    result = measured.result
    clauses = "; ".join(figure.verdict for figure in measured.key_figures)
    rows = [
        (
            figure.name,
            estimate(figure.value, figure.figure.digits),
            "; ".join(f"{each.title} {_value(each.value, figure)}" for each in figure.baselines),
        )
        for figure in measured.key_figures
    ]
    step = f", step {number(result.identity.checkpoint.step)}" if result.identity.checkpoint.step is not None else ""
    sentence = f"{result.identity.run}{step}, on {_windows(result)}: {clauses}."
    return Verdict(sentence, Table("", ("", "", ""), tuple(rows), names=3))


def _of_several(group: Sequence[Measured]) -> Verdict:
    """Compares runs on the same windows: a row for each, for sets of seeds, for baselines and for differences."""
    figures = group[0].key_figures
    cells = ([_value(figure.value, figure) for figure in each.key_figures] for each in group)
    rows = [(name, *values) for name, values in zip(_names(group), cells, strict=True)]
    sets = of_seeds([each.result for each in group])
    for results in sets:
        members = _members(results, group)
        spreads = [_spread([each.key_figures[place] for each in members]) for place in range(len(figures))]
        means = map(mean_and_deviation, spreads, (figure.figure.digits for figure in figures))
        rows.append((title(results) if len(sets) > 1 else f"mean of {counted(len(members), 'seed')}", *means))
        if enough_for_interval(members):
            ends = map(_interval, spreads, figures)
            name = f"{stem(results)}, " if len(sets) > 1 else ""
            rows.append((f"{name}{INTERVAL_OVER_SEEDS}", *ends))
    rows += _baseline_rows(group)
    rows += _difference_rows(_sides(group, sets))
    headings = ("", *(_two_lines(figure.name) for figure in figures))
    return Verdict(_sentence(group, sets), Table("", headings, tuple(rows)))


def _baseline_rows(group: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Returns a row for each baseline; where the runs have different ones, each row names its runs."""
    names = _names(group)
    titles = dict.fromkeys(each.title for run in group for figure in run.key_figures for each in figure.baselines)
    rows = []
    for title_of_baseline in titles:
        runs_of: dict[tuple[str, ...], list[str]] = {}
        for run, measured in zip(names, group, strict=True):
            cells = tuple(_baseline_value(figure, title_of_baseline) for figure in measured.key_figures)
            if any(cells):
                runs_of.setdefault(cells, []).append(run)
        for cells, runs in runs_of.items():
            label = title_of_baseline if len(runs) == len(group) else f"{title_of_baseline} ({_listed(runs)})"
            rows.append((label, *cells))
    return rows


def _difference_rows(sides: Sequence[_Side]) -> list[tuple[str, ...]]:
    """Returns rows for each side minus the first one: the paired difference, and its interval over seeds."""
    first, *others = sides
    figures = first.members[0].key_figures
    minus = first.name.partition(", mean of ")[0]
    rows = []
    for each in others:
        differences = [_difference(first, each, place) for place in range(len(figures))]
        if not any(differences):
            continue
        shown = (
            "" if value is None else difference(value, figure.figure.digits)
            for value, figure in zip(differences, figures, strict=True)
        )
        rows.append((f"{each.name} minus {minus}", *shown))
        pairs = [by_shared_seed(each.by_seed(place), first.by_seed(place)) for place in range(len(figures))]
        if enough_for_interval(pairs[0]):
            name = f"{each.name.partition(', mean of ')[0]} minus {minus}, {INTERVAL_OVER_SEEDS}"
            rows.append((name, *map(_interval, map(spread, pairs), figures)))
    return rows


def _baseline_value(figure: KeyFigure, name: str) -> str:
    """Returns the value of a baseline; empty where the figure does not have it."""
    return next((_value(each.value, figure) for each in figure.baselines if each.title == name), "")


def _listed(names: Sequence[str]) -> str:
    """Returns ``a``, ``a and b``, or ``a and 3 others``."""
    return " and ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} others"


def _is_one_set(sets: Sequence[Sequence[Result]], group: Sequence[Measured]) -> bool:
    """Returns True if all runs differ only in their seed: then differences between two of them are of no interest."""
    return len(sets) == 1 and len(sets[0]) == len(group)


class _Side(NamedTuple):
    """A side of a comparison: a run, or the seeds of one recipe.

    Attributes:
        name: Name of the run or of the set.
        members: Its runs.
    """

    name: str
    members: list[Measured]

    def value(self, place: int) -> float:
        """Returns a key figure: the mean over the runs."""
        return statistics.mean(_number(each.key_figures[place].value) for each in self.members)

    def by_seed(self, place: int) -> dict[int | None, float]:
        """Returns a key figure of each run, by its seed."""
        return {each.result.identity.training_seed: _number(each.key_figures[place].value) for each in self.members}


def _sides(group: Sequence[Measured], sets: Sequence[Sequence[Result]]) -> list[_Side]:
    """Returns each run that is in no set of seeds and each set once, in the order of the runs."""
    found: dict[int, _Side] = {}
    for each in group:
        own = next((members for members in sets if any(member is each.result for member in members)), None)
        name = each.result.identity.run if own is None else title(own)
        found.setdefault(id(each if own is None else own), _Side(name, [each] if own is None else _members(own, group)))
    return list(found.values())


def _members(results: Sequence[Result], group: Sequence[Measured]) -> list[Measured]:
    return [each for each in group if any(result is each.result for result in results)]


def _sentence(group: Sequence[Measured], sets: Sequence[Sequence[Result]]) -> str:
    """Returns the verdict on several runs: seeds of one recipe, or the leader in the first figure."""
    start = f"{len(group)} results on {_windows(group[0].result)}"
    problems = [*_problems(group)]
    if not group[0].key_figures:
        return f"{start}{'; '.join(['', *problems])}."
    name, figure = group[0].key_figures[0].name, group[0].key_figures[0].figure
    if _is_one_set(sets, group):
        found = _spread([each.key_figures[0] for each in group])
        clauses = [f"{name} {mean_and_deviation(found, figure.digits)}"]
        if found.has_interval:
            clauses[0] += f", {INTERVAL_OVER_SEEDS} {interval(found.low, found.high, figure.digits)} (Student's t)"
        return f"{start}, runs that differ only in their seed: {'; '.join([*clauses, *problems])}."
    best, *others = sorted(_sides(group, sets), key=lambda side: side.value(0), reverse=figure.better == "higher")
    pairs = by_shared_seed(best.by_seed(0), others[0].by_seed(0)) if sets else []
    margin = "95 % margin of error" + (", over files and over seeds" if enough_for_interval(pairs) else "")
    if all(_leads(best, other, has_seeds=bool(sets)) for other in others):
        if any(_faults(each) for each in best.members):
            return f"{start}: {best.name} leads in {name}, but {'; '.join(problems)}."
        praise = f"{best.name} has the best {name}; its lead is larger than the {margin}"
        return f"{start}: {'; '.join([praise, *problems])}."
    if sets and not enough_for_interval(pairs):
        margin += ", and three seeds or more that both have"
    return f"{start}: {'; '.join([f'none is clearly the best in {name} ({margin})', *problems])}."


def _leads(best: _Side, other: _Side, *, has_seeds: bool) -> bool:
    """Returns True if a side is better in the first figure by more than files and seeds vary."""
    figure = best.members[0].key_figures[0].figure
    value, subtracted = (side.members[0].key_figures[0].value for side in (best, other))
    paired = _difference(other, best, 0)
    if paired is None and has_seeds:  # the interval of one seed is not that of a mean
        return False
    return compare(figure, value, subtracted, paired) == "better" and leads_over_seeds(
        best.by_seed(0), other.by_seed(0), lower_is_better=figure.better == "lower"
    )


def _faults(measured: Measured) -> list[tuple[str, str, str]]:
    """Returns the reasons for which a run is of little use, each as a predicate, and its verb for one run and several.

    They are a collapsed posterior, and a first figure that is worse than that of the copied bar or of silence.
    """
    worse_than = measured.key_figures[0].worse_than if measured.key_figures else ()
    titles = [name if name == "silence" else f"the {name}" for name in worse_than]
    found = [(f"worse than {title_of_baseline}", "is", "are") for title_of_baseline in titles]
    if measured.result.figures.latent.activity.collapsed:
        found.append(("a collapsed posterior", "has", "have"))
    return found


def _problems(group: Sequence[Measured]) -> Iterator[str]:
    """Yields a clause for each fault, with the runs that have it."""
    runs_of: dict[tuple[str, str, str], list[str]] = {}
    for name, measured in zip(_names(group), group, strict=True):
        for fault in _faults(measured):
            runs_of.setdefault(fault, []).append(name)
    for (predicate, verb, verb_of_several), runs in runs_of.items():
        subject = _listed(runs) if len(runs) < len(group) else "both" if len(runs) == 2 else "all"
        yield f"{subject} {verb if len(runs) == 1 else verb_of_several} {predicate}"


def _difference(first: _Side, other: _Side, place: int) -> Estimate | None:
    """Returns the paired difference of a key figure, other minus first; ``None`` where the sums by file are missing."""
    ones, others = ([each.key_figures[place].sums for each in side.members] for side in (other, first))
    settings = first.members[0].result.settings
    return known_difference(ones, others, settings.resamples, settings.seed)


def _names(group: Sequence[Measured]) -> list[str]:
    """Returns the run of each result, with the step where a run occurs twice."""
    runs = [each.result.identity.run for each in group]
    return [
        f"{run}, step {number(each.result.identity.checkpoint.step)}" if runs.count(run) > 1 else run
        for run, each in zip(runs, group, strict=True)
    ]


def _spread(figures: Sequence[KeyFigure]) -> Spread:
    return spread([_number(figure.value) for figure in figures])


def _interval(found: Spread, figure: KeyFigure) -> str:
    return interval(found.low, found.high, figure.figure.digits)


def _windows(result: Result) -> str:
    return f"{number(result.figures.windows)} {result.identity.split} windows"


def _value(value: Estimate | float, figure: KeyFigure) -> str:
    return number(_number(value), figure.figure.digits)


def _number(value: Estimate | float) -> float:
    return value.value if isinstance(value, Estimate) else value


def _two_lines(name: str) -> str:
    """Breaks a heading near its middle, between words."""
    words = name.split()
    splits = [(" ".join(words[:count]), " ".join(words[count:])) for count in range(1, len(words))]
    return "\n".join(min(splits, key=lambda pair: max(map(len, pair)))) if splits else name
