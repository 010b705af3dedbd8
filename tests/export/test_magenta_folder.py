"""``gmd-vae export --format magenta``, and checkpoints and archives of Magenta that become a file."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.models import assert_same_model, random_model
from fixtures.runs import TINY
from gmd_vae.common import manifest
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.card import Card, InitialWeights
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import read_model, write_model

MODEL = random_model()
CARD = Card("tuned", data="songs", seed=3, began_with=(InitialWeights("base", "a" * 64, "groove"),))


def test_a_checkpoint_folder_for_magenta_and_back(folder: Path) -> None:
    run_here(folder, "export", "-o", "model.safetensors")
    run_here(folder, "export", "model.safetensors", "--format", "magenta", "-o", "stock")
    variables = read_variables(folder / "stock" / "model.ckpt-3")
    assert variables.keys() == MODEL.variables.keys()
    for name, values in MODEL.variables.items():
        np.testing.assert_array_equal(variables[name], values, strict=True)
    content = manifest.read(folder / "stock", "export", "")
    assert (content["format_name"], content["config"], content["step"]) == ("magenta", DEFAULT_CONFIG, 3)
    first = {file.name: file.read_bytes() for file in (folder / "stock").iterdir()}
    run_here(folder, "export", "runs/mine", "--format", "magenta", "-o", "stock")
    assert {file.name: file.read_bytes() for file in (folder / "stock").iterdir()} == first
    (folder / "stock" / "notes.txt").write_text("mine")
    answer = run_here(folder, "export", "runs/mine", "--format", "magenta", "-o", "stock", expect=1)
    assert "holds 'notes.txt'" in answer.error
    answer = run_here(folder, "export", "--format", "magenta", "--dtype", "fp16", "-o", "x", expect=2)
    assert answer.error == "Error: --format magenta has no fp16. Leave --dtype out."


def test_a_folder_for_magenta_keeps_card_and_licence(folder: Path) -> None:
    config = get_config(DEFAULT_CONFIG)
    write_model(folder / "one.safetensors", random_model(config, card=CARD, licence="CC BY 4.0", step=3))
    run_here(folder, "export", "one.safetensors", "-o", "stock", "--format", "magenta")
    run_here(folder, "export", "stock", "-o", "two.safetensors")
    back = read_model(folder / "two.safetensors")
    assert (back.card, back.licence) == (CARD, "CC BY 4.0")
    other = random_model(config).variables | {"encoder/mu/bias": np.zeros(128, np.float32)}
    write_checkpoint(folder / "stock" / "model.ckpt-3", {**other, "global_step": np.array(3)})
    run_here(folder, "export", "stock", "-o", "three.safetensors", "--config", DEFAULT_CONFIG)
    assert read_model(folder / "three.safetensors").card.began_with == ()  # the card is of the weights before


def test_a_folder_for_magenta_has_no_figures_of_a_prior_that_it_lacks(folder: Path) -> None:
    run_here(folder, "export", DEFAULT, "-o", "stock", "--format", "magenta")
    run_here(folder, "export", "stock", "-o", "back.safetensors")
    before, after = read_model(bundled_models()[DEFAULT]).card.held_out, read_model(folder / "back.safetensors").card
    assert before is not None
    assert after.held_out is not None
    gone = before.figures.keys() - after.held_out.figures.keys()
    assert gone >= {"window_sets.samples", "novelty.samples", "novelty.samples.steps"}
    assert not any("_normal" in place or ".samples" not in place for place in gone)
    assert "window_sets.samples_normal" in after.held_out.figures
    for name in ("magenta", "magentajs"):
        run_here(folder, "export", DEFAULT, "-o", name, "--format", name)
        written = manifest.read(folder / name, "export", "")["card"]["held_out"]["figures"]
        assert written.keys() == after.held_out.figures.keys()
    run_here(folder, "export", DEFAULT, "-o", "copy.safetensors")
    assert read_model(folder / "copy.safetensors").card.held_out == before  # a file has its prior


def test_a_folder_for_magenta_names_its_config_also_one_of_the_user(folder: Path) -> None:
    own = get_config(DEFAULT_CONFIG).replace(name="mine", num_steps=70_000)
    write_model(folder / "one.safetensors", random_model(own, resolve(own, TINY), step=3))
    run_here(folder, "export", "one.safetensors", "-o", "stock", "--format", "magenta")
    for number, name in enumerate(("stock", "stock/model.ckpt-3")):
        run_here(folder, "export", name, "-o", f"{number}.safetensors")
        back = read_model(folder / f"{number}.safetensors")
        assert (back.config, back.hparams) == (own, resolve(own, TINY))
    answer = run_here(folder, "generate", "--checkpoint-file", "stock", "-n", "1", "--output-dir", "beats")
    assert "beats" in answer.stdout


def test_a_folder_without_a_known_config_gets_advice_that_fits_the_command(folder: Path) -> None:
    run_here(folder, "export", "-o", "stock", "--format", "magenta")
    (folder / "stock" / "manifest.json").unlink()
    error = run_here(folder, "export", "stock", "-o", "x.safetensors", expect=2).error
    assert error == (
        "Error: 'stock' needs --config, the config it was trained with. None of the configs has its variables: it has "
        "a config (--configs) or hyperparameters of its own. 'gmd-vae export' takes it and writes a file that needs "
        "none; generate takes it with --checkpoint-file."
    )
    assert "'stock' needs --config" in run_here(folder, "models", "stock", expect=2).error
    (folder / "empty").mkdir()
    for words in (["export", "empty", "-o", "x.safetensors"], ["studio", "empty"], ["report", "empty"]):
        error = run_here(folder, *words, expect=1).error
        assert "'empty' is not a run folder" in error
        assert "--checkpoint-file" not in error
    assert "--checkpoint-file" in run_here(folder, "generate", "--run-dir", "empty", expect=1).error


@pytest.mark.parametrize("name", ["cat-mel_2bar_small_chords", "cat-drums_2bar_laptop"])
def test_a_checkpoint_as_magenta_trains_it_names_the_configs_with_its_variables(tmp_path: Path, name: str) -> None:
    """With the optimiser's variables, in ``train/``, and without any file of gmd-vae."""
    variables = random_model(get_config(name)).variables
    moments = {f"{variable}/Adam": values for variable, values in variables.items()}
    (tmp_path / "old" / "train").mkdir(parents=True)
    write_checkpoint(tmp_path / "old" / "train" / "model.ckpt-9", {**variables, **moments, "global_step": np.array(9)})
    several = name == "cat-drums_2bar_laptop"
    wanted = f"one of flat-drum_4bar_small, flat-drum_1bar_small, flat-drum_16bar_small, {name}" if several else name
    for words in (["export", "old", "-o", "x.safetensors"], ["models", "old"], ["generate", "--model", "old"]):
        assert f" By its variables, --config is {wanted}. " in run_here(tmp_path, *words, expect=2).error
    error = run_here(
        tmp_path, "export", "old", "-o", "x.safetensors", "--config", "cat-drums_2bar_small", expect=1
    ).error
    assert "Give the config it was trained with. Its variables are those of " in error
    assert error.endswith(f"{name}.")
    run_here(tmp_path, "export", "old", "-o", "x.safetensors", "--config", name)
    run_here(tmp_path, "models", "x.safetensors")
    (tmp_path / "old").rename(tmp_path / f"{name}.old")
    assert f"\nConfig            {name}: " in run_here(tmp_path, "models", f"{name}.old").stdout


