"""Computes the figures of one NoteSequence, which ``collection.py`` adds up. Small: worker processes send them."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections import Counter
from typing import Any

import numpy as np

from gmd_vae.common.printable import printable
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import Notes, notes_of
from gmd_vae.windows.cutting.beat_time import at_one_tempo
from gmd_vae.windows.cutting.drum_windows import placed_windows
from gmd_vae.windows.extraction import Dropped, Labels

NO_SIGNATURE = "none given"  # Magenta reads such music as 4/4
_MICROSECONDS = 1e6  # resolution at which two pieces of music are the same


@dataclasses.dataclass
class SequenceFigures:
    """The figures of one NoteSequence.

    Attributes:
        sequence_id: The ``id``, or else the ``filename``.
        name: The ``filename``, or else the ``id``.
        seconds: Length; 0 where the record has no finite length.
        notes: Number of notes.
        drum_notes: Number of drum notes with a velocity.
        bpm: First tempo, quarters per minute, or ``None``.
        tempos: Number of different tempos.
        time_signature: First time signature, for example ``4/4``.
        signatures: Number of different time signatures.
        pitches: Number of drum notes by MIDI pitch.
        windows: Digest of each window, in the order of time.
        dropped: Music that gave no window.
        music: Digest of the notes, independent of the file name; empty without notes.
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


def sequence_figures(record: bytes, spec: DrumWindows, assumed_tempos: int = 0) -> SequenceFigures:
    """Computes the figures of one NoteSequence.

    Args:
        record: NoteSequence in protobuf wire format.
        spec: Drum windows to cut.
        assumed_tempos: Number of tempos at the beginning that the MIDI file does not give.

    Returns:
        Figures of the NoteSequence. Bytes that are not one give empty figures and a count in ``dropped``.
    """
    from google.protobuf.message import DecodeError

    from gmd_vae.midi.note_sequence import NoteSequence
    from gmd_vae.midi.sequence_limits import is_too_large

    dropped = Dropped()
    try:
        if is_too_large(record):
            raise DecodeError
        sequence = NoteSequence.FromString(record)
    except DecodeError:
        dropped.reasons["unreadable"] += 1
        return SequenceFigures(dropped=dropped)
    notes = notes_of(sequence)
    music = at_one_tempo(sequence, notes)
    windows = [
        window_digest(np.frombuffer(window.data, np.int64))
        for window in placed_windows(spec, music.sequence, dropped, music.notes)
    ]
    tempos = [tempo.qpm for tempo in sequence.tempos if math.isfinite(tempo.qpm) and tempo.qpm > 0]
    signatures = [f"{change.numerator}/{change.denominator}" for change in sequence.time_signatures]
    pitches = drum_pitches(notes)
    return SequenceFigures(
        sequence_id=sequence.id or sequence.filename,
        name=printable(sequence.filename or sequence.id, limit=None),
        seconds=seconds_of(sequence),
        notes=len(notes.pitch),
        drum_notes=pitches.total(),
        bpm=next(iter(tempos[assumed_tempos:]), None),
        tempos=len(set(tempos)),
        time_signature=signatures[0] if signatures else NO_SIGNATURE,
        signatures=len(set(signatures)),
        pitches=pitches,
        windows=windows,
        dropped=dropped,
        music=_music_digest(sequence, notes),
    )


def window_digest(labels: Labels) -> int:
    """Returns a 64-bit digest of a window, which takes a tenth of its memory."""
    return int.from_bytes(hashlib.blake2b(labels.astype("<i8").tobytes(), digest_size=8).digest(), "little")


def seconds_of(sequence: Any) -> float:
    """Returns the length of a NoteSequence; 0 where it is not finite and positive."""
    seconds: float = sequence.total_time
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def drum_pitches(notes: Notes) -> Counter[int]:
    """Counts drum notes by MIDI pitch, without those of velocity 0, as the extraction does."""
    return Counter(notes.pitch[notes.is_drum & (notes.velocity != 0)].tolist())


def voice_of(spec: DrumWindows) -> dict[int, int]:
    """Returns the drum class of each MIDI pitch. The last class wins, as in the extraction."""
    return {pitch: number for number, pitches in enumerate(spec.pitch_classes) for pitch in pitches}


def voices(spec: DrumWindows, pitches: Counter[int]) -> list[dict[str, Any]]:
    """Returns the ``voices`` of the JSON answer: name, notes and pitches of each drum class.

    Args:
        spec: Drum windows with the classes.
        pitches: Number of drum notes by MIDI pitch. Pitches in no class are left out.
    """
    numbers = voice_of(spec)
    found: list[dict[str, Any]] = [{"voice": name, "notes": 0, "pitches": {}} for name in spec.voice_names]
    for pitch in sorted(pitches):
        if pitch in numbers:
            voice = found[numbers[pitch]]
            voice["notes"] += pitches[pitch]
            voice["pitches"][str(pitch)] = pitches[pitch]
    return found


def _music_digest(sequence: Any, notes: Notes) -> bytes:
    """Returns a 128-bit digest of the notes in any order, with times in whole microseconds; empty without notes."""
    if not len(notes.pitch):
        return b""
    programs = [note.program for note in sequence.notes]
    rows = np.array([*notes, programs], np.float64).T.copy()
    rows[:, :2] = np.round(rows[:, :2] * _MICROSECONDS)
    return hashlib.blake2b(rows[np.lexsort(rows.T)].tobytes(), digest_size=16).digest()
