"""``generate`` from end to end, with a checkpoint of tiny sizes."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from fixtures.against_note_seq import note_sequence_to_midi_bytes
from fixtures.models import random_model
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import sha256
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.generation.generate import generate
from gmd_vae.generation.inputs.drum_reader import DrumReader
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.generation.job import GenerationJob
from gmd_vae.generation.latent.attribute_vectors import AttributeChange, AttributeSource
from gmd_vae.generation.latent.latent_files import read_latents
from gmd_vae.generation.model import ModelSource
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GenerationRequest, Move
from gmd_vae.generation.sources import CheckpointSource, ModelFileSource
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.models import checkpoints
from gmd_vae.models.model_file import write_model
from gmd_vae.training.run.folder import open_run

pytestmark = pytest.mark.tensorflow

Make = Callable[..., Path]
READER = DrumReader(get_config(DEFAULT_CONFIG))


def source_of(folder: Path) -> ModelSource:
    run = open_run(folder)
    return CheckpointSource(run.config, run.hparams, checkpoints.find(folder))


@pytest.fixture(scope="module")
def opened_samplers(tiny_run: Path) -> Iterator[Callable[..., Any]]:
    """Opens the tiny run's model once for each seed: building the graphs takes seconds."""
    from gmd_vae.models.inference.sampler import Sampler

    samplers: dict[int, Sampler] = {}

    @contextlib.contextmanager
    def open_once(config: Any, hparams: Any, checkpoint: Path, seed: int, layers: Any) -> Iterator[Any]:
        if seed not in samplers:
            samplers[seed] = Sampler(config, hparams, checkpoint, seed, layers)
        yield samplers[seed]

    yield open_once
    for sampler in samplers.values():
        sampler.__exit__(None, None, None)


@pytest.fixture
def make(tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_samplers: Callable[..., Any]) -> Make:
    """Generates into a new folder; returns the folder."""
    monkeypatch.setattr("gmd_vae.models.inference.sampler.Sampler", opened_samplers)
    run = open_run(tiny_run)
    attributes = AttributeSource(run.examples, run.examples_digest, tmp_path / "attributes")

    def make(
        name: str,
        inputs: GenerationInputs | None = None,
        playing: Playing | None = None,
        source: ModelSource | None = None,
        **settings: Any,
    ) -> Path:
        request = GenerationRequest(**{"count": 3, "seed": 5, "temperature": 1.0, **settings})
        folder = tmp_path / name
        job = GenerationJob(
            request,
            source or source_of(tiny_run),
            folder,
            inputs or GenerationInputs(),
            playing or Playing(),
            attributes if request.mode == "attribute" else None,
        )
        result = generate(job)
        assert sorted(file.path for file in result.files) == sorted(folder.glob("*.mid"))
        return folder

    return make


def windows(*paths: Path) -> GenerationInputs:
    return GenerationInputs(tuple(READER.window(read_midi_file(path)) for path in paths))


def read_manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def digests(folder: Path) -> list[str]:
    return [sha256(path) for path in sorted(folder.glob("*.mid"))]


def labels_of(path: Path) -> list[int]:
    """The labels of a MIDI file with straight sixteenths, at any tempo."""
    sequence = midi_to_note_sequence(path.read_bytes(), "made", path.name)
    step = 15 / sequence.tempos[0].qpm
    midi = mido.MidiFile(path)
    labels = [0] * round(midi.length / step)
    for note in sequence.notes:
        drum = [pitches[0] for pitches in NINE_CLASSES].index(note.pitch)
        labels[round(note.start_time / step)] |= 1 << drum
    return labels


def test_the_same_seed_gives_the_same_bytes_for_any_count(make: Make) -> None:
    few, again, many = digests(make("few")), digests(make("again")), digests(make("many", count=20))
    assert few == again
    assert many[:3] == few
    assert len(set(many)) > 15  # not all the same beat


def test_another_seed_gives_other_beats(make: Make) -> None:
    assert not set(digests(make("five", seed=5))) & set(digests(make("six", seed=6)))


def test_beats_are_drums_on_channel_ten_of_exactly_four_bars(make: Make) -> None:
    paths = list(make("beats").glob("*.mid"))
    assert len(paths) == 3
    for path in paths:
        midi = mido.MidiFile(path)
        (track,) = midi.tracks
        notes = [message for message in track if message.type == "note_on"]
        assert notes
        assert {note.channel for note in notes} == {9}
        assert midi.length == pytest.approx(4 * 4 * 0.5)  # seconds at 120 quarter notes per minute
        assert track.name == path.stem


