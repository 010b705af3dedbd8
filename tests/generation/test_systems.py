"""Every family of models: the same music as Magenta's own ``TrainedModel``, and files with the decoded music."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import mido
import numpy as np
import pretty_midi
import pytest
from fixtures.midi import instruments_midi, note
from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.families.groovae import GROOVAE
from gmd_vae.generation.decoded.midi_files import FilePlan
from gmd_vae.generation.generate import generate
from gmd_vae.generation.inputs.chords import chord_controls
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.groove_reader import GrooveReader
from gmd_vae.generation.inputs.input_windows import InputReader, InputWindow
from gmd_vae.generation.inputs.midi_input import read_midi_file
from gmd_vae.generation.job import GenerationJob
from gmd_vae.generation.model import ModelSource
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GenerationRequest
from gmd_vae.generation.sources import CheckpointSource
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.writer import Instrument

pytestmark = pytest.mark.tensorflow

TINY = "enc_rnn_size=[8],dec_rnn_size=[8],z_size=4,batch_size=5"
DRUMS, ROLL = "cat-drums_2bar_small", "nade-drums_2bar_reduced"
MELODY, TRIO, TRACKS = "hierdec-mel_16bar", "hierdec-trio_16bar", "hier-multiperf_vel_1bar_med_chords"
CHORDS, FOLLOW = "cat-mel_2bar_med_chords", "groovae_2bar_hits_control_tfds"
# Magenta's graphs of 8 or 16 segments take half a minute to build, so these have few short segments
SEGMENTS = {MELODY: [2, 16], TRACKS: [2, 16], TRIO: [1, 16]}
COLD = 1e-9


def reader(name: str) -> InputReader:
    return family_of(get_config(name)).input_reader(get_config(name))


@dataclasses.dataclass
class System:
    """A model with random weights, opened by Magenta's ``TrainedModel`` and by ours."""

    name: str
    hparams: dict[str, Any]
    checkpoint: Path
    stock: Any
    ours: Any

    @property
    def steps(self) -> int:
        return int(self.hparams["max_seq_len"])


class Systems:
    """Makes each system once: building its graphs takes seconds."""

    made: ClassVar[dict[str, System]] = {}

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str) -> System:
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]

    def make(self, name: str) -> System:
        from gmd_vae.magenta.api import build_config, configs, tf  # isort: skip  Magenta needs it to be the first
        from gmd_vae.models.inference.sampler import Sampler
        from magenta.models.music_vae.trained_model import TrainedModel

        config = get_config(name)
        segments = SEGMENTS.get(name, [])
        steps = segments[0] * segments[1] if segments else config.hparams["max_seq_len"]
        hparams = {**resolve(config, TINY), "max_seq_len": steps}
        prefix = self.folder / name / "model.ckpt-1"
        prefix.parent.mkdir()
        random = np.random.default_rng(0)

        def instead_of_restoring(saver: Any, session: Any, path: str) -> None:
            session.run(tf.global_variables_initializer())
            for variable in tf.global_variables():
                if variable.dtype.base_dtype == tf.float32:
                    variable.load(random.normal(0, 0.7, variable.shape.as_list()), session)
            saver.save(session, str(prefix), write_meta_graph=False)

        with pytest.MonkeyPatch.context() as patch:
            model, converter = configs.CONFIG_MAP[name].model, configs.CONFIG_MAP[name].data_converter
            if segments:
                patch.setattr(model.decoder, "_level_lengths", segments)
            if name == TRACKS:
                patch.setattr(model.encoder, "_level_lengths", segments[::-1])
                patch.setattr(converter, "_length_shape", (segments[0],))
            with pytest.MonkeyPatch.context() as saving:
                saving.setattr(tf.train.Saver, "restore", instead_of_restoring)
                stock = TrainedModel(build_config(config, hparams), 5, str(prefix))
            ours = Sampler(config, hparams, prefix, seed=0)
            _ = ours._decoder  # made while the segments are few
        return System(name, hparams, prefix, stock, ours)


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Systems]:
    yield Systems(tmp_path_factory.mktemp("systems"))
    for made in Systems.made.values():
        made.ours.__exit__(None, None, None)
    Systems.made.clear()


