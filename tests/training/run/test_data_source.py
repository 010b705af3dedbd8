"""The dataset of a run: from its examples to run.json, to its card, and to the card of a later fine-tuning."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fixtures.models import random_model
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.checkpoints import find
from gmd_vae.training.run.folder import Run, open_run
from gmd_vae.training.run.initial_weights import resolve_init_from
from gmd_vae.training.run.prepare import Request, prepare
from gmd_vae.training.run.trained_model import model_of_run

MODEL = random_model()
STARTER = "starter (Apache-2.0): The starter set, drum grooves written for gmd-vae"


def begun(folder: Path, examples: Path | None, init_from: Path | None = None) -> Run:
    """A run as ``train`` begins it, with a checkpoint, without training."""
    sizes = f"enc_rnn_size={MODEL.hparams['enc_rnn_size']},dec_rnn_size={MODEL.hparams['dec_rnn_size']}"
    hparams = f"{sizes},z_size={MODEL.hparams['z_size']},batch_size=16".replace(" ", "")
    request = Request(run_dir=folder, examples_path=examples, init_from=init_from, hparams=hparams, num_steps=3)
    job = prepare(request, lambda *_: pytest.fail("the examples exist"))
    job.run.folder.mkdir(exist_ok=True)
    job.run.describe(job.plan)
    add_checkpoint(job.run.train_folder, 3)
    return job.run


def add_checkpoint(folder: Path, step: int) -> None:
    folder.mkdir(exist_ok=True)
    write_checkpoint(folder / f"model.ckpt-{step}", {**MODEL.variables, "global_step": np.array(step)})


@pytest.fixture
def examples(starter_examples: Path, tmp_path: Path) -> Path:
    return shutil.copytree(starter_examples, tmp_path / "beats" / starter_examples.name)


def test_the_card_names_the_dataset_when_the_examples_are_gone(examples: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run", examples)
    shutil.rmtree(examples)
    opened = open_run(run.folder)
    assert opened == run
    card = model_of_run(opened, find(run.train_folder)).card
    assert (card.data, card.data_description) == ("beats", STARTER)


def test_a_later_fine_tuning_names_it_too(examples: Path, tmp_path: Path) -> None:
    first = begun(tmp_path / "first", examples)
    (weights,) = resolve_init_from(first.folder / "latest").began_with
    assert (weights.data, weights.data_description) == ("beats", STARTER)
    assert f", trained on beats: {STARTER}. Licence: not stated" in weights.in_words
    tuned = begun(tmp_path / "tuned", examples, first.train_folder)
    card = model_of_run(tuned, find(tuned.train_folder)).card
    assert (card.data_description, card.began_with) == (STARTER, (weights,))


def test_initial_weights_that_stayed_the_best_have_the_music_of_no_run(examples: Path, tmp_path: Path) -> None:
    first = begun(tmp_path / "first", examples)
    tuned = begun(tmp_path / "tuned", examples, first.train_folder)
    add_checkpoint(tuned.best_folder, 0)
    card = model_of_run(tuned, find(tuned.best_folder)).card
    assert (card.data, card.data_description) == ("", "")


def test_it_is_no_part_of_the_identity_and_older_runs_go_on(examples: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run", examples)
    unknown = dataclasses.replace(run, data_source=None)
    assert (unknown.identity, unknown.recipe) == (run.identity, run.recipe)
    content = json.loads((run.folder / "run.json").read_text())
    del content["data_source"]  # as version 0.17 wrote it
    (run.folder / "run.json").write_text(json.dumps(content))
    assert open_run(run.folder).data_source is None
    assert begun(run.folder, None).check_described() is not None
    assert model_of_run(open_run(run.folder), find(run.train_folder)).card.data_description == ""
