"""Levers of training beside Magenta's hyperparameters."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from fixtures.models import random_model
from gmd_vae.configuration.config import EXTRA_HPARAMS, HPARAM_DEFAULTS
from gmd_vae.configuration.own_hparams import LEVERS, OWN_HPARAMS, complete, magentas, without_off
from gmd_vae.configuration.registry import all_configs, config_of_model, get_config
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.model_file import read_model, write_model
from gmd_vae.training.run.folder import Run, open_run
from gmd_vae.training.run.run_file import Plan

SMALL = get_config("flat-drum_4bar_small")


def test_every_config_has_every_lever_and_magentas_own_have_them_off() -> None:
    assert not {*OWN_HPARAMS} & {*HPARAM_DEFAULTS, *EXTRA_HPARAMS}
    for config in all_configs().values():
        assert {*OWN_HPARAMS} <= {*config.hparams}
        if config.is_magentas:
            assert config.hparams == complete(magentas(config.hparams))


def test_every_lever_says_what_it_does_in_one_line() -> None:
    for lever in LEVERS.values():
        assert 0 < len(lever.effect) < 120
        assert "\n" not in lever.effect


def test_a_declaration_with_all_levers_off_is_that_of_earlier_versions() -> None:
    off = SMALL.replace(**OWN_HPARAMS)
    assert not {*off.as_declaration()["hparams"]} & {*OWN_HPARAMS}
    on = off.replace(warm_up_steps=7)
    assert on.as_declaration()["hparams"] == {**off.as_declaration()["hparams"], "warm_up_steps": 7}


def test_a_run_of_an_earlier_version_has_all_levers_off(tmp_path: Path) -> None:
    config = SMALL.replace(**OWN_HPARAMS)
    run = Run(tmp_path / "run", config, config.hparams, 5, Path("data/examples/groove"), "digest")
    run.describe(Plan(10))
    path = run.folder / "run.json"
    content = json.loads(path.read_text())
    for hparams in (magentas(config.hparams), config.hparams):  # up to 0.23 those that were off are in the file
        path.write_text(json.dumps({**content, "hparams": hparams}))
        assert open_run(run.folder).hparams == config.hparams
        run.describe(Plan(20))  # the same run: no error


def test_model_files_hold_the_levers_that_are_on(tmp_path: Path) -> None:
    hparams = {**complete(magentas(SMALL.hparams)), "enc_rnn_size": [3], "dec_rnn_size": [4, 2], "z_size": 2}
    for changed in ({}, {"average_decay": 0.99}):
        model = random_model(SMALL, {**hparams, **changed})
        write_model(tmp_path / "model.safetensors", model)
        assert read_model(tmp_path / "model.safetensors").hparams == model.hparams
        assert (b"average_decay" in (tmp_path / "model.safetensors").read_bytes()) == bool(changed)


def test_models_of_the_package_have_all_levers() -> None:
    for path in bundled_models().values():
        model = read_model(path)
        assert {*OWN_HPARAMS} <= {*model.hparams}
        declaration = dataclasses.asdict(model.config)
        assert config_of_model(model.config.name, declaration, without_off(model.hparams))[1] == model.hparams
