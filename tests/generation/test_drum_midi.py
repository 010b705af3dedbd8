"""Drum labels as MIDI files: the bytes of Magenta's own path, and what a reader finds in them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.examples.spec import NINE_CLASSES, DrumWindows
from pipeline.examples.windows import load_windows
from pipeline.generation.drum_midi import drum_midi
from pipeline.models.registry import DEFAULT_CONFIG, get_config
from pipeline.notes.midi import midi_to_note_sequence, note_sequence_to_midi_bytes

Magenta = Callable[[Sequence[int], DrumWindows], tuple[bytes, int]]

KICK, SNARE, CLOSED, OPEN = 1, 2, 4, 8
ALL = 511
BEAT = [KICK | CLOSED, 0, CLOSED, 0, SNARE | CLOSED, 0, CLOSED | KICK, 0]

# Steps of a whole number of ticks (1 to 5, 10, 11, 220), of broken ones, and of less than a tick.
STEPS_PER_QUARTER = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 96, 220, 221, 300, 440, 1000]
CLASSES = [
    NINE_CLASSES,
    ((127,), (0,), (64,)),  # the ends of the range, and not in the order of pitch
    ((36,), (38,), (36, 35), (38,)),  # classes that share a pitch: it sounds once
    tuple((pitch,) for pitch in range(80, 68, -1)),
]


def of_classes(count: int) -> int:
    """All drums at once."""
    return (1 << count) - 1


def written_by(converter: Any, labels: Sequence[int]) -> tuple[bytes, int]:
    """The bytes and the number of notes by Magenta's converter, note-seq, pretty_midi and mido."""
    one_hot = np.zeros([len(labels), converter.output_depth], np.float32)
    one_hot[np.arange(len(labels)), labels] = 1
    (sequence,) = converter.from_tensors([one_hot])
    return note_sequence_to_midi_bytes(sequence), len(sequence.notes)


@pytest.fixture(scope="module")
def magenta() -> Magenta:
    from pipeline.models.magenta import data

    def write(labels: Sequence[int], windows: DrumWindows) -> tuple[bytes, int]:
        converter = data.DrumsConverter(
            slice_bars=windows.slice_bars,
            steps_per_quarter=windows.steps_per_quarter,
            quarters_per_bar=windows.quarters_per_bar,
            pitch_classes=windows.pitch_classes,
            roll_input=windows.roll_input,
        )
        return written_by(converter, labels)

    return write


@pytest.fixture(scope="module")
def grooves(starter_examples: Path) -> list[list[int]]:
    """The training windows of the starter set."""
    labels: list[list[int]] = load_windows(starter_examples, "train").labels.tolist()
    assert len(labels) > 20
    return labels


@st.composite
def windows_and_labels(draw: st.DrawFn) -> tuple[DrumWindows, list[int]]:
    windows = DrumWindows(
        steps_per_quarter=draw(st.sampled_from(STEPS_PER_QUARTER)), pitch_classes=draw(st.sampled_from(CLASSES))
    )
    everything = of_classes(len(windows.pitch_classes))
    label = st.integers(0, everything)
    few = st.sampled_from([0, 0, 0, 0, 1, 2, everything])
    length = draw(st.sampled_from([1, 2, 16, 63, 64]))
    return windows, draw(st.lists(draw(st.sampled_from([label, few])), min_size=length, max_size=length))


@pytest.mark.tensorflow
@settings(max_examples=200, deadline=None)
@given(windows_and_labels())
def test_any_window_has_magentas_bytes(magenta: Magenta, case: tuple[DrumWindows, list[int]]) -> None:
    windows, labels = case
    assert drum_midi(labels, windows) == magenta(labels, windows)


@pytest.mark.tensorflow
@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([16, 64, 256]))
def test_windows_of_all_lengths_have_magentas_bytes(magenta: Magenta, seed: int, steps: int) -> None:
    """Every one of the 512 labels is as likely; a list of 256 is too long for hypothesis to draw."""
    labels = np.random.default_rng(seed).integers(0, ALL, steps, endpoint=True).tolist()
    assert drum_midi(labels, DrumWindows()) == magenta(labels, DrumWindows())


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps", [0, 1, 16, 64, 256])
@pytest.mark.parametrize("label", [0, ALL, KICK])
def test_silence_and_all_drums_at_every_step_have_magentas_bytes(magenta: Magenta, label: int, steps: int) -> None:
    labels = [label] * steps
    assert drum_midi(labels, DrumWindows()) == magenta(labels, DrumWindows())


