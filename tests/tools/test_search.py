"""tools/search.py: its proposals can be trained, and its table has every trial with its question and outcome."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import optuna
import pytest
from fixtures.tool_module import load_tool
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.own_hparams import GROOVE_LEVERS, OWN_HPARAMS
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from optuna.trial import TrialState


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("search")


def test_every_proposal_is_a_config_and_its_hyperparameters(tool: ModuleType) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    schedules = set()
    for number in range(20):
        name, hparams = tool.proposal(study.ask(), knows_steps=number >= 10)
        found = resolve(get_config(name), hparams)
        assert found["dec_rnn_size"][0] in (96, 128, 192, 256)
        assert 0 < found["mix_windows"] <= 0.7
        schedules.add((number >= 10, found["learning_rate_schedule"]))
    assert schedules == {(False, "exponential"), (True, "exponential"), (True, "cosine"), (True, "cooldown")}


def test_the_search_has_every_lever_of_drums(tool: ModuleType) -> None:
    searched = {*tool.CHOICES, *tool.RANGES, "learning_rate_schedule"}
    assert OWN_HPARAMS.keys() - searched <= {"transpose", "prior_components", *GROOVE_LEVERS}


def test_the_recipes_of_the_package_are_in_the_search_space(tool: ModuleType) -> None:
    """A search could propose the numbers of the drum model that is in the package."""
    recipe = load_tool("make_weights").RECIPES["groove-4bar"]
    hparams = resolve(get_config(recipe.config), recipe.hparams)
    for name, (low, high) in tool.RANGES.items():
        assert low <= hparams[name] <= high, name
    for name, values in tool.CHOICES.items():
        assert name in ("config", "encoder", "decoder") or hparams[name] in values, name
    assert hparams["learning_rate_schedule"] in tool.SCHEDULES


def test_a_trial_by_hand_changes_any_hyperparameter(tool: ModuleType) -> None:
    assert tool.parse_trial("batch_size=33,enc_rnn_size=[300,200]") == (
        DEFAULT_CONFIG,
        "batch_size=33,enc_rnn_size=[300,200]",
    )
    assert tool.parse_trial("config=flat-drum_4bar_small,mix_windows=0.25") == (
        "flat-drum_4bar_small",
        "mix_windows=0.25",
    )
    for text, reason in (
        ("z=3", "Unknown hyperparameter 'z'"),
        ("batch_size", "has no value"),
        ("mix_windows=2", "mix_windows"),
        ("config=nothing", "nothing"),
    ):
        with pytest.raises(argparse.ArgumentTypeError, match=reason):
            tool.parse_trial(text)


def add(
    study: optuna.Study, tool: ModuleType, hparams: str, values: tuple[float, float] | None, **attributes: Any
) -> None:
    """Adds a trial by hand with its figures; ``None``: it was not finished."""
    tool.by_hand(study, DEFAULT_CONFIG, hparams, attributes.pop("question", ""))
    trial = study.ask()
    if values:
        attributes |= {"free_running": values[0], "elbo": values[1], "teacher_forced": 0.5, "kl_bits": 40.0}
        attributes |= {"steps": 9, "repeated_steps": 0.33, "hits_per_bar": 17.5}
    for name, value in {"budget": "300 s", **attributes}.items():
        trial.set_user_attr(name, value)
    study.tell(trial, values, state=None if values else TrialState.PRUNED)


def test_the_table_has_every_trial(tool: ModuleType) -> None:
    study = optuna.create_study(directions=["maximize", "maximize"])
    add(study, tool, "", (0.4, -150.0), question="the baseline")
    add(study, tool, "max_beta=0.2,mix_windows=0.6", (0.5, -130.0), question="Do mixed | windows help?")
    add(study, tool, "learning_rate=0.5", None, failed="Error: The loss is nan", question="Is it too large?")
    add(study, tool, "z_size=32", None)  # stopped
    rows = tool.table(study).splitlines()[2:]
    assert rows == [
        "| 1 * | 300 s | 9 | 0.5 | 0.5 | -130 | 40 | 0.33 | 17.5 | +0.100 | max_beta=0.2, mix_windows=0.6 "
        "| Do mixed / windows help? |",
        "| 0 | 300 s | 9 | 0.4 | 0.5 | -150 | 40 | 0.33 | 17.5 | +0.000 | nothing | the baseline |",
        "| 2 | 300 s |  |  |  |  |  |  |  | failed: Error: The loss is nan | learning_rate=0.5 | Is it too large? |",
    ]


def test_no_table_of_a_folder_without_a_search(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["search.py", "--folder", str(tmp_path / "search"), "--show"])
    with pytest.raises(SystemExit) as exit_:
        tool.main()
    assert exit_.value.code == 1
    assert capsys.readouterr().err == f"Error: '{tmp_path / 'search'}' holds no search: it has no journal.log.\n"
    assert not (tmp_path / "search").exists()


def test_trials_by_hand_come_first_and_failures_are_kept(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The training fails at once: there are no examples."""
    monkeypatch.setattr(tool, "_cores", lambda: [0])
    monkeypatch.setattr("signal.signal", lambda *_: None)  # its handler would stay for the tests after this one
    given = ["--folder", str(tmp_path / "search"), "--examples-path", str(tmp_path), "--trials", "1"]
    monkeypatch.setattr(sys, "argv", ["search.py", *given])
    assert tool.main() == 0
    row = capsys.readouterr().out.splitlines()[-1]
    assert row.startswith("| 0 | 300 s |")
    assert row.endswith("| learning_rate_schedule=exponential, prior_components=0 | the baseline |")
    assert "failed: Error: " in row
    monkeypatch.setattr(sys, "argv", ["search.py", *given, "--try", "learning_rate_schedule=cosine"])
    with pytest.raises(SystemExit):
        tool.main()
    assert "give --num-steps" in capsys.readouterr().err


@pytest.mark.tensorflow
def test_a_run_is_rated_by_the_figures_of_its_best_checkpoint(tool: ModuleType, tiny_run: Path) -> None:
    figures = tool.evaluate(tiny_run)
    validation = json.loads((tiny_run / "best" / "validation.json").read_text())
    assert figures["elbo"] == pytest.approx(validation["elbo"], rel=0.01)  # other latent noise
    assert figures["kl_bits"] == pytest.approx(validation["kl_bits"], rel=0.01)
    assert figures["teacher_forced"] == pytest.approx(validation["accuracy"], abs=0.02)
    assert 0 < figures["free_running"] < 1
    assert 0 < figures["repeated_steps"] < 1
    assert figures["hits_per_bar"] > 0
    assert figures.keys() == set(tool.FIGURES)
