"""``generate`` keeps the beats of another request."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from fixtures.drum_music import midi, performance
from fixtures.models import random_model
from gmd_vae.models.model_file import write_model

FIRST = ("--model", "one.safetensors", "--seed", "7", "-n", "2")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    model = random_model()
    write_model(tmp_path / "one.safetensors", model)
    halved = {name: values / 2 for name, values in model.variables.items()}
    write_model(tmp_path / "two.safetensors", dataclasses.replace(model, variables=halved))
    for name in ("a", "b"):
        (tmp_path / f"{name}.mid").write_bytes(midi(performance(ord(name))))
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def generate(place: Path, *options: str, expect: int = 0) -> str:
    answer = run_here(place, "generate", *options, "--output-dir", "keep", expect=expect)
    return answer.stderr


@pytest.mark.parametrize(
    "other",
    [
        ("--model", "one.safetensors", "--seed", "8", "-n", "2"),
        ("--model", "one.safetensors", "--seed", "7", "-n", "3"),
        ("--model", "two.safetensors", "--seed", "7", "-n", "2"),
        (*FIRST, "--temperature", "0.9"),
        (*FIRST, "--tempo", "99"),
        (*FIRST, "--velocity", "99"),
        (*FIRST, "--swing", "60"),
        (*FIRST, "--join"),
        (*FIRST, "--only", "1"),
        (*FIRST, "--around", "a.mid"),
        (*FIRST, "--mode", "vary", "--input-midi", "a.mid", "--distance", "1"),
    ],
    ids=lambda words: " ".join(words[-4:]),
)
def test_another_request_is_refused_and_nothing_is_drawn(place: Path, other: tuple[str, ...]) -> None:
    generate(place, *FIRST)
    (place / "keep-2").mkdir()
    before = contents(place / "keep")
    assert generate(place, *other, expect=1) == (
        "Error: 'keep' holds 2 beats of seed 7 (--mode sample), made with another request. Choose another folder, for "
        "example --output-dir 'keep-3'. Nothing was changed.\n"
    )
    assert contents(place / "keep") == before


def test_the_same_request_again_gives_the_same_bytes_and_may_gain_sound(place: Path) -> None:
    generate(place, *FIRST)
    before = contents(place / "keep")
    # said in other words, and through another path
    (place / "copy.safetensors").write_bytes((place / "one.safetensors").read_bytes())
    generate(place, "--mode", "sample", "--model", "copy.safetensors", "--num-outputs", "2", "--seed", "7", "--png")
    after = contents(place / "keep")
    assert {name: after[name] for name in before if name.endswith(".mid")} == {
        name: data for name, data in before.items() if name.endswith(".mid")
    }
    assert sum(name.endswith(".png") for name in after) == 2
    assert "made with another request" in generate(place, *FIRST, expect=1), "the pictures would be lost"
    generate(place, *FIRST, "--png", "--wav")
    assert "made with another request" in generate(place, *FIRST, "--png", "--wav", "--tail", expect=1)


def test_another_input_of_the_same_name_is_another_request(place: Path) -> None:
    request = ("--mode", "reconstruct", "--input-midi", "a.mid", "--model", "one.safetensors")
    generate(place, *request)
    generate(place, *request)
    (place / "a.mid").write_bytes((place / "b.mid").read_bytes())
    assert "--mode reconstruct), made with another request" in generate(place, *request, expect=1)


def remove_identity(manifest: dict[str, object]) -> None:
    del manifest["identity"], manifest["rendered"]


def of_another_version(manifest: dict[str, object]) -> None:
    manifest["format"] = 99


@pytest.mark.parametrize(
    ("change", "said"),
    [(remove_identity, "holds 2 beats of seed 7"), (of_another_version, "'keep' holds 'groove")],
)
def test_what_cannot_be_compared_is_another_request(
    place: Path, change: Callable[[dict[str, object]], None], said: str
) -> None:
    generate(place, *FIRST)
    path = place / "keep" / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    before = contents(place / "keep")
    message = generate(place, *FIRST, expect=1)
    assert (said in message or "did not write" in message, "--output-dir 'keep-2'" in message) == (True, True)
    assert contents(place / "keep") == before
