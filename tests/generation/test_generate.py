"""Generating for real, from a checkpoint at tiny sizes."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import mido
import numpy as np
import pytest

from pipeline.errors import GmdVaeError
from pipeline.examples.spec import NINE_CLASSES
from pipeline.files import sha256
from pipeline.generation.inputs import first_window
from pipeline.models import checkpoints
from pipeline.models.registry import get_config
from pipeline.notes.midi import midi_to_note_sequence, note_sequence_to_midi_bytes
from pipeline.training.run import read_config

pytestmark = pytest.mark.tensorflow

Make = Callable[..., Path]


@pytest.fixture
def make(tiny_run: Path, tmp_path: Path) -> Make:
    """Generates into a new folder; returns the folder."""
    from pipeline.generation.generate import Request, generate

    config, hparams = read_config(tiny_run)

    def make(name: str, mode: str = "sample", count: int = 3, seed: int = 5, inputs: tuple[Path, ...] = ()) -> Path:
        windows = [first_window(path, config) for path in inputs]
        request = Request(mode, count, 1.0, seed)
        beats = generate(request, config, hparams, checkpoints.find(tiny_run), windows, tmp_path / name)
        assert [beat.path for beat in beats] == sorted((tmp_path / name).glob("*.mid"))
        return tmp_path / name

    return make


def digests(folder: Path) -> list[str]:
    return [sha256(path) for path in sorted(folder.glob("*.mid"))]


def test_the_same_seed_gives_the_same_bytes_however_many_are_made(make: Make) -> None:
    few, again, many = digests(make("few")), digests(make("again")), digests(make("many", count=20))
    assert few == again
    assert many[:3] == few
    assert len(set(many)) > 15  # and they are not all one beat


def test_another_seed_gives_other_beats(make: Make) -> None:
    assert not set(digests(make("five", seed=5))) & set(digests(make("six", seed=6)))


def test_beats_are_drums_on_channel_ten_within_four_bars(make: Make) -> None:
    for path in make("beats").glob("*.mid"):
        midi = mido.MidiFile(path)
        notes = [message for track in midi.tracks for message in track if message.type == "note_on"]
        assert notes
        assert {note.channel for note in notes} == {9}
        assert 0 < midi.length <= 4 * 4 * 0.5 + 0.01  # four bars at 120 quarters a minute, in seconds


def test_an_interpolation_starts_and_ends_where_its_inputs_are(make: Make, starter_midi: list[Path]) -> None:
    one, other = starter_midi[:2]
    there = make("there", mode="interpolate", count=5, inputs=(one, other))
    assert len(list(there.glob("interpolate-*.mid"))) == 5
    manifest = json.loads((there / "manifest.json").read_text())
    assert [entry["sha256"] for entry in manifest["inputs"]] == [sha256(one), sha256(other)]


def test_two_equal_inputs_work(make: Make, starter_midi: list[Path]) -> None:
    folder = make("same", mode="interpolate", count=3, inputs=(starter_midi[0], starter_midi[0]))
    assert len(digests(folder)) == 3


def test_the_manifest_says_from_what_and_how(make: Make, tiny_run: Path) -> None:
    folder = make("told", seed=9)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["stage"], manifest["mode"], manifest["seed"], manifest["count"]) == ("generate", "sample", 9, 3)
    assert {entry["name"]: entry["sha256"] for entry in manifest["files"]} == {
        path.name: sha256(path) for path in folder.glob("*.mid")
    }
    prefix = checkpoints.find(tiny_run)
    assert [file["sha256"] for file in manifest["checkpoint"]["files"]] == [
        sha256(file) for file in checkpoints.files_of(prefix)
    ]
    assert str(tiny_run) not in (folder / "manifest.json").read_text()


def test_the_manifest_counts_bytes_and_notes(make: Make) -> None:
    folder = make("counted")
    for entry in json.loads((folder / "manifest.json").read_text())["files"]:
        path = folder / entry["name"]
        assert entry["bytes"] == path.stat().st_size
        events = [message for track in mido.MidiFile(path).tracks for message in track if message.type == "note_on"]
        assert entry["notes"] == sum(message.velocity > 0 for message in events) > 0


def test_the_files_are_those_of_magentas_converter(make: Make, tiny_run: Path) -> None:
    """What a file says, as Magenta would write it, has the file's bytes."""
    from pipeline.models.magenta import build_config

    converter = build_config(read_config(tiny_run)[0]).data_converter
    for path in make("compared").glob("*.mid"):
        one_hot = np.zeros([64, 512], np.float32)
        labels = np.zeros(64, np.int64)
        for note in midi_to_note_sequence(path.read_bytes(), "made", path.name).notes:
            drum = [pitches[0] for pitches in NINE_CLASSES].index(note.pitch)
            labels[round(note.start_time / 0.125)] |= 1 << drum
        one_hot[np.arange(64), labels] = 1
        (sequence,) = converter.from_tensors([one_hot])
        assert note_sequence_to_midi_bytes(sequence) == path.read_bytes()


