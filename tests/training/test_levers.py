"""Levers in training: averages, schedules, and the best checkpoint by the objective."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration import schedules
from gmd_vae.configuration.hparams import resolve
from gmd_vae.models.averaged_weights import SUFFIX
from gmd_vae.models.checkpoint_check import without_optimizer
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.models.model_file import read_model
from gmd_vae.training.examples import Examples, open_examples
from gmd_vae.training.history import read_lines
from gmd_vae.training.run.folder import Run, open_run
from gmd_vae.training.run.run_file import Plan

pytestmark = pytest.mark.tensorflow

STEPS = 3  # all of them are kept
LEVERS = (
    "average_decay=0.15,warm_up_steps=2,learning_rate=0.01,learning_rate_schedule=cosine,max_beta=0.5,"
    "beta_warm_up_steps=4,free_bits=3,free_bits_until=5,best_by=objective"
)


@pytest.fixture(scope="module")
def examples(short_run: Run) -> Examples:
    return open_examples(short_run.examples, short_run.config)


@pytest.fixture(scope="module")
def run(short_run: Run, examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the hierarchical config, three steps with all levers, validated after each."""
    from gmd_vae.training.loop import train

    folder, hparams = tmp_path_factory.mktemp("levers") / "run", resolve(short_run.config, LEVERS)
    run = Run(folder, short_run.config, hparams, 7, examples.folder, examples.digest, schedule_steps=STEPS)
    folder.mkdir()
    run.describe(Plan(STEPS, 1))
    train(run, examples, Plan(STEPS, 1))
    return run


def tensors_of(prefix: Path) -> dict[str, Any]:
    from gmd_vae.magenta.api import tf

    reader = tf.train.load_checkpoint(str(prefix))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def test_averages_are_those_of_the_weights_of_all_steps(run: Run) -> None:
    """In NumPy, bit for bit; the first average is the weights after the first step."""
    averages: dict[str, Any] = {}
    for step in range(1, STEPS + 1):
        stored = tensors_of(run.train_folder / f"model.ckpt-{step}")
        new_share = np.float32(1) - np.float32(schedules.average_decay(run.hparams, step))
        for name in without_optimizer(stored):
            before = averages.get(name, np.zeros_like(stored[name]))
            averages[name] = before - new_share * (before - stored[name])
            np.testing.assert_array_equal(stored[f"{name}{SUFFIX}"], averages[name])
    assert schedules.average_decay(run.hparams, 2) == 0.1
    assert schedules.average_decay(run.hparams, STEPS) == 0.15


def test_everything_but_training_reads_the_averages(run: Run) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.models.sessions import weights_saver

    prefix = run.train_folder / f"model.ckpt-{STEPS}"
    stored, averages = tensors_of(prefix), read_variables(prefix)
    for name, values in averages.items():
        np.testing.assert_array_equal(values, stored[f"{name}{SUFFIX}"])
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {name: tf.get_variable(name, values.shape) for name, values in averages.items()}
        weights_saver(prefix).restore(session, str(prefix))
        for name, values in session.run(variables).items():
            np.testing.assert_array_equal(values, averages[name])


def test_best_holds_the_averages_of_the_lowest_objective_for_stock_magenta(run: Run) -> None:
    from gmd_vae.magenta.api import build_config
    from magenta.models.music_vae.trained_model import TrainedModel

    validations = [line for line in read_lines(run.folder / "metrics.jsonl") if line["split"] == "validation"]
    best = min(validations, key=lambda line: line["objective"])
    figures = json.loads((run.best_folder / "validation.json").read_text())
    assert figures == {name: value for name, value in best.items() if name != "split"}
    assert figures["best_by"] == "objective"
    expected = best["reconstruction"] + 0.5 * best["kl_bits"] * np.log(2)
    assert best["objective"] == pytest.approx(expected)
    prefix = run.best_folder / f"model.ckpt-{best['step']}"
    averages = read_variables(run.train_folder / prefix.name)
    stored = tensors_of(prefix)
    assert stored.keys() == {*averages, "global_step"}
    assert stored["global_step"] == best["step"]
    for values in (stored, read_model(run.best_folder / "model.safetensors").variables):
        for name, average in averages.items():
            np.testing.assert_array_equal(values[name], average)
    model = TrainedModel(
        build_config(run.config, run.hparams), batch_size=1, checkpoint_dir_or_path=str(run.best_folder)
    )
    assert len(model.sample(n=1, length=16)) == 1
    raw = tensors_of(run.train_folder / prefix.name)
    assert any((raw[name] != average).any() for name, average in averages.items())


def test_the_averages_are_validated(run: Run, examples: Examples) -> None:
    """The checkpoint in ``best/``, which has nothing else, gives the figures of the one in ``train/``."""
    from gmd_vae.training.validation import Validator

    best = json.loads((run.best_folder / "validation.json").read_text())
    with Validator(run, examples.validation) as validator:
        again, _ = validator.validate(run.best_folder / f"model.ckpt-{best['step']}", best["step"])
    assert dataclasses.asdict(again) == best


def test_the_metrics_are_those_of_the_schedules(run: Run) -> None:
    lines = [line for line in read_lines(run.folder / "metrics.jsonl") if line["split"] == "train"]
    assert [line["step"] for line in lines] == [1, STEPS]
    for line in lines:
        done = line["step"] - 1  # before the step
        assert line["learning_rate"] == pytest.approx(schedules.learning_rate(run.hparams, done, STEPS), rel=1e-5)
        assert line["kl_beta"] == pytest.approx(schedules.kl_beta(run.hparams, done))
        free = schedules.free_bits(run.hparams, done)
        lowest = line["reconstruction"] + line["kl_beta"] * max(0.0, line["kl_bits"] - free) * np.log(2)
        assert line["loss"] == pytest.approx(lowest, rel=0.02)  # the free bits are taken from each window


def test_the_schedule_keeps_the_length_that_was_planned_first(run: Run) -> None:
    assert open_run(run.folder).schedule_steps == STEPS
    open_run(run.folder).describe(Plan(2 * STEPS, 1))  # the same run
    assert json.loads((run.folder / "run.json").read_text())["schedule_steps"] == STEPS
    run.describe(Plan(STEPS, 1))


def test_the_graph_with_all_levers_off_is_that_without_their_code(
    run: Run, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training import graph
    from gmd_vae.training.execution import SingleProcess

    def operations() -> list[tuple[str, str, list[str]]]:
        off = dataclasses.replace(run, hparams=resolve(run.config, ""))
        with tf.Graph().as_default() as built:
            graph.build(off, examples.train, SingleProcess())
            return [(one.name, one.type, [tensor.name for tensor in one.inputs]) for one in built.get_operations()]

    with_code = operations()
    monkeypatch.setattr(graph, "schedule_hparams", lambda *_: None)
    monkeypatch.setattr(graph, "average_weights", None)
    assert operations() == with_code
