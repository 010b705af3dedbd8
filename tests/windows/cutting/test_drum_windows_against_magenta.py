"""Our drum windows equal those of Magenta's ``DrumsConverter``: the same windows, counts and order.

That is so for music with one tempo; with ``preprocess --stock``, which calls ``placed_windows`` itself, for all music.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fixtures.note_sequence_strategies import note_sequences
from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.cutting.drum_windows import DrumExtractor, placed_windows
from gmd_vae.windows.extraction import Dropped
from gmd_vae.windows.stock.order import MAGENTA_CAP, by_section, magenta_order
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.tensorflow

SPECS = [
    DrumWindows(),
    DrumWindows(slice_bars=1, gap_bars=0.5),
    DrumWindows(slice_bars=2, gap_bars=2, roll_output=True),
    DrumWindows(slice_bars=16),
    DrumWindows(slice_bars=2, gap_bars=0.3, max_bars=3),
    DrumWindows(slice_bars=1, gap_bars=0, max_bars=5),
    DrumWindows(slice_bars=4, steps_per_quarter=2, max_bars=None),
    DrumWindows(slice_bars=1, steps_per_quarter=8, gap_bars=1.5),
    DrumWindows(slice_bars=2, steps_per_quarter=24),
    DrumWindows(slice_bars=2, quarters_per_bar=3),
]


@pytest.fixture(scope="module")
def music_vae_data():
    from gmd_vae.magenta import api

    return api.data


def stock_windows(data, spec, sequence, cap=None) -> list[tuple[int, ...]]:
    """Returns the windows of Magenta's converter as labels, in its order."""
    converter = data.DrumsConverter(
        max_bars=spec.max_bars,
        slice_bars=spec.slice_bars,
        gap_bars=spec.gap_bars,
        steps_per_quarter=spec.steps_per_quarter,
        quarters_per_bar=spec.quarters_per_bar,
        pitch_classes=spec.pitch_classes,
        roll_input=spec.roll_input,
        roll_output=spec.roll_output,
        max_tensors_per_notesequence=cap,
    )
    powers = 1 << np.arange(len(spec.pitch_classes))
    outputs = converter.to_tensors(sequence).outputs
    return [tuple((window @ powers if spec.roll_output else window.argmax(axis=-1)).tolist()) for window in outputs]


def our_windows(spec, record) -> list[tuple[int, ...]]:
    """Returns our windows in Magenta's order."""
    sequence = NoteSequence.FromString(record)
    windows = []
    for _, placed in by_section(placed_windows(spec, sequence, Dropped())):
        windows += [
            tuple(np.frombuffer(data, np.int64).tolist()) for data in magenta_order([one.data for one in placed])
        ]
    return windows


def test_the_classes_are_magentas(music_vae_data):
    assert [list(pitches) for pitches in NINE_CLASSES] == music_vae_data.REDUCED_DRUM_PITCH_CLASSES


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.slice_bars}x{spec.steps_per_bar}-gap{spec.gap_bars:g}")
def test_the_same_windows_on_real_music(music_vae_data, real_records, spec):
    found = 0
    for record in real_records:
        ours = our_windows(spec, record)
        if len({tempo.qpm for tempo in NoteSequence.FromString(record).tempos}) == 1:
            assert Counter(ours) == Counter(map(tuple, DrumExtractor(spec)(record).windows.tolist()))
        assert ours == stock_windows(music_vae_data, spec, NoteSequence.FromString(record))
        found += len(ours)
    assert found > 20 or spec.quarters_per_bar != 4


@pytest.mark.parametrize("cap", [1, MAGENTA_CAP, 40])
def test_a_converter_with_a_maximum_keeps_the_first_windows_of_each_section(music_vae_data, real_records, cap):
    spec = DrumWindows(slice_bars=2)
    cut = 0
    for record in real_records[::2]:
        ours = our_windows(spec, record)
        assert ours[:cap] == stock_windows(music_vae_data, spec, NoteSequence.FromString(record), cap)
        cut += len(ours) > cap
    assert cut


