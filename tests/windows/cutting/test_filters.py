"""The filters refuse the same sections as Magenta's script, and refused sections are counted."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from fixtures.magenta_script import extract, load_script
from fixtures.note_sequence_strategies import note_sequences
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.drum_windows import DrumExtractor, section_times
from gmd_vae.windows.cutting.filters import NO_FILTERS, STOCK_FILTERS, FilteredDrumExtractor, Filters, refused_sections
from gmd_vae.windows.extraction import REASONS
from hypothesis import given, settings
from hypothesis import strategies as st

STRICT = Filters(60, 300, 20, 6, max_time_splits=100)


@pytest.fixture(scope="module")
def script():
    return load_script()


def passed_by_the_script(script, filters, sequence) -> set[float]:
    """Returns the start times of the sections with notes that the script passes to the converter."""
    passed = set()

    def to_tensors(section):
        if section.notes:
            passed.add(section.subsequence_info.start_time_offset)
        return SimpleNamespace(outputs=[])

    function = extract(script, "cat-drums_2bar_small", filters)
    function._config = SimpleNamespace(data_converter=SimpleNamespace(to_tensors=to_tensors))
    assert list(function.process(sequence)) == []
    return passed


def passed_by_us(filters, sequence) -> set[float]:
    times, states = section_times(sequence)
    refused = refused_sections(filters, Music(sequence, notes_of(sequence)))
    assert set(refused.values()) <= set(REASONS)
    starts = [note.start_time for note in sequence.notes]
    return {
        times[number]
        for number in range(len(states))
        if number not in refused and any(times[number] <= start < times[number + 1] for start in starts)
    }


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "filters",
    [
        STOCK_FILTERS,
        STRICT,
        replace(STRICT, is_drum=True),
        replace(STRICT, is_drum=False, min_velocities=2),
        replace(STOCK_FILTERS, drums_only=True),
    ],
    ids=["defaults", "strict", "drums", "others", "drums only"],
)
def test_the_same_sections_pass_in_real_music(script, real_records, filters):
    passed = refused = 0
    for record in real_records:
        sequence = NoteSequence.FromString(record)
        theirs = passed_by_the_script(script, filters, sequence)
        assert passed_by_us(filters, sequence) == theirs
        passed += len(theirs)
        refused += len(refused_sections(filters, Music(sequence, notes_of(sequence))))
    assert passed
    assert refused or filters == STOCK_FILTERS


SOME = st.builds(
    Filters,
    max_total_time=st.sampled_from([None, 0.5, 4.0, 8.0, 20.0]),
    max_num_notes=st.sampled_from([None, 0, 1, 5, 30]),
    min_velocities=st.integers(0, 3),
    min_metric_positions=st.integers(0, 3),
    is_drum=st.sampled_from([None, True, False]),
    drums_only=st.booleans(),
    max_time_splits=st.just(100),
)


@pytest.mark.tensorflow
@settings(max_examples=150, deadline=None)
@given(sequence=note_sequences(), filters=SOME)
def test_the_same_sections_pass_in_generated_sequences(script, sequence, filters):
    assert passed_by_us(filters, sequence) == passed_by_the_script(script, filters, sequence)


@pytest.mark.tensorflow
@pytest.mark.parametrize("changes", [99, 100])
def test_a_sequence_with_too_many_changes_of_tempo_is_refused(script, beat, changes):
    sequence = beat(120)
    for number in range(changes):
        sequence.tempos.add(time=2.0 * (number + 1), qpm=100.0 + number)
    passed = passed_by_us(STOCK_FILTERS, sequence)
    assert passed == passed_by_the_script(script, STOCK_FILTERS, sequence)
    assert len(passed) == (100 if changes == 99 else 0)


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters(max_total_time=19.5), "too_long"),
        (Filters(max_num_notes=39), "too_many_notes"),
        (Filters(min_velocities=2), "few_velocities"),
        (Filters(min_metric_positions=2), "few_positions"),
        (Filters(min_velocities=1, is_drum=False), "few_velocities"),
        (Filters(max_time_splits=0), "too_many_splits"),
    ],
)
def test_a_refused_section_gives_no_windows_and_is_counted(beat, filters, reason):
    record = beat(10).SerializeToString()
    spec = DrumWindows()
    extraction = FilteredDrumExtractor(spec, filters)(record)
    assert len(extraction.windows) == 0
    assert extraction.dropped.reasons == {reason: 1}
    assert len(DrumExtractor(spec)(record).windows) == 1


def test_accepted_sections_keep_their_windows(beat):
    """The sequence has two sections: 5 bars, then 8 bars with other notes than drums."""
    sequence = beat(13, accent=6)
    sequence.time_signatures.add(time=10.0, numerator=2, denominator=2)
    sequence.notes.add(start_time=12.0, end_time=13.0, pitch=60, velocity=90)
    extraction = FilteredDrumExtractor(DrumWindows(), Filters(drums_only=True))(sequence.SerializeToString())
    alone = beat(5)
    assert extraction.windows.tolist() == DrumExtractor(DrumWindows())(alone.SerializeToString()).windows.tolist()
    assert +extraction.dropped.reasons == {"not_only_drums": 1, "repeated": 1}


def test_filters_that_are_off_change_nothing(beat):
    assert not NO_FILTERS.is_on
    assert not Filters(is_drum=True).is_on
    assert Filters(is_drum=True).describe() == {}
    assert Filters(min_velocities=2, is_drum=False).describe() == {"min_velocities": 2, "is_drum": False}
    assert refused_sections(NO_FILTERS, Music(beat(4), notes_of(beat(4)))) == {}


def test_records_that_are_not_note_sequences_are_counted():
    extraction = FilteredDrumExtractor(DrumWindows(), STOCK_FILTERS)(b"\xff\xff")
    assert extraction.dropped.reasons == {"unreadable": 1}
    assert extraction.windows.shape == (0, 64)
