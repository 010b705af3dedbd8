"""Runs that differ only in their seed: which they are, and mean and spread as JSON."""

from __future__ import annotations

import math
from typing import Any

import pytest
from fixtures.results import estimate, result_json
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.seeds import of_seeds, spread, to_json


def of_seed(seed: int, accuracy: float = 0.5, **changes: Any) -> Result:
    content = result_json(run=f"runs/seed-{seed}", recipe="r" * 64, planned_steps=100, training_seed=seed)
    content["reconstruction"]["free_running"]["steps_right"] = estimate(accuracy)
    return Result.from_json(content | changes)


def test_mean_and_standard_deviation_of_every_figure() -> None:
    (found,) = to_json([of_seed(0, 0.50), of_seed(1, 0.52), of_seed(2, 0.57)])
    assert found["runs"] == ["runs/seed-0", "runs/seed-1", "runs/seed-2"]
    assert (found["seeds"], found["config"], found["split"]) == ([0, 1, 2], "hierdec-drum_4bar_small", "test")
    figure = found["figures"]["reconstruction"]["free_running"]["steps_right"]
    assert figure["mean"] == pytest.approx(0.53)
    assert figure["standard_deviation"] == pytest.approx(0.036056, abs=1e-6)
    # the same in all three: no interval of width 0
    assert found["figures"]["likelihood"]["elbo"] == {"mean": pytest.approx(-94.97), "standard_deviation": 0.0}
    assert "voices" not in found["figures"]  # names


def test_three_seeds_have_a_t_interval() -> None:
    """In the tables of Student's distribution, t(0.975, 2) is 4.302653 and t(0.975, 4) 2.776445."""
    (found,) = to_json([of_seed(0, 0.50), of_seed(1, 0.52), of_seed(2, 0.57)])
    assert found["interval"] == {"method": "Student's t", "level": 0.95, "degrees_of_freedom": 2}
    figure = found["figures"]["reconstruction"]["free_running"]["steps_right"]
    half = 4.302653 * 0.0360555 / math.sqrt(3)
    assert (figure["low"], figure["high"]) == pytest.approx((0.53 - half, 0.53 + half), abs=1e-6)
    five = spread([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (five.low, five.high) == pytest.approx((3 - 2.776445 / math.sqrt(2), 3 + 2.776445 / math.sqrt(2)), abs=1e-6)


def test_two_seeds_have_no_interval() -> None:
    (found,) = to_json([of_seed(0, 0.50), of_seed(1, 0.52)])
    assert "interval" not in found
    assert found["figures"]["reconstruction"]["free_running"]["steps_right"].keys() == {"mean", "standard_deviation"}


@pytest.mark.parametrize(
    "second",
    [
        of_seed(1, recipe="s" * 64),
        of_seed(1, planned_steps=200),
        of_seed(0),
        of_seed(1, split="validation"),
        of_seed(1, settings=result_json()["settings"] | {"samples": 10}),
    ],
    ids=["recipe", "steps", "seed", "split", "settings"],
)
def test_other_runs_are_no_seeds_of_one_recipe(second: Result) -> None:
    assert of_seeds([of_seed(0), second]) == []
    assert len(of_seeds([of_seed(0), second, of_seed(7)])) == (1 if second.identity.training_seed else 0)


def test_a_value_that_is_not_finite_has_no_spread() -> None:
    assert spread([1.0, 3.0])[:2] == (2.0, pytest.approx(math.sqrt(2)))
    assert all(map(math.isnan, spread([1.0, math.nan])))
    assert all(map(math.isnan, spread([1.0])))
