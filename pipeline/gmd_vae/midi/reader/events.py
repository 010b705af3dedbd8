"""Step 1 of the reader: the bytes of a MIDI file to its events, as arrays, exactly as mido 1.3.3 reads them.

No music is interpreted here: ``gmd_vae.midi.reader.music`` does that. The loop in ``_TrackReader.read`` decodes one
event at a time. Stretches of channel events with two data bytes, which make up most files, are decoded as arrays.

A file that mido refuses, or that this reader may decode differently, raises ``NotProven``. The caller then converts
it with note_seq (``gmd_vae.midi.fallback``). Three peculiarities of mido are kept:

- The delta time of a meta event of an unknown type is dropped.
- A meta event keeps the running status. A sysex event sets it, and a sysex event under running status consumes one
  byte in place of the status byte.
- An end-of-track event ends nothing: a track ends where the length in its header says so.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_MAX_MESSAGE_BYTES = 1_000_000  # mido refuses longer messages
_MAX_NUMBER_BYTES = 4  # of a variable-length quantity in the standard; mido has no limit
_MIN_BLOCK, _BLOCK, _MAX_BLOCK = 64, 4096, 1 << 20  # bytes decoded as arrays at once
_WORTHWHILE = 32  # events; decoding fewer as arrays saves nothing
_MAX_SINGLE = 1 << 15  # events kept as tuples: a tuple takes ten times the memory of an array row
_KEYS = range(-7, 8)  # sharps (flats below 0) of a key signature
_MAX_DENOMINATOR_LOG2 = 16  # limits of mido and note_seq lie beyond
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}  # data bytes
_MIN_META_BYTES = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # by type; mido refuses shorter ones
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])


class NotProven(Exception):
    """A file that this reader does not provably read as note_seq does."""


class Track(NamedTuple):
    """The events of one track. Every list and array is in the order of the file.

    Attributes:
        ticks: Ticks of the channel events since the beginning, int64 [events].
        status: Status bytes of the channel events, 0x80 to 0xef, uint8 [events].
        first: First data bytes, uint8 [events].
        second: Second data bytes, uint8 [events]; 0 for messages with one data byte.
        names: Names of the track, each with the number of channel events before it.
        tempos: Tick, and microseconds per quarter note. May be 0.
        time_signatures: Tick, numerator and denominator. The numerator may be 0.
        key_signatures: Tick, sharps (flats below 0), and 1 for minor or 0 for major.
    """

    ticks: Ints
    status: Bytes
    first: Bytes
    second: Bytes
    names: list[tuple[int, str]]
    tempos: list[tuple[int, int]]
    time_signatures: list[tuple[int, int, int]]
    key_signatures: list[tuple[int, int, int]]


class MidiEvents(NamedTuple):
    """The events of a MIDI file.

    Attributes:
        resolution: Ticks per quarter note, at least 1.
        tracks: All tracks, at least one.
        last_tick: Tick of the last event of any track.
    """

    resolution: int
    tracks: list[Track]
    last_tick: int


def read_events(data: bytes) -> MidiEvents:
    """Returns the events of a MIDI file.

    Args:
        data: Bytes of the file.

    Raises:
        NotProven: mido refuses the file, or may read it differently.
    """
    if len(data) < 14 or data[:4] != b"MThd":
        raise NotProven
    size, _format, count, resolution = struct.unpack_from(">L3h", data, 4)
    if size < 6 or count < 1 or resolution < 1:
        raise NotProven
    array = np.frombuffer(data, np.uint8)
    position = 8 + size
    tracks = []
    last_tick = 0
    for _ in range(count):
        if data[position : position + 4] != b"MTrk" or len(data) < position + 8:
            raise NotProven
        (size,) = struct.unpack_from(">L", data, position + 4)
        position += 8 + size
        if not size or position > len(data):
            raise NotProven
        track, track_end = _TrackReader(data, array).read(position - size, position)
        tracks.append(track)
        last_tick = max(last_tick, track_end)
    return MidiEvents(resolution, tracks, last_tick)


class _TrackReader:
    """Reads one track."""

    def __init__(self, data: bytes, array: Bytes) -> None:
        self._data = data
        self._array = array  # the same bytes
        self._events = _EventBuffer()
        self._names: list[tuple[int, str]] = []
        self._tempos: list[tuple[int, int]] = []
        self._time_signatures: list[tuple[int, int, int]] = []
        self._key_signatures: list[tuple[int, int, int]] = []

    def read(self, position: int, end: int) -> tuple[Track, int]:
        """Returns the track whose events lie between two positions in the data, and the tick of its last event.

        Raises:
            NotProven: mido refuses the track, or may read it differently.
        """
        data, events = self._data, self._events
        tick = status = 0
        block, patience = _BLOCK, 0  # patience: events to decode one by one before the next try with arrays
        try:
            while position < end:
                if patience <= 0 and end - position >= _MIN_BLOCK:
                    count, position, tick, status = self._read_block(position, min(end, position + block), tick, status)
                    if count < _WORTHWHILE:
                        block, patience = _BLOCK, _WORTHWHILE
                    else:
                        block = min(block * 4, _MAX_BLOCK)
                    if position == end:
                        break
                start = position
                delta = data[position]
                position += 1
                if delta > 0x7F:
                    delta &= 0x7F
                    while (byte := data[position]) > 0x7F:
                        delta = delta << 7 | byte & 0x7F
                        position += 1
                        if position - start >= _MAX_NUMBER_BYTES:  # inside the loop, which might never end
                            raise NotProven
                    delta = delta << 7 | byte
                    position += 1
                byte = data[position]
                explicit = byte > 0x7F
                if explicit:
                    position += 1
                elif not status:
                    raise NotProven
                else:
                    byte = status
                if byte < 0xF0:
                    status = byte
                    patience -= 1
                    tick += delta
                    first = data[position]
                    if 0xC0 <= byte < 0xE0:
                        second = 0
                        position += 1
                    else:
                        second = data[position + 1]
                        position += 2
                    if first > 0x7F or second > 0x7F:
                        raise NotProven
                    events.add(tick, byte, first, second)
                elif byte == 0xFF:
                    kind = data[position]
                    length, position = self._length(position + 1)
                    content = data[position : position + length]
                    position += length
                    if kind in _KNOWN_META:
                        tick += delta
                        self._meta(kind, content, tick)
                else:
                    status = byte
                    tick += delta
                    if byte in (0xF0, 0xF7):
                        if not explicit:
                            position += 1
                        length, position = self._length(position)
                        self._check_sysex(data[position : position + length])
                        position += length
                    else:
                        position = self._skip_system_message(byte, explicit, position)
                if position > end:
                    raise NotProven
        except IndexError:  # the data ends inside an event
            raise NotProven from None
        track = Track(*events.arrays(), self._names, self._tempos, self._time_signatures, self._key_signatures)
        return track, tick

    def _read_block(self, position: int, end: int, tick: int, status: int) -> tuple[int, int, int, int]:
        """Reads channel events with two data bytes, up to ``end`` or to the first other event.

        Such an event has exactly three bytes below 0x80: the last byte of its delta time and its two data bytes. So
        every third byte below 0x80 ends an event, with or without a status byte.

        Args:
            position: Position of the first event.
            end: Position at which to stop.
            tick: Tick of the event before.
            status: Running status; 0 for none.

        Returns:
            The number of events read, and the position, tick and running status behind them.
        """
        part = self._array[position:end]
        low = np.flatnonzero(part < 0x80)
        count = len(low) // 3
        if not count:
            return 0, position, tick, status
        ends = low[: 3 * count].reshape(count, 3)
        delta_end, first, second = ends[:, 0], ends[:, 1], ends[:, 2]
        delta_start = np.empty(count, np.int64)
        delta_start[0] = 0
        delta_start[1:] = second[:-1] + 1
        more_bytes = delta_end - delta_start  # bytes of the delta time after its first one
        explicit = first - delta_end == 2
        status_byte = part[first - 1]  # meaningful where explicit
        two_data_bytes = (status_byte < 0xC0) | ((status_byte >= 0xE0) & (status_byte < 0xF0))
        plain = (explicit & two_data_bytes) | (first - delta_end == 1)
        plain &= (second - first == 1) & (more_bytes < _MAX_NUMBER_BYTES)
        if not explicit[0] and not (0x80 <= status < 0xC0 or 0xE0 <= status < 0xF0):
            return 0, position, tick, status
        if not plain.all():
            count = int(np.argmin(plain))
            if not count:
                return 0, position, tick, status
            delta_end, more_bytes, first, second = delta_end[:count], more_bytes[:count], first[:count], second[:count]
            explicit, status_byte = explicit[:count], status_byte[:count]
        delta = part[delta_end].astype(np.int64)
        for more in range(1, int(more_bytes.max()) + 1):
            delta += np.where(more_bytes >= more, (part[delta_end - more] & 0x7F).astype(np.int64) << 7 * more, 0)
        ticks = np.cumsum(delta) + tick
        if explicit.all():
            statuses = status_byte
        else:
            last_explicit = np.maximum.accumulate(np.where(explicit, np.arange(count), -1))
            statuses = np.where(last_explicit >= 0, status_byte[last_explicit], np.uint8(status))
        self._events.extend(ticks, statuses, part[first], part[second])
        return count, position + int(second[-1]) + 1, int(ticks[-1]), int(statuses[-1])

    def _length(self, position: int) -> tuple[int, int]:
        """Returns the variable-length quantity at ``position``, a message's length, and the position behind it."""
        data, number = self._data, 0
        for behind in range(position + 1, position + 1 + _MAX_NUMBER_BYTES):
            byte = data[behind - 1]
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                break
        else:
            raise NotProven
        if number > _MAX_MESSAGE_BYTES:
            raise NotProven
        return number, behind

    def _meta(self, kind: int, content: bytes, tick: int) -> None:
        """Keeps or checks a meta event of a known type."""
        if len(content) < _MIN_META_BYTES.get(kind, 0) or (kind == 0 and len(content) == 1):
            raise NotProven
        if kind == 0x03:
            self._names.append((self._events.count, content.decode("latin1")))
        elif kind == 0x51:
            self._tempos.append((tick, int.from_bytes(content[:3], "big")))
        elif kind == 0x54:  # SMPTE offset: mido checks its hours, minutes, seconds and subframes
            if content[0] >> 5 > 3 or content[1] > 59 or content[2] > 59 or content[4] > 99:
                raise NotProven
        elif kind == 0x58:
            if content[1] > _MAX_DENOMINATOR_LOG2:
                raise NotProven
            self._time_signatures.append((tick, content[0], 1 << content[1]))
        elif kind == 0x59:
            sharps = content[0] - 256 if content[0] > 127 else content[0]
            if sharps not in _KEYS or content[1] > 1:
                raise NotProven
            self._key_signatures.append((tick, sharps, content[1]))

    @staticmethod
    def _check_sysex(content: bytes) -> None:
        if content[:1] == b"\xf0":
            content = content[1:]
        if content[-1:] == b"\xf7":
            content = content[:-1]
        if not content.isascii():
            raise NotProven

    def _skip_system_message(self, status: int, explicit: bool, position: int) -> int:
        """Returns the position behind a system message."""
        length = _SYSTEM_LENGTHS.get(status)
        if length is None or (not explicit and not length):
            raise NotProven
        for byte in range(length):
            if self._data[position + byte] > 0x7F:
                raise NotProven
        return position + length


