"""Reads the notes of a serialised NoteSequence as arrays, without a message object for each note.

Exact for every message. Consecutive notes with the same fields are read at once, by reshaping their bytes to a
matrix. Any encoding that protobuf's own writers do not produce is parsed by protobuf.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.sequence_limits import is_too_large

_NOTES = 0x42  # tag of the repeated field
_MAX_RUNS = 64  # runs of notes with the same fields; protobuf is faster for more
_BLOCK = 512  # notes compared at once
_VARINT, _FIXED64 = 0, 1  # wire types


class Notes(NamedTuple):
    """Notes of a NoteSequence, in its order.

    Attributes:
        start: Starts in seconds, float64 [notes].
        end: Ends in seconds, float64 [notes].
        pitch: MIDI pitches, int64 [notes].
        velocity: MIDI velocities, int64 [notes].
        is_drum: True for drums, bool [notes].
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    is_drum: npt.NDArray[np.bool_]


_TYPES = {"start": np.float64, "end": np.float64, "pitch": np.int64, "velocity": np.int64, "is_drum": np.bool_}
_FIELDS = {3: "start", 4: "end", 1: "pitch", 2: "velocity", 9: "is_drum"}  # by number in music.proto


def notes_of(sequence: Any) -> Notes:
    """Returns the notes of a NoteSequence message as arrays."""
    notes = list(sequence.notes)
    count = len(notes)
    return Notes(
        np.fromiter([note.start_time for note in notes], np.float64, count),
        np.fromiter([note.end_time for note in notes], np.float64, count),
        np.fromiter([note.pitch for note in notes], np.int64, count),
        np.fromiter([note.velocity for note in notes], np.int64, count),
        np.fromiter([note.is_drum for note in notes], np.bool_, count),
    )


def read_notes(record: bytes) -> tuple[Any, Notes]:
    """Returns a NoteSequence without the notes that were read as arrays, and all its notes.

    Args:
        record: NoteSequence in protobuf wire format.

    Raises:
        google.protobuf.message.DecodeError: The bytes are no NoteSequence, or a NoteSequence that is too large.
    """
    from google.protobuf.message import DecodeError

    from gmd_vae.midi.note_sequence import NoteSequence

    if is_too_large(record):
        raise DecodeError("more notes and events than sequence_limits allow")
    begin, end, runs = _find_runs(record)
    sequence = NoteSequence.FromString(record[:begin] + record[end:] if runs else record)
    if not runs:
        return sequence, notes_of(sequence)
    if len(sequence.notes):  # notes elsewhere in the record: their order is unclear
        sequence = NoteSequence.FromString(record)
        return sequence, notes_of(sequence)
    if len(runs) == 1:
        return sequence, runs[0]
    return sequence, Notes(*(np.concatenate(columns) for columns in zip(*runs, strict=True)))


def _find_runs(record: bytes) -> tuple[int, int, list[Notes]]:
    """Returns the bytes at which the notes begin and end, and the notes; no notes if protobuf has to read them."""
    position, size = 0, len(record)
    while position < size and record[position] != _NOTES:
        position = _skip_field(record, position)
        if position < 0:
            return 0, 0, []
    begin = position
    runs: list[Notes] = []
    array = np.frombuffer(record, np.uint8)
    while position + 1 < size and record[position] == _NOTES:
        length = record[position + 1]
        if length > 0x7F or position + 2 + length > size:
            return 0, 0, []
        shape = _shape(record[position + 2 : position + 2 + length])
        if shape is None or len(runs) == _MAX_RUNS:
            return 0, 0, []
        stride = length + 2
        rows = array[position : position + (size - position) // stride * stride].reshape(-1, stride)
        count = _same_shape(rows, shape)
        runs.append(_columns(rows[:count], shape))
        position += count * stride
    return begin, position, runs


Shape = tuple[tuple[int, int, int], ...]  # of each field: number, wire type, offset in the row


def _shape(message: bytes) -> Shape | None:
    """Returns the fields of a note; None if a field has another wire type, or a varint of several bytes."""
    fields = []
    position, size = 0, len(message)
    while position < size:
        tag = message[position]
        kind, number = tag & 7, tag >> 3
        if tag > 0x7F or kind > _FIXED64 or not number:
            return None
        if position + 1 >= size or (kind == _VARINT and message[position + 1] > 0x7F):
            return None
        fields.append((number, kind, position + 2))
        position += 2 if kind == _VARINT else 9
    numbers = [number for number, _, _ in fields]
    return tuple(fields) if position == size and len(set(numbers)) == len(numbers) else None


def _same_shape(rows: npt.NDArray[np.uint8], shape: Shape) -> int:
    """Returns the number of rows, from the first on, that are notes with these fields."""
    differs = np.zeros(rows.shape[1], np.uint8)  # mask of the bits that are equal in all such rows
    differs[[0, 1, *(offset for _, _, offset in shape)]] = 0xFF
    differs[[offset + 1 for _, kind, offset in shape if kind == _VARINT]] = 0x80  # the bit of a longer varint
    for begin in range(0, len(rows), _BLOCK):
        different = (rows[begin : begin + _BLOCK] ^ rows[0]) & differs
        if different.max():
            return begin + int(np.argmax(different.any(axis=1)))
    return len(rows)


def _columns(rows: npt.NDArray[np.uint8], shape: Shape) -> Notes:
    """Returns the notes of rows with the same fields."""
    count = len(rows)
    columns: dict[str, npt.NDArray[Any]] = {}
    for number, kind, offset in shape:
        if name := _FIELDS.get(number):
            if (kind == _FIXED64) != (name in ("start", "end")):
                continue  # another type than in music.proto: protobuf ignores it too
            if kind == _FIXED64:
                content = np.ascontiguousarray(rows[:, offset + 1 : offset + 9])
                columns[name] = content.view("<f8")[:, 0].astype(np.float64, copy=False)
            else:
                columns[name] = rows[:, offset + 1].astype(np.bool_ if name == "is_drum" else np.int64)
    return Notes(*(columns[name] if name in columns else np.zeros(count, dtype) for name, dtype in _TYPES.items()))


def _skip_field(record: bytes, position: int) -> int:
    """Returns the position behind a field; -1 if a NoteSequence has no such field before its notes."""
    size = len(record)
    tag, position = record[position], position + 1
    kind = tag & 7
    if tag > 0x7F:
        return -1
    if kind == _FIXED64:
        position += 8
    elif kind in (_VARINT, 2):
        value = shift = 0
        while True:
            if position >= size or shift > 28:
                return -1
            byte = record[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if kind == 2:
            position += value
    else:
        return -1
    return position if position <= size else -1
