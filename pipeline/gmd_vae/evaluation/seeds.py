"""Runs that differ only in their seed: found from what ``run.json`` records; mean and spread of their figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from gmd_vae.evaluation import json_form
from gmd_vae.evaluation.result import Result


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


def title(members: Sequence[Result]) -> str:
    """Returns a name for a set of seeds, ``runs/blank, mean of 2 seeds``.

    It begins with the runs' own name without the seed where they share one, else with the first run.
    """
    stems = {member.identity.run.removesuffix(f"-seed{member.identity.training_seed}") for member in members}
    stem = stems.pop() if len(stems) == 1 else f"{members[0].identity.run} and others"
    return f"{stem}, mean of {len(members)} seeds"


def leads_in_each_seed(
    values: Mapping[int | None, float], others: Mapping[int | None, float], *, lower_is_better: bool
) -> bool:
    """Returns True if one side of a comparison is better in each pair of runs with the same seed.

    It is False where fewer than two seeds are on both sides: then nothing is known about other seeds. Two single runs
    are no sets of seeds, and their seeds are not asked for.

    Args:
        values: A figure of the better side, by the seed of the run.
        others: The figure of the other side, likewise.
        lower_is_better: The lower figure is better.
    """
    if len(values) == len(others) == 1:
        return True
    sign = -1 if lower_is_better else 1
    leads = [sign * (values[seed] - others[seed]) for seed in values if seed is not None and seed in others]
    return len(leads) > 1 and min(leads) > 0


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Returns mean and standard deviation (that of a sample); NaN where a value is not finite or there is only one."""
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return math.nan, math.nan
    return statistics.mean(values), statistics.stdev(values)


def to_json(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Returns each set of seeds as JSON: runs, seeds, and mean and standard deviation of every figure.

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
                "figures": _spreads(of_members) or {},
            }
        )
    return found


def _spreads(values: Sequence[Any]) -> Any:
    """Returns mean and standard deviation of figures that lie at the same place; ``None`` where there are none."""
    first = values[0]
    if all(isinstance(value, dict) for value in values):
        if "value" in first:  # an estimate: its interval is over the files, not over the seeds
            return _spreads([value.get("value") for value in values])
        shared = [name for name in first if all(name in value for value in values)]
        parts = {name: _spreads([value[name] for value in values]) for name in shared}
        return {name: part for name, part in parts.items() if part is not None} or None
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        mean, deviation = spread([float(value) for value in values])
        return {"mean": mean, "standard_deviation": deviation} if math.isfinite(mean) else None
    return None
