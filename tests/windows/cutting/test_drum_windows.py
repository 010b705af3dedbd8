"""Drum windows and the counts of dropped music, on small sequences."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.windows.cutting.drum_windows import DrumExtractor
from gmd_vae.windows.extraction import REASONS, Dropped

FOUR_BARS = DrumWindows()


def cut(sequence, spec=FOUR_BARS):
    return DrumExtractor(spec)(sequence.SerializeToString())


def test_a_beat_becomes_one_label_for_each_step(beat):
    extraction = cut(beat(4))
    assert extraction.sequence_id == "beat"
    assert extraction.windows.dtype == np.int64
    assert extraction.windows.tolist() == [[1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0] * 4]
    assert not +extraction.dropped.reasons


def test_windows_slide_by_one_bar_in_the_order_of_time(beat):
    windows = cut(beat(7, accent=4)).windows  # windows of bars 0-3, 1-4, 2-5, 3-6; the crash is in bar 4
    assert [int(np.flatnonzero(window & 128)[0]) if (window & 128).any() else None for window in windows] == [
        None, 48, 32, 16,
    ]  # fmt: skip


def test_a_window_counts_once_per_section_and_again_in_the_next(beat):
    sequence = beat(6)
    extraction = cut(sequence)
    assert len(extraction.windows) == 1
    assert extraction.dropped.reasons["repeated"] == 2
    sequence = beat(8)
    sequence.time_signatures.add(time=8.0, numerator=2, denominator=2)  # bars as long as before, but a new section
    assert len(cut(sequence).windows) == 2


def test_simultaneous_drums_share_a_label_and_a_class_counts_once(beat):
    sequence = beat(4)
    for pitch in (35, 42, 51):  # another kick, a closed hi-hat, a ride
        sequence.notes.add(start_time=0.01, end_time=0.1, pitch=pitch, velocity=1, is_drum=True)
    assert cut(sequence).windows[0, 0] == 1 | 4 | 256


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.notes.__delitem__(slice(None)), "no_drums"),
        (lambda s: [setattr(note, "is_drum", False) for note in s.notes], "no_drums"),
        (lambda s: [setattr(note, "velocity", 0) for note in s.notes], "no_drums"),
        (lambda s: [setattr(note, "pitch", 88) for note in s.notes], "no_known_drums"),
        (lambda s: setattr(s, "total_time", 0.0), "no_length"),
        (lambda s: setattr(s.quantization_info, "steps_per_quarter", 4), "quantized"),
        (lambda s: s.tempos.add(time=float("nan"), qpm=90), "bad_times"),
        (lambda s: setattr(s.notes[3], "start_time", float("nan")), "bad_times"),
        (lambda s: setattr(s.notes[3], "end_time", float("nan")), "bad_times"),
        (lambda s: s.tempos.add(qpm=float("inf")), "bad_times"),
        (lambda s: s.tempos.add(qpm=1e300), "bad_times"),
        (lambda s: s.tempos.add(qpm=-60), "negative_times"),
        (lambda s: setattr(s.notes[3], "end_time", -1.0), "negative_times"),
        (lambda s: s.time_signatures.add(numerator=3, denominator=4), "other_bar_length"),
        (lambda s: s.time_signatures.add(numerator=4, denominator=3), "bad_time_signature"),
        (lambda s: s.time_signatures.add(numerator=0, denominator=4), "bad_time_signature"),
        (lambda s: s.notes.__delitem__(slice(12, None)), "too_short"),
    ],
)  # fmt: skip
def test_music_without_windows_is_counted_by_reason(beat, change, reason):
    sequence = beat(4)
    change(sequence)
    extraction = cut(sequence)
    assert extraction.windows.shape == (0, 64)
    assert +extraction.dropped.reasons == Counter({reason: 1})
    assert reason in REASONS


def test_dropped_pitches_and_time_signatures_are_counted(beat):
    sequence = beat(8)
    sequence.notes.add(start_time=1, end_time=2, pitch=88, velocity=1, is_drum=True)
    sequence.notes.add(start_time=2, end_time=3, pitch=88, velocity=1, is_drum=True)
    sequence.notes.add(start_time=2, end_time=3, pitch=200, velocity=1, is_drum=True)
    sequence.notes.add(start_time=2, end_time=3, pitch=89, velocity=1)  # no drum
    sequence.time_signatures.add(time=8.0, numerator=7, denominator=8)
    extraction = cut(sequence)
    assert len(extraction.windows) == 1
    assert extraction.dropped.pitches == {88: 2, 200: 1}
    assert extraction.dropped.time_signatures == {"7/8": 1}


def test_records_that_are_not_note_sequences_are_counted():
    extraction = DrumExtractor(FOUR_BARS)(b"\xff\xff not a message")
    assert extraction.windows.shape == (0, 64)
    assert extraction.dropped.reasons == {"unreadable": 1}


def test_a_pause_of_gap_bars_ends_a_stretch(beat):
    def with_pause_after(steps):
        sequence = beat(8)
        last = 2.0 * 4 - 0.5  # the last hit of bar 3
        kept = [note for note in sequence.notes if not last < note.start_time < last + (steps + 1) * 0.125]
        del sequence.notes[:]
        sequence.notes.extend(kept)
        return sequence

    assert len(cut(with_pause_after(15)).windows) == 5
    extraction = cut(with_pause_after(16))  # a whole bar without a hit
    assert len(extraction.windows) == 1
    assert +extraction.dropped.reasons == {"too_short": 1}


def test_hits_between_a_short_gap_and_the_bar_line_are_counted():
    sequence = NoteSequence(total_time=10.0)
    for step in (0, 1, 10, 16):  # half a bar of silence, then one more hit in the same bar
        sequence.notes.add(start_time=step * 0.125, end_time=step * 0.125 + 0.1, pitch=36, velocity=1, is_drum=True)
    extraction = cut(sequence, replace(FOUR_BARS, slice_bars=1, gap_bars=0.5))
    assert [np.flatnonzero(window).tolist() for window in extraction.windows] == [[0, 1], [0]]
    assert extraction.dropped.reasons["after_gap"] == 1


def test_a_long_stretch_is_cut_off_and_counted(beat):
    extraction = cut(beat(9, accent=8), replace(FOUR_BARS, max_bars=8))
    assert len(extraction.windows) == 1  # bars 0 to 7 are all alike; bar 8 with the crash is gone
    assert not (extraction.windows & 128).any()
    assert extraction.dropped.reasons["cut_off"] == 1


def test_drums_outside_the_total_time_are_counted(beat):
    sequence = beat(8)
    sequence.total_time = 8.0
    extraction = cut(sequence)
    assert len(extraction.windows) == 1
    assert extraction.dropped.reasons["outside"] == 16


@pytest.mark.parametrize("spec", [FOUR_BARS, replace(FOUR_BARS, gap_bars=0), replace(FOUR_BARS, max_bars=None)])
def test_a_very_late_note_takes_no_memory(beat, spec):
    sequence = beat(4)
    sequence.notes.add(start_time=1.25e11, end_time=1.25e11 + 1, pitch=36, velocity=1, is_drum=True)  # step 1e12
    sequence.total_time = 1.3e11
    windows = cut(sequence, spec).windows
    assert (windows[0] == cut(beat(4)).windows[0]).all()
    assert len(windows) <= 5  # gap_bars=0: the stretch goes on through silence up to max_bars


@pytest.mark.parametrize(
    "spec",
    [
        replace(FOUR_BARS, max_bars=None, gap_bars=0),
        replace(FOUR_BARS, max_bars=None, gap_bars=float("inf")),
        replace(FOUR_BARS, slice_bars=0),
        replace(FOUR_BARS, pitch_classes=()),
        replace(FOUR_BARS, pitch_classes=tuple((pitch,) for pitch in range(63))),
    ],
)
def test_specs_that_cannot_be_cut_are_refused(spec):
    with pytest.raises(ValueError, match="must be"):
        DrumExtractor(spec)


def test_the_extractor_can_be_pickled(beat):
    record = beat(6).SerializeToString()
    travelled = pickle.loads(pickle.dumps(DrumExtractor(FOUR_BARS)))
    assert (travelled(record).windows == DrumExtractor(FOUR_BARS)(record).windows).all()


@pytest.mark.parametrize("stock", [False, True])
def test_windows_of_the_groove_dataset(stock: bool, request: pytest.FixtureRequest):
    """The counts of the stock notes are those of Magenta's converter on the whole dataset (docs/data.md).

    Of all hits there are fewer windows: bars that differ by a lost hit alone are repeats.
    """
    groove_notes: Path = request.getfixturevalue("groove_stock_notes" if stock else "groove_notes")
    extract, found, dropped = DrumExtractor(FOUR_BARS), {}, Dropped()
    for split in ("train", "validation", "test"):
        rows = []
        for record in read_records(groove_notes / f"{split}.tfrecord"):
            extraction = extract(record)
            dropped.add(extraction.dropped)
            rows += [window.tobytes() for window in extraction.windows]
        found[split] = (len(rows), set(rows))
    assert {split: (count, len(distinct)) for split, (count, distinct) in found.items()} == {
        "train": (13_251, 13_227) if stock else (13_233, 13_208),
        "validation": (1_836, 1_836) if stock else (1_832, 1_832),
        "test": (1_768, 1_760),
    }
    assert len(found["train"][1] & found["validation"][1]) == 1
    assert not found["test"][1] & (found["train"][1] | found["validation"][1])
    assert dropped.time_signatures == {"3/4": 5, "5/4": 1, "5/8": 1, "6/8": 5}
    assert not dropped.pitches
