"""A trained model as one file: it is what was written, or it is refused in one line."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.densities import random_density
from fixtures.model_files import document_of, rewrite
from fixtures.models import random_model
from gmd_vae.common.code_state import own_version
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.extras import update
from gmd_vae.configuration.registry import all_configs
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models.card import Card, HeldOut, HeldOutFigure, InitialWeights
from gmd_vae.models.model_file import ModelFile, is_unchanged_model, read_model, write_model
from safetensors.numpy import load, save

WEIGHTS = {"name": "y", "sha256": "c" * 64, "data": "folk"}
DENSITY = random_density(components=2, z_size=4)
VECTOR = np.array([0.1, -2, 1e-9, 3])
MODEL = random_model(
    card=Card(
        "small",
        "a model",
        "groove",
        1234,
        {"step": 3, "elbo": -61.5, "accuracy": None},
        data_description="Ten drummers.",
        intended_use="Ideas.",
        limits=("Only 4/4.", "Only drums."),
        held_out=HeldOut("test", 9, 2, 5, 0.5, {"likelihood": {"elbo": HeldOutFigure(-63.0, -70.5, -60.0)}}),
        seed=0,
        code="gmd-vae 1.2.3",
        cpu_hours=2.5,
        began_with=(InitialWeights(**WEIGHTS), InitialWeights("z", "d" * 64)),
        windows_sha256={"train": "e" * 64, "test": "f" * 64},
    ),
    step=1500,
    examples_digest="a" * 64,
    checkpoint={"model.ckpt-1500.index": "b" * 64},
    attribute_vectors={"busier": VECTOR},
    licence="CC BY 4.0",
)
DECLARATION = MODEL.config.as_declaration()


def held_out(figures: dict[str, Any]) -> dict[str, Any]:
    """The held-out figures of a card as JSON."""
    return {"split": "test", "windows": 9, "files": 2, "samples": 5, "temperature": 1.0, "figures": figures}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_model(tmp_path / "model.safetensors", MODEL)
    return tmp_path / "model.safetensors"


def assert_equal(one: ModelFile, other: ModelFile) -> None:
    arrays = ("variables", "attribute_vectors")
    for name in arrays:
        held, wanted = getattr(one, name), getattr(other, name)
        assert held.keys() == wanted.keys()
        for key in wanted:
            np.testing.assert_array_equal(held[key], wanted[key], strict=True)
    nothing: dict[str, Any] = {name: {} for name in arrays}
    assert dataclasses.replace(one, **nothing) == dataclasses.replace(other, **nothing)


def test_a_model_is_read_as_it_was_written(path: Path) -> None:
    assert_equal(read_model(path), MODEL)
    plain = random_model()
    write_model(path, plain)
    assert_equal(read_model(path), plain)


def test_what_a_card_does_not_know_is_not_in_the_file(path: Path) -> None:
    write_model(path, random_model(card=Card("small", seed=0)))
    assert document_of(path)["card"] == {"name": "small", "seed": 0}


def test_the_card_of_version_0_11_is_read(path: Path) -> None:
    card = {"name": "old", "summary": "", "data": "", "training_windows": None, "validation": None}
    evaluation = {"split": "test", "windows": 9, "elbo": -63.0, "kl_bits": None}
    rewrite(path, {**document_of(path), "card": {**card, "evaluation": evaluation}})
    assert read_model(path).card == Card("old", evaluation=evaluation)


def test_fp16_rounds_the_variables_and_halves_the_file(path: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "half.safetensors", MODEL, "fp16")
    rounded = {name: values.astype(np.float16).astype(np.float32) for name, values in MODEL.variables.items()}
    assert_equal(read_model(tmp_path / "half.safetensors"), dataclasses.replace(MODEL, variables=rounded))
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * path.stat().st_size


def test_every_config_can_be_written(tmp_path: Path) -> None:
    small = {"enc_rnn_size": [3], "dec_rnn_size": [4, 2], "z_size": 2}
    for config in all_configs().values():
        model = random_model(
            config, {**config.hparams, **small, "enc_rnn_size": [3] * len(config.hparams["enc_rnn_size"])}
        )
        write_model(tmp_path / "model.safetensors", model)
        assert_equal(read_model(tmp_path / "model.safetensors"), model)


def test_equal_models_give_equal_bytes_in_every_process(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from gmd_vae.models.model_file import read_model, write_model; "
        "write_model(Path(sys.argv[2]), read_model(Path(sys.argv[1]))); "
        "assert not {'tensorflow', 'magenta', 'note_seq', 'torch', 'pickle5'} & sys.modules.keys()"
    )
    write_model(tmp_path / "0.safetensors", MODEL)
    for number in range(2):  # each process has hashes of its own
        files = [str(tmp_path / f"{place}.safetensors") for place in (number, number + 1)]
        subprocess.run([sys.executable, "-c", program, *files], check=True)
    assert len({(tmp_path / f"{number}.safetensors").read_bytes() for number in range(3)}) == 1


def test_the_file_opens_with_the_library_alone(path: Path) -> None:
    tensors = load(path.read_bytes())
    np.testing.assert_array_equal(tensors.pop("attribute_vectors/busier"), VECTOR)
    assert tensors.keys() == MODEL.variables.keys()
    document = document_of(path)
    assert (document["format"], document["version"], document["licence"]) == ("gmd-vae-model", 1, "CC BY 4.0")
    assert document["declaration"]["windows"]["slice_bars"] == 4


def refusal(path: Path) -> str:
    with pytest.raises(GmdVaeError) as caught:
        read_model(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"Model '{path}' ")
    assert caught.value.next_action
    assert not is_unchanged_model(path)
    return text


def test_a_rewritten_file_is_read(path: Path) -> None:
    """So the refusals below have the reasons that they name."""
    rewrite(path, document_of(path))
    assert_equal(read_model(path), MODEL)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "is cut short"),
        (lambda data: data[:5], "is cut short"),
        (lambda data: data[:500], "is cut short"),
        (lambda data: data[:-1], "is cut short: its weights take"),
        (lambda data: data[: len(data) // 2], "is cut short: its weights take"),
        (lambda data: data + b"\0", "is damaged: its weights take"),
        (lambda data: b"MThd\0\0\0\6" + data[8:], "is no safetensors file"),
        (lambda data: struct.pack("<Q", 1 << 40) + data[8:], "its header would have 1,099,511,627,776 bytes"),
        (lambda data: struct.pack("<Q", (1 << 64) - 1) + data[8:], "is no safetensors file"),
        (lambda data: data[:8] + b"x" + data[9:], "its header cannot be read"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "was changed or is damaged"),
        (lambda data: data.replace(b"a model", b"a modem"), "was changed or is damaged"),
        (lambda data: data.replace(b"gmd_vae", b"gmd_vab"), "of another program"),
        (lambda data: save({"weight": np.zeros(3)}), "of another program"),
        (lambda data: save({"weight": np.zeros(3)}, {"format": "pt"}), "of another program"),
        (lambda data: save({"weight": np.zeros(3)}, {"gmd_vae": "{}"}), "is no model of gmd-vae"),
        (lambda data: save({"weight": np.zeros(3)}, {"gmd_vae": "[" * 5000}), "metadata that cannot be used"),
        (lambda data: struct.pack("<Q", 20_000) + b"[" * 20_000, "its header cannot be read"),
    ],
)
def test_damaged_and_foreign_files_are_refused(path: Path, change: Callable[[bytes], bytes], reason: str) -> None:
    path.write_bytes(change(path.read_bytes()))
    assert reason in refusal(path)


@pytest.fixture
def with_density(tmp_path: Path) -> Path:
    write_model(tmp_path / "dense.safetensors", dataclasses.replace(MODEL, density=DENSITY))
    return tmp_path / "dense.safetensors"


def test_a_density_of_z_is_kept_as_it_is(with_density: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.safetensors"
    write_model(half, dataclasses.replace(MODEL, density=DENSITY), "fp16")
    assert is_unchanged_model(with_density)
    for path in (with_density, half):
        density = read_model(path).density
        assert density is not None
        assert density.digest == DENSITY.digest


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full((2, 4), np.nan, np.float16), "not finite, in 'prior/windows'"),
        (np.zeros((1, 4), np.float16), "'prior/windows' is F16 [1, 4], the config makes it F16 [2, 4]"),
        (np.zeros((2, 4), np.float32), "'prior/windows' is F32 [2, 4], the config makes it F16 [2, 4]"),
    ],
)
def test_a_damaged_density_is_refused(with_density: Path, values: Any, reason: str) -> None:
    rewrite(with_density, document_of(with_density), {**load(with_density.read_bytes()), "prior/windows": values})
    assert reason in refusal(with_density)


@pytest.mark.parametrize("count", [-1, 101, 10**15, "2", 1, 0])
def test_a_number_of_windows_that_does_not_fit_is_refused(with_density: Path, count: Any) -> None:
    rewrite(with_density, {**document_of(with_density), "prior_windows": count})
    assert "prior" in refusal(with_density)


def test_a_prior_of_an_earlier_version_is_named(with_density: Path) -> None:
    rewrite(with_density, {**document_of(with_density), "prior_gaussians": 2})
    assert "has a fitted prior of version 0.14 or earlier. Repeat the train command of its run" in refusal(with_density)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"format": "another"}, "is no model of gmd-vae"),
        ({"version": 2}, "has format 2, this version of gmd-vae reads 1. Update gmd-vae: run 'git pull && "),
        ({"version": 10**30}, "Update gmd-vae"),
        ({"version": 0}, "the unknown format 0"),
        ({"version": "1"}, "field 'version'"),
        ({"dtype": "int8"}, "field 'dtype'"),
        ({"step": -1}, "field 'step'"),
        ({"declaration": None}, "field 'declaration'"),
        ({"declaration": {}}, "does not describe a model"),
        ({"config": "another"}, "'config' is 'another'"),
        ({"hparams": {}}, "has no field 'hparams."),
        ({"hparams": {**MODEL.hparams, "z_size": 10**9}}, "z_size is 1000000000, and must be"),
        ({"hparams": {**MODEL.hparams, "z_size": 5}}, "does not fit its config: 'encoder/mu/kernel' is F32 [32, 4]"),
        ({"hparams": {**MODEL.hparams, "enc_rnn_size": [65536] * 32}}, "does not fit its config"),
        ({"hparams": {**MODEL.hparams, "evil": 1}}, "unknown hyperparameter 'evil'"),
        ({"attribute_vectors": ["busier", "x"]}, "'attribute_vectors/x' is missing"),
        ({"attribute_vectors": []}, "'attribute_vectors/busier' is unknown"),
        ({"checkpoint": {"a": "b"}}, "field 'checkpoint"),
        ({"card": {"name": 3}}, "field 'card.name'"),
        ({"card": {"name": "x", "limits": ["no"] * 21}}, "field 'card.limits'"),
        ({"card": {"name": "x", "intended_use": "y" * 4001}}, "field 'card.intended_use'"),
        ({"card": {"name": "x", "seed": -1}}, "field 'card.seed'"),
        ({"card": {"name": "x", "cpu_hours": -0.5}}, "field 'card.cpu_hours'"),
        ({"card": {"name": "x", "began_with": [{"name": "y"}]}}, "has no field 'card.began_with[0].sha256'"),
        ({"card": {"name": "x", "began_with": [{"name": "y", "sha256": "z" * 64}]}}, "'card.began_with[0].sha256'"),
        ({"card": {"name": "x", "began_with": [{**WEIGHTS, "licence": "y" * 4001}]}}, "card.began_with[0].licence'"),
        ({"card": {"name": "x", "began_with": [WEIGHTS] * 51}}, "field 'card.began_with'"),
        ({"card": {"name": "x", "held_out": {"split": "test"}}}, "has no field 'card.held_out.windows'"),
        ({"card": {"name": "x", "held_out": held_out({"p": {"f": {"value": "0"}}})}}, "field 'card.held_out.figures"),
        ({"card": {"name": "x", "held_out": held_out({"p": {"f" * 201: {"value": 0}}})}}, "length <= 200"),
        ({"card": {"name": "x", "held_out": held_out({f"{n}": {} for n in range(101)})}}, "field 'card.held_out"),
    ],
)  # fmt: skip
def test_metadata_that_do_not_fit_are_refused(path: Path, fields: dict[str, Any], reason: str) -> None:
    rewrite(path, {**document_of(path), **fields})
    assert reason in refusal(path)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hparams": {**MODEL.hparams, "new_lever": 0.5}}, "unknown hyperparameter 'new_lever'"),
        ({"declaration": {**DECLARATION, "family": "x"}}, "family 'x', which does not exist"),
        ({"dtype": "int8"}, "field 'dtype'"),
        ({"attribute_vectors": []}, "'attribute_vectors/busier' is unknown"),
        ({"card": {"name": "x", "limits": ["no"] * 21}}, "field 'card.limits'"),
    ],
)
def test_what_a_newer_version_wrote_is_refused_with_the_advice_to_update(
    path: Path, fields: dict[str, Any], reason: str
) -> None:
    newer = {**document_of(path), "versions": {"gmd-vae": "999.0.0"}, **fields}
    rewrite(path, newer)
    text = refusal(path)
    assert reason in text
    assert text.endswith(f" (written by gmd-vae 999.0.0, this is {own_version()}). {update()}")
    rewrite(path, {**newer, "versions": {"gmd-vae": own_version()}})
    assert "Get the file again" in refusal(path)


def test_a_file_of_a_newer_version_is_read_if_it_uses_nothing_new(path: Path) -> None:
    card = {**document_of(path)["card"], "audience": "drummers"}
    validation = {**card["validation"], "best_by": "objective", "windows": "many"}
    digests = {f"split-{number}": "a" * 64 for number in range(11)}
    newer = {**card, "validation": validation, "windows_sha256": digests}
    rewrite(path, {**document_of(path), "versions": {"gmd-vae": "999.0.0"}, "mood": "good", "card": newer})
    model = read_model(path)
    assert model.card.windows_sha256 == digests
    assert model.card.validation_in_words == "ELBO -61.5 nats"
    assert_equal(dataclasses.replace(model, card=MODEL.card), MODEL)


def test_a_file_names_the_version_that_wrote_it(path: Path) -> None:
    assert document_of(path)["versions"] == {"gmd-vae": own_version()}
    old = {name: value for name, value in document_of(path).items() if name != "versions"}
    rewrite(path, old)  # as up to version 0.23
    assert_equal(read_model(path), MODEL)


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("encoder/mu/bias", np.zeros(5, np.float32), "'encoder/mu/bias' is F32 [5], the config makes it F32 [4]"),
        ("encoder/mu/bias", np.zeros((4, 1), np.float32), "'encoder/mu/bias' is F32 [4, 1]"),
        ("encoder/mu/bias", np.zeros(4, np.float64), "'encoder/mu/bias' is F64 [4]"),
        ("encoder/mu/bias", np.zeros(4, np.int32), "'encoder/mu/bias' is I32 [4]"),
        ("encoder/mu/bias", np.array([0, 1, np.nan, 2], np.float32), "not finite, in 'encoder/mu/bias'"),
        ("attribute_vectors/busier", np.array([0, 1, np.inf, 2]), "not finite, in 'attribute_vectors/busier'"),
        ("evil\x1b[2J", np.zeros(4, np.float32), r"'evil\x1b[2J' is unknown"),
        ("encoder/mu/bias", None, "'encoder/mu/bias' is missing"),
    ],
)  # fmt: skip
def test_tensors_that_do_not_fit_are_refused(path: Path, name: str, values: Any, reason: str) -> None:
    tensors = {**load(path.read_bytes()), name: values}
    rewrite(path, document_of(path), {name: values for name, values in tensors.items() if values is not None})
    assert reason in refusal(path)


def test_infinities_of_fp16_are_refused(path: Path) -> None:
    write_model(path, MODEL, "fp16")
    tensors = load(path.read_bytes())
    tensors["encoder/mu/bias"] = np.array([0, np.inf, 1, 2], np.float16)
    rewrite(path, document_of(path), tensors)
    assert "not finite, in 'encoder/mu/bias'" in refusal(path)
    large = {**MODEL.variables, "encoder/mu/bias": np.full(4, 1e6, np.float32)}
    with pytest.raises(GmdVaeError, match=r"too large for fp16\. Choose --dtype fp32"):
        write_model(path, dataclasses.replace(MODEL, variables=large), "fp16")
    broken = {**MODEL.variables, "encoder/mu/bias": np.full(4, np.nan, np.float32)}
    with pytest.raises(GmdVaeError, match=r"not finite\. Choose an earlier checkpoint"):
        write_model(path, dataclasses.replace(MODEL, variables=broken))


def test_a_config_of_magentas_is_magentas(path: Path) -> None:
    config = all_configs()["cat-drums_2bar_small"].replace(enc_rnn_size=[3], dec_rnn_size=[4], z_size=2)
    write_model(path, random_model(config))
    assert "is not Magenta's config of this name" in refusal(path)


def test_a_nade_without_its_size_is_refused(path: Path) -> None:
    model = random_model(all_configs()["nade-drums_2bar_reduced_small"])
    write_model(path, model)
    document = document_of(path)
    for place in (document["hparams"], document["declaration"]["hparams"]):
        del place["nade_num_hidden"]
    rewrite(path, document)
    assert "has no field 'nade_num_hidden'" in refusal(path)


@pytest.mark.parametrize(
    ("units", "size", "reason"),
    [(60_000, 1 << 40, "has weights of more than 4,294,967,296 bytes"), (10_000, 1 << 20, "is cut short")],
)
def test_weights_that_are_not_there_take_no_memory(path: Path, units: int, size: int, reason: str) -> None:
    """A header that fits its config, and a file that takes no space on the disk."""
    hparams = {**MODEL.hparams, "enc_rnn_size": [units]}
    text = json.dumps({**document_of(path), "hparams": hparams, "attribute_vectors": []})
    entries: dict[str, Any] = {"__metadata__": {"gmd_vae": text}}
    for name, shape in variable_shapes(MODEL.config, hparams).items():
        entries[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [0, 0]}
    header = json.dumps(entries).encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with path.open("wb") as stream:
        stream.write(struct.pack("<Q", len(header)) + header)
        stream.truncate(size)
    assert reason in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_other_things_in_the_place_of_a_file_are_refused(path: Path, tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "nowhere.safetensors")
    assert "it is a folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "it is a pipe" in refusal(tmp_path / "pipe")


def test_only_an_unchanged_model_may_be_replaced(path: Path, tmp_path: Path) -> None:
    assert is_unchanged_model(path)
    (tmp_path / "link").symlink_to(path)
    assert not is_unchanged_model(tmp_path / "link")
