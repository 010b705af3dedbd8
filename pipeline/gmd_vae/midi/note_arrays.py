"""The notes of a NoteSequence in protobuf wire format, read as arrays: no message object for each note.

Exact for every message: notes that follow each other with the same fields are read at once, and
whatever is written in another way than protobuf's own writers do goes through protobuf.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

_NOTES = 0x42  # tag of the repeated field
_MOST_RUNS = 64  # of notes of one shape; where there are more, protobuf is faster
_BLOCK = 512  # notes that are looked at together
_VARINT, _FIXED64 = 0, 1  # wire types


class Notes(NamedTuple):
    """Notes of a NoteSequence, in their order.

    Attributes:
        start: seconds, float64 [n].
        end: seconds, float64 [n].
        pitch: int64 [n].
        velocity: int64 [n].
        is_drum: bool [n].
    """

    start: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    is_drum: npt.NDArray[np.bool_]


_TYPES = {"start": np.float64, "end": np.float64, "pitch": np.int64, "velocity": np.int64, "is_drum": np.bool_}
_FIELDS = {3: "start", 4: "end", 1: "pitch", 2: "velocity", 9: "is_drum"}  # by number in music.proto


def notes_of(sequence: Any) -> Notes:
    """The notes of a NoteSequence message."""
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
    """A NoteSequence without the notes that could be read as arrays, and all its notes.

    Args:
        record: wire format.

    Raises:
        google.protobuf.message.DecodeError: it is no NoteSequence.
    """
    from gmd_vae.midi.note_sequence import NoteSequence

    begin, end, runs = _find_runs(record)
    sequence = NoteSequence.FromString(record[:begin] + record[end:] if runs else record)
    if not runs:
        return sequence, notes_of(sequence)
    if len(sequence.notes):  # others elsewhere: their place among the notes is not known
        sequence = NoteSequence.FromString(record)
        return sequence, notes_of(sequence)
    if len(runs) == 1:
        return sequence, runs[0]
    return sequence, Notes(*(np.concatenate(columns) for columns in zip(*runs, strict=True)))


def _find_runs(record: bytes) -> tuple[int, int, list[Notes]]:
    """Where the notes begin and end, and the notes; none if they are not all in one place and in plain shape."""
    position, size = 0, len(record)
    while position < size and record[position] != _NOTES:
        position = _after(record, position)
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
        if shape is None or len(runs) == _MOST_RUNS:
            return 0, 0, []
        stride = length + 2
        rows = array[position : position + (size - position) // stride * stride].reshape(-1, stride)
        count = _same_shape(rows, shape)
        runs.append(_columns(rows[:count], shape))
        position += count * stride
    return begin, position, runs


Shape = tuple[tuple[int, int, int], ...]  # number, wire type and offset in the row of each field


def _shape(message: bytes) -> Shape | None:
    """The fields of a note; None if one is of another type, or longer, than those that are looked for."""
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
    """How many rows from the first on are notes of this shape."""
    differs = np.zeros(rows.shape[1], np.uint8)  # the bits in which no row may differ from the first
    differs[[0, 1, *(offset for _, _, offset in shape)]] = 0xFF
    differs[[offset + 1 for _, kind, offset in shape if kind == _VARINT]] = 0x80  # set: a longer number
    for begin in range(0, len(rows), _BLOCK):
        different = (rows[begin : begin + _BLOCK] ^ rows[0]) & differs
        if different.max():
            return begin + int(np.argmax(different.any(axis=1)))
    return len(rows)


def _columns(rows: npt.NDArray[np.uint8], shape: Shape) -> Notes:
    count = len(rows)
    found: dict[str, npt.NDArray[Any]] = {}
    for number, kind, offset in shape:
        if name := _FIELDS.get(number):
            if (kind == _FIXED64) != (name in ("start", "end")):
                continue  # not the type that the field has: unknown to protobuf too
            if kind == _FIXED64:
                content = np.ascontiguousarray(rows[:, offset + 1 : offset + 9])
                found[name] = content.view("<f8")[:, 0].astype(np.float64, copy=False)
            else:
                found[name] = rows[:, offset + 1].astype(np.bool_ if name == "is_drum" else np.int64)
    return Notes(*(found[name] if name in found else np.zeros(count, dtype) for name, dtype in _TYPES.items()))


def _after(record: bytes, position: int) -> int:
    """The position behind a field; -1 if it is not one that a NoteSequence has before its notes."""
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
