"""Runs that differ in their seed, and paired differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.json_page import check_answer
from fixtures.results import estimate, made_up_result, result_json
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.seeds import to_json as seeds_to_json
from gmd_vae.evaluation.tables.differences import differences, seed_differences_to_json, to_json
from gmd_vae.evaluation.tables.formats import to_latex
from gmd_vae.evaluation.tables.leaks import leaks
from gmd_vae.evaluation.tables.overview import overview

FREE = "step accuracy,\nfree-running"


def of_seed(seed: int, free_running: float, spread: float | None = None, **changes: Any) -> Result:
    """A result; with a ``spread``, of three files whose step accuracies differ by it."""
    content = result_json(run=f"runs/seed-{seed}", recipe="r" * 64, training_seed=seed)
    if spread is not None:
        by_file = [10 * (free_running + place * spread) for place in (-1, 0, 1)]
        content["reconstruction"]["free_running"]["by_file"] = {"numerators": by_file, "denominators": [10.0] * 3}
    content["reconstruction"]["free_running"]["steps_right"] = estimate(free_running)
    return Result.from_json(content | changes)


def with_files(name: str, right: list[float], **changes: Any) -> Result:
    """A result of three files with ten steps each; copying the previous bar has five right in each."""
    content = result_json(run=name)
    for prediction, of_files in (("free_running", right), ("previous_bar", [5.0, 5.0, 5.0])):
        content["reconstruction"][prediction]["by_file"] = {"numerators": of_files, "denominators": [10.0] * 3}
    return Result.from_json(content | changes)


def test_the_mean_of_seeds_has_a_row_below_the_runs() -> None:
    table = overview([of_seed(0, 0.50), of_seed(1, 0.52), of_seed(2, 0.57)])
    row = table.rows[3]
    assert row[:3] == ("mean of 3 seeds", "hierdec-drum_4bar_small", "–")
    assert row[table.columns.index(FREE)] == "0.530 ± 0.036"
    over_seeds = table.rows[4]
    assert over_seeds[:3] == ("95 % interval over seeds", "hierdec-drum_4bar_small", "–")
    assert over_seeds[table.columns.index(FREE)] == "[0.440, 0.620]"
    assert over_seeds[table.columns.index("ELBO,\nnats")] == "–"  # the same in all seeds
    assert {3, 5} <= table.lines
    assert any("standard deviation" in note for note in table.notes)
    assert any("Student's t with n − 1 = 2 degrees of freedom" in note for note in table.notes)
    assert r"0.530 $\pm$ 0.036" in to_latex(table)


def test_the_mean_of_two_seeds_has_no_interval() -> None:
    table = overview([of_seed(0, 0.50), of_seed(1, 0.52)])
    assert not any("interval" in cell for row in table.rows for cell in row)
    assert not any("Student" in note for note in table.notes)


def test_other_recipes_settings_and_checkpoints_of_one_run_have_no_mean() -> None:
    one, other = of_seed(0, 0.5), of_seed(1, 0.6)
    for second in (
        of_seed(1, 0.6, recipe="s" * 64),
        of_seed(0, 0.6),
        of_seed(1, 0.6, settings=result_json()["settings"] | {"temperature": 0.5}),
        of_seed(1, 0.6, split="validation"),
        made_up_result(),  # of a version that did not write the recipe
    ):
        assert not any("mean of" in cell for row in overview([one, second]).rows for cell in row)
    assert any("mean of 2 seeds" in row for row in overview([one, other]).rows)


def test_differences_to_the_first_run_and_to_baselines() -> None:
    table = differences([with_files("runs/a", [4.0, 6.0, 8.0]), with_files("runs/b", [5.0, 7.0, 9.0])])
    assert table is not None
    free = table.columns.index(FREE)
    assert [(row[0], row[1], row[free]) for row in table.rows] == [
        ("runs/a", "previous bar, copied", "0.100 [−0.100, 0.300]"),
        ("runs/b", "runs/a", "0.100 [0.100, 0.100]"),
        ("runs/b", "previous bar, copied", "0.200 [0.000, 0.400]"),
    ]


def test_runs_on_other_windows_and_old_results_have_no_difference() -> None:
    one, other = with_files("runs/a", [4.0, 6.0, 8.0]), with_files("runs/a", [4.0, 6.0, 8.0], split="validation")
    table = differences([one, other])
    assert table is not None
    assert [row[:2] for row in table.rows] == [
        ("runs/a, test", "previous bar, copied"),
        ("runs/a, validation", "previous bar, copied"),
    ]
    assert differences([made_up_result(), made_up_result()]) is None


def test_differences_as_json() -> None:
    one, other = with_files("runs/a", [4.0, 6.0, 8.0]), with_files("runs/b", [5.0, 7.0, 9.0])
    found = to_json([one, other])
    assert [(each["run"], each["minus"]) for each in found] == [
        ("runs/a", "previous_bar"),
        ("runs/b", "runs/a"),
        ("runs/b", "previous_bar"),
    ]
    assert found[1]["figures"] == {
        "reconstruction.free_running.steps_right": {
            "value": pytest.approx(0.1),
            "low": pytest.approx(0.1),
            "high": pytest.approx(0.1),
        }
    }


RIGHT = {  # of three files, for each recipe and seed
    "plain": {0: [4.0, 6.0, 8.0], 1: [5.0, 5.0, 7.0]},
    "blank": {0: [5.0, 6.0, 9.0], 1: [7.0, 5.0, 7.0]},
}


def recipes() -> list[Result]:
    """Two recipes with two seeds each."""
    return [
        with_files(f"runs/{name}-seed{seed}", right, recipe=name[0] * 64, training_seed=seed)
        for name, seeds in RIGHT.items()
        for seed, right in seeds.items()
    ]


def test_the_means_of_two_recipes_have_a_paired_difference_beside_that_of_each_seed() -> None:
    (found,) = seed_differences_to_json(recipes())
    assert found["runs"] == ["runs/blank-seed0", "runs/blank-seed1"]
    assert found["minus"] == ["runs/plain-seed0", "runs/plain-seed1"]
    per_file = {
        name: np.mean([np.array(right) / 10 for right in seeds.values()], axis=0) for name, seeds in RIGHT.items()
    }
    by_file = per_file["blank"] - per_file["plain"]  # all files have ten steps
    random = np.random.default_rng(0)
    resampled = [by_file[random.integers(3, size=3)].mean() for _ in range(2000)]
    low, high = np.quantile(resampled, [0.025, 0.975])
    place = "reconstruction.free_running.steps_right"
    assert found["figures"][place] == pytest.approx({"value": by_file.mean(), "low": low, "high": high})
    for seed in (0, 1):
        difference = np.mean(np.array(RIGHT["blank"][seed]) - RIGHT["plain"][seed]) / 10
        assert found["by_seed"][str(seed)][place]["value"] == pytest.approx(difference)

    table = differences(recipes())
    assert table is not None
    free = table.columns.index(FREE)
    assert table.rows[0][:2] == ("runs/blank, mean of 2 seeds", "runs/plain, mean of 2 seeds")
    assert table.rows[0][free] == f"{by_file.mean():.3f} [{low:.3f}, {high:.3f}]"
    assert table.lines == {1}
    pairs = [row[:2] for row in table.rows if row[1].startswith("runs/plain-")]
    assert pairs == [  # seed with seed
        ("runs/plain-seed1", "runs/plain-seed0"),
        ("runs/blank-seed0", "runs/plain-seed0"),
        ("runs/blank-seed1", "runs/plain-seed1"),
    ]


def test_sets_on_other_windows_or_without_sums_have_no_difference_of_means() -> None:
    *plain, one, other = recipes()
    elsewhere = [Result.from_json(each.to_json() | {"split": "validation"}) for each in (one, other)]
    assert seed_differences_to_json([*plain, *elsewhere]) == []
    without = of_seed(1, 0.5, recipe="b" * 64)
    assert seed_differences_to_json([*plain, one, without]) == []
    assert seed_differences_to_json([*plain, one]) == []  # one seed is no set


def test_only_means_are_bold_where_there_are_seeds() -> None:
    plain = [of_seed(seed, value, recipe="p" * 64, spread=0.02) for seed, value in enumerate((0.50, 0.51, 0.52))]
    blank = [of_seed(seed, value, recipe="b" * 64, spread=0.02) for seed, value in enumerate((0.58, 0.58, 0.58))]
    table = overview([*plain, *blank])
    free = table.columns.index(FREE)
    assert [row for row, column in table.bold if column == free] == [8]  # the mean of blank, and none of its runs
    assert table.rows[8][free] == "0.580 ± 0.000"
    assert {column for _, column in table.bold} == {free}  # all other figures are equal
    assert not overview(plain).bold
    near = [of_seed(seed, value, recipe="n" * 64, spread=0.0) for seed, value in enumerate((0.575, 0.575, 0.575))]
    assert not overview([*near, *blank]).bold  # better by less than the files differ


def test_the_interval_of_one_set_moves_no_bold_of_the_next() -> None:
    table = overview([*of_recipe("p", {0: 0.50, 1: 0.51, 2: 0.53}), *of_recipe("b", {0: 0.60, 1: 0.61, 2: 0.64})])
    free = table.columns.index(FREE)
    (row,) = {row for row, _ in table.bold}
    assert table.rows[row][0] == "runs/seed-0 and others, mean of 3 seeds"
    assert (table.rows[row][free], table.rows[row + 1][free]) == ("0.617 ± 0.021", "[0.565, 0.668]")


def test_the_comparisons_are_as_the_page_says() -> None:
    results = [*of_recipe("p", {0: 0.50, 1: 0.51, 2: 0.51}), *of_recipe("b", {0: 0.60, 1: 0.61, 2: 0.64})]
    sets, of_sets, pairs = seeds_to_json(results), seed_differences_to_json(results), to_json(results)
    assert all((sets, of_sets, pairs))
    answer = {"results": [each.to_json() for each in results], "seeds": sets, "kept": []}
    check_answer("evaluate", {**answer, "differences": pairs, "seed_differences": of_sets})


def test_three_pairs_of_seeds_have_an_interval_of_their_difference() -> None:
    """Differences 0.10, 0.10 and 0.13: mean 0.11, standard deviation 0.0173, t(0.975, 2) = 4.303."""
    results = [*of_recipe("p", {0: 0.50, 1: 0.51, 2: 0.51}), *of_recipe("b", {0: 0.60, 1: 0.61, 2: 0.64})]
    (found,) = seed_differences_to_json(results)
    assert found["interval"] == {"method": "Student's t", "level": 0.95, "degrees_of_freedom": 2}
    over_seeds = found["over_seeds"]["reconstruction.free_running.steps_right"]
    assert over_seeds["mean"] == pytest.approx(0.11)
    assert (over_seeds["low"], over_seeds["high"]) == pytest.approx((0.0670, 0.1530), abs=1e-4)
    table = differences(results)
    assert table is not None
    assert table.rows[1] == (
        "runs/seed-0 and others, 95 % interval over seeds", "runs/seed-0 and others, of 3 pairs", "[0.067, 0.153]"
    )  # fmt: skip
    assert table.lines == {2}
    assert any("n pairs with the same seed" in note for note in table.notes)
    two = [*of_recipe("p", {0: 0.50, 1: 0.51, 2: 0.51}), *of_recipe("b", {0: 0.60, 1: 0.61, 3: 0.64})]
    assert not {"interval", "over_seeds"} & seed_differences_to_json(two)[0].keys()
    table = differences(two)
    assert table is not None
    assert not any("interval over seeds" in cell for row in table.rows for cell in row)


def of_recipe(recipe: str, right: dict[int, float]) -> list[Result]:
    """Runs that differ only in their seed; each has three files with the same step accuracy."""
    return [of_seed(seed, value, recipe=recipe * 64, spread=0.0) for seed, value in right.items()]


def test_a_mean_is_bold_only_with_three_pairs_of_seeds() -> None:
    plain = of_recipe("p", {0: 0.50, 1: 0.51, 2: 0.51})
    assert overview([*plain, *of_recipe("b", {0: 0.90, 1: 0.91, 2: 0.90})]).bold
    for others in ({0: 0.90, 1: 0.91}, {1: 0.90, 2: 0.91, 3: 0.90}, {4: 0.90, 5: 0.91, 6: 0.90}):
        assert not overview([*plain, *of_recipe("b", others)]).bold
    assert not overview([*plain, of_seed(0, 0.9, recipe="b" * 64, spread=0.0)]).bold  # one run says nothing of seeds
    assert any("It needs three pairs" in note for note in overview(plain).notes)


def test_of_three_pairs_the_interval_over_seeds_decides_what_is_bold() -> None:
    plain = of_recipe("p", dict.fromkeys(range(5), 0.5))
    # all better, mean 0.06, but t(0.975, 2) · s / √3 = 0.194
    assert not overview([*plain[:3], *of_recipe("b", {0: 0.51, 1: 0.52, 2: 0.65})]).bold
    # one of five is worse, mean 0.082, and t(0.975, 4) · s / √5 = 0.065
    assert overview([*plain, *of_recipe("b", {0: 0.60, 1: 0.61, 2: 0.59, 3: 0.62, 4: 0.49})]).bold
    # equal differences have no interval: all are better
    assert overview([*plain[:3], *of_recipe("b", dict.fromkeys(range(3), 0.75))]).bold


def test_windows_that_are_not_held_out_are_said() -> None:
    other = {"folder": "data/examples/mine", "sha256": "f" * 64}
    known = made_up_result(split="train", windows=186, in_training=179, examples=other)
    assert leaks([made_up_result(), known]) == [
        "179 of 186 windows are training windows of runs/small: these figures are not held out."
    ]
    assert len(leaks([made_up_result(in_training=1)])) == 1  # the run's own test split has a leak
    assert leaks([made_up_result(split="train", in_training=1760), made_up_result(examples=other)]) == []


def of_groovae(name: str, milliseconds: list[float]) -> Result:
    """The result of a GrooVAE of version 0.8.3, with sums of its timing error in three files of ten hits each."""
    path = Path(__file__).parents[2] / "fixtures" / "results_0.8.3" / "groovae.json"
    content = json.loads(path.read_text(encoding="utf-8")) | {"run": name}
    for answer, sums in (("hits_given", milliseconds), ("as_usual", [210.0, 210.0, 210.0])):
        content["groove"]["answers"][answer]["timing_by_file"] = {"numerators": sums, "denominators": [10.0] * 3}
    return Result.from_json(content)


def test_each_family_has_differences_of_its_own_figures() -> None:
    table = differences([of_groovae("runs/a", [180.0, 190.0, 200.0]), of_groovae("runs/b", [170.0, 180.0, 190.0])])
    assert table is not None
    assert table.columns == ("run", "minus", "timing\nMAE, ms,\ntrue hits given")
    assert table.rows == (
        ("runs/a", "mean of drum class and position", "−2.0 [−3.0, −1.0]"),
        ("runs/b", "runs/a", "−1.0 [−1.0, −1.0]"),
        ("runs/b", "mean of drum class and position", "−3.0 [−4.0, −2.0]"),
    )
