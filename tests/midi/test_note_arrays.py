from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gmd_vae.midi.note_arrays import Notes, notes_of, read_notes
from gmd_vae.midi.note_sequence import NoteSequence
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

seconds = st.sampled_from([0.0, -0.0, 0.25, 1e300, -1.5, float("inf"), float("nan")]) | st.floats()
small = st.sampled_from([0, 1, 36, 127, 128, 300, -1])


@st.composite
def sequences(draw: st.DrawFn) -> Any:
    """A NoteSequence whose notes come in runs with the same fields, as in files, or in any order."""
    sequence = NoteSequence(id=draw(st.text(max_size=3)), ticks_per_quarter=draw(small))
    for _ in range(draw(st.integers(0, 4))):
        first = NoteSequence.Note(
            pitch=draw(small),
            velocity=draw(small),
            start_time=draw(seconds),
            end_time=draw(seconds),
            is_drum=draw(st.booleans()),
            instrument=draw(small),
            part=draw(st.sampled_from([0, 5])),
        )
        for number in range(draw(st.integers(1, 4) | st.just(600))):
            note = sequence.notes.add()
            note.CopyFrom(first)
            note.end_time += number
    sequence.tempos.add(qpm=90)
    sequence.control_changes.add(control_value=3)
    sequence.total_time = draw(seconds)
    return sequence


def assert_same(found: Notes, sequence: Any) -> None:
    for name, ours, expected in zip(Notes._fields, found, notes_of(sequence), strict=True):
        assert ours.dtype == expected.dtype, name
        np.testing.assert_array_equal(ours, expected, name)


@given(sequences())
def test_the_arrays_are_the_notes(sequence: Any) -> None:
    rest, notes = read_notes(sequence.SerializeToString())
    assert_same(notes, sequence)
    assert rest.tempos == sequence.tempos
    assert len(rest.control_changes) == 1
    assert rest.id == sequence.id


@settings(max_examples=250)
@given(sequences(), st.data())
def test_damaged_records_are_read_as_protobuf_reads_them(sequence: Any, data: st.DataObject) -> None:
    record = bytearray(sequence.SerializeToString()[:400])
    for _ in range(data.draw(st.integers(1, 3))):
        record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(record[: data.draw(st.integers(1, len(record)))])
    try:
        expected = NoteSequence.FromString(damaged)
    except DecodeError:
        with pytest.raises(DecodeError):
            read_notes(damaged)
    else:
        assert_same(read_notes(damaged)[1], expected)


@given(sequences(), sequences())
def test_concatenated_records_are_one(one: Any, other: Any) -> None:
    """Protobuf merges concatenated records, so notes can be in two places."""
    record = one.SerializeToString() + other.SerializeToString()
    assert_same(read_notes(record)[1], NoteSequence.FromString(record))


def test_many_runs_are_read_by_protobuf() -> None:
    sequence = NoteSequence()
    for number in range(300):
        sequence.notes.add(pitch=36, velocity=number % 2, is_drum=True)
    assert_same(read_notes(sequence.SerializeToString())[1], sequence)
