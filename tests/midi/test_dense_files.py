"""Files and records with far more events than music: refused by name, before memory is taken for what they ask for."""

from __future__ import annotations

import struct

import pytest
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.refusals import MAX_CHANGES, MAX_CONTROLS, MAX_NOTES, MAX_TRACKS, TOO_MANY, MidiError
from gmd_vae.midi.sequence_limits import MAX_FIELDS, is_too_large
from gmd_vae.windows.cutting.section_content import REQUIREMENTS, window_bars
from gmd_vae.windows.cutting.time_changes import split_on_time_changes
from gmd_vae.windows.extraction import Dropped

HIT = b"\x00\x99\x24\x64\x60\x89\x24\x00"
TEMPO, TIME, KEY = b"\x01\xff\x51\x03\x06\x00\x00", b"\x01\xff\x58\x04\x04\x02\x18\x08", b"\x01\xff\x59\x02\x00\x00"
PROGRAMS = b"".join(bytes([0, 0xC0, number, 0, 0x90, 60, 9, 1, 0x80, 60, 0]) for number in range(128))


def midi(*tracks: bytes) -> bytes:
    chunks = [b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks]
    return b"MThd" + struct.pack(">LHHH", 6, 1, min(len(chunks), 65_535), 480) + b"".join(chunks)


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (midi((TEMPO + TIME) * (MAX_CHANGES // 2), KEY + HIT), MAX_CHANGES),
        (midi(b"\x00\x99\x24\x64" + b"\x01\x24\x64" * MAX_NOTES), MAX_NOTES),
        (midi(HIT, *[b""] * MAX_TRACKS), MAX_TRACKS),
        (midi(b"\x00\xb0\x07\x64" + b"\x00\x07\x64" * (MAX_CONTROLS // 128) + PROGRAMS), MAX_CONTROLS),
    ],
)
def test_more_events_than_music_has_are_refused(data: bytes, limit: int) -> None:
    with pytest.raises(MidiError, match=f"'a.mid' .*{TOO_MANY} .*more than {limit:,}"):
        midi_to_record(data, "x", "a.mid")


def test_as_many_events_as_the_limits_allow_are_read() -> None:
    assert midi_to_record(midi((TEMPO + TIME) * (MAX_CHANGES // 2) + HIT), "x", "a.mid").notes == 1
    assert (
        midi_to_record(midi(b"\x00\x99\x24\x64" + b"\x01\x24\x64" * (MAX_NOTES - 1)), "x", "a.mid").notes == MAX_NOTES
    )
    assert midi_to_record(midi(HIT, *[b""] * (MAX_TRACKS - 1)), "x", "a.mid").notes == 1


def test_records_have_the_same_limit_of_notes() -> None:
    assert not is_too_large(b"\x42\x00" * MAX_NOTES)
    assert is_too_large(b"\x42\x00" * (MAX_NOTES + 1))
    assert not is_too_large(b"\x5a\x00" * MAX_FIELDS)


def sections(count: int) -> NoteSequence:
    """Returns music with a change of time signature at each second."""
    sequence = NoteSequence(total_time=float(count))
    for number in range(count):
        sequence.time_signatures.add(time=number, numerator=3 + number % 2, denominator=4)
    return sequence


def test_sections_that_would_multiply_what_they_share_are_refused() -> None:
    names, pedals, text = sections(1000), sections(1000), sections(1000)
    text.filename = "x" * 100_000
    for number in range(20_000):
        names.instrument_infos.add(instrument=number, name="x")
        pedals.control_changes.add(instrument=number, control_number=64, control_value=127)
    for sequence in (names, pedals, text):
        with pytest.raises(ValueError, match=r"1,000 sections and .* bars, each with"):
            split_on_time_changes(sequence)
    assert len(split_on_time_changes(sections(1000))) == 1000
    long = NoteSequence(total_time=2000.0, filename="x" * 10_000_000)  # one section, which is cut into bars later
    with pytest.raises(ValueError, match="1 sections and 1,000 bars"):
        split_on_time_changes(long)


@pytest.mark.parametrize(("each", "windows"), [(10, 1000), (11, 0)])
def test_choices_of_a_trio_are_limited(each: int, windows: int) -> None:
    sequence = NoteSequence(total_time=32)
    for number in range(3 * each):
        sequence.notes.add(
            start_time=0, end_time=32, pitch=36, velocity=90, instrument=number,
            program=33 if number < each else 0, is_drum=number >= 2 * each,
        )  # fmt: skip
    dropped = Dropped()
    assert len(window_bars(REQUIREMENTS["trio"], sequence, dropped)) == windows
    assert dropped.reasons["too_many_trios"] == (not windows)
