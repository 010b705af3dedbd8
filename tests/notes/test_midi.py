from __future__ import annotations

import pickle
import random
import resource
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.notes import midi
from pipeline.notes.midi import MidiError, midi_to_note_sequence, note_sequence_to_midi_bytes
from pipeline.notes.sequences import NoteSequence

MakeMidi = Callable[..., bytes]


def stock(data: bytes, filename: str) -> NoteSequence | None:
    """What Magenta's script makes of the bytes; None: it skips the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sequence = midi.midi_io.midi_to_note_sequence(data)
    except Exception:
        return None
    sequence.collection_name, sequence.filename = "groove", filename
    sequence.id = midi.sequence_id("groove", filename)
    return sequence


def ours(data: bytes, filename: str) -> NoteSequence | MidiError:
    try:
        return midi_to_note_sequence(data, "groove", filename)
    except MidiError as error:
        return error


def assert_as_stock(data: bytes, filename: str) -> None:
    expected, found = stock(data, filename), ours(data, filename)
    if isinstance(found, MidiError):
        assert found.reason in midi.REASONS
        assert expected is None, f"{filename}: {found}"
    else:
        assert expected is not None, filename
        assert found.SerializeToString() == expected.SerializeToString(), filename


def reason_of(data: bytes) -> str:
    with pytest.raises(MidiError) as caught:
        midi_to_note_sequence(data, "collection", "a.mid")
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


def test_real_files_are_as_stock(groove_archive: Path) -> None:
    with zipfile.ZipFile(groove_archive) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".mid"))[::40]
        for name in names:
            assert_as_stock(archive.read(name), name)


def test_malformed_and_other_music_is_as_stock(test_data: Path) -> None:
    others = sorted((test_data / "freedoom" / "musics").glob("*.mid"))[::20]
    for path in [*sorted((test_data / "malformed").rglob("*.mid")), *others]:
        assert_as_stock(path.read_bytes(), path.name)


def test_damaged_copies_are_as_stock(groove_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "MAX_TICKS", 1_000_000)  # stock needs memory for every tick
    rng = random.Random(1)
    with zipfile.ZipFile(groove_archive) as archive:
        small = sorted((info.file_size, info.filename) for info in archive.infolist() if info.filename.endswith(".mid"))
        files = [archive.read(name) for _, name in small[:40]]
    for number in range(600):
        data = bytearray(rng.choice(files))
        for _ in range(rng.choice([1, 1, 2, 8])):
            data[rng.randrange(len(data))] = rng.choice([0, 0x7F, 0x80, 0x90, 0xF0, 0xFF, rng.randrange(256)])
        damaged = bytes(data[: rng.randrange(14, len(data))] if number % 5 == 0 else data)
        found = ours(damaged, "a.mid")
        if isinstance(found, MidiError) and found.reason == midi.TOO_LONG:
            continue
        assert_as_stock(damaged, f"damaged {number}")


def test_many_tempos_are_as_stock(make_midi: MakeMidi) -> None:
    rng = random.Random(2)
    tempos = b""
    for _ in range(200):
        delta, tempo = rng.randrange(128), rng.randrange(1, 1 << 24)
        tempos += bytes([delta]) + b"\xff\x51\x03" + tempo.to_bytes(3, "big")
        tempos += bytes([rng.randrange(128), 0x99, 36, 90, rng.randrange(1, 128), 0x89, 36, 0])
    assert_as_stock(make_midi(before=tempos), "tempos.mid")


def test_smpte_time_division_is_as_stock(make_midi: MakeMidi) -> None:
    assert_as_stock(make_midi(ticks_per_quarter=0xE728), "smpte.mid")


def test_reasons(make_midi: MakeMidi) -> None:
    good = make_midi()
    assert reason_of(b"") == midi.EMPTY
    assert reason_of(b"RIFF" + good) == midi.NOT_MIDI
    assert reason_of(b"MThd" + bytes(midi.MAX_BYTES)) == midi.TOO_LARGE
    assert reason_of(good[:-5]) == midi.CUT_SHORT
    assert reason_of(good[:10]) == midi.CUT_SHORT
    assert reason_of(good.replace(b"MTrk", b"MTrx")) == midi.DAMAGED
    assert reason_of(make_midi(track=b"\x00\xf4")) == midi.DAMAGED
    assert reason_of(make_midi(track=b"")) == midi.NO_EVENTS
    assert reason_of(good[:10] + b"\x00\x00" + good[12:]) == midi.NO_EVENTS  # says it has no track
    assert reason_of(make_midi(ticks_per_quarter=0)) == midi.DAMAGED
    assert reason_of(make_midi(before=b"\x00\xff\x51\x03\x00\x00\x00")) == midi.BAD_TEMPO
    assert reason_of(make_midi(before=b"\x00\xff\x58\x04\x00\x02\x18\x08")) == midi.BAD_TIME_SIGNATURE  # 0/4
    assert reason_of(make_midi(before=b"\x00\xff\x58\x04\x04\x40\x18\x08")) == midi.BAD_TIME_SIGNATURE  # 4/2**64
    assert reason_of(make_midi(before=b"\x00\xff\x59\x02\x30\x00")) == midi.BAD_KEY_SIGNATURE  # 48 sharps


def test_errors_survive_the_way_from_another_process() -> None:
    error = MidiError(midi.DAMAGED, "a.mid", "why")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.reason, copy.detail) == (str(error), midi.DAMAGED, "why")


def test_a_few_bytes_cannot_ask_for_all_memory(make_midi: MakeMidi) -> None:
    bomb = make_midi(track=b"\xa0\xff\xff\x7f\x99\x24\x64\xff\xff\xff\x7f\x89\x24\x00")
    assert len(bomb) < 40
    assert reason_of(bomb) == midi.TOO_LONG
    for length in (10, 40, 1000, 4000):  # delta times of up to 28,000 bits
        assert reason_of(make_midi(track=b"\xff" * length + b"\x7f\x99\x24\x64")) == midi.TOO_LONG
    assert reason_of(make_midi(track=b"\xff" * 5000 + b"\x7f\x99\x24\x64")) == midi.DAMAGED
    assert reason_of(make_midi([(0, 36), (2_000_000, 36)], ticks_per_quarter=1)) == midi.TOO_LONG


def test_the_longest_file_allowed_needs_little_memory() -> None:
    code = f"""
