"""The verdict: about ten lines for one run and for several."""

from __future__ import annotations

import io
from typing import Any

import pytest
from fixtures.results import estimate, made_up_result, result_json
from gmd_vae.configuration.registry import get_config
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.memorised import memorised
from gmd_vae.evaluation.tables.terminal import to_rich
from gmd_vae.evaluation.tables.verdict import Measured, Verdict, collapses, verdicts
from gmd_vae.families import family_of
from rich.console import Console


def measured(result: Result) -> Measured:
    config = get_config(result.identity.config)
    chosen = family_of(config).key_figures(config, result.figures)
    return Measured(result, tuple(figure for figure in chosen if figure is not None))


def of_run(name: str, accuracy: float, right: list[float] | None = None, **changes: Any) -> Result:
    content = result_json(run=name, **changes)
    prediction = content["reconstruction"]["free_running"]
    prediction["steps_right"] = estimate(accuracy)
    if right:
        prediction["by_file"] = {"numerators": right, "denominators": [10.0] * len(right)}
    return Result.from_json(content)


def lines(verdict: Verdict, width: int) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(verdict.sentence)
    console.print(to_rich(verdict.table), crop=False)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(("width", "most"), [(80, 10), (120, 6)])
def test_one_run_has_a_verdict_and_three_figures_beside_their_baselines(width: int, most: int) -> None:
    (verdict,) = verdicts([measured(made_up_result())])
    shown = lines(verdict, width)
    assert len(shown) <= most
    assert max(map(len, shown)) <= width
    assert verdict.sentence.startswith("runs/small, step 6,800, on 1,760 test windows: reconstruction worse than")
    assert verdict.table.rows == (
        ("step accuracy, free-running", "0.485 [0.470, 0.500]", "copied bar 0.562; nearest training window 0.688"),
        ("two-sample AUC of samples", "0.940 [0.925, 0.955]", "training windows 0.660"),
        ("steps off the nearest training window", "27.0", "unseen windows 19.0"),
    )


def test_seeds_have_their_mean_and_no_differences() -> None:
    same = {"recipe": "r" * 64, "planned_steps": 100}
    seeds = [of_run(f"runs/x-seed{seed}", 0.5 + seed / 50, training_seed=seed, **same) for seed in range(3)]
    (verdict,) = verdicts(list(map(measured, seeds)))
    assert verdict.sentence == (
        "3 results on 1,760 test windows, runs that differ only in their seed: step accuracy, free-running "
        "0.520 ± 0.020, 95 % interval over seeds [0.470, 0.570] (Student's t); runs/x-seed0 and "
        "runs/x-seed1 are worse than the copied bar."
    )
    assert [row[0] for row in verdict.table.rows] == [
        *("runs/x-seed0", "runs/x-seed1", "runs/x-seed2", "mean of 3 seeds", "95 % interval over seeds"),
        *("copied bar", "nearest training window", "training windows", "unseen windows"),
    ]
    assert verdict.table.rows[3][1] == "0.520 ± 0.020"
    assert verdict.table.rows[4][1:] == ("[0.470, 0.570]", "–", "–")  # the other figures are the same in all seeds
    assert len(lines(verdict, 80)) <= 15
    (verdict,) = verdicts(list(map(measured, seeds[:2])))
    assert "interval" not in f"{verdict.sentence}{verdict.table.rows}"


def test_other_runs_have_paired_differences_and_a_leader() -> None:
    one, other = of_run("runs/a", 0.5, [4.0, 5.0, 6.0]), of_run("runs/b", 0.6, [5.0, 6.0, 7.0])
    (verdict,) = verdicts([measured(one), measured(other)])
    best = "runs/b has the best step accuracy, free-running; its lead is larger than the 95 % margin of error"
    assert verdict.sentence.endswith(f"{best}; runs/a is worse than the copied bar.")
    assert verdict.table.rows[-1] == ("runs/b minus runs/a", "0.100 [0.100, 0.100]", "", "")
    uncertain = of_run("runs/c", 0.51, [8.0, 2.0, 6.0])
    (verdict,) = verdicts([measured(one), measured(uncertain)])
    assert verdict.sentence.endswith(
        "none is clearly the best in step accuracy, free-running (95 % margin of error); "
        "both are worse than the copied bar."
    )