def test_an_interpolation_is_between_its_inputs(make: Make, starter_midi: list[Path]) -> None:
    one, other = starter_midi[:2]
    there = make("there", windows(one, other), mode="interpolate", count=5)
    assert len(list(there.glob("*_interpolate_*.mid"))) == 5
    inputs = read_manifest(there)["inputs"]
    assert [entry["sha256"] for entry in inputs] == [sha256(one), sha256(other)]
    assert all(0 <= entry["steps_right"] <= entry["steps"] == 64 for entry in inputs)


def test_two_equal_inputs_work(make: Make, starter_midi: list[Path]) -> None:
    folder = make("same", windows(starter_midi[0], starter_midi[0]), mode="interpolate", temperature=0.0)
    assert len(set(map(tuple, map(labels_of, folder.glob("*.mid"))))) == 1


def test_joined_beats_follow_each_other(make: Make) -> None:
    folder = make("joined", GenerationInputs(seeds=(3, 4)), mode="interpolate", join=True)
    alone = [labels_of(path) for path in sorted(folder.glob("*_interpolate_seed5_0*.mid"))]
    assert labels_of(next(folder.glob("*_joined_*.mid"))) == [label for labels in alone for label in labels]


def test_a_seed_stands_for_its_first_sample(make: Make) -> None:
    ends = make("ends", GenerationInputs(seeds=(3, 4)), mode="interpolate", temperature=0.0)
    first = make("first", seed=3, count=1, temperature=0.0)
    assert labels_of(next(ends.glob("*_000_*.mid"))) == labels_of(next(first.glob("*_000_*.mid")))