class _EventBuffer:
    """Collects channel events, single ones as tuples and blocks as arrays."""

    def __init__(self) -> None:
        self.count = 0
        self._blocks: list[tuple[Any, ...]] = []
        self._single: list[tuple[int, int, int, int]] = []

    def add(self, tick: int, status: int, first: int, second: int) -> None:
        """Appends one event."""
        self._single.append((tick, status, first, second))
        self.count += 1
        if len(self._single) >= _MAX_SINGLE:
            self._flush()

    def extend(self, ticks: Ints, status: Bytes, first: Bytes, second: Bytes) -> None:
        """Appends a block of events, each array [events]."""
        self._flush()
        self._blocks.append((ticks, status, first, second))
        self.count += len(ticks)

    def arrays(self) -> tuple[Ints, Bytes, Bytes, Bytes]:
        """Returns ticks, status bytes, first and second data bytes of all events."""
        self._flush()
        if len(self._blocks) == 1:
            ticks, status, first, second = self._blocks[0]
        elif self._blocks:
            ticks, status, first, second = (np.concatenate(columns) for columns in zip(*self._blocks, strict=True))
        else:
            return _NO_INTS, _NO_BYTES, _NO_BYTES, _NO_BYTES
        return ticks, status, first, second

    def _flush(self) -> None:
        if self._single:
            ticks, *rest = zip(*self._single, strict=True)
            self._blocks.append((np.array(ticks, np.int64), *(np.array(column, np.uint8) for column in rest)))
            self._single = []


_NO_INTS: Ints = np.zeros(0, np.int64)
_NO_BYTES: Bytes = np.zeros(0, np.uint8)
