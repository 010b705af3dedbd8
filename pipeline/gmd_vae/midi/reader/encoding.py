"""Step 3 of the reader: music to a NoteSequence in protobuf wire format, by arrays and without protobuf.

The bytes equal ``note_seq.midi_io.midi_to_note_sequence(...).SerializeToString(deterministic=True)``: fields in the
order of their numbers, zeros left out (proto3). A tag is the number of a field in note_seq's ``music.proto``, shifted
left by three bits, plus the wire type.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader.account import Account
from gmd_vae.midi.reader.instruments import Instrument
from gmd_vae.midi.reader.music import Music

# Tags of NoteSequence
_ID, _FILENAME, _COLLECTION_NAME, _TICKS_PER_QUARTER = 0x0A, 0x12, 0x1A, 0x20
_TIME_SIGNATURES, _KEY_SIGNATURES, _TEMPOS, _NOTES = 0x2A, 0x32, 0x3A, 0x42
_TOTAL_TIME, _PITCH_BENDS, _CONTROL_CHANGES = 0x49, 0x52, 0x5A
_INSTRUMENT_INFOS = b"\xba\x01"  # field 23: the tag has two bytes
_SOURCE_INFO = b"\x6a\x04\x10\x03\x18\x02"  # encoding_type MIDI, parser PRETTY_MIDI
_TIME = 0x09  # tag of the time in signatures, tempos, pitch bends and control changes

_MAX_VARINT_BYTES = 10  # a negative number takes them all: 64 bits in groups of seven


class Record(NamedTuple):
    """A NoteSequence in wire format, and the facts that a summary reports.

    Attributes:
        data: Protobuf wire format.
        notes: Number of notes.
        drum_notes: Number of drum notes.
        seconds: End of the last note in seconds (``total_time``).
        account: Use of the file's events.
        end: End of the longest track in seconds; 0 where note_seq has read the file, which does not give it.
    """

    data: bytes
    notes: int
    drum_notes: int
    seconds: float
    account: Account
    end: float = 0.0


def encode_names(sequence_id: str, filename: str, collection: str) -> bytes:
    """Returns the first fields of a NoteSequence. The data of ``encode`` follows them."""
    return _string(_ID, sequence_id) + _string(_FILENAME, filename) + _string(_COLLECTION_NAME, collection)


def encode(music: Music) -> Record:
    """Returns the NoteSequence of a file's music, without the fields of ``encode_names``."""
    parts = [_integer(_TICKS_PER_QUARTER, music.resolution)]
    for time, numerator, denominator in music.time_signatures:
        fields = _double(_TIME, time) + _integer(0x10, numerator) + _integer(0x18, denominator)
        parts.append(_message(bytes([_TIME_SIGNATURES]), fields))
    for time, key, minor in music.key_signatures:
        fields = _double(_TIME, time) + _integer(0x10, key) + _integer(0x18, minor)
        parts.append(_message(bytes([_KEY_SIGNATURES]), fields))
    for time, qpm in music.tempos:
        parts.append(_message(bytes([_TEMPOS]), _double(_TIME, time) + _double(0x11, qpm)))
    numbered = list(enumerate(music.instruments))
    parts += [_notes(number, instrument) for number, instrument in numbered]
    parts.append(_double(_TOTAL_TIME, music.total_time))
    parts += [_pitch_bends(number, instrument) for number, instrument in numbered]
    parts += [_control_changes(number, instrument) for number, instrument in numbered]
    parts.append(_SOURCE_INFO)
    for number, instrument in numbered:
        if instrument.name:
            parts.append(_message(_INSTRUMENT_INFOS, _integer(0x08, number) + _string(0x12, instrument.name)))
    return Record(
        data=b"".join(parts),
        notes=sum(len(instrument.end) for instrument in music.instruments),
        drum_notes=sum(len(instrument.end) for instrument in music.instruments if instrument.is_drum),
        seconds=music.total_time,
        account=music.account,
        end=music.end,
    )