@pytest.mark.tensorflow
@pytest.mark.parametrize("steps_per_quarter", STEPS_PER_QUARTER)
@pytest.mark.parametrize("pitch_classes", CLASSES, ids=len)
def test_every_grid_and_kit_has_magentas_bytes(
    magenta: Magenta, steps_per_quarter: int, pitch_classes: tuple[tuple[int, ...], ...]
) -> None:
    """All labels in a row, then a lone hit after a pause: a time of two bytes."""
    windows = DrumWindows(steps_per_quarter=steps_per_quarter, pitch_classes=pitch_classes)
    everything = of_classes(len(pitch_classes))
    labels = [*range(everything, -1, -max(1, everything // 200)), *[0] * 100, 1, everything, 0]
    assert drum_midi(labels, windows) == magenta(labels, windows)


@pytest.mark.tensorflow
def test_beats_have_magentas_bytes(magenta: Magenta) -> None:
    beats = [
        BEAT * 8,
        [0] * 63 + [KICK],  # nothing but the last step
        [KICK] + [0] * 63,
        ([KICK | OPEN] + [0] * 15) * 16,
        BEAT * 7 + [KICK | 128, 0, 16, 16, 32, 32, 64, 256],
    ]
    for labels in beats:
        assert drum_midi(labels, DrumWindows()) == magenta(labels, DrumWindows())


@pytest.mark.tensorflow
def test_grooves_have_the_bytes_of_their_configs_converter(grooves: list[list[int]]) -> None:
    from pipeline.models.magenta import build_config

    config = get_config(DEFAULT_CONFIG)
    assert config.windows is not None
    converter = build_config(config).data_converter
    for labels in grooves:
        assert drum_midi(labels, config.windows) == written_by(converter, labels)


def test_grooves_come_back_when_read(grooves: list[list[int]]) -> None:
    numbers = {pitches[0]: number for number, pitches in enumerate(NINE_CLASSES)}
    for labels in grooves:
        data, count = drum_midi(labels, DrumWindows())
        notes = midi_to_note_sequence(data, "made", "groove.mid").notes
        found = [0] * 64
        for note in notes:
            found[round(note.start_time / 0.125)] |= 1 << numbers[note.pitch]
        assert found == labels
        assert count == len(notes) == sum(map(int.bit_count, labels))


def test_a_reader_finds_the_pitches_and_times() -> None:
    data, count = drum_midi(BEAT, DrumWindows())
    sequence = midi_to_note_sequence(data, "made", "beat.mid")
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
    assert sequence.ticks_per_quarter == 220


@pytest.mark.parametrize(("steps_per_quarter", "seconds"), [(1, 0.5), (2, 0.25), (4, 0.125), (8, 0.0625)])
def test_a_step_is_as_long_as_the_grid_says(steps_per_quarter: int, seconds: float) -> None:
    data, _ = drum_midi([0, 0, SNARE], DrumWindows(steps_per_quarter=steps_per_quarter))
    (note,) = midi_to_note_sequence(data, "made", "beat.mid").notes
    assert (note.start_time, note.end_time) == pytest.approx((2 * seconds, 3 * seconds), abs=0.5 / 220)  # a tick


def test_each_drum_sounds_with_the_first_pitch_of_its_class() -> None:
    for number, pitches in enumerate(NINE_CLASSES):
        (note,) = midi_to_note_sequence(drum_midi([1 << number], DrumWindows())[0], "made", "beat.mid").notes
        assert note.pitch == pitches[0]


def test_silence_is_a_file_without_notes() -> None:
    data, count = drum_midi([0] * 64, DrumWindows())
    assert count == 0
    assert not midi_to_note_sequence(data, "made", "silence.mid").notes


def test_the_import_is_cheap() -> None:
    program = "import sys, pipeline.generation.drum_midi; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "pipeline.generation.drum_midi" in loaded
    assert not loaded & {"mido", "note_seq", "numpy", "pretty_midi", "tensorflow"}
