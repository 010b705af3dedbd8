"""MIDI bytes to NoteSequence and back: equal to note_seq, limits, and reasons for refusals."""

from __future__ import annotations

import pickle
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.against_note_seq import ACCEPTED, compare, note_sequence_to_midi_bytes
from gmd_vae.midi import midi_io, refusals
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.reading import EVERY_HIT, STOCK, Reading
from gmd_vae.midi.refusals import MidiError

MakeMidi = Callable[..., bytes]


def reason_of(data: bytes, reading: Reading = EVERY_HIT) -> str:
    with pytest.raises(MidiError) as caught:
        midi_to_note_sequence(data, "collection", "a.mid", reading)
    assert caught.value.next_action
    assert "\n" not in str(caught.value)
    assert "'a.mid'" in str(caught.value)
    return caught.value.reason


def test_a_sequence_is_named_as_magenta_names_it(make_midi: MakeMidi) -> None:
    sequence = midi_to_note_sequence(make_midi(), "groove", "drummer1/session1/1.mid")
    assert sequence.collection_name == "groove"
    assert sequence.filename == "drummer1/session1/1.mid"
    assert sequence.id == "/id/midi/groove/d1ec25f8f34756a8a91b111a0a7a901945bf1992"
    assert [note.pitch for note in sequence.notes] == [36, 42, 38]
    assert all(note.is_drum for note in sequence.notes)
    assert sequence.ticks_per_quarter == 480
    assert sequence.notes[2].start_time == 0.5  # seconds: 480 ticks at 120 quarters a minute


def test_real_files_are_read_as_note_seq_reads_them(groove_archive: Path) -> None:
    with zipfile.ZipFile(groove_archive) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))
        for name in names[::8]:
            assert compare(archive.read(name)) == ACCEPTED, name
        assert all(midi_io.reads_without_note_seq(archive.read(name)) for name in names)


def test_malformed_and_other_music_is_read_as_note_seq_reads_it(test_data: Path) -> None:
    songs = sorted((test_data / "freedoom" / "musics").glob("*.mid"))
    assert all(midi_io.reads_without_note_seq(path.read_bytes()) for path in songs)
    for path in songs[::20]:
        assert compare(path.read_bytes()) == ACCEPTED, path.name
    malformed = sorted((test_data / "malformed").rglob("*.mid"))
    answers = [compare(path.read_bytes()) for path in malformed]
    assert answers.count(ACCEPTED) > 60
    assert refusals.DAMAGED in answers
    for path, answer in zip(malformed, answers, strict=True):
        assert midi_io.reads_without_note_seq(path.read_bytes()) == (answer == ACCEPTED), (
            path.name
        )  # nothing goes the slow way


def test_many_tempos_are_read_as_note_seq_reads_them(make_midi: MakeMidi) -> None:
    rng = random.Random(2)
    tempos = b""
    for _ in range(200):
        delta, tempo = rng.randrange(128), rng.randrange(1, 1 << 24)
        tempos += bytes([delta]) + b"\xff\x51\x03" + tempo.to_bytes(3, "big")
        tempos += bytes([rng.randrange(128), 0x99, 36, 90, rng.randrange(1, 128), 0x89, 36, 0])
    assert compare(make_midi(before=tempos)) == ACCEPTED


def test_files_that_our_reader_does_not_support_are_read_by_note_seq(make_midi: MakeMidi) -> None:
    smpte = make_midi(ticks_per_quarter=0xE728)
    long_number = make_midi(before=b"\x80\x80\x80\x80\x05\x99\x24\x40")  # mido has no limit
    for data in (smpte, long_number):
        assert not midi_io.reads_without_note_seq(data)
    assert compare(long_number) == ACCEPTED
    assert compare(smpte) in (ACCEPTED, refusals.DAMAGED)


def test_reasons(make_midi: MakeMidi) -> None:
    good = make_midi()
    assert reason_of(b"") == refusals.EMPTY
    assert reason_of(b"RIFF" + good) == refusals.NOT_MIDI
    assert reason_of(b"MThd" + bytes(refusals.MAX_BYTES)) == refusals.TOO_LARGE
    assert reason_of(good[:-5]) == refusals.CUT_SHORT
    assert reason_of(good[:10]) == refusals.CUT_SHORT
    assert reason_of(good.replace(b"MTrk", b"MTrx")) == refusals.DAMAGED
    assert reason_of(good.replace(b"MTrk", b"MT\x00k")) == refusals.DAMAGED
    assert reason_of(make_midi(track=b"\x00\xf4")) == refusals.DAMAGED
    assert reason_of(make_midi(track=b"\x00\x24\x40")) == refusals.DAMAGED
    assert reason_of(make_midi(ticks_per_quarter=0)) == refusals.DAMAGED
    assert reason_of(make_midi(ticks_per_quarter=0xE728)) == refusals.SMPTE
    assert reason_of(good[:9] + b"\x02" + good[10:11] + b"\x02" + good[12:] + good[14:]) == refusals.PATTERNS