def _notes(number: int, instrument: Instrument) -> bytes:
    fields = ((0x08, instrument.pitch), (0x10, instrument.velocity), (0x19, instrument.start), (0x21, instrument.end))
    return _messages(_NOTES, fields, _instrument_fields(0x38, number, instrument))


def _pitch_bends(number: int, instrument: Instrument) -> bytes:
    times, bend = instrument.bends
    return _messages(_PITCH_BENDS, ((_TIME, times), (0x10, bend)), _instrument_fields(0x18, number, instrument))


def _control_changes(number: int, instrument: Instrument) -> bytes:
    times, control, value = instrument.controls
    fields = ((_TIME, times), (0x10, control), (0x18, value))
    return _messages(_CONTROL_CHANGES, fields, _instrument_fields(0x20, number, instrument))


def _instrument_fields(tag: int, number: int, instrument: Instrument) -> bytes:
    """Returns the consecutive fields instrument, program and is_drum. ``tag`` is the tag of the first."""
    return _integer(tag, number) + _integer(tag + 8, instrument.program) + _integer(tag + 16, instrument.is_drum)


def _messages(tag: int, fields: tuple[tuple[int, npt.NDArray[Any]], ...], last: bytes) -> bytes:
    """Returns a repeated field with one message for each element of the arrays.

    Builds one row of bytes per message in a uint8 matrix, then drops the bytes that proto3 leaves out.

    Args:
        tag: Tag of the repeated field.
        fields: Tag and values [messages] of each field, in order. The values are uint8 below 128, int64 or float64.
        last: Bytes that end every message.
    """
    count = len(fields[0][1])
    if not count:
        return b""
    widths = [_MAX_VARINT_BYTES if values.dtype == np.int64 else values.itemsize for _, values in fields]
    template = b"".join(bytes([field, *bytes(width)]) for (field, _), width in zip(fields, widths, strict=True))
    row = bytes([tag, 0]) + template + last
    rows = np.empty((count, len(row)), np.uint8)
    rows[:] = np.frombuffer(row, np.uint8)
    absent: list[tuple[int, int, npt.NDArray[np.bool_]]] = []  # columns begin:end, and the rows that lack them
    column = 2
    for (_, values), width in zip(fields, widths, strict=True):
        begin, column = column, column + 1 + width
        if values.dtype == np.float64:
            rows[:, begin + 1 : column] = values.astype("<f8", copy=False).view(np.uint8).reshape(count, 8)
        elif values.dtype == np.uint8:
            rows[:, begin + 1] = values
        else:
            rows[:, begin + 1 : column], missing = _varints(values)
            absent.append((begin + 1, column, missing))
        zero = values == 0
        if zero.any():
            absent.append((begin, column, zero[:, None]))
    if not absent:
        rows[:, 1] = len(row) - 2
        return rows.tobytes()
    kept = np.ones(rows.shape, np.bool_)
    for begin, end, missing in absent:
        kept[:, begin:end] &= ~missing
    rows[:, 1] = np.count_nonzero(kept, axis=1) - 2  # one byte: six short fields stay below 128
    return rows[kept].tobytes()


def _varints(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Returns integers as varints, uint8 [integers, 10], and a mask of the bytes that the varint does not have."""
    shifts = np.arange(_MAX_VARINT_BYTES, dtype=np.uint64) * np.uint64(7)
    groups = values.view(np.uint64)[:, None] >> shifts
    missing = groups == 0
    content = (groups & np.uint64(0x7F)).astype(np.uint8)
    content[:, :-1] |= (~missing[:, 1:]).astype(np.uint8) << 7
    return content, missing


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def _integer(tag: int, number: int) -> bytes:
    return bytes([tag]) + _varint(number) if number else b""


def _double(tag: int, number: float) -> bytes:
    return struct.pack("<Bd", tag, number) if number else b""


def _string(tag: int, text: str) -> bytes:
    data = text.encode("utf-8")
    return _message(bytes([tag]), data) if data else b""


def _message(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content
