"""What one NoteSequence holds: the figures that a collection adds up. Made in any process, small to send."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from typing import Any

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.datasets.safe_names import printable
from gmd_vae.windows.cutting.drum_windows import placed_windows
from gmd_vae.windows.extraction import Dropped, Labels

NO_SIGNATURE = "none given"  # Magenta takes such music for 4/4
_MICROSECONDS = 1e6  # music is the same where its times are, at this resolution


@dataclasses.dataclass
class Facts:
    """The figures of one NoteSequence.

    Attributes:
        sequence_id: its ``id``, or else its ``filename``.
        name: its ``filename``, or else its ``id``.
        seconds: its length; 0 where the record says no finite number.
        notes: all notes.
        drum_notes: notes of the drum part with a velocity.
        bpm: the first tempo, quarters per minute; None without one.
        tempos: different tempos.
        time_signature: the first, such as ``4/4``.
        signatures: different time signatures.
        pitches: pitch → drum notes.
        windows: a digest of each window, in the order of time.
        dropped: what gave no window.
        music: a digest of the notes, whatever the file is called; empty without notes.
    """

    sequence_id: str = ""
    name: str = ""
    seconds: float = 0.0
    notes: int = 0
    drum_notes: int = 0
    bpm: float | None = None
    tempos: int = 0
    time_signature: str = NO_SIGNATURE
    signatures: int = 0
    pitches: Counter[int] = dataclasses.field(default_factory=Counter)
    windows: list[int] = dataclasses.field(default_factory=list)
    dropped: Dropped = dataclasses.field(default_factory=Dropped)
    music: bytes = b""


def facts_of(record: bytes, spec: DrumWindows) -> Facts:
    """Reads one NoteSequence (protobuf wire format). What is none comes back empty, with ``dropped`` saying so."""
    from google.protobuf.message import DecodeError

    from gmd_vae.midi.note_sequence import NoteSequence

    dropped = Dropped()
    try:
        sequence = NoteSequence.FromString(record)
    except DecodeError:
        dropped.reasons["unreadable"] += 1
        return Facts(dropped=dropped)
    windows = [
        window_digest(np.frombuffer(window.data, np.int64)) for window in placed_windows(spec, sequence, dropped)
    ]
    tempos = [tempo.qpm for tempo in sequence.tempos if math.isfinite(tempo.qpm) and tempo.qpm > 0]
    signatures = [f"{change.numerator}/{change.denominator}" for change in sequence.time_signatures]
    pitches = drum_pitches(sequence)
    return Facts(
        sequence_id=sequence.id or sequence.filename,
        name=printable(sequence.filename or sequence.id, limit=None),
        seconds=seconds_of(sequence),
        notes=len(sequence.notes),
        drum_notes=pitches.total(),
        bpm=tempos[0] if tempos else None,
        tempos=len(set(tempos)),
        time_signature=signatures[0] if signatures else NO_SIGNATURE,
        signatures=len(set(signatures)),
        pitches=pitches,
        windows=windows,
        dropped=dropped,
        music=_music_digest(sequence),
    )


def window_digest(labels: Labels) -> int:
    """64 bits that differ where windows differ: a set of them takes a tenth of the windows' own memory."""
    return int.from_bytes(hashlib.blake2b(labels.astype("<i8").tobytes(), digest_size=8).digest(), "little")


def seconds_of(sequence: Any) -> float:
    """The length of a NoteSequence; 0 where it is not a finite number above 0."""
    seconds: float = sequence.total_time
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def drum_pitches(sequence: Any) -> Counter[int]:
    """MIDI pitch → how many drum notes, counted as the extraction counts them: without velocity 0."""
    return Counter(note.pitch for note in sequence.notes if note.is_drum and note.velocity != 0)


def voice_of(spec: DrumWindows) -> dict[int, int]:
    """MIDI pitch → the number of its drum class; as in the extraction, the last class wins."""
    return {pitch: number for number, pitches in enumerate(spec.pitch_classes) for pitch in pitches}


def voices(spec: DrumWindows, pitches: Counter[int]) -> list[dict[str, Any]]:
    """For each drum class: its name, its notes, and which pitches they had."""
    numbers = voice_of(spec)
    found: list[dict[str, Any]] = [{"voice": name, "notes": 0, "pitches": {}} for name in spec.voice_names]
    for pitch in sorted(pitches):
        if pitch in numbers:
            voice = found[numbers[pitch]]
            voice["notes"] += pitches[pitch]
            voice["pitches"][str(pitch)] = pitches[pitch]
    return found


def _music_digest(sequence: Any) -> bytes:
    if not sequence.notes:
        return b""
    rows = np.array(
        [
            (note.start_time, note.end_time, note.pitch, note.velocity, note.is_drum, note.program)
            for note in sequence.notes
        ],
        np.float64,
    )
    rows[:, :2] = np.round(rows[:, :2] * _MICROSECONDS)
    return hashlib.blake2b(rows[np.lexsort(rows.T)].tobytes(), digest_size=16).digest()
