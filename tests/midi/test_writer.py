"""The MIDI writer: its files are read again with mido, pretty_midi and our own reader."""

from __future__ import annotations

import io
import subprocess
import sys

import mido
import pretty_midi
import pytest
from fixtures.midi import instruments_midi, note
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.writer import Instrument, Note, Song, strokes, write_drums, write_instruments
from hypothesis import given
from hypothesis import strategies as some

# sixteenths in up to four bars; some begin before the file, end beyond it, or sound together
notes = some.builds(
    lambda start, length, pitch, velocity: note(start / 4, (start + length) / 4, pitch, velocity),
    some.integers(-4, 70),
    some.integers(1, 20),
    some.integers(0, 127),
    some.integers(1, 127),
)
instruments = some.builds(
    lambda program, is_drum, notes: Instrument("name", program, is_drum, notes),
    some.integers(0, 127),
    some.booleans(),
    some.lists(notes, max_size=12),
)


def parsed(data: bytes) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(data))


@given(some.lists(instruments, max_size=20), some.integers(1, 4), some.floats(20, 400))
def test_written_instruments_can_be_read(written: list[Instrument], bars: int, tempo: float) -> None:
    end = bars * 4 * 480
    data, count = write_instruments(Song("name", end, tempo), written)
    midi = parsed(data)
    assert {sum(message.time for message in track) for track in midi.tracks} == {end}
    starts = {
        (number, max(each.start, 0), each.pitch)
        for number, instrument in enumerate(written)
        for each in instrument.notes
        if each.start < end
    }
    assert count == len(starts)
    on = [message for track in midi.tracks for message in track if message.type == "note_on"]
    assert len(on) == count
    assert {message.channel == 9 for message in on} <= {instrument.is_drum for instrument in written}
    if all(not instrument.is_drum for instrument in written) and len(written) <= 15:
        sequence = midi_to_note_sequence(data, "", "x")
        assert len(sequence.notes) == count
        assert all(each.end_time > each.start_time for each in sequence.notes)


def test_each_instrument_has_its_channel_and_program() -> None:
    melodies = [Instrument(f"p{number}", number, False, [note(0, 1, 60, 90)]) for number in range(18)]
    data = instruments_midi([*melodies, Instrument("drums", 0, True, [note(0, 1, 36, 90)])], 1)
    read = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert sorted(each.program for each in read.instruments if not each.is_drum) == list(range(18))
    tracks = parsed(data).tracks
    assert [track.name for track in tracks] == ["song", *(f"p{number}" for number in range(18)), "drums"]
    # three share a channel with another: a program change precedes each of their notes
    changes = [message for message in tracks[16] if message.type == "program_change"]
    assert [change.program for change in changes] == [15, 15]


def test_a_pitch_stops_where_it_starts_again() -> None:
    melody = Instrument("melody", 0, False, [note(0, 4, 60, 50), note(1, 2, 60, 90), note(1, 3, 60, 80)])
    sequence = midi_to_note_sequence(instruments_midi([melody], 1), "", "x")
    assert [(each.start_time, each.end_time, each.velocity) for each in sequence.notes] == [(0, 0.5, 50), (0.5, 1, 90)]


def test_texts_stand_at_their_ticks_in_the_first_track() -> None:
    data, _ = write_instruments(Song("x", 7680, 120.0), [], [(0, "C"), (3840, "Am"), (5760, "C")])
    texts, tick = [], 0
    for message in parsed(data).tracks[0]:
        tick += message.time
        if message.type == "text":
            texts.append((tick, message.text))
    assert texts == [(0, "C"), (3840, "Am"), (5760, "C")]


def test_the_bytes_of_a_drum_file() -> None:
    data = write_drums(
        Song("é", 1920, 120.0, (3, 4), 240), [(0, strokes([(36, 80), (42, 80)])), (200, strokes([(36, 0)]))]
    )
    assert data.hex(" ", 1) == (
        "4d 54 68 64 00 00 00 06 00 00 00 01 00 f0 "  # format 0, 1 track, 240 ticks per quarter note
        "4d 54 72 6b 00 00 00 24 "
        "00 ff 03 01 e9 00 ff 51 03 07 a1 20 00 ff 58 04 03 02 18 08 "  # name, tempo, 3/4
        "00 99 24 50 00 2a 50 81 48 24 00 "  # running status: one status byte
        "8d 38 ff 2f 00"
    )


def test_the_bytes_of_an_instrument_file() -> None:
    data, count = write_instruments(Song("s", 480, 120.0), [Instrument("p", 5, False, [Note(0, 240, 60, 90)])])
    assert count == 1
    assert data[:14] == bytes.fromhex("4d546864 00000006 0001 0002 01e0")
    assert data.endswith(bytes.fromhex("00ff030170 00c005 00903c5a 8170803c00 8170ff2f00"))


def test_events_out_of_order_or_behind_the_end_are_refused() -> None:
    for ticks in ((10, 0), (0, 500)):
        with pytest.raises(ValueError, match="in order of time"):
            write_drums(Song("x", 480, 120.0), [(tick, strokes([(36, 80)])) for tick in ticks])


def test_the_import_loads_no_library() -> None:
    program = (
        "import sys, gmd_vae.midi.writer, gmd_vae.generation.performance.drum_notes; print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "gmd_vae.midi.writer" in loaded
    assert not loaded & {"mido", "note_seq", "numpy", "pretty_midi", "tensorflow"}
