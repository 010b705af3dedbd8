"""Drum labels as MIDI files: Magenta's notes, whole bars, swing and feel."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows
from gmd_vae.generation.performance.drum_notes import drum_midi
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.groove_performance import GroovePerformance
from gmd_vae.generation.performance.kept_hits import KeptHits
from gmd_vae.generation.performance.playing import Drummer, Playing
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.windows.cutting.played_hits import PlayedHits
from gmd_vae.windows.label_windows import load_windows
from hypothesis import given, settings
from hypothesis import strategies as st

Note = tuple[float, float, int, int, bool, int]
Magenta = Callable[[Sequence[int], DrumWindows], list[Note]]

KICK, SNARE, CLOSED, OPEN = 1, 2, 4, 8
ALL = 511
BEAT = [KICK | CLOSED, 0, CLOSED, 0, SNARE | CLOSED, 0, CLOSED | KICK, 0]

# Steps of a whole number of 480 ticks a quarter, and those that need another number.
STEPS_PER_QUARTER = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 96, 220, 221, 300, 440, 1000]
CLASSES = [
    NINE_CLASSES,
    ((127,), (0,), (64,)),  # the ends of the range, and not in the order of pitch
    ((36,), (38,), (36, 35), (38,)),  # classes that share a pitch: it sounds once
    tuple((pitch,) for pitch in range(80, 68, -1)),
]


def label_of_all(count: int) -> int:
    """Returns the label of all drums at once."""
    return (1 << count) - 1


def notes_of(sequence: Any) -> list[Note]:
    """Returns the notes of a NoteSequence by time and pitch."""
    return sorted(
        (note.start_time, note.end_time, note.pitch, note.velocity, note.is_drum, note.program)
        for note in sequence.notes
    )


def magentas_notes(converter: Any, labels: Sequence[int]) -> list[Note]:
    """Returns the notes that Magenta's converter makes of labels."""
    one_hot = np.zeros([len(labels), converter.output_depth], np.float32)
    one_hot[np.arange(len(labels)), labels] = 1
    (sequence,) = converter.from_tensors([one_hot])
    assert [tempo.qpm for tempo in sequence.tempos] == [120.0]
    return notes_of(sequence)


def read(data: bytes) -> Any:
    return midi_to_note_sequence(data, "made", "beat.mid")


def assert_magentas(labels: Sequence[int], windows: DrumWindows, expected: list[Note]) -> None:
    data, count = drum_midi(labels, windows)
    sequence = read(data)
    found = notes_of(sequence)
    assert [tempo.qpm for tempo in sequence.tempos] == [120.0]
    assert count == len(found) == len(expected)
    if windows.steps_per_quarter == 4:
        assert found == expected, "to the last bit"
    assert [note[2:] for note in found] == [note[2:] for note in expected]
    assert np.array([note[:2] for note in found]) == pytest.approx(np.array([note[:2] for note in expected]), abs=1e-9)


@pytest.fixture(scope="module")
def magenta() -> Magenta:
    from gmd_vae.magenta.api import data

    def make(labels: Sequence[int], windows: DrumWindows) -> list[Note]:
        converter = data.DrumsConverter(
            slice_bars=windows.slice_bars,
            steps_per_quarter=windows.steps_per_quarter,
            quarters_per_bar=windows.quarters_per_bar,
            pitch_classes=windows.pitch_classes,
            roll_input=windows.roll_input,
        )
        return magentas_notes(converter, labels)

    return make


@pytest.fixture(scope="module")
def grooves(starter_examples: Path) -> list[list[int]]:
    """Returns the training windows of the starter set as labels."""
    labels: list[list[int]] = load_windows(starter_examples, "train").labels.tolist()
    assert len(labels) > 20
    return labels


@st.composite
def windows_and_labels(draw: st.DrawFn) -> tuple[DrumWindows, list[int]]:
    windows = DrumWindows(
        steps_per_quarter=draw(st.sampled_from(STEPS_PER_QUARTER)), pitch_classes=draw(st.sampled_from(CLASSES))
    )
    everything = label_of_all(len(windows.pitch_classes))
    label = st.integers(0, everything)
    few = st.sampled_from([0, 0, 0, 0, 1, 2, everything])
    length = draw(st.sampled_from([1, 2, 16, 63, 64]))
    return windows, draw(st.lists(draw(st.sampled_from([label, few])), min_size=length, max_size=length))