def test_an_archive_of_magentas_becomes_a_file(tmp_path: Path) -> None:
    model = random_model(get_config(DEFAULT_CONFIG))
    (tmp_path / "published").mkdir()
    write_checkpoint(tmp_path / "published" / "model.ckpt-9", {**model.variables, "global_step": np.array(9)})
    for name in (f"{DEFAULT_CONFIG}.hikl.tar", "odd.tar"):
        with tarfile.open(tmp_path / name, "w") as tar:
            tar.add(tmp_path / "published", "published")
    run_here(tmp_path, "export", f"{DEFAULT_CONFIG}.hikl.tar", "-o", "one.safetensors")
    assert_same_model(read_model(tmp_path / "one.safetensors"), model)
    assert read_model(tmp_path / "one.safetensors").card.name == f"{DEFAULT_CONFIG}.hikl"
    for name in (f"{DEFAULT_CONFIG}.hikl.tar", "one.safetensors"):  # generate plays the same model
        run_here(tmp_path, "generate", "--model", name, "-n", "2", "--output-dir", f"beats of {name}")
    one, other = (sorted(place.glob("*.mid")) for place in tmp_path.glob("beats of *"))
    assert [file.read_bytes() for file in one] == [file.read_bytes() for file in other]
    assert len(one) == 2
    answer = run_here(tmp_path, "export", "odd.tar", "-o", "two.safetensors", expect=2)
    assert answer.error.startswith(
        "Error: 'odd.tar' needs --config, the config it was trained with. By its variables, --config is one of "
        f"{DEFAULT_CONFIG}, "
    )
    run_here(tmp_path, "export", "odd.tar", "-o", "two.safetensors", "--config", DEFAULT_CONFIG)
    assert_same_model(read_model(tmp_path / "two.safetensors"), model)
    answer = run_here(
        tmp_path, "export", "odd.tar", "-o", "3.safetensors", "--config", "flat-drum_4bar_small", expect=1
    )
    assert "does not fit the config" in answer.error
    answer = run_here(tmp_path, "export", "one.safetensors", "-o", "3", "--config", DEFAULT_CONFIG, expect=2)
    assert "'one.safetensors' has its own config" in answer.error
    shutil.copy(tmp_path / "one.safetensors", tmp_path / "ONE.SafeTensors")
    run_here(tmp_path, "export", "ONE.SafeTensors", "-o", "4.safetensors")
    assert (tmp_path / "4.safetensors").read_bytes() == (tmp_path / "one.safetensors").read_bytes()
    assert run_here(tmp_path, "models", "ONE.SafeTensors").stdout


@pytest.mark.tensorflow
def test_stock_magenta_loads_every_variable(tiny_run: Path, tmp_path: Path) -> None:
    from gmd_vae.magenta.api import build_config, tf, trained_model

    run_here(tmp_path, "export", str(tiny_run), "-o", "model.safetensors")
    run_here(tmp_path, "export", "model.safetensors", "--format", "magenta", "-o", "stock")
    model = read_model(tmp_path / "model.safetensors")
    reader = tf.train.load_checkpoint(str(tiny_run / "best" / "model.ckpt-3"))
    theirs = tf.train.load_checkpoint(str(tmp_path / "stock"))
    assert theirs.get_tensor("global_step") == 3
    assert sorted(theirs.get_variable_to_shape_map()) == sorted([*model.variables, "global_step"])
    stock = trained_model.TrainedModel(
        build_config(model.config, model.hparams), batch_size=1, checkpoint_dir_or_path=str(tmp_path / "stock")
    )
    with stock._sess.graph.as_default():
        held = {variable.op.name: stock._sess.run(variable) for variable in tf.trainable_variables()}
    assert held.keys() == model.variables.keys()
    for name, values in held.items():
        np.testing.assert_array_equal(values, reader.get_tensor(name), strict=True)
        np.testing.assert_array_equal(values, model.variables[name], strict=True)
    write_model(tmp_path / "again.safetensors", model)
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