def test_reasons_of_magentas_stack(make_midi: MakeMidi) -> None:
    good = make_midi()
    assert reason_of(make_midi(track=b""), STOCK) == refusals.NO_EVENTS
    assert reason_of(good[:10] + b"\x00\x00" + good[12:], STOCK) == refusals.NO_EVENTS  # says it has no track
    assert reason_of(make_midi(before=b"\x00\xff\x51\x03\x00\x00\x00"), STOCK) == refusals.BAD_TEMPO
    time_signature = b"\x00\xff\x58\x04"
    assert (
        reason_of(make_midi(before=time_signature + b"\x00\x02\x18\x08"), STOCK) == refusals.BAD_TIME_SIGNATURE
    )  # 0/4
    assert (
        reason_of(make_midi(before=time_signature + b"\x04\x40\x18\x08"), STOCK) == refusals.BAD_TIME_SIGNATURE
    )  # 4/2**64
    assert reason_of(make_midi(before=b"\x00\xff\x59\x02\x30\x00"), STOCK) == refusals.BAD_KEY_SIGNATURE  # 48 sharps


def test_errors_survive_the_way_from_another_process() -> None:
    error = MidiError(refusals.DAMAGED, "a.mid", "why")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.reason, copy.detail) == (str(error), refusals.DAMAGED, "why")


def test_a_few_bytes_cannot_ask_for_all_memory(make_midi: MakeMidi) -> None:
    bomb = make_midi(track=b"\xa0\xff\xff\x7f\x99\x24\x64\xff\xff\xff\x7f\x89\x24\x00")
    assert len(bomb) < 40
    assert reason_of(bomb) == refusals.TOO_LONG
    for length in (10, 40, 1000, 4000):  # delta times of up to 28,000 bits
        assert reason_of(make_midi(track=b"\xff" * length + b"\x7f\x99\x24\x64")) == refusals.TOO_LONG
    endless = make_midi(track=b"\xff" * 5000 + b"\x7f\x99\x24\x64")
    assert reason_of(endless) == refusals.TOO_LONG
    assert reason_of(endless, STOCK) == refusals.DAMAGED
    assert reason_of(make_midi([(0, 36), (2_000_000, 36)], ticks_per_quarter=1)) == refusals.TOO_LONG


def test_the_longest_file_allowed_needs_little_memory() -> None:
    code = f"""
import resource
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.refusals import MAX_TICKS
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
number = lambda n: bytes([0x80 | n >> 21 & 127, 0x80 | n >> 14 & 127, 0x80 | n >> 7 & 127, n & 127])
track = number(MAX_TICKS) + bytes([0x99, 36, 100]) + bytes([0, 0x89, 36, 0])
data = b"MThd" + bytes([0, 0, 0, 6, 0, 0, 0, 1, 0x7f, 0xff]) + b"MTrk" + len(track).to_bytes(4, "big") + track
sequence = midi_to_note_sequence(data, "c", "a.mid")
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
assert grown * {1 if sys.platform == "darwin" else 1024} < 50e6, grown
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert resource  # the module is there on every system we support


def test_a_tempo_outside_the_first_track_prints_nothing(make_midi: MakeMidi, recwarn: pytest.WarningsRecorder) -> None:
    one = make_midi()
    second = make_midi(before=b"\x00\xff\x51\x03\x07\xa1\x20")[14:]
    two = one[:8] + b"\x00\x01\x00\x02" + one[12:] + second
    assert compare(two) == ACCEPTED
    assert not recwarn.list


def test_reading_needs_neither_protobuf_nor_magentas_readers(make_midi: MakeMidi) -> None:
    code = f"""
import sys
from gmd_vae.midi.midi_io import midi_to_record
assert midi_to_record({make_midi()!r}, "c", "a.mid").notes == 3
found = {{"google.protobuf", "mido", "note_seq", "pretty_midi", "tensorflow"}} & sys.modules.keys()
assert not found, found
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_file_that_note_seq_writes_keeps_the_notes(make_midi: MakeMidi) -> None:
    sequence = midi_to_note_sequence(make_midi(), "c", "a.mid")
    data = note_sequence_to_midi_bytes(sequence)
    again = midi_to_note_sequence(data, "c", "a.mid")
    assert again.notes == sequence.notes
    assert again.tempos == sequence.tempos
