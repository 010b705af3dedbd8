"""tools/search.py: its proposals can be trained, and its table marks the Pareto front."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import ModuleType

import optuna
import pytest
from fixtures.tool_module import load_tool
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import get_config


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("search")


def test_every_proposal_is_a_config_and_its_hyperparameters(tool: ModuleType) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        _, name, _, hparams = tool.proposal(study.ask())
        found = resolve(get_config(name), hparams)
        assert found["dec_rnn_size"][0] in (96, 128, 192)
    first = resolve(get_config(tool.FIRST["config"]), tool.proposal(_trial(study, tool.FIRST))[3])
    assert (first["batch_size"], first["free_bits"], first["enc_rnn_size"]) == (64, 48, [128])


def _trial(study: optuna.Study, params: dict[str, object]) -> optuna.Trial:
    study.enqueue_trial(params)
    return study.ask()


def test_own_trials_must_lie_in_the_search_space(tool: ModuleType) -> None:
    assert tool.parse_trial("batch_size=32,max_beta=0.1") == {**tool.FIRST, "batch_size": 32, "max_beta": 0.1}
    for text in ("batch_size=33", "max_beta=2", "z=3", "config=flat-drum_4bar_small", "batch_size"):
        with pytest.raises(argparse.ArgumentTypeError, match="is not one of"):
            tool.parse_trial(text)


def test_the_table_stars_what_no_other_trial_beats(tool: ModuleType) -> None:
    study = optuna.create_study(directions=["maximize", "maximize"])
    for free_running, elbo, beta in ((0.4, -150.0, 0.2), (0.5, -130.0, 0.1), (0.3, -120.0, 0.5)):
        trial = _trial(study, {**tool.FIRST, "max_beta": beta})
        tool.proposal(trial)
        figures = {"free_running": free_running, "elbo": elbo, "steps": 9, "teacher_forced": 0.5, "kl_bits": 40.0}
        for name, value in figures.items():
            trial.set_user_attr(name, value)
        study.tell(trial, (free_running, elbo))
    rows = tool.table(study).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["1 *", "0", "2 *"]
    assert rows[0].endswith("| 0.5 | 0.5 | -130 | 40 | max_beta=0.1 |")
    assert rows[1].endswith("| nothing |")


@pytest.mark.tensorflow
def test_a_run_is_rated_by_the_figures_of_its_last_checkpoint(tool: ModuleType, tiny_run: Path) -> None:
    figures = tool.evaluate(tiny_run)
    validation = json.loads((tiny_run / "best" / "validation.json").read_text())
    assert figures["elbo"] == pytest.approx(validation["elbo"], rel=0.01)  # other latent noise
    assert figures["kl_bits"] == pytest.approx(validation["kl_bits"], rel=0.01)
    assert figures["teacher_forced"] == pytest.approx(validation["accuracy"], abs=0.02)
    assert 0 < figures["free_running"] < 1
