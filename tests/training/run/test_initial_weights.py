"""Data and licence of initial weights: what their cards say, through every kind of model and training, and no more."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from fixtures.models import random_model
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.export.write import export_model
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.card import MOST_INITIAL_WEIGHTS, Card, InitialWeights
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.checkpoints import find
from gmd_vae.models.model_file import read_model, write_model
from gmd_vae.training.run.folder import InitFrom, Run, open_run
from gmd_vae.training.run.initial_weights import began_with, resolve_init_from
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.run.trained_model import model_of_run

MODEL = random_model()
BASE = InitialWeights("base", "a" * 64, "groove", "Ten drummers.", "CC BY 4.0")
CARD = Card("tuned", data="songs", began_with=(BASE,))


def trained(folder: Path, init_from: InitFrom | None) -> Run:
    """A run with a checkpoint, without training."""
    run = Run(folder, MODEL.config, MODEL.hparams, 0, Path(f"data/songs/{MODEL.config.name}"), "e" * 64, init_from)
    run.describe(Plan(3))
    run.train_folder.mkdir()
    write_checkpoint(run.train_folder / "model.ckpt-3", {**MODEL.variables, "global_step": np.array(3)})
    return open_run(folder)


def test_a_model_of_the_package_brings_its_data_and_its_licence() -> None:
    (weights,) = resolve_init_from(DEFAULT).began_with
    path = bundled_models()[DEFAULT]
    assert (weights.name, weights.sha256) == (DEFAULT, sha256(path))
    assert (weights.data_description, weights.licence) == (
        read_model(path).card.data_description,
        read_model(path).licence,
    )
    assert "trained on groove: The Groove MIDI Dataset 1.0.0" in weights.in_words
    assert weights.in_words.endswith("CC BY 4.0")


def test_the_chain_goes_on_from_file_to_run_to_run(tmp_path: Path) -> None:
    file = tmp_path / "any name.safetensors"
    write_model(file, dataclasses.replace(MODEL, card=CARD, licence="CC0"))
    first = trained(tmp_path / "first", resolve_init_from(file))
    tuned = InitialWeights("tuned", sha256(file), "songs", "", "CC0")
    assert began_with(first) == (tuned, BASE)
    file.unlink()  # the run keeps what it said
    second = trained(tmp_path / "second", resolve_init_from(first.folder / "latest"))
    assert second.init_from is not None
    assert began_with(second) == (InitialWeights("first", second.init_from.digest, "songs"), tuned, BASE)
    card = model_of_run(second, second.train_folder / "model.ckpt-3").card
    assert card.began_with == began_with(second)
    assert card.known()["began_with"][2] == dataclasses.asdict(BASE)


def test_initial_weights_that_stayed_the_best_were_not_trained_on_the_music_of_the_run(tmp_path: Path) -> None:
    file = tmp_path / "base.safetensors"
    write_model(file, dataclasses.replace(MODEL, card=CARD))
    run = trained(tmp_path / "run", resolve_init_from(file))
    run.best_folder.mkdir()
    write_checkpoint(run.best_folder / "model.ckpt-0", {**MODEL.variables, "global_step": np.array(0)})
    assert [model_of_run(run, find(place)).card.data for place in (run.best_folder, run.train_folder)] == ["", "songs"]
    first, *others = resolve_init_from(run.folder).began_with
    assert (first.name, first.data, *others) == ("run", "", *began_with(run))


def test_random_weights_have_no_origin(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", None)
    assert began_with(run) == ()
    assert json.loads((run.folder / "run.json").read_text())["began_with"] == []


def test_an_export_for_magenta_has_its_card_until_the_checkpoint_is_another(tmp_path: Path) -> None:
    export_model(dataclasses.replace(MODEL, card=CARD, step=3), "magenta", tmp_path / "stock", "fp32", ())
    first, *others = resolve_init_from(tmp_path / "stock").began_with
    assert (first.name, first.data, others) == ("tuned", "songs", [BASE])
    content = json.loads((tmp_path / "stock" / "manifest.json").read_text())
    del content["card"]  # as version 0.17 wrote it
    (tmp_path / "stock" / "manifest.json").write_text(json.dumps(content))
    assert unknown(tmp_path / "stock") == "stock/model.ckpt-3"
    (tmp_path / "stock" / "manifest.json").write_text(json.dumps({**content, "card": CARD.known()}))
    assert resolve_init_from(tmp_path / "stock").began_with[1:] == (BASE,)
    write_checkpoint(tmp_path / "stock" / "model.ckpt-3", {"x": np.zeros(1, np.float32)})
    assert unknown(tmp_path / "stock") == "stock/model.ckpt-3"


def unknown(path: Path) -> str:
    """Returns the name of weights of which nothing else is known."""
    (weights,) = resolve_init_from(path).began_with
    assert (weights.data, weights.data_description, weights.licence) == ("", "", "")
    assert weights.in_words.endswith("): its data and licence are not known, since no card names them")
    return weights.name


def test_a_checkpoint_without_a_card_says_so(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", None)
    with tarfile.open(tmp_path / "bare.tar", "w") as tar:
        for piece in run.train_folder.iterdir():
            tar.add(piece, piece.name)
    assert unknown(tmp_path / "bare.tar") == "bare.tar"
    shutil.copytree(run.train_folder, tmp_path / "published")
    assert unknown(tmp_path / "published") == "published/model.ckpt-3"
    (run.folder / "run.json").write_text("damaged")
    assert unknown(run.train_folder) == "train/model.ckpt-3"


def test_a_run_of_version_0_17_describes_weights_that_are_still_there(tmp_path: Path) -> None:
    file = tmp_path / "base.safetensors"
    write_model(file, dataclasses.replace(MODEL, card=CARD))
    run = trained(tmp_path / "run", resolve_init_from(file))
    known = began_with(run)
    content = json.loads((run.folder / "run.json").read_text())
    del content["began_with"]
    (run.folder / "run.json").write_text(json.dumps(content))
    assert began_with(open_run(run.folder)) == known
    for change in (lambda: write_model(file, MODEL), file.unlink):  # another file of that name; none
        change()
        assert began_with(open_run(run.folder)) == (InitialWeights("base.safetensors", known[0].sha256),)


def test_texts_of_a_file_from_somebody_else_become_one_line_with_bounds(tmp_path: Path) -> None:
    file = tmp_path / "x.safetensors"
    card = Card("\x1b[2J" + "n" * 300, data="d\n\td \u202e" + "d" * 300, data_description="ok")
    write_model(file, dataclasses.replace(MODEL, card=card, licence="line\n" * 20_000))
    run = trained(tmp_path / "run", resolve_init_from(file))
    (weights,) = began_with(run)
    assert weights.name.startswith(r"\x1b[2Jnnn")
    assert weights.data.startswith(r"d d \u202edd")
    assert (len(weights.name), len(weights.data), len(weights.licence)) == (200, 200, 4000)
    assert weights.licence.endswith("line li...")
    write_model(tmp_path / "y.safetensors", model_of_run(run, run.train_folder / "model.ckpt-3"))
    assert read_model(tmp_path / "y.safetensors").card.began_with == (weights,)


@pytest.mark.parametrize(
    "chain", [(BASE,) * MOST_INITIAL_WEIGHTS, (dataclasses.replace(BASE, data_description="x" * 4000),) * 49 + (BASE,)]
)
def test_more_trainings_than_a_card_holds_are_refused(tmp_path: Path, chain: tuple[InitialWeights, ...]) -> None:
    file = tmp_path / "x.safetensors"
    write_model(file, dataclasses.replace(MODEL, card=Card("x", began_with=chain)))
    with pytest.raises(GmdVaeError, match="names so many initial weights that a further card cannot hold them"):
        resolve_init_from(file)
    write_model(file, dataclasses.replace(MODEL, card=Card("x", began_with=chain[:40])))
    assert len(resolve_init_from(file).began_with) == 41