@pytest.mark.parametrize("name", [DRUMS, ROLL, MELODY, TRIO, TRACKS, CHORDS, FOLLOW])
def test_the_music_is_that_of_magentas_trained_model(systems: Systems, name: str) -> None:
    system = systems(name)
    z = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
    depth = system.ours.control_depth
    shared = (
        np.eye(depth, dtype=np.float32)[np.random.default_rng(2).integers(0, depth, system.steps)] if depth else None
    )
    theirs = np.array(system.stock.decode_to_tensors(z, system.steps, COLD, shared))
    if system.ours.makes_labels:
        theirs = theirs.argmax(axis=-1)
    ours = np.array(system.ours.decode(z, COLD, controls=None if shared is None else [shared] * 5))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert len(np.unique(ours.reshape(5, -1), axis=0)) > 1  # the music depends on z
    if shared is None:
        return
    # controls for each row: equal to Magenta's decoding of that row alone
    own = [np.roll(shared, row, axis=0) for row in range(5)]
    alone = [system.stock.decode_to_tensors(z[row : row + 1], system.steps, COLD, own[row])[0] for row in range(3)]
    np.testing.assert_allclose(system.ours.decode(z, COLD, controls=own)[:3], alone, atol=1e-5)
    with pytest.raises(ValueError, match="needs controls"):
        system.ours.decode(z, COLD)