@pytest.mark.tensorflow
@settings(max_examples=150, deadline=None)
@given(windows_and_labels())
def test_any_window_has_magentas_notes(magenta: Magenta, case: tuple[DrumWindows, list[int]]) -> None:
    windows, labels = case
    assert_magentas(labels, windows, magenta(labels, windows))


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps", [0, 1, 16, 64, 256])
@pytest.mark.parametrize("label", [0, ALL, KICK])
def test_silence_and_all_drums_at_every_step_have_magentas_notes(magenta: Magenta, label: int, steps: int) -> None:
    labels = [label] * steps
    assert_magentas(labels, DrumWindows(), magenta(labels, DrumWindows()))


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps_per_quarter", STEPS_PER_QUARTER)
@pytest.mark.parametrize("pitch_classes", CLASSES, ids=len)
def test_every_grid_and_kit_has_magentas_notes(
    magenta: Magenta, steps_per_quarter: int, pitch_classes: tuple[tuple[int, ...], ...]
) -> None:
    """All labels in a row, then a lone hit after a pause: a time of two bytes."""
    windows = DrumWindows(steps_per_quarter=steps_per_quarter, pitch_classes=pitch_classes)
    everything = label_of_all(len(pitch_classes))
    labels = [*range(everything, -1, -max(1, everything // 200)), *[0] * 100, 1, everything, 0]
    assert_magentas(labels, windows, magenta(labels, windows))


@pytest.mark.tensorflow
def test_grooves_have_the_notes_of_their_configs_converter(grooves: list[list[int]]) -> None:
    from gmd_vae.magenta.api import build_config

    config = get_config(DEFAULT_CONFIG)
    assert config.windows is not None
    converter = build_config(config).data_converter
    for labels in grooves:
        assert_magentas(labels, config.windows, magentas_notes(converter, labels))


def parsed(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data))


def events(data: bytes) -> list[tuple[int, int, int]]:
    """Tick, pitch and velocity (0: the end) of every note event, in the file's order."""
    found, now = [], 0
    for event in parsed(data).tracks[0]:
        now += event.time
        if event.type == "note_on":
            found.append((now, event.note, event.velocity))
    return found


def labels_in(data: bytes, steps: int) -> list[int]:
    """The labels of a file, its notes quantised at its tempo."""
    numbers = {pitches[0]: number for number, pitches in enumerate(NINE_CLASSES)}
    sequence = read(data)
    steps_per_second = sequence.tempos[0].qpm / 15
    found = [0] * steps
    for note in sequence.notes:
        found[math.floor(note.start_time * steps_per_second + 0.5)] |= 1 << numbers[note.pitch]
    return found


def assert_whole_file(data: bytes, labels: Sequence[int], windows: DrumWindows, tempo: float) -> None:
    """One named track on channel 10, whole bars, every note ended before its drum begins again."""
    midi = parsed(data)
    assert (midi.type, len(midi.tracks), midi.ticks_per_beat) == (0, 1, 480)
    (track,) = midi.tracks
    bar = windows.quarters_per_bar * 480
    bars = max(1, math.ceil(len(labels) / windows.steps_per_bar))
    assert sum(event.time for event in track) == bars * bar
    assert [event.type for event in track[:3]] == ["track_name", "set_tempo", "time_signature"]
    assert track.name == "Drums"
    assert mido.tempo2bpm(track[1].tempo) == pytest.approx(tempo, abs=tempo**2 / 60e6)
    assert (track[2].numerator, track[2].denominator) == (windows.quarters_per_bar, 4)
    assert midi.length == pytest.approx(bars * windows.quarters_per_bar * track[1].tempo / 1e6)
    assert {event.type for event in track[3:-1]} <= {"note_on"}
    assert all(event.channel == 9 for event in track[3:-1])
    assert track[-1].type == "end_of_track"
    sounding: set[int] = set()
    for _, pitch, velocity in events(data):
        assert (pitch in sounding) == (velocity == 0)
        sounding ^= {pitch}
    assert not sounding


anything = st.lists(st.one_of(st.integers(0, ALL), st.sampled_from([0, KICK, ALL])), max_size=70)
tempos = st.one_of(st.floats(20, 400), st.integers(20, 400))


@settings(max_examples=200, deadline=None)
@given(anything, tempos, st.floats(50, 59.9), st.integers(1, 127))
def test_any_labels_come_back_from_whole_bars(labels: list[int], tempo: float, swing: float, velocity: int) -> None:
    data, count = drum_midi(labels, DrumWindows(), Playing(tempo, velocity, swing))
    assert_whole_file(data, labels, DrumWindows(), tempo)
    assert labels_in(data, len(labels)) == labels
    assert {note.velocity for note in read(data).notes} <= {velocity}
    assert count == sum(map(int.bit_count, labels))


@settings(max_examples=100, deadline=None)
@given(anything, tempos, st.integers(0, 2**32), st.integers(0, 1000))
def test_with_a_feel_any_labels_come_back_from_whole_bars(
    labels: list[int], tempo: float, seed: int, number: int
) -> None:
    playing = Playing(tempo, feel=load_feel(), seed=seed)
    data, count = drum_midi(labels, DrumWindows(), playing, number)
    assert_whole_file(data, labels, DrumWindows(), tempo)
    assert labels_in(data, len(labels)) == labels
    assert count == sum(map(int.bit_count, labels))
    assert (data, count) == drum_midi(labels, DrumWindows(), playing, number)


@st.composite
def drummers(draw: st.DrawFn, steps: int) -> Drummer | None:
    """A measured feel, a GrooVAE's performance, the hits of an input, or none of them."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["none", "feel", "groovae", "kept"]))
    if kind == "groovae":
        return GroovePerformance("random", numbers.uniform(-1.2, 1.2, (steps, 27)))
    if kind == "kept":
        velocities = numbers.integers(0, 128, (steps, 9), np.uint8)
        played = PlayedHits(velocities, numbers.uniform(-0.5, 0.5, (steps, 9)).astype(np.float32))
        return KeptHits(played, Playing(feel=load_feel(), keeps_timing=draw(st.booleans())))
    return load_feel() if kind == "feel" else None


@settings(max_examples=200, deadline=None)
@given(st.data(), anything, st.floats(50, 75), st.booleans(), st.none() | st.integers(1, 127), tempos)
def test_every_hit_stays_in_its_sixteenth_whoever_plays_it_with_any_swing(
    data: st.DataObject, labels: list[int], swing: float, quantize: bool, velocity: int | None, tempo: float
) -> None:
    feel = data.draw(drummers(len(labels)))
    playing = Playing(tempo, velocity, swing, quantize=quantize, feel=feel, seed=data.draw(st.integers(0, 2**32)))
    midi, count = drum_midi(labels, DrumWindows(), playing)
    assert_whole_file(midi, labels, DrumWindows(), tempo)
    assert labels_in(midi, len(labels)) == labels
    assert count == sum(map(int.bit_count, labels))
    hits = [(tick, velocity) for tick, _, velocity in events(midi) if velocity]
    if quantize:
        late = min(round(playing.delay * 120), 59)
        assert {tick % 240 for tick, _ in hits} <= {0, 120 + late}
    if velocity is not None:
        assert {loudness for _, loudness in hits} <= {velocity}


@settings(max_examples=100, deadline=None)
@given(anything, st.floats(50, 75), st.integers(0, 2**32))
def test_feel_and_swing_together_keep_every_hit_and_its_order(labels: list[int], swing: float, seed: int) -> None:
    playing = Playing(swing=swing, feel=load_feel(), seed=seed)
    data, _ = drum_midi(labels, DrumWindows(), playing)
    assert_whole_file(data, labels, DrumWindows(), 120)
    for voice, pitches in enumerate(NINE_CLASSES):
        steps = [step for step, label in enumerate(labels) if label >> voice & 1]
        begun = [tick for tick, pitch, velocity in events(data) if velocity and pitch == pitches[0]]
        assert len(begun) == len(steps)
        assert begun == sorted(set(begun)), "no two at once"
        for tick, step in zip(begun, steps, strict=True):
            place = step + playing.delay * (step % 2)
            assert abs(tick / 120 - place) <= 0.45 * (1 - playing.delay) + 1.5 / 120


@pytest.mark.parametrize("tempo", [4, 20, 97.3, 120, 133.33, 399.9, 400, 1000])
@pytest.mark.parametrize(("quarters", "steps", "bars"), [(4, 0, 1), (4, 1, 1), (4, 64, 4), (4, 65, 5), (3, 24, 2)])
def test_the_file_ends_with_a_bar_at_any_tempo(tempo: float, quarters: int, steps: int, bars: int) -> None:
    windows = DrumWindows(quarters_per_bar=quarters)
    for label in (0, ALL):
        data, _ = drum_midi([label] * steps, windows, Playing(tempo))
        assert_whole_file(data, [label] * steps, windows, tempo)
        assert parsed(data).length == pytest.approx(bars * quarters * 60 / tempo, rel=1e-4)


@pytest.mark.parametrize(("swing", "late"), [(50, 0), (60, 24), (200 / 3, 40), (75, 59)])
def test_swing_moves_every_second_sixteenth(swing: float, late: int) -> None:
    data, _ = drum_midi([CLOSED] * 6, DrumWindows(), Playing(swing=swing))
    begun = [tick for tick, _, velocity in events(data) if velocity]
    assert begun == [0, 120 + late, 240, 360 + late, 480, 600 + late]


def test_playing_that_does_not_suit_the_windows_is_refused() -> None:
    with pytest.raises(ValueError, match="swing"):
        drum_midi(BEAT, DrumWindows(steps_per_quarter=3), playing=Playing(swing=60))
    with pytest.raises(ValueError, match="feel"):
        drum_midi(BEAT, DrumWindows(quarters_per_bar=3), playing=Playing(feel=load_feel()))
    with pytest.raises(ValueError, match="steps_per_quarter must be 1 to 32767"):
        drum_midi(BEAT, DrumWindows(steps_per_quarter=40_000))


def test_a_beat_does_not_depend_on_the_other_beats() -> None:
    playing = Playing(feel=load_feel(), seed=3)
    many = [drum_midi(BEAT * 8, DrumWindows(), playing, number)[0] for number in range(5)]
    assert drum_midi(BEAT * 8, DrumWindows(), playing, 3)[0] == many[3]
    assert len(set(many)) == 5


def test_the_track_has_the_name_given() -> None:
    assert parsed(drum_midi(BEAT, DrumWindows(), name="Beat 7")[0]).tracks[0].name == "Beat 7"
    long = "é" * 200 + "鼓"
    assert parsed(drum_midi(BEAT, DrumWindows(), name=long)[0]).tracks[0].name == "é" * 200 + "?"


def test_grooves_come_back_when_read(grooves: list[list[int]]) -> None:
    for labels in grooves:
        for playing in (Playing(), Playing(tempo=93, swing=57), Playing(feel=load_feel())):
            assert labels_in(drum_midi(labels, DrumWindows(), playing)[0], 64) == labels


def test_a_reader_finds_the_pitches_and_times() -> None:
    data, count = drum_midi(BEAT, DrumWindows())
    sequence = read(data)
    found = [(note.start_time, note.end_time, note.pitch) for note in sequence.notes]
    assert sorted(found) == [
        (0.0, 0.125, 36),
        (0.0, 0.125, 42),
        (0.25, 0.375, 42),
        (0.5, 0.625, 38),
        (0.5, 0.625, 42),
        (0.75, 0.875, 36),
        (0.75, 0.875, 42),
    ]
    assert count == len(found)
    assert all(note.is_drum and note.velocity == 80 for note in sequence.notes)
    assert [tempo.qpm for tempo in sequence.tempos] == [120.0]
    assert sequence.ticks_per_quarter == 480
    assert [(sign.numerator, sign.denominator) for sign in sequence.time_signatures] == [(4, 4)]


@pytest.mark.parametrize(("steps_per_quarter", "seconds"), [(1, 0.5), (2, 0.25), (4, 0.125), (8, 0.0625)])
def test_a_step_is_as_long_as_the_grid_says(steps_per_quarter: int, seconds: float) -> None:
    data, _ = drum_midi([0, 0, SNARE], DrumWindows(steps_per_quarter=steps_per_quarter))
    (note,) = read(data).notes
    assert (note.start_time, note.end_time) == pytest.approx((2 * seconds, 3 * seconds))


def test_each_drum_sounds_with_the_first_pitch_of_its_class() -> None:
    for number, pitches in enumerate(NINE_CLASSES):
        (note,) = read(drum_midi([1 << number], DrumWindows())[0]).notes
        assert note.pitch == pitches[0]


@pytest.mark.parametrize("playing", [Playing(), Playing(swing=60), Playing(feel=load_feel())])
def test_silence_is_a_file_of_its_length_without_notes(playing: Playing) -> None:
    data, count = drum_midi([0] * 64, DrumWindows(), playing)
    assert count == 0
    assert not read(data).notes
    assert parsed(data).length == 8.0


@pytest.mark.parametrize(
    ("windows", "meter"),
    [
        (DrumWindows(), (4, 4, 24)),
        (DrumWindows(quarters_per_bar=3), (3, 4, 24)),
        (DrumWindows(quarters_per_bar=3, time_signature=(6, 8)), (6, 8, 36)),
        (DrumWindows(steps_per_quarter=12), (4, 4, 24)),
    ],
)
def test_a_file_has_the_time_signature_and_the_bars_of_its_windows(
    windows: DrumWindows, meter: tuple[int, int, int]
) -> None:
    labels = [1, *[0] * (windows.steps_per_bar - 1)] * 3
    data, notes = drum_midi(labels, windows)
    (track,) = parsed(data).tracks
    signature = next(event for event in track if event.type == "time_signature")
    assert (signature.numerator, signature.denominator, signature.clocks_per_click) == meter
    assert sum(event.time for event in track) == 3 * windows.quarters_per_bar * 480
    assert notes == 3
