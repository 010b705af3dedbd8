"""``gmd-vae export``: a run or a checkpoint becomes a file that gives the same model back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.command_line import run, run_here
from fixtures.model_files import document_of
from fixtures.models import assert_same_model, random_model
from fixtures.results import made_up_result, result_json
from fixtures.runs import TINY
from gmd_vae.common import manifest
from gmd_vae.common.code_state import Code, code_state
from gmd_vae.common.files import sha256
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.export.formats import FORMATS
from gmd_vae.generation.latent.attribute_vectors import attributes_of_run, vectors_for
from gmd_vae.models.bundled import DEFAULT, bundled_models
from gmd_vae.models.card import HeldOutFigure, InitialWeights
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import read_model, write_model
from gmd_vae.training.run.folder import InitFrom, open_run
from gmd_vae.training.run.run_file import Plan

MODEL = random_model()


@pytest.mark.parametrize("command", ["studio", "export"])
def test_a_refused_output_is_found_before_attribute_vectors_are_written(folder: Path, command: str) -> None:
    (folder / "mine.txt").write_text("mine")
    error = run_here(folder, command, "runs/mine", "-o", "mine.txt", expect=1).error
    assert "Nothing was changed" in error
    assert not (folder / "runs" / "mine" / "attributes").exists()


def test_a_run_becomes_a_file(folder: Path, starter_examples: Path) -> None:
    best = folder / "runs" / "mine" / "best"
    answer = run_here(folder, "export", "-o", "model.safetensors")
    model = read_model(folder / "model.safetensors")
    assert_same_model(model, MODEL)
    assert (model.step, model.licence) == (3, None)
    assert model.examples_digest == manifest.digest(starter_examples)
    assert model.checkpoint == {file.name: sha256(file) for file in best.glob("model.ckpt-3.*")}
    card = model.card
    assert (card.name, card.data, card.summary) == ("mine", "starter-windows", MODEL.config.summary)
    assert (card.validation, card.held_out) == (json.loads((best / "validation.json").read_text()), None)
    assert card.training_windows
    splits = ("train", "validation", "test")
    files = {name: sorted(starter_examples.glob(f"{name}-*.tfrecord")) for name in splits}
    contents = {name: b"".join(file.read_bytes() for file in paths) for name, paths in files.items()}
    assert card.windows_sha256 == {name: hashlib.sha256(data).hexdigest() for name, data in contents.items() if data}
    assert {"train", "validation"} <= card.windows_sha256.keys()
    commit = Code(**code_state()).commit_in_words
    code = ", ".join(filter(None, (f"gmd-vae {manifest.versions()['gmd-vae']}", commit)))
    assert (card.seed, card.code, card.cpu_hours) == (0, code, None)
    size = (folder / "model.safetensors").stat().st_size / 1e6
    wrote, then = answer.stdout.splitlines()
    assert wrote == f"Wrote model.safetensors ({size:.1f} MB, {DEFAULT_CONFIG}, step 3)"
    assert then == "Next: gmd-vae generate --model model.safetensors"
    assert answer.stderr == "Run: runs/mine, the only one\n"
    assert "busier" in model.attribute_vectors  # computed, and kept
    assert (folder / "runs" / "mine" / "attributes" / "step-3" / "vectors.npz").is_file()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_attribute_vectors_that_cannot_be_kept_are_used_all_the_same(folder: Path, tmp_path: Path, kind: str) -> None:
    """A run from somebody else, with a link in it, must not decide where files go."""
    place, away = folder / "runs" / "mine" / "attributes", tmp_path / "away"
    away.mkdir()
    if kind == "link":
        place.symlink_to(away)
    else:
        place.write_text("mine")
    run_here(folder, "export", "-o", "model.safetensors")
    assert "busier" in read_model(folder / "model.safetensors").attribute_vectors
    assert place.is_symlink() or place.read_text() == "mine"
    assert not list(away.iterdir())


def test_the_latest_checkpoint_has_no_figures_of_the_best(folder: Path) -> None:
    answer = run_here(folder, "export", "runs/mine/latest", "-o", "x.safetensors", "--json", "--licence", "CC BY 4.0")
    found = json.loads(answer.stdout)
    assert (found["output"], found["format"], found["step"]) == ("x.safetensors", "safetensors", 3)
    assert found["bytes"] == (folder / "x.safetensors").stat().st_size
    model = read_model(folder / "x.safetensors")
    assert (model.card.validation, model.licence) == (None, "CC BY 4.0")


def test_kept_attribute_vectors_and_the_evaluation_come_along(folder: Path, starter_examples: Path) -> None:
    mine = folder / "runs" / "mine"
    prefix = mine / "best" / "model.ckpt-3"
    digests = {file.name: sha256(file) for file in mine.glob("best/model.ckpt-3.*")}
    rng = np.random.default_rng(0)

    def encode(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        return rng.normal(size=(len(labels), 4)).astype(np.float32)

    def decode(z: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        return rng.integers(0, 512, (len(z), 64))

    source = attributes_of_run(open_run(mine), prefix)
    kept = vectors_for(source, digests, MODEL.config.drum_windows, encode, decode, 4)
    content, figures = result_json(), made_up_result().figures
    content["checkpoint"]["files"] = digests
    for name, split in (("validation-3", "validation"), ("test-3-seed-1", "test"), ("test-3", "test"), ("x", "test")):
        (mine / "eval" / name).mkdir(parents=True)
        content["settings"]["seed"] = int(name == "test-3-seed-1")
        content["windows"] = 9 if name == "test-3-seed-1" else figures.windows
        if name == "x":  # another checkpoint
            content["checkpoint"]["files"] = {"model.ckpt-2.index": "0" * 64}
        (mine / "eval" / name / "result.json").write_text(json.dumps({**content, "split": split}))
        manifest.write(mine / "eval" / name, "evaluate", {})
    (mine / "metrics.jsonl").write_text('{"split": "train", "step": 3, "cpu_seconds": 9000.0}\n')
    answer = run_here(folder, "export", "-o", "model.safetensors")
    assert answer.stderr == "Run: runs/mine, the only one\n"
    model = read_model(folder / "model.safetensors")
    assert model.attribute_vectors.keys() == kept.keys()
    for name, vector in kept.items():
        np.testing.assert_array_equal(model.attribute_vectors[name], vector, strict=True)
    held = model.card.held_out
    assert held is not None
    assert (held.split, held.windows, held.files, held.samples) == ("test", figures.windows, figures.files, 1000)
    accuracy = figures.reconstruction["free_running"].step_accuracy
    assert held.figures["reconstruction.free_running"]["step_accuracy"] == HeldOutFigure(**vars(accuracy))
    assert held.figures["reconstruction.silence"].keys() == {"step_accuracy", "cell_accuracy", "hits_f1"}
    assert held.figures["likelihood"]["elbo"].value == figures.likelihood.elbo.value
    assert held.figures["novelty.samples.steps"]["median"] == HeldOutFigure(figures.novelty.samples.steps.median)
    assert figures.window_sets is not None
    above = figures.window_sets["samples_usual"].auc_above_training
    assert above is not None
    assert held.figures["window_sets.samples_usual"]["auc_above_training"] == HeldOutFigure(**vars(above))
    assert held.usual_temperature == 0.5  # that of the samples in the result
    assert model.card.cpu_hours == 2.5


def test_without_training_windows_there_are_no_attribute_vectors(folder: Path) -> None:
    described = folder / "runs" / "mine" / "run.json"
    content = json.loads(described.read_text())
    described.write_text(json.dumps({**content, "examples": "gone"}))
    answer = run_here(folder, "export", "-o", "model.safetensors")
    without = "Without attribute vectors: they need a run and its training windows."
    assert answer.stderr.splitlines() == ["Run: runs/mine, the only one", without]
    model = read_model(folder / "model.safetensors")
    assert (model.attribute_vectors, model.card.training_windows, model.card.windows_sha256) == ({}, None, {})


def test_a_model_of_the_package_is_exported(tmp_path: Path) -> None:
    answer = run_here(tmp_path, "export", DEFAULT, "-o", "same.safetensors", "--dtype", "fp16")
    assert not answer.stderr
    made, original = tmp_path / "same.safetensors", bundled_models()[DEFAULT]
    of_this_version = {"versions": manifest.versions(), "sha256": document_of(made)["sha256"]}
    assert document_of(made) == {**document_of(original), **of_this_version}
    data = original.read_bytes()
    assert made.read_bytes().endswith(data[8 + struct.unpack_from("<Q", data)[0] :])


def test_a_path_is_no_model_of_the_package(folder: Path) -> None:
    (folder / "runs" / "mine").rename(folder / DEFAULT)
    run_here(folder, "export", f"./{DEFAULT}", "-o", "mine.safetensors")
    assert_same_model(read_model(folder / "mine.safetensors"), MODEL)
    run_here(folder, "export", DEFAULT, "-o", "package.safetensors")
    assert_same_model(read_model(folder / "package.safetensors"), read_model(bundled_models()[DEFAULT]))
    assert json.loads(run_here(folder, "studio", DEFAULT, "--json").stdout)["output"] == "studio.html"
    assert json.loads(run_here(folder, "studio", f"./{DEFAULT}", "--json").stdout)["output"] == f"{DEFAULT}/studio.html"


def test_only_own_unchanged_files_are_replaced(folder: Path) -> None:
    target = folder / "model.safetensors"
    run_here(folder, "export", "-o", target.name)
    first = target.read_bytes()
    run_here(folder, "export", "-o", target.name)
    assert target.read_bytes() == first
    run_here(folder, "export", "-o", target.name, "--dtype", "fp16")
    assert len(target.read_bytes()) < 0.7 * len(first)
    target.write_bytes(first[:-1] + b"\0")
    answer = run_here(folder, "export", "-o", target.name, expect=1)
    assert answer.error == (
        "Error: 'model.safetensors' exists, and gmd-vae did not write it or it was changed since. "
        "Choose another --output, or move it away. Nothing was changed."
    )
    target.write_bytes(first)
    answer = run_here(folder, "export", target.name, "-o", target.name, expect=2)
    assert "is an input and would be replaced" in answer.error
    assert "is a folder" in run_here(folder, "export", "-o", "runs", expect=1).error
    assert sorted(path.name for path in folder.iterdir()) == ["model.safetensors", "runs"]


def test_a_model_of_a_fetched_dataset_names_it_and_without_a_licence_of_its_own_says_so(folder: Path) -> None:
    mine = folder / "runs" / "mine" / "run.json"
    source = {"dataset": "groove", "version": "1.0.0", "licence": "CC BY 4.0", "citation": "Jon Gillick et al."}
    mine.write_text(json.dumps(json.loads(mine.read_text()) | {"data_source": source}))
    text = "groove 1.0.0 (CC BY 4.0): Jon Gillick et al."
    note = (
        "Note: without --licence, no licence of the model is stated. That of its data may ask for attribution; the "
        f"card names them: starter-windows: {text}"
    )
    assert note in run_here(folder, "export", "runs/mine", "-o", "one.safetensors").stderr.splitlines()
    card = read_model(folder / "one.safetensors").card
    assert (card.data, card.data_description) == ("starter-windows", text)
    assert f"\nData              {text}\n" in run_here(folder, "models", "runs/mine").stdout
    stated = dataclasses.replace(card, data="groove", began_with=(InitialWeights("base", "a" * 64),))
    write_model(folder / "two.safetensors", dataclasses.replace(MODEL, card=stated))
    answer = run_here(folder, "export", "two.safetensors", "-o", "stock", "--format", "magenta")
    assert "That of its data or of the weights it began with may ask for attribution" in answer.stderr
    assert f"the card names them: {text}; base (not stated)" in answer.stderr, "the name of the data comes once"


def test_a_fine_tuned_model_names_the_weights_it_began_with(folder: Path) -> None:
    weights = InitialWeights("base", "a" * 64, "groove", "Ten drummers.", "CC BY 4.0")
    mine = dataclasses.replace(
        open_run(folder / "runs" / "mine"), init_from=InitFrom(Path("base"), "a" * 64, (weights,))
    )
    (folder / "runs" / "mine" / "run.json").unlink()
    mine.train_folder.rename(folder / "train")
    mine.describe(Plan(3))
    (folder / "train").rename(mine.train_folder)
    note = (
        "Note: without --licence, no licence of the model is stated. That of the weights it began with may ask for "
        "attribution; the card names them: base (CC BY 4.0)"
    )
    assert note in run_here(folder, "export", "runs/mine", "-o", "one.safetensors").stderr.splitlines()
    assert note in run_here(folder, "export", "one.safetensors", "-o", "stock", "--format", "magenta").stderr
    answer = run_here(folder, "export", "one.safetensors", "-o", "two.safetensors", "--licence", "CC BY 4.0")
    assert not answer.stderr
    for name in ("one", "two"):
        assert read_model(folder / f"{name}.safetensors").card.began_with == (weights,)
    content = manifest.read(folder / "stock", "export", "")
    assert content["card"]["began_with"] == [dataclasses.asdict(weights)]
    assert "base (sha256 aaaaaaaaaaaa…)" in run_here(folder, "models", "runs/mine").stdout
    run_here(folder, "studio", "runs/mine")
    assert "base (sha256 aaaaaaaaaaaa…), trained on groove" in (folder / "runs" / "mine" / "studio.html").read_text()


def test_magenta_js_gets_the_configs_that_it_plays(folder: Path) -> None:
    sizes = TINY.replace("[12,8]", "[12,12]")
    refused = get_config("hierdec-drum_4bar-ar_small")
    write_model(folder / "ar.safetensors", random_model(refused, resolve(refused, sizes)))
    answer = run_here(folder, "export", "ar.safetensors", "--format", "magentajs", "-o", "page/model", expect=2)
    assert answer.error == (
        f"Error: Magenta.js cannot play config '{refused.name}': its conductor reads the decoder's last state, and "
        f"that of Magenta.js reads zeros. Train '{DEFAULT_CONFIG}', the nearest config that it plays, or a "
        "copy of this config with conductor_autoregression=False."
    )
    assert not (folder / "page").exists()
    config = get_config(DEFAULT_CONFIG)
    write_model(folder / "played.safetensors", random_model(config, resolve(config, sizes)))
    answer = run_here(folder, "export", "played.safetensors", "--format", "magentajs", "-o", "page/model")
    assert answer.stdout.startswith("Wrote page/model (")
    assert answer.stderr == ""  # nothing about attribute vectors, which it does not keep
    content = manifest.read(folder / "page" / "model", "export", "")
    assert (content["format_name"], content["config"]) == ("magentajs", config.name)
    for words in (["models", "page/model"], ["generate", "--model", "page/model"]):
        error = run_here(folder, *words, expect=2).error
        assert "'page/model' is a folder for Magenta.js, which only web pages read" in error
    names = ["config.json", "group1-shard1of1", "manifest.json", "weights_manifest.json"]
    assert sorted(path.name for path in (folder / "page" / "model").iterdir()) == names


def test_damage_is_refused_and_nothing_is_written(folder: Path) -> None:
    data = folder / "runs" / "mine" / "best" / "model.ckpt-3.data-00000-of-00001"
    data.write_bytes(b"\0" + data.read_bytes()[1:])
    answer = run_here(folder, "export", "-o", "model.safetensors", expect=1)
    assert "its data has changed: the checksum does not match" in answer.error
    broken = {**MODEL.variables, "encoder/mu/bias": np.full(4, np.nan, np.float32)}
    write_checkpoint(folder / "runs" / "mine" / "best" / "model.ckpt-3", broken)
    for format_name in FORMATS:
        answer = run_here(folder, "export", "runs/mine", "-o", "model.safetensors", "--format", format_name, expect=1)
        assert "'encoder/mu/bias' of 'mine' holds numbers that are not finite" in answer.error
    assert [path.name for path in folder.iterdir()] == ["runs"]
    assert (
        "No checkpoint" in run_here(folder, "export", "nowhere", "-o", "x", "--config", DEFAULT_CONFIG, expect=1).error
    )
    assert "There is no trained run" in run_here(folder / "runs", "export", "-o", "x", expect=1).error


def test_no_tensorflow_is_needed(folder: Path) -> None:
    """The names of its packages lead to files that cannot be imported."""
    for name in ("tensorflow", "magenta"):
        (folder / f"{name}.py").write_text("raise ImportError('it is not installed')")
    run(folder, "export", "-o", "model.safetensors")
    shutil.rmtree(folder / "runs")
    run(folder, "export", "model.safetensors", "--format", "magenta", "-o", "stock")