def test_recipes_with_seeds_are_compared_by_their_means() -> None:
    runs = [
        of_run(f"runs/{name}-seed{seed}", sum(right) / 30, right, recipe=name * 64, planned_steps=9, training_seed=seed)
        for name, by_seed in (("a", ([4.0, 5.0, 9.0], [5.0, 6.0, 7.0])), ("b", ([5.0, 6.0, 6.0], [6.0, 7.0, 10.0])))
        for seed, right in enumerate(by_seed)
    ]
    (verdict,) = verdicts(list(map(measured, runs)))
    rows = {row[0]: row[1] for row in verdict.table.rows}
    assert rows["runs/a, mean of 2 seeds"] == "0.600 ± 0.000"
    assert rows["runs/b, mean of 2 seeds minus runs/a"] == "0.067 [0.000, 0.100]"
    assert not any("seed1 minus" in name for name in rows)
    assert "none is clearly the best in step accuracy" in verdict.sentence
    assert "(95 % margin of error, and three seeds or more that both have)" in verdict.sentence


def of_recipe(name: str, right: dict[int, float]) -> list[Measured]:
    """Runs that differ only in their seed; each has three files with the same step accuracy."""
    return [
        measured(
            of_run(
                f"runs/{name}-seed{seed}",
                accuracy,
                [10 * accuracy] * 3,
                recipe=name * 64,
                planned_steps=9,
                training_seed=seed,
            )
        )
        for seed, accuracy in right.items()
    ]


def test_of_three_seeds_the_interval_over_seeds_decides() -> None:
    same = dict.fromkeys(range(5), 0.6)
    (verdict,) = verdicts([*of_recipe("a", same), *of_recipe("b", {0: 0.70, 1: 0.71, 2: 0.69, 3: 0.72, 4: 0.59})])
    assert (
        "runs/b, mean of 5 seeds has the best step accuracy, free-running; "
        "its lead is larger than the 95 % margin of error, over files and over seeds" in verdict.sentence
    )
    rows = {row[0]: row[1] for row in verdict.table.rows}
    assert rows["runs/b, mean of 5 seeds minus runs/a"] == "0.082 [0.082, 0.082]"
    assert rows["runs/b minus runs/a, 95 % interval over seeds"] == "[0.017, 0.147]"
    three = dict.fromkeys(range(3), 0.6)
    (verdict,) = verdicts([*of_recipe("a", three), *of_recipe("b", {0: 0.61, 1: 0.62, 2: 0.75})])
    assert (
        "none is clearly the best in step accuracy, free-running (95 % margin of error, over files and over seeds)"
        in verdict.sentence
    )
    for seeds in ((7, 8, 9), (0, 1), (1, 2, 3)):  # fewer than three pairs, however large the difference
        (verdict,) = verdicts([*of_recipe("a", three), *of_recipe("b", dict.fromkeys(seeds, 0.9))])
        assert "(95 % margin of error, and three seeds or more that both have)" in verdict.sentence


def test_the_best_of_three_recipes_is_better_than_both_others() -> None:
    best, second = of_recipe("a", dict.fromkeys(range(3), 0.9)), of_recipe("b", dict.fromkeys(range(3), 0.8))
    (verdict,) = verdicts([*best, *second, *of_recipe("c", {0: 0.1, 1: 0.7, 2: 0.89})])
    assert "none is clearly the best" in verdict.sentence
    (verdict,) = verdicts([*best, *second, *of_recipe("c", {0: 0.60, 1: 0.61, 2: 0.62})])
    assert "runs/a, mean of 3 seeds has the best" in verdict.sentence


def test_other_windows_have_a_verdict_of_their_own() -> None:
    found = verdicts([measured(made_up_result()), measured(made_up_result(split="validation", windows=900))])
    assert ["on 1,760 test" in found[0].sentence, "on 900 validation" in found[1].sentence] == [True, True]
    twice = [made_up_result(), made_up_result(checkpoint={"name": "model.ckpt-9", "step": 9, "files": {}})]
    (verdict,) = verdicts(list(map(measured, twice)))
    assert [row[0] for row in verdict.table.rows[:2]] == ["runs/small, step 6,800", "runs/small, step 9"]


def collapsed(name: str, accuracy: float, right: list[float] | None = None) -> Result:
    latent = result_json()["latent"]
    empty = {"active": 0, "size": 64, "variance": [0.0007] * 64, "kl_bits_by_dimension": [0.001] * 64}
    return of_run(name, accuracy, right, latent=latent | {"activity": empty | {"collapsed": True}})


