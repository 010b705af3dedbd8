"""Limits of NoteSequences from files. They keep damaged ones from taking all memory, and no real music reaches them.

``convert`` refuses MIDI files beyond most of these limits (``refusals.py``), but records may come from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gmd_vae.midi.refusals import MAX_NOTES, MAX_QUARTERS

if TYPE_CHECKING:
    from gmd_vae.midi.note_arrays import Notes

MAX_RECORD_BYTES = 32 << 20  # the largest MIDI file that convert reads gives less
MAX_FIELDS = 2_000_000  # notes and events; a parsed one takes about 100 bytes
MAX_SECONDS = 20_000_000  # MAX_QUARTERS at the slowest tempo of a MIDI file
MAX_CHANGES = 20_000  # of tempo and time signature; each begins a section
_SMALL = 2 * MAX_NOTES  # bytes: too few for more notes or fields
_NOTE = 0x42  # tag of a note in a NoteSequence
_DEFAULT_QPM = 120.0


def is_too_large(record: bytes) -> bool:
    """Returns True for a record with too many bytes, notes or events to be parsed.

    Args:
        record: NoteSequence in protobuf wire format.
    """
    if len(record) <= _SMALL:
        return False
    return len(record) > MAX_RECORD_BYTES or _has_many_fields(record)


def _has_many_fields(record: bytes) -> bool:
    """Returns True for more than ``MAX_NOTES`` notes, or more than ``MAX_FIELDS`` fields, one for each note and event.

    Ends at the first damaged field.
    """
    position, size, notes = 0, len(record), 0
    for _ in range(MAX_FIELDS):
        if position + 1 >= size:
            return False
        kind = record[position] & 7
        notes += record[position] == _NOTE
        if notes > MAX_NOTES:
            return True
        while record[position] > 0x7F and position + 1 < size:
            position += 1
        position += 1
        if kind not in (0, 2):
            position += {1: 8, 5: 4}.get(kind, size)
            continue
        value = shift = 0
        while position < size:
            byte = record[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 or shift > 63:
                break
        position += value if kind == 2 else 0
    return position < size


def is_within_limits(sequence: Any, notes: Notes) -> bool:
    """Returns True for music whose length in seconds and steps, and whose numbers, a converter can handle.

    Our own extraction of drum windows needs no such limits: its memory depends on the number of notes alone.

    Args:
        sequence: NoteSequence.
        notes: Its notes.
    """
    changes = len(sequence.tempos) + len(sequence.time_signatures)
    last = max(sequence.total_time, notes.start.max(initial=0.0), notes.end.max(initial=0.0))
    if changes > MAX_CHANGES or last > MAX_SECONDS:
        return False
    numbers = np.concatenate([notes.pitch, notes.velocity])
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() <= 127:
        return False
    if any(note.instrument < 0 or note.program < 0 for note in sequence.notes):
        return False
    return quarters(sequence, last) <= MAX_QUARTERS


def quarters(sequence: Any, last: float) -> float:
    """Returns the number of quarter notes of a NoteSequence up to a time in seconds; NaN counts as none."""
    changes = sorted((tempo.time, tempo.qpm) for tempo in sequence.tempos)
    times = np.array([0.0, *(time for time, _ in changes), last])
    tempos = np.array([_DEFAULT_QPM, *(qpm for _, qpm in changes)])
    with np.errstate(all="ignore"):  # infinite tempos
        lengths = np.diff(np.clip(times, 0.0, last))
        return float(np.nansum(np.where(lengths > 0, lengths * tempos, 0.0)) / 60)