def test_the_same_windows_with_one_class_for_each_drum(music_vae_data, real_records):
    classes = tuple(map(tuple, music_vae_data.FULL_DRUM_PITCH_CLASSES))
    spec = DrumWindows(slice_bars=2, roll_output=True, pitch_classes=classes)
    for record in real_records[::4]:
        assert our_windows(spec, record) == stock_windows(music_vae_data, spec, NoteSequence.FromString(record))


def test_each_compared_setting_changes_the_windows(music_vae_data, real_records):
    """Otherwise the comparisons above would prove nothing."""
    record = max(real_records, key=len)
    results = {str(our_windows(spec, record)) for spec in SPECS}
    assert len(results) >= len(SPECS) - 2


@settings(max_examples=200, deadline=None)
@given(sequence=note_sequences(), spec=st.sampled_from(SPECS), roll_output=st.booleans())
def test_the_same_windows_on_generated_sequences(music_vae_data, sequence, spec, roll_output):
    spec = replace(spec, roll_output=roll_output)
    record = sequence.SerializeToString()
    assert our_windows(spec, record) == stock_windows(music_vae_data, spec, sequence)


CORNERS = {
    "a change at the very end": lambda s: s.tempos.add(time=20.0, qpm=90.0),
    "a change before the beginning": lambda s: s.tempos.add(time=-0.3, qpm=240.0),
    "three changes at once": lambda s: [s.tempos.add(time=8.0, qpm=qpm) for qpm in (90.0, 240.0, 120.0)],
    "a change and back": lambda s: [s.tempos.add(time=time, qpm=qpm) for time, qpm in ((8.0, 90.0), (8.0, 120.0))],
    "a bar of three thirds": lambda s: s.time_signatures.add(numerator=3, denominator=3),
    "a note that never ends": lambda s: setattr(s.notes[5], "end_time", float("inf")),
    "music without end": lambda s: setattr(s, "total_time", float("inf")),
    "a note before the beginning": lambda s: setattr(s.notes[5], "start_time", -0.25),
    "a tempo of 0": lambda s: s.tempos.add(time=8.0, qpm=0.0),
    "a pitch out of range": lambda s: setattr(s.notes[5], "pitch", -3),
    "a velocity below 0": lambda s: setattr(s.notes[5], "velocity", -3),
    "a late first change": lambda s: s.time_signatures.add(time=8.0, numerator=2, denominator=2),
}


@pytest.mark.parametrize("corner", CORNERS)
def test_the_same_windows_in_special_cases(music_vae_data, beat, corner):
    sequence = beat(10, accent=4)
    before = our_windows(DrumWindows(), sequence.SerializeToString())
    CORNERS[corner](sequence)
    ours = our_windows(DrumWindows(), sequence.SerializeToString())
    assert ours == stock_windows(music_vae_data, DrumWindows(), sequence)
    assert ours or corner == "a bar of three thirds"
    assert len(before) == 5


@pytest.mark.parametrize("steps_per_quarter", [4, 24])
def test_half_steps_are_rounded_as_in_magenta(music_vae_data, steps_per_quarter):
    """Times next to half a step, in a section that begins at an odd time: every rounding must be the same."""
    begin, qpm = 1.234567, 117.7
    sequence = NoteSequence(total_time=100.0)
    sequence.tempos.add(time=0.0, qpm=93.1)
    sequence.tempos.add(time=begin, qpm=qpm)
    step = 60 / qpm / steps_per_quarter
    generator = np.random.default_rng(0)
    for number in range(1500):
        time = begin + (number + 0.5) * step * (1 + generator.choice([-1, 0, 1]) * 2.0**-52)
        sequence.notes.add(start_time=time, end_time=time + 0.01, pitch=36 + 2 * (number % 2), velocity=1, is_drum=True)
    spec = DrumWindows(slice_bars=1, steps_per_quarter=steps_per_quarter)
    ours = our_windows(spec, sequence.SerializeToString())
    assert ours == stock_windows(music_vae_data, spec, sequence)
    assert len(ours) > 5  # the roundings differ from step to step, so there are many different bars
