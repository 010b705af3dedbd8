"""``gmd-vae generate --prior``: z from the density of a run or a model file, or from N(0, I)."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import gmd_vae
import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.densities import random_density
from fixtures.models import random_model
from fixtures.runs import TINY
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.checkpoints import find
from gmd_vae.models.model_file import read_model, write_model
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.run.trained_model import model_of_run

CONFIG = get_config(DEFAULT_CONFIG)
DENSITY = random_density(components=2, z_size=4)
MODEL = random_model(CONFIG, resolve(CONFIG, TINY.replace("prior_components=0", "prior_components=2")), density=DENSITY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with a model file, and with a run as ``gmd-vae train`` leaves it."""
    write_model(tmp_path / "mine.safetensors", MODEL)
    run = Run(tmp_path / "runs" / "mine", CONFIG, MODEL.hparams, 0, Path("data"), "a" * 64)
    run.describe(Plan(3))
    for step, place in ((3, run.train_folder), (2, run.best_folder)):
        place.mkdir(parents=True)
        write_checkpoint(place / f"model.ckpt-{step}", {**MODEL.variables, "global_step": np.array(step)})
    write_model(
        run.best_folder / "model.safetensors",
        dataclasses.replace(model_of_run(run, find(run.folder)), density=DENSITY),
    )
    return tmp_path


def generated(folder: Path, *options: str) -> tuple[Any, dict[str, Any], str]:
    """The latent vectors, the manifest and the messages of a command."""
    beats = f"beats-{len(list(folder.glob('beats-*')))}"
    answer = run_here(folder, "generate", "--output-dir", beats, *options)
    manifest = json.loads((folder / beats / "manifest.json").read_text())
    return np.load(folder / beats / "latents.npz")["z"], manifest, answer.stderr


@pytest.mark.parametrize("model", ["mine.safetensors", "runs/mine"])
def test_new_beats_are_of_the_fitted_density(folder: Path, model: str) -> None:
    z, manifest, messages = generated(folder, "--model", model, "-n", "3", "--seed", "5")
    np.testing.assert_array_equal(z, DENSITY.draw(3, seed=5))
    assert manifest["prior"] == "fitted"
    checkpoint = ", model.ckpt-2" if model == "runs/mine" else ""
    assert messages.splitlines()[-1] == f"Model: {model} ({CONFIG.name}{checkpoint})"
    again, _, _ = generated(folder, "--model", model, "-n", "1", "--seed", "5")
    np.testing.assert_array_equal(again, z[:1])
    normal, manifest, _ = generated(folder, "--model", model, "-n", "3", "--seed", "5", "--prior", "normal")
    np.testing.assert_array_equal(normal, prior(3, 4, seed=5))
    assert manifest["prior"] == "normal"
    answer = run_here(folder, "generate", "--model", model, "-n", "1", "--seed", "6", "--json")
    described = json.loads(answer.stdout)
    assert (described["prior"], described["model"]) == ("fitted", model)


def test_ends_of_paths_and_walks_are_of_the_fitted_density(folder: Path) -> None:
    model = ("--model", "mine.safetensors")
    path, _, _ = generated(folder, *model, "--mode", "interpolate", "--input-seed", "1", "--input-seed", "2", "-n", "3")
    np.testing.assert_allclose(path[[0, -1]], np.concatenate([DENSITY.draw(1, 1), DENSITY.draw(1, 2)]), rtol=1e-5)
    walk, _, _ = generated(folder, *model, "--bars", "12", "-n", "1")
    start = DENSITY.draw(1, 0)
    np.testing.assert_array_equal(walk, [*start, *DENSITY.walk(start[0], 0.4, 0, 2, 0)])


def test_a_checkpoint_without_a_density_has_the_standard_prior(folder: Path) -> None:
    z, manifest, _ = generated(folder, "--run-dir", "runs/mine", "--checkpoint-file", "latest", "-n", "2")
    np.testing.assert_array_equal(z, prior(2, 4, seed=0))
    assert manifest["prior"] == "normal"
    refused = run_here(
        folder, "generate", "--run-dir", "runs/mine", "--checkpoint-file", "latest", "--prior", "fitted", expect=2
    )
    assert "has no fitted density of z" in refused.stderr


def test_prior_goes_with_new_beats(folder: Path) -> None:
    generated(folder, "--model", "mine.safetensors", "-n", "1")
    beat = str(next((folder / "beats-0").glob("*_000_*.mid")))
    answer = run_here(
        folder, "generate", "--model", "mine.safetensors", "--around", beat, "--prior", "normal",
        expect=2,
    )  # fmt: skip
    assert "--prior chooses the z of new beats" in answer.stderr


def test_an_export_keeps_the_density(folder: Path) -> None:
    run_here(folder, "export", "runs/mine", "-o", "half.safetensors", "--dtype", "fp16")
    density = read_model(folder / "half.safetensors").density
    assert density is not None
    assert density.digest == DENSITY.digest
    answer = run_here(folder, "export", "runs/mine", "-o", "magenta", "--format", "magenta")
    assert "Without the fitted prior" in answer.stderr
    card = run_here(folder, "models", "half.safetensors")
    assert "z from points between neighbours among 2 training windows" in card.stdout


def test_the_api_samples_from_the_density(folder: Path) -> None:
    generated(folder, "--model", "mine.safetensors", "-n", "2")
    with gmd_vae.load(folder / "mine.safetensors") as model:
        fitted, normal = model.sample(2), model.sample(2, prior="normal")
        assert next((folder / "beats-0").glob("*_001_*.mid")).read_bytes() == fitted[1].to_midi()
        assert any((one.grid != other.grid).any() for one, other in zip(fitted, normal, strict=True))
        with pytest.raises(gmd_vae.GmdVaeError, match="There is no prior 'flat'"):
            model.sample(1, prior="flat")
