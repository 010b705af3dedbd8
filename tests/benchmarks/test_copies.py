"""Copies of MIDI files: the same number of notes, other music."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_sequence import NoteSequence

from benchmarks.copies import note_positions, write_copies

MakeMidi = Callable[..., bytes]


def notes(path: Path) -> NoteSequence:
    return midi_to_note_sequence(path.read_bytes(), "c", "a.mid")


def test_positions_of_notes_with_running_status_and_other_events(make_midi: MakeMidi) -> None:
    track = b"\x00\xff\x03\x01a\x00\x99\x24\x64\x10\x26\x65\x00\xc9\x05\x00\xf0\x01\xf7\x81\x00\x89\x24\x00"
    data = make_midi(track=track)
    pitches, velocities = note_positions(data)
    assert [data[place] for place in pitches] == [0x24, 0x26, 0x24]
    assert [data[place] for place in velocities] == [0x64, 0x65]


def test_copies_are_other_music_with_the_same_rhythm(make_midi: MakeMidi, tmp_path: Path) -> None:
    source = tmp_path / "source" / "drummer1"
    source.mkdir(parents=True)
    original = make_midi(before=b"\x00\xff\x51\x03\x07\xa1\x20")
    (source / "1.mid").write_bytes(original)
    (source / "info.csv").write_bytes(b"not copied")
    assert write_copies(tmp_path / "source", tmp_path / "copies", 3) == 3
    files = sorted(path for path in (tmp_path / "copies").rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path / "copies").as_posix() for path in files] == [
        f"00{copy}/drummer1/1.mid" for copy in range(3)
    ]
    assert files[0].read_bytes() == original
    first, second, third = (notes(path) for path in files)
    assert len({path.read_bytes() for path in files}) == 3
    for other in (second, third):
        assert [note.pitch for note in other.notes] != [note.pitch for note in first.notes]
        assert len(other.notes) == len(first.notes)
        assert all(note.is_drum for note in other.notes)
        slower = first.tempos[0].qpm / other.tempos[0].qpm
        assert 1 <= slower < 1.101
        for mine, theirs in zip(other.notes, first.notes, strict=True):
            assert abs(mine.start_time - slower * theirs.start_time) < 1e-4


def test_the_same_arguments_give_the_same_copies(make_midi: MakeMidi, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "1.mid").write_bytes(make_midi())
    for name in ("one", "two"):
        write_copies(tmp_path / "source", tmp_path / name, 2)
    assert (tmp_path / "one/001/1.mid").read_bytes() == (tmp_path / "two/001/1.mid").read_bytes()
