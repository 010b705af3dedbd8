"""The events of a MIDI file as arrays, read as mido 1.3.3 reads them, which is how Magenta reads MIDI.

Whatever mido refuses, or reads in a way that is not certain to be the same here, raises ``NotProven``:
then mido itself is asked (``gmd_vae.midi.fallback.child_process``). Its peculiarities are kept:

- the delta time of a meta event of unknown type is dropped;
- a meta event leaves the running status as it is, a sysex event sets it, and one read under it takes
  the byte that stood for the status as gone;
- an end-of-track event ends nothing: a track ends where its length says.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_LONGEST_MESSAGE = 1_000_000  # mido refuses longer ones
_LONGEST_NUMBER = 4  # bytes of a variable-length number, as the standard says; mido knows no limit
_SHORTEST_WINDOW, _WINDOW, _LARGEST_WINDOW = 64, 4096, 1 << 20  # bytes that are read as arrays at once
_WORTHWHILE = 32  # events; for fewer, one by one is as fast
_MOST_SINGLE = 1 << 15  # events that are kept one by one: a tuple takes ten times the memory
_KEYS = range(-7, 8)  # sharps (flats below 0) of a key signature
_LARGEST_DENOMINATOR = 16  # its logarithm; beyond, mido's and note_seq's own limits begin
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}  # data bytes
_SHORTEST_META = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # data bytes by type; shorter ones mido refuses
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])


class NotProven(Exception):
    """This reader cannot promise to give what note_seq gives."""


class Track(NamedTuple):
    """One track's channel events in their order, and its names.

    Attributes:
        ticks: int64 [n], since the beginning.
        status: uint8 [n], 0x80 to 0xef.
        first: uint8 [n], the first data byte.
        second: uint8 [n], the second one; 0 where there is none.
        names: the track's names, each with the number of channel events before it.
    """

    ticks: Ints
    status: Bytes
    first: Bytes
    second: Bytes
    names: list[tuple[int, str]]


class MidiEvents(NamedTuple):
    """A MIDI file. The changes are those of the first track, in their order: Magenta knows no others.

    Attributes:
        resolution: ticks of a quarter note.
        tracks: all tracks.
        tempos: tick, microseconds of a quarter note.
        time_signatures: tick, numerator, denominator.
        key_signatures: tick, sharps (flats below 0), 1 for minor.
        last_tick: of all events of all tracks.
    """

    resolution: int
    tracks: list[Track]
    tempos: list[tuple[int, int]]
    time_signatures: list[tuple[int, int, int]]
    key_signatures: list[tuple[int, int, int]]
    last_tick: int


def read_events(data: bytes) -> MidiEvents:
    """The events of a MIDI file.

    Raises:
        NotProven: mido would refuse it, or might read it differently.
    """
    if len(data) < 14 or data[:4] != b"MThd":
        raise NotProven
    size, _format, count, resolution = struct.unpack_from(">L3h", data, 4)
    if size < 6 or count < 1 or resolution < 1:
        raise NotProven
    reader = _Reader(data)
    position = 8 + size
    tracks = []
    for _ in range(count):
        if data[position : position + 4] != b"MTrk" or len(data) < position + 8:
            raise NotProven
        (size,) = struct.unpack_from(">L", data, position + 4)
        position += 8 + size
        if not size or position > len(data):
            raise NotProven
        tracks.append(reader.track(position - size, position))
        reader.in_first = False
    return MidiEvents(
        resolution, tracks, reader.tempos, reader.time_signatures, reader.key_signatures, reader.last_tick
    )


class _Reader:
    """Reads track after track; the changes of the first and the last tick add up here."""

    def __init__(self, data: bytes) -> None:
        self.tempos: list[tuple[int, int]] = []
        self.time_signatures: list[tuple[int, int, int]] = []
        self.key_signatures: list[tuple[int, int, int]] = []
        self.last_tick = 0
        self.in_first = True  # whether this is the first track
        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)

    def track(self, position: int, end: int) -> Track:
        """The track whose events lie between two positions of the data."""
        data = self._data
        found = _Collected()
        names: list[tuple[int, str]] = []
        tick = status = 0
        window, patience = _WINDOW, 0
        try:
            while position < end:
                if patience <= 0 and end - position >= _SHORTEST_WINDOW:
                    count, position, tick, status = self._run(
                        found, position, min(end, position + window), tick, status
                    )
                    if count < _WORTHWHILE:
                        window, patience = _WINDOW, _WORTHWHILE
                    else:
                        window = min(window * 4, _LARGEST_WINDOW)
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
                        if position - start >= _LONGEST_NUMBER:  # here, not behind the loop: it might never end
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
                    found.add(tick, byte, first, second)
                elif byte == 0xFF:
                    kind = data[position]
                    length, position = self._number(position + 1)
                    content = data[position : position + length]
                    position += length
                    if kind in _KNOWN_META:
                        tick += delta
                        if kind == 3:
                            names.append((found.count, content.decode("latin1")))
                        else:
                            self._meta(kind, content, tick)
                else:
                    status = byte
                    tick += delta
                    if byte in (0xF0, 0xF7):
                        if not explicit:
                            position += 1
                        length, position = self._number(position)
                        self._check_sysex(data[position : position + length])
                        position += length
                    else:
                        position = self._system(byte, explicit, position)
                if position > end:
                    raise NotProven
        except IndexError:  # the data ends inside an event
            raise NotProven from None
        self.last_tick = max(self.last_tick, tick)
        return Track(*found.arrays(), names)

    def _run(self, found: _Collected, position: int, end: int, tick: int, status: int) -> tuple[int, int, int, int]:
        """Reads channel events with two data bytes, up to ``end`` or to the first other event.

        Each of them has just three bytes below 0x80: the last one of its delta time and its two data
        bytes. So every third byte below 0x80 ends an event, whether it has a status byte or not.

        Returns:
            How many were read, and position, tick and running status behind them.
        """
        part = self._bytes[position:end]
        low = np.flatnonzero(part < 0x80)
        count = len(low) // 3
        if not count:
            return 0, position, tick, status
        ends = low[: 3 * count].reshape(count, 3)
        delta_end, first, second = ends[:, 0], ends[:, 1], ends[:, 2]
        delta_start = np.empty(count, np.int64)
        delta_start[0] = 0
        delta_start[1:] = second[:-1] + 1
        length = delta_end - delta_start  # of the delta time, in bytes, less one
        explicit = first - delta_end == 2
        given = part[first - 1]  # the status byte, where there is one
        right = (explicit & ((given < 0xC0) | ((given >= 0xE0) & (given < 0xF0)))) | (first - delta_end == 1)
        right &= (second - first == 1) & (length < 4)
        if not explicit[0] and not (0x80 <= status < 0xC0 or 0xE0 <= status < 0xF0):
            return 0, position, tick, status
        if not right.all():
            count = int(np.argmin(right))
            if not count:
                return 0, position, tick, status
            delta_end, length, explicit, given = delta_end[:count], length[:count], explicit[:count], given[:count]
            first, second = first[:count], second[:count]
        delta = part[delta_end].astype(np.int64)
        for more in range(1, int(length.max()) + 1):
            delta += np.where(length >= more, (part[delta_end - more] & 0x7F).astype(np.int64) << 7 * more, 0)
        ticks = np.cumsum(delta) + tick
        if explicit.all():
            statuses = given
        else:
            last = np.maximum.accumulate(np.where(explicit, np.arange(count), -1))
            statuses = np.where(last >= 0, given[last], np.uint8(status))
        found.extend(ticks, statuses, part[first], part[second])
        return count, position + int(second[-1]) + 1, int(ticks[-1]), int(statuses[-1])

    def _number(self, position: int) -> tuple[int, int]:
        """The length of a message that is written at ``position``, and the position behind it."""
        data, number = self._data, 0
        for behind in range(position + 1, position + 1 + _LONGEST_NUMBER):
            byte = data[behind - 1]
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                break
        else:
            raise NotProven
        if number > _LONGEST_MESSAGE:
            raise NotProven
        return number, behind

    def _meta(self, kind: int, content: bytes, tick: int) -> None:
        """A meta event of a known type."""
        if len(content) < _SHORTEST_META.get(kind, 0) or (kind == 0 and len(content) == 1):
            raise NotProven
        if kind == 0x51:
            tempo = int.from_bytes(content[:3], "big")
            if self.in_first:
                if not tempo:
                    raise NotProven
                self.tempos.append((tick, tempo))
        elif kind == 0x54:
            if content[0] >> 5 > 3 or content[1] > 59 or content[2] > 59 or content[4] > 99:
                raise NotProven
        elif kind == 0x58:
            if content[1] > _LARGEST_DENOMINATOR or (self.in_first and not content[0]):
                raise NotProven
            if self.in_first:
                self.time_signatures.append((tick, content[0], 1 << content[1]))
        elif kind == 0x59:
            sharps = content[0] - 256 if content[0] > 127 else content[0]
            if sharps not in _KEYS or content[1] > 1:
                raise NotProven
            if self.in_first:
                self.key_signatures.append((tick, sharps, content[1]))

    @staticmethod
    def _check_sysex(content: bytes) -> None:
        if content[:1] == b"\xf0":
            content = content[1:]
        if content[-1:] == b"\xf7":
            content = content[:-1]
        if not content.isascii():
            raise NotProven

    def _system(self, status: int, explicit: bool, position: int) -> int:
        """Passes over a system message; the position behind it."""
        length = _SYSTEM_LENGTHS.get(status)
        if length is None or (not explicit and not length):
            raise NotProven
        for byte in range(length):
            if self._data[position + byte] > 0x7F:
                raise NotProven
        return position + length


class _Collected:
    """Channel events as they are found: some one by one, most as arrays."""

    def __init__(self) -> None:
        self.count = 0
        self._parts: list[tuple[Any, ...]] = []
        self._single: list[tuple[int, int, int, int]] = []

    def add(self, *event: int) -> None:
        """Tick, status and the two data bytes of one event."""
        self._single.append(event)  # type: ignore[arg-type]
        self.count += 1
        if len(self._single) >= _MOST_SINGLE:
            self._flush()

    def extend(self, *arrays: npt.NDArray[Any]) -> None:
        """The same of many."""
        self._flush()
        self._parts.append(arrays)
        self.count += len(arrays[0])

    def arrays(self) -> tuple[Ints, Bytes, Bytes, Bytes]:
        """All of them."""
        self._flush()
        if len(self._parts) == 1:
            ticks, status, first, second = self._parts[0]
        elif self._parts:
            ticks, status, first, second = (np.concatenate(columns) for columns in zip(*self._parts, strict=True))
        else:
            return _NO_INTS, _NO_BYTES, _NO_BYTES, _NO_BYTES
        return ticks, status, first, second

    def _flush(self) -> None:
        if self._single:
            ticks, *rest = zip(*self._single, strict=True)
            self._parts.append((np.array(ticks, np.int64), *(np.array(column, np.uint8) for column in rest)))
            self._single = []


_NO_INTS: Ints = np.zeros(0, np.int64)
_NO_BYTES: Bytes = np.zeros(0, np.uint8)
