"""The three figures of a result that carry its verdict, each beside its baselines. The family chooses them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Literal

from gmd_vae.evaluation import figures
from gmd_vae.evaluation.figures import Figure
from gmd_vae.evaluation.metrics.intervals import Estimate, FileSums
from gmd_vae.evaluation.result import Figures

Outcome = Literal["better", "equal", "worse"]

FREE_RUNNING = "free_running"
TITLES = {
    "nearest_training": "nearest training window",
    "random_training": "random training window",
    "previous_bar": "copied bar",
    "silence": "silence",
    "boosted": "gradient boosting",
    "as_usual": "mean of class and place",
    "by_dice": "training hits at random",
}
_TRIVIAL = ("previous_bar", "silence")  # baselines that every useful model exceeds


@dataclasses.dataclass(frozen=True)
class Baseline:
    """A baseline of a key figure.

    Attributes:
        title: Its name.
        value: Its figure.
        outcome: The model compared with it.
    """

    title: str
    value: Estimate | float
    outcome: Outcome


@dataclasses.dataclass(frozen=True)
class KeyFigure:
    """One of the three figures that carry a verdict.

    Attributes:
        name: Name of the figure.
        figure: Its digits and direction.
        value: Figure of the model.
        baselines: The baselines beside it.
        verdict: The comparison in words, a clause.
        sums: Sums by file, for paired differences between runs; ``None`` where there are none.
        worse_than: The copied bar and silence, by their titles, where the model is worse: then it has learned little.
    """

    name: str
    figure: Figure
    value: Estimate | float
    baselines: tuple[Baseline, ...]
    verdict: str
    sums: FileSums | None = None
    worse_than: tuple[str, ...] = ()


def reconstruction(
    measured: Figures, figure: Figure, baselines: Sequence[str], subject: str = "reconstruction"
) -> KeyFigure | None:
    """Returns a figure of the free-running prediction beside baselines.

    Args:
        measured: Figures of a model.
        figure: One of ``figures.RECONSTRUCTIONS``.
        baselines: Names of baselines in ``Figures.reconstruction``; those that are not there are left out.
        subject: Subject of the clause.

    Returns:
        The figure; ``None`` where the result does not have it.
    """
    sections = measured.reconstruction
    found = {name: sections[name] for name in baselines if name in sections}
    model = sections.get(FREE_RUNNING)
    key_figure = _key_figure(f"{figure.heading}, free-running", figure, model, found, subject)
    if key_figure is None:
        return None
    trivial = _compared(figure, model, {name: sections[name] for name in _TRIVIAL if name in sections})
    worse_than = tuple(baseline.title for baseline in trivial if baseline.outcome == "worse")
    return dataclasses.replace(key_figure, worse_than=worse_than)


def timing_and_velocity(measured: Figures, figure: Figure, baselines: Sequence[str], subject: str) -> KeyFigure | None:
    """Returns a figure of a GrooVAE that plays the true hits, beside baselines.

    Args:
        measured: Figures of a GrooVAE.
        figure: One of ``figures.GROOVE``.
        baselines: Names of baselines in ``Groove.answers``.
        subject: Subject of the clause.
    """
    if measured.groove is None:
        return None
    answers = measured.groove.answers
    found = {name: answers[name] for name in baselines if name in answers}
    return _key_figure(" ".join(figure.heading.split()), figure, answers.get("hits_given"), found, subject)


def samples_beside_music(measured: Figures) -> KeyFigure | None:
    """Returns the two-sample AUC of samples beside that of training windows; ``None`` where it was not measured."""
    sets = measured.window_sets or {}
    if not {"samples", "training"} <= sets.keys():
        return None
    samples, training = sets["samples"], sets["training"]
    if samples.auc is None or training.auc is None:
        return None
    above = samples.auc_above_training
    outcome: Outcome = "equal"
    if above is not None and above.low > 0:
        outcome = "worse"
    elif above is not None and above.high < 0:
        outcome = "better"
    music = _music(measured)
    verdict = {
        "better": f"samples harder to tell from {music} than training windows are",
        "equal": f"samples as hard to tell from {music} as training windows",
        "worse": f"samples easier to tell from {music} than training windows are",
    }[outcome]
    baseline = Baseline("training windows", training.auc, outcome)
    return KeyFigure("two-sample AUC of samples", figures.AUC, samples.auc, (baseline,), verdict)


def novelty(measured: Figures) -> KeyFigure:
    """Returns the median distance of samples to the nearest training window beside that of held-out windows."""
    samples, held_out = measured.novelty.samples, measured.novelty.held_out
    spread, yardstick = samples.steps, held_out.steps
    music = _music(measured)
    outcome: Outcome = "equal"
    if spread.median < yardstick.quarter:
        outcome, verdict = "worse", f"samples nearer to training windows than {music} is"
    elif spread.median > yardstick.three_quarters:
        outcome, verdict = "worse", f"samples less like training windows than {music} is"
    else:
        verdict = f"samples as new as {music}"
    windows = "evaluated windows" if measured.in_training else "unseen windows"
    baseline = Baseline(windows, yardstick.median, outcome)
    unit = "events" if measured.steps_per_bar is None else "steps"
    return KeyFigure(f"{unit} off the nearest training window", figures.MEDIAN, spread.median, (baseline,), verdict)


def _music(measured: Figures) -> str:
    """Returns the name of the evaluated music; windows that the run was trained on are not unseen."""
    return "the evaluated music" if measured.in_training else "unseen music"


def compare(
    figure: Figure, value: Estimate | float, other: Estimate | float, difference: Estimate | None = None
) -> Outcome:
    """Compares two values of a figure: by the interval of their difference, else by whether their intervals overlap.

    Args:
        figure: The figure, which has a direction.
        value: Figure of the model.
        other: Figure of the baseline.
        difference: Paired difference, model minus baseline; ``None`` where it is not known.
    """
    if difference is not None and math.isfinite(difference.low):
        low, high = difference.low, difference.high
    else:
        low, high = _ends(value)[0] - _ends(other)[1], _ends(value)[1] - _ends(other)[0]
    if figure.better == "lower":
        low, high = -high, -low
    return "better" if low > 0 else "worse" if high < 0 else "equal"


def _key_figure(
    name: str, figure: Figure, section: object, baselines: Mapping[str, object], subject: str
) -> KeyFigure | None:
    """Returns a figure of a section of a result beside sections of baselines; ``None`` where it lacks the figure."""
    value: Estimate | None = figure.read(section)
    if value is None or not math.isfinite(value.value):
        return None
    found = _compared(figure, section, baselines)
    return KeyFigure(name, figure, value, tuple(found), _clause(subject, found), figure.read_sums(section))


def _compared(figure: Figure, section: object, baselines: Mapping[str, object]) -> list[Baseline]:
    """Compares a figure of a section of a result with that of each baseline that has it."""
    value, sums = figure.read(section), figure.read_sums(section)
    found = []
    for key, baseline in baselines.items():
        other: Estimate | None = figure.read(baseline)
        if other is not None and math.isfinite(other.value):
            difference = _paired(sums, figure.read_sums(baseline))
            found.append(Baseline(TITLES[key], other, compare(figure, value, other, difference)))
    return found


def _paired(sums: FileSums | None, other: FileSums | None) -> Estimate | None:
    if sums is None or other is None or len(sums.numerators) != len(other.numerators):
        return None
    return sums.minus(other, _RESAMPLES, 0)


_RESAMPLES = 2000  # of the interval of a difference to a baseline


def _clause(subject: str, baselines: Sequence[Baseline]) -> str:
    """Returns the comparison with all baselines in words, such as ``reconstruction better than the copied bar``."""
    relations: dict[Outcome, str] = {"better": "better than", "equal": "as good as", "worse": "worse than"}
    parts = []
    for outcome, words in relations.items():
        titles = [f"the {baseline.title}" for baseline in baselines if baseline.outcome == outcome]
        if titles:
            parts.append(f"{words} {' and '.join(titles)}")
    return f"{subject} {', '.join(parts)}" if parts else subject


def _ends(value: Estimate | float) -> tuple[float, float]:
    """Returns both ends of the interval; the value itself where there is none."""
    if not isinstance(value, Estimate):
        return value, value
    return (value.low, value.high) if math.isfinite(value.low) else (value.value, value.value)
