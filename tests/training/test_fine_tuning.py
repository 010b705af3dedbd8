"""Fine-tuning: the initial weights are validated as step 0, and ``best/`` holds nothing worse."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.random_models import random_variables
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import resolve
from gmd_vae.models import checkpoints
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import read_model
from gmd_vae.training.examples import Examples, open_examples
from gmd_vae.training.history import Validation, read_lines
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.initial_weights import resolve_init_from
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.start import check_folder

pytestmark = pytest.mark.tensorflow

PLAN = Plan(6, validate_every=3)
FIXED = "learning_rate=1e-30,min_learning_rate=1e-30,warm_up_steps=0"  # no step changes a weight
IMPROVES = "learning_rate=0.01,min_learning_rate=0.01,warm_up_steps=0,average_decay=0.9"

MakeRun = Callable[..., Run]


@pytest.fixture(scope="module")
def weights(short_model: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prefix of the initial weights."""
    prefix = tmp_path_factory.mktemp("weights") / "model.ckpt-70"
    step = np.array(70, np.int64)
    write_checkpoint(prefix, {**random_variables(short_model, short_model.hparams), "global_step": step})
    return prefix


@pytest.fixture(scope="module")
def examples(short_examples: Path, short_model: Config) -> Examples:
    return open_examples(short_examples, short_model)


@pytest.fixture
def make_run(examples: Examples, short_model: Config, weights: Path, tmp_path: Path) -> MakeRun:
    """``make_run(name, hparams)``: a run that begins with the weights, described and not yet trained."""

    def make(name: str, hparams: str) -> Run:
        hparams_of_run = resolve(short_model, hparams)
        begun = resolve_init_from(weights)
        run = Run(tmp_path / name, short_model, hparams_of_run, 7, examples.folder, examples.digest, begun)
        run.folder.mkdir()
        run.describe(PLAN)
        return run

    return make


def validate(run: Run, examples: Examples, prefix: Path, step: int) -> Validation:
    """The figures of a checkpoint, by a validation of its own."""
    from gmd_vae.training.validation import Validator

    with Validator(run, examples.validation) as validator:
        return validator.validate(prefix, step)[0]


def validations(run: Run) -> list[dict[str, Any]]:
    return [line for line in read_lines(run.folder / "metrics.jsonl") if line["split"] == "validation"]


def test_the_initial_weights_are_validated_once(
    make_run: MakeRun, examples: Examples, weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from gmd_vae.training.loop import train

    run = make_run("run", IMPROVES)
    outcome = train(run, examples, PLAN)
    before, *after = capsys.readouterr().err.splitlines()
    assert before.startswith("Validation at step 0 (the weights it begins with): ELBO ")
    assert not any("step 0" in line for line in after)
    assert [line["step"] for line in validations(run)] == [0, 3, 6]
    assert validations(run)[0] == {"split": "validation", **dataclasses.asdict(validate(run, examples, weights, 0))}
    # the checkpoints after it are validated with the averages of their weights
    assert outcome.before == validate(run, examples, weights, 0)
    assert outcome.best is not None
    assert outcome.best.step == 6
    assert outcome.best == validate(run, examples, outcome.checkpoint, 6)
    assert checkpoints.complete(run.best_folder) == [run.best_folder / "model.ckpt-6"]
    train(run, examples, dataclasses.replace(PLAN, num_steps=7))
    assert [line["step"] for line in validations(run)] == [0, 3, 6, 7]
    assert "step 0" not in capsys.readouterr().err


@pytest.mark.parametrize("averages", ["", ",average_decay=0.9"])
def test_the_initial_weights_stay_the_best_if_no_step_is_better(
    make_run: MakeRun, examples: Examples, weights: Path, averages: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from gmd_vae.training.loop import train

    run = make_run("run", FIXED + averages)
    outcome = train(run, examples, dataclasses.replace(PLAN, num_steps=50, patience=2))
    assert (outcome.stopped, outcome.last_step) == ("patience", 6)
    assert outcome.best is not None
    assert outcome.best.step == 0
    assert "; best: ELBO" in (err := capsys.readouterr().err)
    assert "at step 0" in err
    best = run.best_folder / "model.ckpt-0"
    assert checkpoints.complete(run.best_folder) == [best]
    assert json.loads((run.best_folder / "validation.json").read_text())["step"] == 0
    held, given = read_variables(best), read_variables(weights)
    assert held.keys() == given.keys()
    assert all(np.array_equal(held[name], given[name]) for name in given)
    assert read_model(run.best_folder / "model.safetensors").step == 0


@pytest.mark.parametrize("lost", ["nothing", "metrics.jsonl"])
def test_a_kill_after_the_validation_of_step_0_changes_nothing(
    make_run: MakeRun, examples: Examples, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without ``metrics.jsonl`` it is a kill between the copy into ``best/`` and the line."""
    from gmd_vae.training import loop

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    killed, undisturbed = make_run("killed", IMPROVES), make_run("undisturbed", IMPROVES)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "open_session", kill)
        with pytest.raises(KeyboardInterrupt):
            loop.train(killed, examples, PLAN)
    assert checkpoints.complete(killed.best_folder) == [killed.best_folder / "model.ckpt-0"]
    (killed.folder / lost).unlink(missing_ok=True)
    for run in (killed, undisturbed):
        check_folder(run)
        loop.train(run, examples, PLAN)
    assert validations(killed) == validations(undisturbed)
    ends = [read_variables(run.train_folder / "model.ckpt-6") for run in (killed, undisturbed)]
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[1])


def test_the_command_says_that_no_step_was_better(
    short_config: str, short_examples: Path, weights: Path, tmp_path: Path
) -> None:
    given = ("--config", short_config, "--examples-path", str(short_examples), "--run-dir", "tuned")
    more = ("--init-from", str(weights), "--hparams", FIXED, "--num-steps", "1")
    done = run_here(tmp_path, "train", *given, *more)
    assert "before the first step, every 200 steps and at the end" in done.stderr
    assert "Best: no step was better than the weights it began with (validation ELBO -" in done.stdout
    assert "so tuned/best holds these." in done.stdout
    latest = ("--checkpoint-file", "latest", "-n", "1", "--output-dir", "beats")
    made = run_here(tmp_path, "generate", "--run-dir", "tuned", *latest)
    assert "model.ckpt-1)" in made.stderr


def test_the_command_compares_the_best_with_the_weights_before(
    short_config: str, short_examples: Path, weights: Path, tmp_path: Path
) -> None:
    given = ("--config", short_config, "--examples-path", str(short_examples), "--run-dir", "tuned")
    more = ("--init-from", str(weights), "--hparams", IMPROVES, "--num-steps", "3")
    done = run_here(tmp_path, "train", *given, *more)
    best = r"^Best: step 3, validation ELBO -\S+ nats per window \(ELBO -\S+ nats before training\), in "
    assert re.search(best, done.stdout, re.MULTILINE)
