"""NoteSequences that no music needs: refused before memory is taken for them."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi import sequence_limits
from gmd_vae.midi.note_arrays import notes_of, read_notes
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.sequence_limits import is_too_large, is_within_limits
from gmd_vae.midi.tfrecord import create, read_records, write_record
from google.protobuf.message import DecodeError

FAR: list[Callable[[Any], Any]] = [
    lambda s: setattr(s.tempos[0], "qpm", 1e9),
    lambda s: setattr(s.tempos[0], "qpm", 1e300),
    lambda s: setattr(s.tempos[0], "qpm", float("inf")),
    lambda s: setattr(s, "total_time", 1e15),
    lambda s: s.notes.add(start_time=1e15, end_time=1e15 + 1, pitch=60, velocity=90),
    lambda s: setattr(s.notes[0], "end_time", float("inf")),
    lambda s: s.tempos.add(time=10, qpm=6e7),
    lambda s: setattr(s.notes[0], "pitch", 2**31 - 1),
    lambda s: setattr(s.notes[0], "velocity", -1),
    lambda s: setattr(s.notes[0], "instrument", -(2**31)),
    lambda s: [s.tempos.add(time=1, qpm=60) for _ in range(sequence_limits.MAX_CHANGES)],
]


@pytest.fixture
def melody() -> Any:
    """Returns 64 quarter notes, at 120 a minute."""
    sequence = NoteSequence(id="x", total_time=32)
    sequence.tempos.add(qpm=120)
    sequence.time_signatures.add(numerator=4, denominator=4)
    for quarter in range(64):
        sequence.notes.add(start_time=quarter / 2, end_time=quarter / 2 + 0.4, pitch=60 + quarter % 5, velocity=90)
    return sequence


def test_usual_and_odd_music_is_within_the_limits(melody: Any) -> None:
    assert is_within_limits(melody, notes_of(melody))
    melody.tempos.add(time=1, qpm=6e7)  # for one microsecond, as damaged MIDI files have it
    melody.tempos.add(time=1.000001, qpm=3.6)
    melody.notes.add(start_time=100_000, end_time=100_001, pitch=60, velocity=90, is_drum=True, program=127)
    assert is_within_limits(melody, notes_of(melody))
    assert is_within_limits(NoteSequence(), notes_of(NoteSequence()))


@pytest.mark.parametrize("change", FAR)
def test_music_beyond_the_limits_is_found(melody: Any, change: Callable[[Any], Any]) -> None:
    change(melody)
    assert not is_within_limits(melody, notes_of(melody))


def test_records_with_too_many_notes_are_not_parsed(melody: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    record = melody.SerializeToString()
    assert not is_too_large(record)
    assert not is_too_large(record * 500)  # 1.3 MB with 32,000 notes
    assert is_too_large(b"\x42\x00" * (2 << 20))  # notes without content
    assert is_too_large(bytes(sequence_limits.MAX_RECORD_BYTES + 1))
    assert not is_too_large(b"\xff" * (2 << 20))  # no NoteSequence: protobuf finds it out at once
    with pytest.raises(DecodeError):
        read_notes(b"\x42\x00" * (2 << 20))


ATTACKS = """
import sys
from pathlib import Path
from gmd_vae.inspection.fitting_configs import fitting_configs
print(fitting_configs(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("change", FAR[:8])
def test_the_advice_of_preprocess_takes_little_memory(
    melody: Any, change: Callable[[Any], Any], tmp_path: Path
) -> None:
    path = tmp_path / "evil.tfrecord"
    change(melody)
    with create(path) as stream:
        write_record(stream, melody.SerializeToString())
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", ATTACKS, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)),
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
    assert time.monotonic() - begin < 30


def test_a_gzip_file_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.midi.tfrecord._MIN_UNPACKED", 1 << 20)
    path = tmp_path / "bomb.tfrecord.gz"
    with gzip.open(path, "wb", 9) as stream:
        for _ in range(16):
            write_record(stream, bytes(1 << 20))
    with pytest.raises(GmdVaeError, match="unpacks to more than 200 times its size"):
        list(read_records(path))
