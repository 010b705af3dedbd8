"""tools/make_weights.py: its commands can be parsed, finished stages are kept, and a worse model replaces nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.documented_commands import parse_command
from fixtures.models import random_model
from fixtures.results import estimate, result_json
from fixtures.runs import TINY
from fixtures.tool_module import load_tool
from gmd_vae.cli import cli
from gmd_vae.common import manifest
from gmd_vae.common.files import sha256
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import get_config
from gmd_vae.evaluation import figures
from gmd_vae.models.card import Card, HeldOut, HeldOutFigure
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import read_model
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    return load_tool("make_weights")


class Package:
    """A package, a working folder, and commands that leave what the real ones leave, but learn nothing.

    Args:
        tool: The tool.
        folder: Working folder.
        examples: Examples for the runs.
        patch: Replaces the parts of the tool.
    """

    def __init__(self, tool: ModuleType, folder: Path, examples: Path, patch: pytest.MonkeyPatch) -> None:
        self.tool, self.folder, self.examples = tool, folder, examples
        self.commands: list[str] = []
        self.accuracy, self.velocity_mse = 0.5, 0.05
        self.package = folder / "package"
        self.package.mkdir()
        recipe = dataclasses.replace(tool.RECIPES["groove-4bar"], hparams=TINY, num_steps=3)
        counts = (tool.Counts("groove.answers.hits_given", figures.VELOCITY_MSE, 0.002),)
        humanizer = dataclasses.replace(recipe, config="groovae_2bar_humanize_small", counts=counts, seed=4)
        patch.setattr(tool, "RECIPES", {"groove-4bar": recipe, "humanize-2bar": humanizer})
        patch.setattr(tool, "PACKAGE", self.package)
        patch.setattr(tool, "_gmd_vae", self.command)
        patch.setattr(tool, "_git", lambda *arguments: "" if "status" in arguments else "abc123")
        patch.chdir(folder)

    def make(self, *arguments: str) -> int:
        """Runs the tool; returns its exit status."""
        self.commands = []
        sys.argv = ["make_weights.py", *arguments]
        code: int = self.tool.main()
        return code

    def command(self, *arguments: object) -> None:
        """Plays a command."""
        words = [str(argument) for argument in arguments]
        self.commands.append(words[0])
        parse_command(words, click.Context(cli, info_name="gmd-vae"))
        values = dict(itertools.pairwise(words))
        if output := values.get("--output-dir"):
            Path(output).mkdir(parents=True)
            (Path(output) / "manifest.json").write_text("{}")
        elif words[0] == "train":
            self._train(Path(values["--run-dir"]), values["--config"], int(values["--seed"]))
        elif words[0] == "evaluate":
            self._evaluate(Path(words[1]))
        else:
            run_here(self.folder, *words)

    def _train(self, folder: Path, name: str, seed: int) -> None:
        config = get_config(name)
        model = random_model(config, resolve(config, TINY))
        run = Run(folder, config, model.hparams, seed, self.examples, manifest.digest(self.examples))
        run.describe(Plan(3))
        run.best_folder.mkdir(exist_ok=True)
        write_checkpoint(run.best_folder / "model.ckpt-3", {**model.variables, "global_step": np.array(3)})
        (folder / "metrics.jsonl").write_text('{"split": "train", "step": 3, "cpu_seconds": 7200.0}\n')

    def _evaluate(self, run: Path) -> None:
        content: dict[str, Any] = result_json()
        content["checkpoint"]["files"] = {file.name: sha256(file) for file in run.glob("best/model.ckpt-3.*")}
        content["reconstruction"]["free_running"]["steps_right"] = estimate(self.accuracy)
        errors = {name: estimate(1.0) for name in ("velocity_kl", "timing_kl", "timing_mae_ms", "timing_mae")}
        errors |= {"timing_mse": estimate(1.0), "velocity_mse": estimate(self.velocity_mse)}
        feel = {name: estimate(1.0) for name in ("velocity_kl", "timing_kl")}
        content["groove"] = {"hits": 9, "windows_with_tempo": 9, "answers": {"hits_given": errors}, "samples": feel}
        place = run / "eval" / "test-3"
        place.mkdir(parents=True, exist_ok=True)
        (place / "result.json").write_text(json.dumps(content))
        manifest.write(place, "evaluate", {})


@pytest.fixture
def package(tool: ModuleType, tmp_path: Path, starter_examples: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    return Package(tool, tmp_path, starter_examples, monkeypatch)


def test_models_of_both_families_are_made(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    (package.folder / "groove.zip").touch()
    assert package.make("--archive", "groove.zip") == 0
    stages = ["train", "evaluate", "export"]
    assert package.commands == ["fetch", "convert", "preprocess", *stages, "preprocess", *stages]
    out = capsys.readouterr().out
    assert "CPU hours: training 2.0" in out
    for name, config, seed in (
        ("groove-4bar", "hierdec-drum_4bar_small", 2),
        ("humanize-2bar", "groovae_2bar_humanize_small", 4),
    ):
        assert f"{name}: {config}, seed {seed}, 3 steps." in out
        model = read_model(package.package / f"{name}.safetensors")
        card = model.card
        assert (model.config.name, model.step, card.name, card.seed, card.cpu_hours) == (config, 3, name, seed, 2.0)
        assert card.code.endswith(", commit abc123")
        assert card.limits
        assert card.intended_use
        assert "Gillick" in card.data_description
        assert model.licence == package.tool.LICENCE
        assert card.held_out is not None
        assert card.held_out.figures["groove.answers.hits_given"]["velocity_mse"].value == 0.05
    drums = read_model(package.package / "groove-4bar.safetensors")
    assert "busier" in drums.attribute_vectors


def test_finished_stages_are_kept(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(package, "_evaluate", interrupted)
        assert package.make("groove-4bar") == 130
    assert package.commands == ["fetch", "convert", "preprocess", "train", "evaluate"]
    assert not list(package.package.iterdir())
    monkeypatch.setattr(package.tool, "_git", lambda *_: "another")
    assert package.make("groove-4bar") == 0
    assert package.commands == ["train", "evaluate", "export"]  # the real train and evaluate go on where they stopped
    assert "commit abc123" in read_model(package.package / "groove-4bar.safetensors").card.code


def test_a_model_that_falls_short_of_its_card_is_refused(package: Package, capsys: pytest.CaptureFixture[str]) -> None:
    assert package.make() == 0
    kept = {path: path.read_bytes() for path in package.package.iterdir()}
    package.accuracy, package.velocity_mse = 0.48, 0.053
    assert package.make() == 1
    out = capsys.readouterr().out
    assert "\n  reconstruction.free_running.step_accuracy: 0.48, the card has 0.5 (tolerance 0.01)\n" in out
    assert "\n  groove.answers.hits_given.velocity_mse: 0.053, the card has 0.05 (tolerance 0.002)\n" in out
    assert {path: path.read_bytes() for path in package.package.iterdir()} == kept
    package.accuracy, package.velocity_mse = 0.491, 0.04  # within the tolerance, and better
    assert package.make() == 0
    assert all(path.read_bytes() != data for path, data in kept.items())


def test_a_figure_that_is_missing_falls_short(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    counts = (tool.Counts("reconstruction.free_running", figures.STEP_ACCURACY, 0.01),)
    recipe = dataclasses.replace(tool.RECIPES["groove-4bar"], counts=counts)
    held = {"reconstruction.free_running": {"step_accuracy": HeldOutFigure(0.5)}}
    measured = Card("x", held_out=HeldOut("test", 9, 2, 5, 1.0, held))
    (line,) = tool.shortfalls(recipe, Card("x"), measured)
    assert line.endswith("not measured, the card has 0.5")
    assert not tool.shortfalls(recipe, measured, Card("x"))
    assert "step_accuracy: not compared, since the card in the package does not have it" in capsys.readouterr().out
    older = Card("x", evaluation={"split": "test", "step_accuracy_free_running": 0.6, "elbo": -60.0})
    (line,) = tool.shortfalls(recipe, measured, older)
    assert "0.5, the card has 0.6" in line


def test_where_no_direction_is_better_the_distance_to_music_counts(tool: ModuleType) -> None:
    counts = (
        tool.Counts("window_sets.samples_usual", figures.HITS_PER_BAR, 0.5),
        tool.Counts("novelty.samples_usual.steps", figures.MEDIAN, 3),
    )
    recipe = dataclasses.replace(tool.RECIPES["groove-4bar"], counts=counts)

    def card(hits: float, median: float) -> Card:
        held = {
            "window_sets.samples_usual": {"hits_per_bar": HeldOutFigure(hits)},
            "window_sets.held_out": {"hits_per_bar": HeldOutFigure(19.4)},
            "novelty.samples_usual.steps": {"median": HeldOutFigure(median)},
            "novelty.held_out.steps": {"median": HeldOutFigure(26)},
        }
        return Card("x", held_out=HeldOut("test", 9, 2, 5, 1.0, held))

    old = card(19.2, 24)
    assert not tool.shortfalls(recipe, card(20.0, 29), old)  # 0.6 above the music instead of 0.2 below it
    busy, near = tool.shortfalls(recipe, card(20.2, 20), old)
    assert busy == "window_sets.samples_usual.hits_per_bar: 20.2, the card has 19.2 (tolerance 0.5)"
    assert near == "novelty.samples_usual.steps.median: 20, the card has 24 (tolerance 3)"
    without = dataclasses.replace(
        card(19, 24),
        held_out=HeldOut(
            "test",
            9,
            2,
            5,
            1.0,
            {place: values for place, values in card(19, 24).held_out.figures.items() if "held_out" not in place},
        ),
    )
    with pytest.raises(tool.StageError, match=r"no window_sets\.held_out\.hits_per_bar, the yardstick"):
        tool.shortfalls(recipe, without, old)


def test_a_failure_and_a_large_model_are_one_line(
    package: Package, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package.tool, "MAX_BYTES", 1000)
    assert package.make("groove-4bar") == 1
    assert "a model of the package at most 1,000. The same command goes on" in capsys.readouterr().err
    assert not list(package.package.iterdir())
    with pytest.raises(SystemExit) as exit_:
        package.make("groove-5bar")
    assert exit_.value.code == 2
    assert "there is no recipe 'groove-5bar'; there are groove-4bar, humanize-2bar" in capsys.readouterr().err


def test_a_command_that_fails_stops_the_work(tool: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(tool.StageError, match=r"'gmd-vae models' failed with exit status 2"):
        tool._gmd_vae("models", tmp_path / "nowhere.safetensors")


def test_a_command_that_is_stopped_may_save_first(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "python"
    script.write_text(
        f"#!/bin/sh\nsleep 0.5\nkill -INT $PPID\nsleep 0.6\ntouch {shlex.quote(str(tmp_path / 'saved'))}\nexit 130\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(KeyboardInterrupt):
        tool._gmd_vae("train")
    assert (tmp_path / "saved").exists()


def test_the_recipes_fit_their_configs_and_models(tool: ModuleType) -> None:
    for name, recipe in tool.RECIPES.items():
        resolve(get_config(recipe.config), recipe.hparams)
        assert (tool.PACKAGE / f"{name}.safetensors").stat().st_size <= tool.MAX_BYTES
