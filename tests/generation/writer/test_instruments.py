"""Notes of several instruments as MIDI files, read again."""

from __future__ import annotations

import io

import mido
import pretty_midi
from gmd_vae.generation.writer.instruments import Note, Part, parts_midi
from gmd_vae.midi.midi_io import midi_to_note_sequence
from hypothesis import given
from hypothesis import strategies as some

# sixteenths in up to four bars; some begin before the file, end beyond it, or sound together
notes = some.builds(
    lambda start, length, pitch, velocity: Note(start / 4, (start + length) / 4, pitch, velocity),
    some.integers(-4, 70),
    some.integers(1, 20),
    some.integers(0, 127),
    some.integers(1, 127),
)
parts = some.builds(
    lambda program, is_drum, notes: Part("part", program, is_drum, tuple(notes)),
    some.integers(0, 127),
    some.booleans(),
    some.lists(notes, max_size=12),
)


@given(some.lists(parts, max_size=20), some.integers(1, 4), some.floats(20, 400))
def test_what_is_written_can_be_read(written: list[Part], bars: int, tempo: float) -> None:
    data, count = parts_midi(written, bars, tempo, "name")
    midi = mido.MidiFile(file=io.BytesIO(data))
    assert {sum(message.time for message in track) for track in midi.tracks} == {bars * 4 * 480}
    begun = {
        (number, max(note.start, 0), note.pitch)
        for number, part in enumerate(written)
        for note in part.notes
        if note.start < bars * 4
    }
    assert count == len(begun)
    on = [message for track in midi.tracks for message in track if message.type == "note_on"]
    assert len(on) == count
    assert {message.channel == 9 for message in on} <= {part.is_drum for part in written}
    if all(not part.is_drum for part in written) and len(written) <= 15:
        sequence = midi_to_note_sequence(data, "", "x")
        assert len(sequence.notes) == count
        assert all(note.end_time > note.start_time for note in sequence.notes)


def test_each_part_has_its_channel_and_program() -> None:
    melodies = [Part(f"p{number}", number, False, (Note(0, 1, 60, 90),)) for number in range(18)]
    data, _ = parts_midi([*melodies, Part("drums", 0, True, (Note(0, 1, 36, 90),))], 1, 120.0, "many")
    read = pretty_midi.PrettyMIDI(io.BytesIO(data))
    assert sorted(each.program for each in read.instruments if not each.is_drum) == list(range(18))
    tracks = mido.MidiFile(file=io.BytesIO(data)).tracks
    assert [track.name for track in tracks] == ["many", *(f"p{number}" for number in range(18)), "drums"]
    # three share a channel with another: each says its program again before it plays
    changes = [message for message in tracks[16] if message.type == "program_change"]
    assert [change.program for change in changes] == [15, 15]


def test_a_pitch_that_sounds_ends_where_it_begins_again() -> None:
    part = Part("melody", 0, False, (Note(0, 4, 60, 50), Note(1, 2, 60, 90), Note(1, 3, 60, 80)))
    sequence = midi_to_note_sequence(parts_midi([part], 1, 120.0, "x")[0], "", "x")
    assert [(note.start_time, note.end_time, note.velocity) for note in sequence.notes] == [(0, 0.5, 50), (0.5, 1, 90)]


def test_chords_are_written_where_they_change() -> None:
    midi = mido.MidiFile(file=io.BytesIO(parts_midi([], 4, 120.0, "x", ["C", "C", "Am", "C"])[0]))
    texts, tick = [], 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "text":
            texts.append((tick // 1920, message.text))
    assert texts == [(0, "C"), (2, "Am"), (3, "C")]