def test_a_leader_that_learned_little_is_not_praised() -> None:
    """Copying the bar before has 0.562, silence 0.217."""
    low, lower = of_run("runs/low", 0.36, [3.5, 3.6, 3.7]), collapsed("runs/lower", 0.15, [1.5, 1.5, 1.5])
    (verdict,) = verdicts([measured(lower), measured(low)])
    assert verdict.sentence == (
        "2 results on 1,760 test windows: runs/low leads in step accuracy, free-running, but both are worse than the "
        "copied bar; runs/lower is worse than silence; runs/lower has a collapsed posterior."
    )
    good = of_run("runs/good", 0.7, [7.0, 7.0, 7.1])
    (verdict,) = verdicts([measured(low), measured(good), measured(collapsed("runs/x", 0.3, [3.0, 3.0, 3.0]))])
    assert verdict.sentence.startswith("3 results on 1,760 test windows: runs/good has the best step accuracy")
    assert verdict.sentence.endswith(
        "; runs/low and runs/x are worse than the copied bar; runs/x has a collapsed posterior."
    )
    (verdict,) = verdicts([measured(good), measured(collapsed("runs/x", 0.9, [9.0, 9.0, 9.0]))])
    assert "runs/x leads in step accuracy, free-running, but runs/x has a collapsed posterior." in verdict.sentence


def test_baselines_that_differ_between_runs_name_their_runs() -> None:
    content = result_json(run="runs/b", in_training=5)
    content["reconstruction"]["nearest_training"]["steps_right"] = estimate(0.9)
    (verdict,) = verdicts([measured(of_run("runs/a", 0.6)), measured(Result.from_json(content))])
    rows = [row for row in verdict.table.rows if not row[0].startswith("runs/")]
    assert rows == [
        ("copied bar", "0.562", "", ""),
        ("nearest training window (runs/a)", "0.688", "", ""),
        ("nearest training window (runs/b)", "0.900", "", ""),
        ("training windows", "", "0.660", ""),
        ("unseen windows (runs/a)", "", "", "19.0"),
        ("evaluated windows (runs/b)", "", "", "19.0"),
    ]
    more = [Result.from_json({**content, "run": f"runs/{name}"}) for name in "cd"]
    (verdict,) = verdicts([measured(each) for each in (made_up_result(), Result.from_json(content), *more)])
    assert "evaluated windows (runs/b and 2 others)" in [row[0] for row in verdict.table.rows]


def test_copies_and_few_training_windows_have_a_line() -> None:
    (line,) = memorised([made_up_result()])
    assert line == (
        "Memorised: 3 of 1,000 samples are copies of one of the 13,226 training windows; the median sample differs "
        "from the nearest one in 27.0 of 64 steps (unseen windows: 2.0 % and 19.0)."
    )
    content = result_json(in_training=7, run="runs/song")
    content["novelty"]["samples"]["copies"] = estimate(0.0)
    many = Result.from_json(content)
    assert memorised([many]) == []
    content["training"]["windows"] = 1999
    few = Result.from_json(content)
    (line,) = memorised([few])
    assert line == (
        "Memorised: 0 of 1,000 samples are copies of one of the 1,999 training windows; the median sample differs from "
        "the nearest one in 27.0 of 64 steps."
    )


def test_of_several_runs_those_with_copies_have_a_line() -> None:
    content = result_json(run="runs/song")
    content["novelty"]["samples"]["copies"] = estimate(0.0)
    content["training"]["windows"] = 1999
    without_copies = Result.from_json(content)
    (line,) = memorised([without_copies, made_up_result()])
    assert line.startswith(f"Memorised by {made_up_result().identity.run}: 3 of 1,000 samples are copies")
    assert memorised([without_copies, without_copies]) == []


def test_a_collapsed_posterior_is_named_with_the_way_out() -> None:
    (warning,) = collapses([made_up_result(), collapsed("runs/empty", 0.274)])
    assert warning.startswith("Posterior collapse in runs/empty: 0 of 64 dimensions of z are active")
    assert warning.endswith("Train for more steps, or with a lower max_beta.")
    (warning,) = collapses([collapsed("runs/empty", 0.274), collapsed("runs/hollow", 0.274)])
    assert warning.startswith("Posterior collapse in runs/empty and runs/hollow: 0 of 64 dimensions")
    assert collapses([made_up_result()]) == []