def test_a_song_is_reconstructed_bar_for_bar_at_its_tempo(make: Make, make_midi: Any, tmp_path: Path) -> None:
    """Six bars: two windows, of which the second one overlaps the first."""
    path = tmp_path / "song.mid"
    tempo = b"\x00\xff\x51\x03" + (60_000_000 // 90).to_bytes(3, "big")
    path.write_bytes(make_midi([(quarter * 480, 36 + 2 * (quarter % 2)) for quarter in range(24)], before=tempo))
    song = READER.song(read_midi_file(path))
    folder = make("song", GenerationInputs(songs=(song,)), mode="reconstruct", temperature=0.0)
    (midi,) = folder.glob("*.mid")
    assert len(labels_of(midi)) == 6 * 16
    assert midi_to_note_sequence(midi.read_bytes(), "", "x").tempos[0].qpm == pytest.approx(90, rel=1e-4)
    (entry,) = read_manifest(folder)["inputs"]
    true = [0] * 96
    for quarter in range(24):
        true[4 * quarter] = 1 if quarter % 2 == 0 else 2
    assert entry["steps"] == 96
    assert entry["steps_right"] == sum(a == b for a, b in zip(labels_of(midi), true, strict=True))


def test_longer_beats_have_the_requested_bars(make: Make) -> None:
    folder = make("long", bars=6, count=2)
    assert [len(labels_of(path)) for path in sorted(folder.glob("*.mid"))] == [96, 96]


def test_variations_and_attributes_have_figures(make: Make, starter_midi: list[Path], tmp_path: Path) -> None:
    path, model = tmp_path / "random.safetensors", random_model()  # the trained one decodes every z to the same music
    write_model(path, model)
    source = ModelFileSource("random", path, model)
    varied = make("varied", windows(starter_midi[0]), source=source, mode="vary", temperature=0.0, distance=4)
    assert all(entry["steps_differing"] >= 1 for entry in read_manifest(varied)["files"])
    near = make("near", windows(starter_midi[0]), source=source, radius=0.5, count=2, bars=8)
    own = windows(starter_midi[0]).windows[0].target
    for folder in (varied, near):
        for entry in read_manifest(folder)["files"]:
            beats = np.reshape(labels_of(folder / entry["name"]), (-1, len(own)))
            assert entry["steps_from_input"] == round((beats != own).sum(axis=1).mean()) > 0
    assert all("steps_differing" not in entry for entry in read_manifest(near)["files"])
    moved = make("moved", source=source, mode="attribute", moves=(Move("busier", -1.0, 1.0),), temperature=0.0)
    for entry in read_manifest(moved)["files"]:
        hits = sum(label.bit_count() for label in labels_of(moved / entry["name"]))
        assert entry["busier"] == hits / 4


def test_the_effect_of_attributes_is_told_for_one_file_too(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = tmp_path / "random.safetensors", random_model()
    write_model(path, model)
    moves = (Move("busier", -1.0, 1.0), Move("ride", 0.0, 0.0))
    settings: dict[str, Any] = {"source": ModelFileSource("random", path, model), "mode": "attribute", "moves": moves}
    many = make("many", temperature=0.0, count=3, **settings)
    first, middle, last = read_manifest(many)["files"]
    busier, ride = read_manifest(many)["attribute_changes"]
    values = {"before": first["busier"], "after": last["busier"], "unmoved": middle["busier"]}
    assert busier == {"attribute": "busier", "asked": 2.0, "start": -1.0, **values}
    assert (ride["asked"], AttributeChange(**ride).not_followed) == (0.0, [])
    (alone, _) = read_manifest(make("alone", temperature=1.0, count=3, only=1, **settings))["attribute_changes"]
    assert alone == busier
    monkeypatch.setattr("gmd_vae.generation.compose.vectors_for_moves", lambda *_: dict.fromkeys(("busier", "ride"), 0))
    (change, _) = read_manifest(make("unmoved", **settings))["attribute_changes"]
    ends = ["busier: asked for -1, changed by +0", "busier: asked for +1, changed by +0"]
    assert AttributeChange(**change).not_followed == ends


def test_attribute_vectors_are_computed_once(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gmd_vae.generation.latent import attribute_vectors

    settings: dict[str, Any] = {"mode": "attribute", "moves": (Move("ride", 0.0, 1.0),)}
    first = digests(make("one", **settings))
    assert json.loads((tmp_path / "attributes" / "manifest.json").read_text())["stage"] == "attributes"
    monkeypatch.setattr(attribute_vectors, "load_windows", lambda *_: pytest.fail("made again"))
    assert digests(make("two", **settings)) == first
    monkeypatch.undo()
    (tmp_path / "attributes" / "vectors.npz").write_bytes(b"damaged")
    assert digests(make("three", **settings)) == first
    assert (tmp_path / "attributes" / "vectors.npz").read_bytes() == b"damaged", "a changed file is not replaced"


def test_a_single_file_has_the_same_bytes(make: Make) -> None:
    many = make("many", count=70)
    one = make("one", count=70, only=66)
    (path,) = one.glob("*.mid")
    assert path.name.endswith("_sample_seed5_066_120bpm.mid")
    assert path.read_bytes() == (many / path.name).read_bytes()
    assert mido.MidiFile(path).tracks[0].name == path.stem
    with pytest.raises(UsageError, match="numbered from 0 to 69"):
        make("none", count=70, only=70)


def test_rows_are_decoded_in_parts_with_progress(
    make: Make, monkeypatch: pytest.MonkeyPatch, tiny_run: Path, tmp_path: Path
) -> None:
    whole = make("whole", count=130)
    monkeypatch.setattr("gmd_vae.generation.compose._ROWS_AT_ONCE", 64)
    reported: list[tuple[str, float]] = []
    generate(
        GenerationJob(
            GenerationRequest(count=130, seed=5, temperature=1.0),
            source_of(tiny_run),
            tmp_path / "parts",
            progress=lambda task, share: reported.append((task, share)),
        )
    )
    assert digests(tmp_path / "parts") == digests(whole)
    assert [round(share * 130) for task, share in reported if task == "Decoding"] == [64, 128, 130]
    assert len([share for task, share in reported if task == "Writing"]) == 130


def test_latent_vectors_give_the_same_beats_again(make: Make) -> None:
    first = make("first", bars=8, temperature=0.0)
    z = read_latents(first / "latents.npz", 4)
    assert len(z) == 6
    again = make("again", GenerationInputs(vectors=z), count=6, temperature=0.0)
    whole = [label for path in sorted(again.glob("*.mid")) for label in labels_of(path)]
    assert whole == [label for path in sorted(first.glob("*.mid")) for label in labels_of(path)]
    entry = read_manifest(first)["latents"]
    assert (entry["name"], entry["sha256"]) == ("latents.npz", sha256(first / "latents.npz"))


def test_playing_options_are_in_the_notes_and_the_manifest(make: Make) -> None:
    plain = make("plain", count=2)
    played = make("played", playing=Playing(tempo=90.0, velocity=101), count=2)
    assert list(map(labels_of, sorted(plain.glob("*.mid")))) == list(map(labels_of, sorted(played.glob("*.mid"))))
    for path in played.glob("*.mid"):
        sequence = midi_to_note_sequence(path.read_bytes(), "", path.name)
        assert {note.velocity for note in sequence.notes} == {101}
        assert mido.MidiFile(path).length == pytest.approx(16 * 60 / 90, rel=1e-5)
    assert read_manifest(played)["playing"] == {"tempo": 90.0, "velocity": 101, "swing": 50.0, "quantize": True}


def test_too_many_windows_are_refused_before_decoding(make: Make, tmp_path: Path) -> None:
    with pytest.raises(GmdVaeError, match="That is 300,000 windows"):
        make("much", count=300, bars=4000)
    assert not (tmp_path / "much").exists()


def test_the_manifest_has_request_and_checkpoint(make: Make, tiny_run: Path) -> None:
    folder = make("described", seed=9)
    manifest = read_manifest(folder)
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
    entries = read_manifest(folder)["files"]
    assert len(entries) == 3
    for entry in entries:
        path = folder / entry["name"]
        assert entry["bytes"] == path.stat().st_size
        events = [message for track in mido.MidiFile(path).tracks for message in track if message.type == "note_on"]
        assert entry["notes"] == sum(message.velocity > 0 for message in events) > 0


def test_the_notes_are_those_of_magentas_converter(make: Make, tiny_run: Path) -> None:
    """The labels of a file, written by Magenta, give the notes of the file."""
    from gmd_vae.magenta.api import build_config

    converter = build_config(open_run(tiny_run).config).data_converter
    paths = list(make("compared").glob("*.mid"))
    assert len(paths) == 3
    for path in paths:
        labels = labels_of(path)
        one_hot = np.zeros([64, 512], np.float32)
        one_hot[np.arange(64), labels] = 1
        (sequence,) = converter.from_tensors([one_hot])
        magentas = midi_to_note_sequence(note_sequence_to_midi_bytes(sequence), "made", path.name)
        ours = midi_to_note_sequence(path.read_bytes(), "made", path.name)
        assert [note_of(note) for note in ours.notes] == [note_of(note) for note in magentas.notes]
        assert ours.tempos[0].qpm == magentas.tempos[0].qpm


def note_of(note: Any) -> tuple[Any, ...]:
    return note.pitch, note.velocity, round(note.start_time, 9), round(note.end_time, 9), note.is_drum


def test_a_checkpoint_of_another_config_is_refused_with_the_sizes(tiny_run: Path, tmp_path: Path) -> None:
    config = get_config("hierdec-drum_4bar_small")  # at its own sizes
    source = CheckpointSource(config, config.hparams, checkpoints.find(tiny_run))
    with pytest.raises(GmdVaeError, match=r"does not fit the config.* × .*the config makes it"):
        generate(GenerationJob(GenerationRequest(), source, tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_pictures_of_an_interpolation_get_its_labels(tiny_run: Path, tmp_path: Path) -> None:
    seen: dict[str, dict[int, str]] = {}

    def render(data: bytes, path: Path, labels: Mapping[int, str]) -> list[Path]:
        seen[path.name.split("_")[-2]] = dict(labels)
        return []

    request = GenerationRequest(mode="interpolate", count=3, temperature=0.0, join=True)
    inputs = GenerationInputs(seeds=(1, 2))
    generate(GenerationJob(request, source_of(tiny_run), tmp_path / "way", inputs, render=render))
    assert seen == {
        "000": {1: "start"},
        "001": {1: "1/2"},
        "002": {1: "end"},
        "joined": {1: "start", 5: "1/2", 9: "end"},
    }


def test_rendered_files_are_in_the_manifest(tiny_run: Path, tmp_path: Path) -> None:
    from gmd_vae.rendering.files import render_beside

    folder = tmp_path / "seen"
    render = functools.partial(render_beside, wav=True, png=True, tail=False)
    request = GenerationRequest(count=1, seed=5, temperature=1.0)
    generate(GenerationJob(request, source_of(tiny_run), folder, render=render))
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    stem = entries[0]["name"].removesuffix(".mid")
    assert [entry["name"] for entry in entries] == [f"{stem}.mid", f"{stem}.wav", f"{stem}.png"]
    assert [entry["sha256"] for entry in entries] == [sha256(folder / entry["name"]) for entry in entries]
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["manifest.json", "latents.npz", *(e["name"] for e in entries)]
    )