import resource
from pipeline.notes.midi import MAX_TICKS, midi_to_note_sequence
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


def test_ctrl_c_while_reading_is_not_a_damaged_file(make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for place in ("mido.MidiFile", "pipeline.notes.midi._SparsePrettyMIDI._load_instruments"):
        with monkeypatch.context() as patch:
            patch.setattr(place, interrupted)
            with pytest.raises(KeyboardInterrupt):
                midi_to_note_sequence(make_midi(), "c", "a.mid")


def test_a_tempo_outside_the_first_track_prints_nothing(make_midi: MakeMidi, recwarn: pytest.WarningsRecorder) -> None:
    one = make_midi()
    second = make_midi(before=b"\x00\xff\x51\x03\x07\xa1\x20")[14:]
    two = one[:8] + b"\x00\x01\x00\x02" + one[12:] + second
    assert_as_stock(two, "two.mid")
    midi_to_note_sequence(two, "c", "a.mid")
    assert not recwarn.list


def test_writing_midi_is_deterministic_and_keeps_the_notes(make_midi: MakeMidi) -> None:
    sequence = midi_to_note_sequence(make_midi(), "c", "a.mid")
    data = note_sequence_to_midi_bytes(sequence)
    assert data == note_sequence_to_midi_bytes(sequence)
    again = midi_to_note_sequence(data, "c", "a.mid")
    assert again.notes == sequence.notes
    assert again.tempos == sequence.tempos
