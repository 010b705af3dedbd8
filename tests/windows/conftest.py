"""NoteSequences for the tests of this folder: generated beats and real music."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.midi.midi_io import midi_to_note_sequence
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.tfrecord import read_records, write_record

Beat = Callable[..., Any]


def make_beat(bars: int = 4, *, sequence_id: str = "beat", kick: int = 36, first_bar: int = 0, accent: int = -1) -> Any:
    """Returns kick and snare in quarter notes at 120 qpm (steps 0, 4, 8, 12), and a crash at bar ``accent``."""
    sequence = NoteSequence(id=sequence_id, total_time=(first_bar + bars) * 2.0)
    for quarter in range(first_bar * 4, (first_bar + bars) * 4):
        time = quarter * 0.5
        pitch = 38 if quarter % 2 else kick
        sequence.notes.add(start_time=time, end_time=time + 0.1, pitch=pitch, velocity=90, is_drum=True)
        if quarter == accent * 4:
            sequence.notes.add(start_time=time, end_time=time + 0.1, pitch=49, velocity=90, is_drum=True)
    return sequence


@pytest.fixture
def beat() -> Beat:
    return make_beat


@pytest.fixture
def write_notes() -> Callable[[Path, Iterable[Any]], Path]:
    def write(path: Path, sequences: Iterable[Any]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for sequence in sequences:
                write_record(stream, sequence if isinstance(sequence, bytes) else sequence.SerializeToString())
        return path

    return write


@pytest.fixture(scope="session")
def real_records(groove_notes: Path, test_data: Path) -> list[bytes]:
    """Records of the Groove MIDI Dataset, and of Freedoom's music (time changes, many instruments)."""
    groove = [
        record
        for split in ("train", "validation", "test")
        for record in read_records(groove_notes / f"{split}.tfrecord")
    ]
    music = sorted((test_data / "freedoom" / "musics").glob("*.mid"))[::5]
    freedoom = [midi_to_note_sequence(file.read_bytes(), "freedoom", file.name).SerializeToString() for file in music]
    assert len(groove) > 1000
    assert len(freedoom) > 5
    return groove[::30] + freedoom
