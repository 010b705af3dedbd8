"""NoteSequences in protobuf wire format, written with arrays: no message objects, no protobuf.

Byte for byte what ``note_seq.midi_io.midi_to_note_sequence(...)`` gives when it is serialised
deterministically: fields in the order of their numbers, zeros left out (proto3). The numbers are those
of note_seq's ``music.proto``.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader.events import MidiEvents
from gmd_vae.midi.reader.notes import Instrument, TempoMap, instruments

_KEY_OF_SHARPS = 7  # semitones up for each sharp
_KEY_OF_MINOR = 9  # and for the minor key with the same sharps
_SOURCE_INFO = b"\x6a\x04\x10\x03\x18\x02"  # encoding_type MIDI, parser PRETTY_MIDI
_VARINT = 10  # columns of a negative number: 64 bits in groups of seven


class Body(NamedTuple):
    """A NoteSequence without its id, its file's name and its collection's.

    Attributes:
        data: wire format, from the field ``ticks_per_quarter`` on.
        notes: how many it has.
        drum_notes: how many of them are drums.
        seconds: up to the end of the last note: ``total_time``.
    """

    data: bytes
    notes: int
    drum_notes: int
    seconds: float


def names(sequence_id: str, filename: str, collection: str) -> bytes:
    """The fields that come before a ``Body``."""
    return _string(0x0A, sequence_id) + _string(0x12, filename) + _string(0x1A, collection)


def body(events: MidiEvents) -> Body:
    """The NoteSequence of a MIDI file's events."""
    tempo_map = TempoMap(events.resolution, events.tempos)
    parts = [b"\x20" + _varint(events.resolution)]
    for time, (_, numerator, denominator) in _timed(tempo_map, events.time_signatures):
        parts.append(_message(0x2A, _double(0x09, time) + _int(0x10, numerator) + _int(0x18, denominator)))
    for time, (_, sharps, minor) in _timed(tempo_map, events.key_signatures):
        key = (_KEY_OF_SHARPS * sharps + _KEY_OF_MINOR * minor) % 12
        parts.append(_message(0x32, _double(0x09, time) + _int(0x10, key) + _int(0x18, minor)))
    for time, scale in zip(tempo_map.times, tempo_map.scales, strict=True):
        qpm = 60.0 / (scale * tempo_map.resolution)
        parts.append(_message(0x3A, _double(0x09, time) + _double(0x11, qpm)))
    found = list(instruments(events))
    ends = [tempo_map.seconds(instrument.end) for instrument in found]
    seconds = max((float(end.max()) for end in ends), default=0.0)
    for number, (instrument, end) in enumerate(zip(found, ends, strict=True)):
        parts.append(_notes(tempo_map, number, instrument, end))
    parts.append(_double(0x49, seconds))
    parts += [_bends(tempo_map, number, instrument) for number, instrument in enumerate(found)]
    parts += [_controls(tempo_map, number, instrument) for number, instrument in enumerate(found)]
    parts.append(_SOURCE_INFO)
    for number, instrument in enumerate(found):
        if instrument.name:
            parts.append(_message(0xBA, _int(0x08, number) + _string(0x12, instrument.name), b"\x01"))
    return Body(
        data=b"".join(parts),
        notes=sum(len(instrument.end) for instrument in found),
        drum_notes=sum(len(instrument.end) for instrument in found if instrument.is_drum),
        seconds=seconds,
    )


def _timed(tempo_map: TempoMap, changes: list[Any]) -> zip[tuple[float, Any]]:
    times = tempo_map.seconds(np.array([change[0] for change in changes], np.int64)).tolist()
    return zip(times, changes, strict=True)


def _notes(tempo_map: TempoMap, number: int, instrument: Instrument, end: npt.NDArray[np.float64]) -> bytes:
    fields = (
        (0x08, instrument.pitch),
        (0x10, instrument.velocity),
        (0x19, tempo_map.seconds(instrument.start)),
        (0x21, end),
    )
    return _messages(0x42, fields, _playing(0x38, number, instrument))


def _bends(tempo_map: TempoMap, number: int, instrument: Instrument) -> bytes:
    ticks, bend = instrument.bends
    return _messages(0x52, ((0x09, tempo_map.seconds(ticks)), (0x10, bend)), _playing(0x18, number, instrument))


def _controls(tempo_map: TempoMap, number: int, instrument: Instrument) -> bytes:
    ticks, control, value = instrument.controls
    fields = ((0x09, tempo_map.seconds(ticks)), (0x10, control), (0x18, value))
    return _messages(0x5A, fields, _playing(0x20, number, instrument))


def _playing(tag: int, number: int, instrument: Instrument) -> bytes:
    """The fields instrument, program and is_drum, which follow each other; ``tag`` is that of the first."""
    return _int(tag, number) + _int(tag + 8, instrument.program) + _int(tag + 16, instrument.is_drum)


def _messages(tag: int, fields: tuple[tuple[int, npt.NDArray[Any]], ...], last: bytes) -> bytes:
    """A repeated field: a message for each element of the arrays.

    Args:
        tag: of the repeated field.
        fields: tag and values of each field of the messages, in order: uint8 below 128, int64, or float64.
        last: the bytes that end every message.
    """
    count = len(fields[0][1])
    if not count:
        return b""
    widths = [_VARINT if values.dtype == np.int64 else values.itemsize for _, values in fields]
    template = b"".join(bytes([field, *bytes(width)]) for (field, _), width in zip(fields, widths, strict=True))
    row = bytes([tag, 0]) + template + last
    rows = np.empty((count, len(row)), np.uint8)
    rows[:] = np.frombuffer(row, np.uint8)
    absent: list[tuple[int, int, npt.NDArray[np.bool_]]] = []  # columns, and whether they are left out
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
    rows[:, 1] = np.count_nonzero(kept, axis=1) - 2  # below 128: no message has more than six short fields
    return rows[kept].tobytes()


def _varints(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Numbers of any sign as ``_VARINT`` columns of bytes, and which of them are left out."""
    shifts = np.arange(_VARINT, dtype=np.uint64) * np.uint64(7)
    groups = values.view(np.uint64)[:, None] >> shifts
    missing = groups == 0
    content = (groups & np.uint64(0x7F)).astype(np.uint8)
    content[:, :-1] |= (~missing[:, 1:]).astype(np.uint8) << 7
    return content, missing


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _int(tag: int, number: int) -> bytes:
    return bytes([tag]) + _varint(number) if number else b""


def _double(tag: int, number: float) -> bytes:
    return struct.pack("<Bd", tag, number) if number else b""


def _string(tag: int, text: str) -> bytes:
    data = text.encode("utf-8")
    return bytes([tag]) + _varint(len(data)) + data if data else b""


def _message(tag: int, content: bytes, more_tag: bytes = b"") -> bytes:
    return bytes([tag]) + more_tag + _varint(len(content)) + content