@pytest.fixture
def make(systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Generates with a system into a new folder; returns the folder."""

    @contextlib.contextmanager
    def opened(config: Any, *_: Any) -> Iterator[Any]:
        yield systems(config.name).ours

    monkeypatch.setattr("gmd_vae.models.inference.sampler.Sampler", opened)

    def source_of(name: str) -> ModelSource:
        return CheckpointSource(get_config(name), systems(name).hparams, systems(name).checkpoint)

    def make(
        name: str, folder: str, inputs: GenerationInputs | None = None, humanizer: str = "", **settings: Any
    ) -> Path:
        request = GenerationRequest(**{"count": 3, "temperature": 1.0, **settings})
        performer = source_of(humanizer) if humanizer else None
        generate(
            GenerationJob(
                request, source_of(name), tmp_path / folder, inputs or GenerationInputs(), humanizer=performer
            )
        )
        return tmp_path / folder

    return make


def read_manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return content


def hits_of(path: Path) -> set[tuple[int, int]]:
    """The step and the drum class of each note of a file, whatever its offset."""
    config = get_config("groovae_2bar_humanize")
    windows = GrooveReader(config, GROOVAE.groove(config)).song(read_midi_file(path)).windows
    hits = np.concatenate([window.given_hits for window in windows if window.given_hits is not None])
    return {(int(step), int(drum)) for step, drum in zip(*np.nonzero(hits), strict=True)}


def test_a_song_has_its_chords_bar_for_bar(systems: Systems, make: Callable[..., Path]) -> None:
    folder = make(CHORDS, "chords", chords=("C", "G", "Am", "F"), count=2, join=True)
    files = sorted(folder.glob("*.mid"))
    assert [path.name.split("_")[-2:] for path in files] == [
        [number, "120bpm.mid"] for number in ("000", "001", "joined")
    ]
    for path, bars in zip(files, (4, 4, 8), strict=True):
        midi = mido.MidiFile(path)
        assert sum(message.time for message in midi.tracks[0]) == bars * 4 * 480
        texts = [message.text for message in midi.tracks[0] if message.type == "text"]
        assert texts == ["C", "G", "Am", "F"] * (bars // 4)
    assert read_manifest(folder)["chords"] == ["C", "G", "Am", "F"]
    z = np.load(folder / "latents.npz")["z"]
    np.testing.assert_array_equal(z[0], z[1])  # one z, and other chords
    chord_bars = family_of(get_config(CHORDS)).chord_bars(get_config(CHORDS))
    controls = [chord_controls(pair, chord_bars) for pair in (("C", "G"), ("Am", "F"))] * 2
    windows = systems(CHORDS).ours.decode(z, 1.0, controls=controls)
    expected = [
        (round((begin + note.start_time * 2) * 4), note.pitch)
        for begin, sequence in zip((0, 8), systems(CHORDS).ours.to_note_sequences(windows[:2]), strict=True)
        for note in sequence.notes
    ]
    notes = midi_to_note_sequence(files[0].read_bytes(), "", "x").notes
    assert sorted((round(note.start_time * 8), note.pitch) for note in notes) == sorted(expected)


def test_given_hits_are_played_and_nothing_else(make: Callable[..., Path], starter_midi: list[Path]) -> None:
    source = starter_midi[0]
    song = reader(FOLLOW).song(read_midi_file(source))
    folder = make(FOLLOW, "groove", GenerationInputs(songs=(song,)), mode="groove", temperature=0.0)
    (made,) = folder.glob("*.mid")
    assert hits_of(made) == hits_of(source)
    sequence = midi_to_note_sequence(made.read_bytes(), "", "x")
    assert sequence.tempos[0].qpm == pytest.approx(song.tempo, rel=1e-4)
    assert len({note.velocity for note in sequence.notes}) > 3
    bar = 240 / song.tempo
    assert mido.MidiFile(made).length == pytest.approx(song.bars * bar, rel=1e-3)


def test_a_groovae_plays_the_drums_of_another_model(systems: Systems, make: Callable[..., Path]) -> None:
    plain = sorted(make(ROLL, "plain", bars=5, join=True).glob("*.mid"))
    folder = make(ROLL, "played", bars=5, join=True, humanizer=FOLLOW)
    played = sorted(folder.glob("*.mid"))
    assert [hits_of(path) for path in played] == [hits_of(path) for path in plain]
    velocities = {note.velocity for note in midi_to_note_sequence(played[0].read_bytes(), "", "x").notes}
    assert len(velocities) > 3
    assert mido.MidiFile(played[0]).length == pytest.approx(5 * 2)
    of_run = read_manifest(folder)["humanizer"]
    assert of_run["config"] == FOLLOW
    assert {file["name"] for file in of_run["files"]} == {"model.ckpt-1.index", "model.ckpt-1.data-00000-of-00001"}
    alone = make(ROLL, "alone", bars=5, humanizer=FOLLOW, only=2)
    assert next(alone.glob("*_002_*.mid")).read_bytes() == played[2].read_bytes()
    windows = systems(ROLL).ours.decode(np.load(folder / "latents.npz")["z"][:3], 1.0)
    music = family_of(get_config(ROLL)).decoded_music(get_config(ROLL))
    labels = np.concatenate([music.steps(window) for window in windows])[:80]
    assert hits_of(plain[0]) == {(step, drum) for step in range(80) for drum in range(9) if labels[step] >> drum & 1}


@pytest.fixture(scope="module")
def melody(tmp_path_factory: pytest.TempPathFactory) -> tuple[InputWindow, ...]:
    source = tmp_path_factory.mktemp("melody") / "melody.mid"
    notes = tuple(note(at, at + 1, pitch, 90) for at, pitch in enumerate((60, 64, 67, 72, 69, 72, 76, 81)))
    source.write_bytes(instruments_midi([Instrument("melody", 0, False, notes)], 2, 75.0))
    return reader(CHORDS).windows(read_midi_file(source))


@pytest.mark.parametrize("mode", ["reconstruct", "vary", "continue"])
def test_an_input_melody_keeps_its_own_chords(
    make: Callable[..., Path], melody: tuple[InputWindow, ...], mode: str
) -> None:
    given = GenerationInputs(melody[:1])
    folder = make(CHORDS, "own", given, mode=mode, count=2, bars=4 if mode == "continue" else None, distance=3)
    (entry,) = read_manifest(folder)["inputs"]
    assert len(entry["chords"]) == 2
    assert entry["steps_right"].keys() == {"melody"}
    texts = [
        message.text for message in mido.MidiFile(next(folder.glob("*_000_*.mid"))).tracks[0] if message.type == "text"
    ]
    assert texts[0] == entry["chords"][0]


TRIO_INSTRUMENTS = [
    Instrument("melody", 0, False, tuple(note(at, at + 1, 60 + at % 12, 80) for at in range(64))),
    Instrument("bass", 33, False, tuple(note(at, at + 2, 36 + at % 5, 80) for at in range(0, 64, 2))),
    Instrument("drums", 0, True, tuple(note(at / 2, at / 2 + 0.25, (36, 42)[at % 2], 80) for at in range(128))),
]
TRACK_INSTRUMENTS = [
    Instrument("a", 5, False, tuple(note(at, at + 1, 60 + at, 60 + 8 * at) for at in range(8))),
    Instrument("b", 5, False, tuple(note(at, at + 0.5, 48 + at, 90) for at in range(8))),
    Instrument("c", 40, False, (note(0, 4, 70, 100), note(4, 8, 72, 100))),
    Instrument("d", 0, True, tuple(note(at, at + 0.25, 38, 110) for at in range(8))),
]


@pytest.mark.parametrize(
    ("name", "instruments", "bars"),
    [(TRIO, TRIO_INSTRUMENTS, 16), ("hier-multiperf_vel_1bar_med", TRACK_INSTRUMENTS, 2)],
)
def test_written_parts_are_read_back(tmp_path: Path, name: str, instruments: list[Instrument], bars: int) -> None:
    from gmd_vae.magenta.api import build_config

    config, source = get_config(name), tmp_path / "source.mid"
    music = family_of(config).decoded_music(config)
    source.write_bytes(instruments_midi(instruments, bars))
    windows = [window.target for window in reader(name).windows(read_midi_file(source))]
    assert len(windows) * music.output.bars == bars
    converter = build_config(config).data_converter

    class ConverterModel:
        def to_note_sequences(self, windows: Any) -> Any:
            return converter.from_tensors(np.array(windows))

    plan = FilePlan("mine", "sample", 0, range(1), 1, [windows], (), None, [()], (), Playing(100.0), join=False)  # type: ignore[list-item]
    (made,) = music.midi_files(plan, ConverterModel(), None)  # type: ignore[arg-type]
    (tmp_path / "made.mid").write_bytes(made.data)
    again = reader(name).windows(read_midi_file(tmp_path / "made.mid"))
    for window, before in zip(again, windows, strict=True):
        np.testing.assert_array_equal(window.target, before)
    ours = midi_to_note_sequence(made.data, "", "x")
    theirs = pretty_midi.PrettyMIDI(io.BytesIO(made.data))
    assert ours.tempos[0].qpm == pytest.approx(100)
    assert len(ours.notes) == made.notes == sum(len(each.notes) for each in instruments)
    wanted = sorted((each.is_drum, each.program, len(each.notes)) for each in instruments)
    assert sorted((each.is_drum, each.program, len(each.notes)) for each in theirs.instruments) == wanted
    channels = {
        message.channel
        for track in mido.MidiFile(tmp_path / "made.mid").tracks
        for message in track
        if message.type == "note_on"
    }
    assert channels == {*range(len(instruments) - 1), 9}


def test_the_task_of_each_groovae_is_that_of_magentas_converter() -> None:
    from gmd_vae.families.groove_columns import Groove
    from gmd_vae.magenta.api import configs

    for name, theirs in configs.CONFIG_MAP.items():
        converter = theirs.data_converter
        if type(converter).__name__ != "GrooveConverter":
            continue
        added = tuple(converter._add_instruments or ())
        tasks = {"humanize": converter._humanize, "tap": converter._tapify, "add": added}
        tasks["follow"] = converter._hits_as_controls
        task = next((task for task, does in tasks.items() if does), "play")
        assert GROOVAE.groove(get_config(name)) == Groove(task, added, converter._hits_as_controls)  # type: ignore[arg-type]
        assert converter._fixed_velocities == (task == "tap")
