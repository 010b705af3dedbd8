"""The three figures of each family, and the comparison with their baselines in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.results import estimate, made_up_result, result_json
from gmd_vae.configuration.registry import get_config
from gmd_vae.evaluation import figures, key_figures
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.families import family_of

OLD = Path(__file__).parents[1] / "fixtures" / "results_0.8.3"


def named(config_name: str, result: Result) -> list[str | None]:
    config = get_config(config_name)
    chosen = family_of(config).key_figures(config, result.figures)
    return [None if figure is None else figure.name for figure in chosen]


@pytest.mark.parametrize(
    ("file", "config", "names"),
    [
        ("streams", "cat-mel_2bar_small", ["notes F1, free-running", None, "steps off the nearest training window"]),
        (
            "multitrack",
            "hier-multiperf_vel_1bar_med",
            ["notes F1, free-running", "programs F1, free-running", "events off the nearest training window"],
        ),
        ("groovae", "groovae_2bar_humanize", ["timing MAE, ms", "velocity MSE, 0 to 1", "timing KL, nats"]),
        ("groovae", "groovae_4bar", ["hits F1, free-running", "timing MAE, ms", "velocity MSE, 0 to 1"]),
    ],
)
def test_each_family_has_its_own_three(file: str, config: str, names: list[str | None]) -> None:
    """The results are of version 0.8.3, which had no two-sample test."""
    result = Result.from_json(json.loads((OLD / f"{file}.json").read_text(encoding="utf-8")))
    assert named(config, result) == names


def test_drum_labels_are_judged_by_steps_and_nade_drums_by_hits() -> None:
    of_samples = ["two-sample AUC of samples", "steps off the nearest training window"]
    assert named("hierdec-drum_4bar_small", made_up_result()) == ["step accuracy, free-running", *of_samples]
    assert named("nade-drums_2bar_reduced_small", made_up_result()) == ["hits F1, free-running", *of_samples]


def reconstructed(accuracy: float, by_file: dict[str, list[float]] | None = None) -> key_figures.KeyFigure:
    content = result_json()
    content["reconstruction"]["free_running"]["steps_right"] = estimate(accuracy)
    for name, right in (by_file or {}).items():
        content["reconstruction"][name]["by_file"] = {"numerators": right, "denominators": [10.0] * len(right)}
    measured = Result.from_json(content).figures
    figure = key_figures.reconstruction(measured, figures.STEP_ACCURACY, ("previous_bar", "nearest_training"))
    assert figure is not None
    return figure


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [  # the copied bar has 0.562, the nearest training window 0.688, each ± 0.015
        (0.75, "reconstruction better than the copied bar and the nearest training window"),
        (0.68, "reconstruction better than the copied bar, as good as the nearest training window"),
        (0.62, "reconstruction better than the copied bar, worse than the nearest training window"),
        (0.4, "reconstruction worse than the copied bar and the nearest training window"),
    ],
)
def test_a_reconstruction_is_compared_in_words(accuracy: float, words: str) -> None:
    assert reconstructed(accuracy).verdict == words


def test_sums_by_file_decide_where_the_intervals_overlap() -> None:
    """Both are better in the same files: the intervals overlap, that of the difference is without 0."""
    better = {"free_running": [4.0, 6.0, 9.0], "previous_bar": [3.0, 5.0, 8.0]}
    assert reconstructed(0.57).baselines[0].outcome == "equal"
    assert reconstructed(0.57, better).baselines[0].outcome == "better"


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(0.1, 0.2, "worse"), (-0.1, 0.2, "equal"), (-0.2, -0.1, "better")]
)
def test_samples_are_compared_with_training_windows(low: float, high: float, outcome: str) -> None:
    content = result_json()
    content["window_sets"]["samples"]["auc_above_training"] = {"value": (low + high) / 2, "low": low, "high": high}
    figure = key_figures.samples_beside_music(Result.from_json(content).figures)
    assert figure is not None
    assert figure.baselines[0].outcome == outcome
    assert key_figures.samples_beside_music(made_up_result(window_sets=None).figures) is None


@pytest.mark.parametrize(
    ("median", "words"),
    [  # unseen windows have quartiles of 16.0 and 23.2
        (20.0, "samples as new as unseen music"),
        (10.0, "samples nearer to training windows than unseen music is"),
        (30.0, "samples less like training windows than unseen music is"),
    ],
)
def test_novelty_has_unseen_music_as_its_yardstick(median: float, words: str) -> None:
    content: dict[str, Any] = result_json()
    content["novelty"]["samples"]["steps"]["median"] = median
    assert key_figures.novelty(Result.from_json(content).figures).verdict == words


def test_music_that_the_run_was_trained_on_is_not_unseen() -> None:
    content: dict[str, Any] = result_json() | {"in_training": 1}
    measured = Result.from_json(content).figures
    novelty, samples = key_figures.novelty(measured), key_figures.samples_beside_music(measured)
    assert samples is not None
    assert novelty.verdict == "samples less like training windows than the evaluated music is"
    assert novelty.baselines[0].title == "evaluated windows"
    assert "from the evaluated music" in samples.verdict


def test_a_lower_error_is_better() -> None:
    low, high = Estimate(1.0, 0.9, 1.1), Estimate(2.0, 1.9, 2.1)
    assert key_figures.compare(figures.TIMING_MAE_MS, low, high) == "better"
    assert key_figures.compare(figures.TIMING_MAE_MS, high, low) == "worse"
    assert key_figures.compare(figures.STEP_ACCURACY, low, high) == "worse"
    assert key_figures.compare(figures.STEP_ACCURACY, low, 1.05) == "equal"  # a baseline without an interval