def test_a_config_whose_decoder_writes_drum_rolls_goes_by_magentas_converter(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.generation import generate as module
    from pipeline.models.magenta import build_config

    config = get_config("nade-drums_2bar_reduced")
    converter = build_config(config).data_converter

    class Rolls:
        """A model whose every window is kick and snare together at its first step, then silence."""

        z_size = 4
        makes_labels = False
        layers: ClassVar[dict[str, str]] = {}

        def __init__(self, *_: Any) -> None: ...

        def __enter__(self) -> Rolls:
            return self

        def __exit__(self, *_: Any) -> None: ...

        def decode(self, z: Any, temperature: float) -> list[Any]:
            roll = np.zeros([32, 9], np.float32)
            roll[0, :2] = 1
            return [roll] * len(z)

        def to_note_sequences(self, windows: Any) -> Any:
            return converter.from_tensors(np.array(windows))

    monkeypatch.setattr(module, "TrainedVae", Rolls)
    request = module.Request("sample", 2, 1.0, 0)
    beats = module.generate(request, config, config.hparams, checkpoints.find(tiny_run), [], tmp_path / "rolls")
    assert [beat.notes for beat in beats] == [2, 2]
    for beat in beats:
        notes = midi_to_note_sequence(beat.path.read_bytes(), "made", beat.path.name).notes
        assert sorted((note.start_time, note.pitch) for note in notes) == [(0.0, 36), (0.0, 38)]


def test_a_checkpoint_of_another_config_is_refused_with_the_sizes(tiny_run: Path, tmp_path: Path) -> None:
    from pipeline.generation.generate import Request, generate

    config = get_config("hierdec-drum_4bar_small")  # at its own sizes
    with pytest.raises(GmdVaeError, match=r"not of this config.* × .*the config makes it"):
        generate(Request("sample", 1, 1.0, 0), config, config.hparams, checkpoints.find(tiny_run), [], tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_config_that_needs_chords_says_so(tmp_path: Path) -> None:
    from pipeline.generation.generate import Request, generate

    config = get_config("cat-mel_2bar_med_chords")
    with pytest.raises(GmdVaeError, match="given chords"):
        generate(Request("sample", 1, 1.0, 0), config, config.hparams, tmp_path / "none", [], tmp_path / "x")


def test_what_is_rendered_is_in_the_manifest(tiny_run: Path, tmp_path: Path) -> None:
    from pipeline.generation.generate import Request, generate
    from pipeline.rendering.files import render_beside

    config, hparams = read_config(tiny_run)
    folder = tmp_path / "seen"
    render = functools.partial(render_beside, wav=True, png=True)
    generate(Request("sample", 1, 1.0, 5), config, hparams, checkpoints.find(tiny_run), [], folder, render=render)
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert [entry["name"] for entry in entries] == ["sample-000.mid", "sample-000.wav", "sample-000.png"]
    assert [entry["sha256"] for entry in entries] == [sha256(folder / entry["name"]) for entry in entries]
    assert sorted(path.name for path in folder.iterdir()) == sorted(["manifest.json", *(e["name"] for e in entries)])
