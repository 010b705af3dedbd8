"""Sections for GrooVAE: known drums, one tempo, 4/4, and reproducible random choices."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.registry import get_config
from gmd_vae.families import family_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records
from gmd_vae.windows.cutting.groove_sections import MAX_BARS, groove_sections, seeded_by
from gmd_vae.windows.extraction import Dropped, Extraction, Extractor, Tensors

KNOWN = {36: 36, 38: 38, 35: 36}


def music(*notes: tuple[float, int], tempos: dict[float, float] | None = None, drums: bool = True) -> NoteSequence:
    """Returns a NoteSequence with notes at (seconds, pitch)."""
    sequence = NoteSequence(id="/id/midi/made/1", ticks_per_quarter=480)
    for time, tempo in (tempos or {0: 120}).items():
        sequence.tempos.add(time=time, qpm=tempo)
    for start, pitch in notes:
        sequence.notes.add(start_time=start, end_time=start + 0.1, pitch=pitch, velocity=90, is_drum=drums)
    sequence.total_time = max(start for start, _ in notes) + 0.1
    return sequence


def beats(bars: int, bar: float = 2.0, begin: float = 0.0) -> list[tuple[float, int]]:
    return [(begin + bar * quarter / 4, 36) for quarter in range(4 * bars)]


def test_music_in_one_tempo_is_one_section_with_its_known_drums_only() -> None:
    sequence = music(*beats(2), (0.5, 99), (0.7, 99), (1.0, 35))
    sequence.notes.add(start_time=1.0, end_time=1.5, pitch=36, velocity=90)  # a piano
    dropped = Dropped()
    (section,) = groove_sections(sequence, KNOWN, 2, dropped)
    assert [note.pitch for note in section.notes] == [36] * 9
    assert dropped.as_json() == {"reasons": {}, "drum_pitches_in_no_class": {"99": 2}, "time_signatures": {}}
    assert len(sequence.notes) == 12  # the caller's stays as it is


def test_a_change_of_tempo_begins_a_new_section() -> None:
    sequence = music(*beats(2), *beats(2, bar=4.0, begin=4.0), tempos={0: 120, 4: 60})
    sections = groove_sections(sequence, KNOWN, 2, Dropped())
    assert [section.tempos[0].qpm for section in sections] == [120, 60]
    assert [[note.start_time for note in section.notes][:3] for section in sections] == [[0, 0.5, 1], [0, 1, 2]]


@pytest.mark.parametrize(
    ("sequence", "reason"),
    [
        (music((0, 36), drums=False), "no_drums"),
        (music((0, 99)), "no_known_drums"),
        (music(*beats(1)), "too_short"),
    ],
)
def test_music_without_sections_is_counted_by_reason(sequence: NoteSequence, reason: str) -> None:
    dropped = Dropped()
    assert groove_sections(sequence, KNOWN, 2, dropped) == []
    assert dropped.reasons == {reason: 1}


@pytest.mark.parametrize(
    ("signature", "reason"), [((3, 4), "other_bar_length"), ((4, 3), "bad_time_signature"), ((2, 2), None)]
)
def test_bars_of_four_quarters_only(signature: tuple[int, int], reason: str | None) -> None:
    sequence = music(*beats(4))
    sequence.time_signatures.add(numerator=signature[0], denominator=signature[1])
    dropped = Dropped()
    assert bool(groove_sections(sequence, KNOWN, 2, dropped)) is (reason is None)
    if reason:
        assert dropped.reasons == {reason: 1}
        assert dropped.time_signatures == {f"{signature[0]}/{signature[1]}": 1}


def test_a_very_late_note_takes_no_memory() -> None:
    dropped = Dropped()
    (section,) = groove_sections(music(*beats(2), (2.0 * MAX_BARS, 36)), KNOWN, 2, dropped)
    assert len(section.notes) == 8
    assert dropped.reasons == {"cut_off": 1}


def test_the_global_rng_is_seeded_by_the_record_and_restored() -> None:
    np.random.seed(7)
    expected = np.random.random(2)
    np.random.seed(7)
    first = np.random.random()
    drawn = []
    for record in (b"one", b"two", b"one"):
        with seeded_by(record):
            drawn.append(np.random.random())
    assert [first, np.random.random()] == expected.tolist()
    assert drawn[0] == drawn[2] != drawn[1]


def extractor(name: str) -> Extractor:
    return family_of(get_config(name)).extractor(get_config(name))


def window_tensors(extraction: Extraction) -> list[Tensors]:
    assert not isinstance(extraction.windows, np.ndarray)
    return list(extraction.windows)


@pytest.mark.tensorflow
def test_the_windows_of_real_drums_are_those_of_magentas_converter(magenta: Any, groove_notes: Path) -> None:
    name = "groovae_2bar_humanize"
    converter = magenta.build_config(get_config(name)).data_converter
    converter.set_mode("eval")
    extract = extractor(name)
    found = 0
    for record in itertools.islice(read_records(groove_notes / "test.tfrecord"), 12):
        stock = list(zip(*converter.to_tensors(NoteSequence.FromString(record)), strict=True))
        ours = window_tensors(extract(record))
        assert len(ours) == len(stock)
        for window, (inputs, outputs, controls, length) in zip(ours, stock, strict=True):
            np.testing.assert_array_equal(window.inputs, inputs)
            np.testing.assert_array_equal(window.outputs, outputs)
            assert window.controls.shape == controls.shape
            assert window.length == (length,)
        found += len(ours)
    assert found > 50


@pytest.mark.tensorflow
def test_magentas_converter_accepts_the_prepared_sections(magenta: Any) -> None:
    """The music has unknown pitches, other instruments and a change of tempo; 35 is a kick of General MIDI."""
    sequence = music(*beats(2), (0.25, 99), (0.5, 35), *beats(2, bar=4.0, begin=4.0), tempos={0: 120, 4: 60})
    sequence.notes.add(start_time=1.0, end_time=1.5, pitch=60, velocity=90)
    extraction = extractor("groovae_2bar_hits_control_tfds")(sequence.SerializeToString())
    first, second = window_tensors(extraction)
    np.testing.assert_array_equal(np.flatnonzero(first.outputs[:, 0]), range(0, 32, 4))
    np.testing.assert_array_equal(first.outputs, second.outputs)
    np.testing.assert_array_equal(first.controls, first.outputs[:, :9] > 0)
    assert extraction.dropped.pitches == {99: 1}


@pytest.mark.tensorflow
def test_randomly_dropped_notes_depend_only_on_the_record(magenta: Any) -> None:
    extract = extractor("groovae_2bar_tap_fixed_velocity_note_dropout")
    snares = [(time, 38) for time, _ in beats(32)]
    first, other = (music(*snares, tempos={0: tempo}) for tempo in (120, 120.001))
    found = []
    for sequence in (first, other, first):
        windows = window_tensors(extract(sequence.SerializeToString()))
        assert len(windows) == 16
        found.append(np.concatenate([window.inputs[:, 3] for window in windows]))
    np.testing.assert_array_equal(found[0], found[2])
    assert (found[0] != found[1]).any()
    assert 0 < found[0].sum() < 128
