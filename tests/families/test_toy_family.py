"""A sixth family goes the whole way, from MIDI to MIDI, without a change to any other module."""

from __future__ import annotations

import json
from pathlib import Path

import mido
import pytest
from fixtures import toy_family
from fixtures.command_line import run_here
from gmd_vae.configuration.window_specs import MagentaWindows
from gmd_vae.families import FAMILIES
from gmd_vae.families.parameters import count_parameters

NAME = toy_family.CONFIG.name


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step of docs/architecture.md that makes the family known."""
    monkeypatch.setitem(FAMILIES, "bass-lines", ("fixtures.toy_family", "BASS_LINES"))
    monkeypatch.setenv("GMD_VAE_CONFIGS", toy_family.__file__)


@pytest.fixture
def home(tmp_path: Path, registered: None) -> Path:
    """A folder with MIDI files of two bars of bass, and drums that are no part of it."""
    (tmp_path / "bass").mkdir()
    for number in range(12):
        file, track = mido.MidiFile(ticks_per_beat=480), mido.MidiTrack()
        track.append(mido.Message("program_change", channel=0, program=33))
        for beat in range(8):
            pitch = 28 + (number + beat * (number % 5)) % 12
            track.append(mido.Message("note_on", channel=0, note=pitch, velocity=90, time=0))
            track.append(mido.Message("note_off", channel=0, note=pitch, time=480))
        file.tracks.append(track)
        file.save(tmp_path / "bass" / f"{number}.mid")
    return tmp_path


def test_its_parameters_are_counted(registered: None) -> None:
    encoder, decoder = 2 * ((90 + 16) * 64 + 64), (90 + 4 + 16) * 64 + 64
    dense = 2 * (32 * 4 + 4) + (4 * 32 + 32) + (16 * 90 + 90)
    assert count_parameters(toy_family.CONFIG) == encoder + decoder + dense


def test_a_config_that_is_not_of_the_family_is_refused(registered: None) -> None:
    windows = MagentaWindows(NAME, bars=1, steps=16, parts=("melody",))
    with pytest.raises(ValueError, match="one part, 'bass'"):
        toy_family.BASS_LINES.check(toy_family.CONFIG.replace(windows=windows))


@pytest.mark.tensorflow
@pytest.mark.usefixtures("without_pictures", "few_decoded")
def test_the_whole_way(home: Path) -> None:
    shown = run_here(home, "configs", NAME).stdout
    assert "bass (of 90)" in shown
    run_here(home, "convert", "bass", "--output-dir", "notes")
    run_here(home, "preprocess", "notes/train.tfrecord", "--config", NAME, "--output-dir", "examples", "--jobs", "1")
    manifest = json.loads((home / "examples/manifest.json").read_text())
    assert manifest["splits"]["train"]["examples"] > 8
    run_here(home, "train", "--config", NAME, "--examples-path", "examples", "--run-dir", "run")
    (result,) = json.loads(
        run_here(
            home, "evaluate", "run", "--split", "train", "--samples", "8", "--importance-samples", "1", "--json"
        ).stdout
    )["results"]
    assert 0 <= result["reconstruction"]["free_running"]["steps_right"]["value"] <= 1
    run_here(home, "generate", "--run-dir", "run", "-n", "4", "--temperature", "1", "--output-dir", "made")
    made = [mido.MidiFile(path) for path in sorted((home / "made").glob("*.mid"))]
    assert len(made) == 4
    assert sum(message.type == "note_on" for file in made for message in file) > 0
