"""Runs that differ only in their seed: found from what ``run.json`` records; mean and spread of their figures.

The interval of a mean over seeds is Student's t: mean ± t(0.975, n − 1) · s / √n. It is for other seeds on the same
files, as the bootstrap intervals are for other files with the same runs.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence, Sized
from typing import Any, NamedTuple

from gmd_vae.evaluation import json_form
from gmd_vae.evaluation.result import Result

_LEAST_FOR_INTERVAL = 3  # seeds: with two, t(0.975, 1) is 12.7, and the interval would hold almost everything
_QUANTILE = 0.975  # of both sides of a 95 % interval


class Spread(NamedTuple):
    """Mean of a figure over seeds.

    Attributes:
        mean: Mean; NaN where a value is not finite or there is only one.
        deviation: Standard deviation of a sample; NaN likewise.
        low: Lower end of the 95 % t interval of the mean; NaN with fewer than three values. Equal values have none
            either: a figure with few steps, such as a median, would seem certain.
        high: Upper end, likewise.
    """

    mean: float
    deviation: float
    low: float = math.nan
    high: float = math.nan

    @property
    def has_interval(self) -> bool:
        """True if the interval is known."""
        return math.isfinite(self.low)

    def to_json(self) -> dict[str, float]:
        """Returns mean and standard deviation, and the ends of the interval where it is known."""
        interval = {"low": self.low, "high": self.high} if self.has_interval else {}
        return {"mean": self.mean, "standard_deviation": self.deviation, **interval}


def of_seeds(results: Sequence[Result]) -> list[list[Result]]:
    """Returns the sets of two runs or more that differ only in their seed, measured alike on the same windows.

    Config, hyperparameters, layers, training data, initial weights and planned steps are the same. Two checkpoints of
    one run are no such set.
    """
    alike: dict[Any, list[Result]] = {}
    for result in results:
        identity = result.identity
        if identity.recipe is not None:
            key = (identity.recipe, identity.planned_steps, identity.split, identity.examples.sha256, result.settings)
            alike.setdefault(key, []).append(result)
    return [
        members
        for members in alike.values()
        if len({member.identity.training_seed for member in members}) == len(members) > 1
    ]


def enough_for_interval(seeds: Sized) -> bool:
    """Returns True if there are enough seeds, or pairs of seeds, for an interval over them."""
    return len(seeds) >= _LEAST_FOR_INTERVAL


def title(members: Sequence[Result]) -> str:
    """Returns a name for a set of seeds, ``runs/blank, mean of 2 seeds``."""
    return f"{stem(members)}, mean of {len(members)} seeds"


def stem(members: Sequence[Result]) -> str:
    """Returns the runs' own name without the seed where they share one, else the first run ``and others``."""
    stems = {member.identity.run.removesuffix(f"-seed{member.identity.training_seed}") for member in members}
    return stems.pop() if len(stems) == 1 else f"{members[0].identity.run} and others"


def leads_over_seeds(
    values: Mapping[int | None, float], others: Mapping[int | None, float], *, lower_is_better: bool
) -> bool:
    """Returns True if one side of a comparison is better by more than its seeds vary.

    Of three pairs of runs with the same seed or more, the 95 % t interval of their differences decides; it is to lie on
    the better side of 0. Equal differences have no interval: they are to be better. With fewer pairs it is False:
    without any effect, two pairs have the same sign half of the time. Two single runs are no sets of seeds, and their
    seeds are not asked for.

    Args:
        values: A figure of the better side, by the seed of the run.
        others: The figure of the other side, likewise.
        lower_is_better: The lower figure is better.
    """
    if len(values) == len(others) == 1:
        return True
    sign = -1 if lower_is_better else 1
    leads = [sign * difference for difference in by_shared_seed(values, others)]
    found = spread(leads)
    return found.low > 0 if found.has_interval else enough_for_interval(leads) and min(leads) > 0


def by_shared_seed(values: Mapping[int | None, float], others: Mapping[int | None, float]) -> list[float]:
    """Returns the differences of the runs with the same seed, ``values`` minus ``others``."""
    return [values[seed] - others[seed] for seed in values if seed is not None and seed in others]


def spread(values: Sequence[float]) -> Spread:
    """Returns mean, standard deviation and t interval of a figure over seeds."""
    count = len(values)
    if count < 2 or not all(map(math.isfinite, values)):
        return Spread(math.nan, math.nan)
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    if not enough_for_interval(values) or not deviation:
        return Spread(mean, deviation)
    from scipy.special import stdtrit  # a part of the environment for training: reports of one run do without

    half = float(stdtrit(count - 1, _QUANTILE)) * deviation / math.sqrt(count)
    return Spread(mean, deviation, mean - half, mean + half)


def to_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Returns each set of seeds as JSON: runs, seeds, and mean, standard deviation and interval of every figure.

    The figures have the keys of ``result.json``. Lists and what is not a number in all runs are left out.
    """
    found = []
    for members in of_seeds(results):
        of_members = [json_form.to_json(member.figures) for member in members]
        found.append(
            {
                "runs": [member.identity.run for member in members],
                "seeds": [member.identity.training_seed for member in members],
                "config": members[0].identity.config,
                "split": members[0].identity.split,
                **({"interval": method(len(members))} if enough_for_interval(members) else {}),
                "figures": _spreads(of_members) or {},
            }
        )
    return found


def method(count: int) -> dict[str, Any]:
    """Returns the method of the intervals over a number of seeds, for JSON."""
    return {"method": "Student's t", "level": 0.95, "degrees_of_freedom": count - 1}


def _spreads(values: Sequence[Any]) -> Any:
    """Returns the spread of figures that lie at the same place; ``None`` where there are none."""
    first = values[0]
    if all(isinstance(value, dict) for value in values):
        if "value" in first:  # an estimate: its interval is over the files, not over the seeds
            return _spreads([value.get("value") for value in values])
        shared = [name for name in first if all(name in value for value in values)]
        parts = {name: _spreads([value[name] for value in values]) for name in shared}
        return {name: part for name, part in parts.items() if part is not None} or None
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        found = spread([float(value) for value in values])
        return found.to_json() if math.isfinite(found.mean) else None
    return None
