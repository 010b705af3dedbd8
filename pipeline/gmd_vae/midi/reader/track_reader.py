"""Part of step 1 of the reader: the events of one track.

The loop in ``TrackReader.read`` decodes one event at a time. Stretches of channel events with two data bytes, which
make up most files, are decoded as arrays.

A broken event costs that event and is counted. Three peculiarities of mido 1.3.3 are kept for Magenta's bytes alone:

- The delta time of a meta event of an unknown type is dropped.
- A sysex event sets the running status, and a sysex event under running status consumes one byte in place of the
  status byte. Otherwise the running status of channel events survives other events.
- Broken events, and numbers of more than four bytes, are not read here (``NotProven``).

For both readings an end-of-track event ends nothing: a track ends where the length in its header says so.
"""

from __future__ import annotations

import collections
from typing import NamedTuple, NoReturn

from gmd_vae.midi.reader import account
from gmd_vae.midi.reader.event_buffer import MAX_NUMBER_BYTES, Bytes, EventBuffer, Ints
from gmd_vae.midi.refusals import DAMAGED, MidiError

_MAX_MESSAGE_BYTES = 1_000_000  # mido refuses longer messages
_MAX_NUMBER = 1 << 32  # larger numbers count as this one; it is beyond the limit on the length of a file
_MIN_BLOCK, _BLOCK, _MAX_BLOCK = 64, 4096, 1 << 20  # bytes decoded as arrays at once
_WORTHWHILE = 32  # events; decoding fewer as arrays saves nothing
_KEYS = range(-7, 8)  # sharps (flats below 0) of a key signature
_MAX_DENOMINATOR_LOG2 = 16  # limits of mido and note_seq lie beyond
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0, 0xF8: 0, 0xFA: 0, 0xFB: 0, 0xFC: 0, 0xFE: 0}  # data bytes
_UNDEFINED = {0xF9: 0, 0xFD: 0}  # undefined messages that can have no data bytes
_MIN_META_BYTES = {0x20: 1, 0x51: 3, 0x54: 5, 0x58: 4, 0x59: 2}  # by type; mido refuses shorter ones
_KNOWN_META = frozenset([*range(8), 0x09, 0x20, 0x21, 0x2F, 0x51, 0x54, 0x58, 0x59, 0x7F])
_BROKEN_META = {0x51: account.BROKEN_TEMPO, 0x58: account.BROKEN_TIME, 0x59: account.BROKEN_KEY}


class NotProven(Exception):
    """A file that this reader does not provably read as note_seq does."""


class Track(NamedTuple):
    """The events of one track. Every list and array is in the order of the file.

    Attributes:
        ticks: Ticks of the channel events since the beginning, int64 [events].
        status: Status bytes of the channel events, 0x80 to 0xef, uint8 [events].
        first: First data bytes, uint8 [events].
        second: Second data bytes, uint8 [events]; 0 for messages with one data byte.
        names: Names of the track, each with the number of channel events before it and its tick.
        tempos: Tick, and microseconds per quarter note. 0 only in reading as mido does.
        time_signatures: Tick, numerator and denominator. A numerator of 0 only in reading as mido does.
        key_signatures: Tick, sharps (flats below 0), and 1 for minor or 0 for major.
    """

    ticks: Ints
    status: Bytes
    first: Bytes
    second: Bytes
    names: list[tuple[int, int, str]]
    tempos: list[tuple[int, int]]
    time_signatures: list[tuple[int, int, int]]
    key_signatures: list[tuple[int, int, int]]


class TrackReader:
    """Reads one track.

    Args:
        data: Bytes of the file.
        array: The same bytes, uint8.
        stock: True to read as mido does.

    Attributes:
        last_tick: Tick of the last event read.
        broken: Events without effect, by reason (``account``).
        broken_note_ons: Number of note-ons with a pitch or a velocity above 127.
    """

    def __init__(self, data: bytes, array: Bytes, stock: bool) -> None:
        self._data = data
        self._stock = stock
        self._events = EventBuffer(array)
        self._names: list[tuple[int, int, str]] = []
        self._tempos: list[tuple[int, int]] = []
        self._time_signatures: list[tuple[int, int, int]] = []
        self._key_signatures: list[tuple[int, int, int]] = []
        self.last_tick = 0
        self.broken: collections.Counter[str] = collections.Counter()
        self.broken_note_ons = 0

    def read(self, position: int, end: int) -> Track:
        """Returns the track whose events lie between two positions in the data.

        Raises:
            MidiError: The events cannot be told apart.
            NotProven: ``stock`` only: mido refuses the track, or may read it differently.
        """
        try:
            self._read(position, end)
        except IndexError:  # the data ends inside an event
            self._break(account.CUT_OFF)
        return Track(*self._events.arrays(), self._names, self._tempos, self._time_signatures, self._key_signatures)

    def _read(self, position: int, end: int) -> None:
        data, events, stock = self._data, self._events, self._stock
        tick = status = 0
        block, patience = _BLOCK, 0  # patience: events to decode one by one before the next try with arrays
        while position < end:
            if patience <= 0 and end - position >= _MIN_BLOCK:
                count, position, tick, status = events.read_block(position, min(end, position + block), tick, status)
                if count < _WORTHWHILE:
                    block, patience = _BLOCK, _WORTHWHILE
                else:
                    block = min(block * 4, _MAX_BLOCK)
                self.last_tick = tick
                if position == end:
                    break
            delta = data[position]
            position += 1
            if delta > 0x7F:
                delta, position = self._number(position - 1)
            byte = data[position]
            explicit = byte > 0x7F
            if explicit:
                position += 1
            elif position >= end:
                self._break(account.CUT_OFF)
                break
            elif not status:
                self._refuse(f"a data byte without a status byte, at byte {position:,}")
            else:
                byte = status
            kind, after = byte, position
            if byte < 0xF0:
                status = byte
                patience -= 1
                first = data[position]
                if 0xC0 <= byte < 0xE0:
                    second, after = 0, position + 1
                else:
                    second, after = data[position + 1], position + 2
            elif byte == 0xFF:
                kind = data[position]
                length, position = self._length(position + 1)
                after = position + length
            else:
                if stock:
                    status = byte
                if byte in (0xF0, 0xF7):
                    if not explicit:
                        position += 1
                    length, position = self._length(position)
                    after = position + length
                else:
                    after = position + self._system_length(byte, explicit, position)
            if after > end:
                if byte not in (0xF0, 0xF7, 0xFF) or position > end:
                    self._break(account.CUT_OFF)
                    break
                self._refuse(f"an event ends after the end of its track, at byte {position:,}")
            if byte < 0xF0:
                tick += delta
                if first > 0x7F or second > 0x7F:
                    self._break_channel_event(byte, second)
                else:
                    events.add(tick, byte, first, second)
            elif byte == 0xFF:
                if kind in _KNOWN_META or not stock:
                    tick += delta
                self._meta(kind, data[position:after], tick)
            else:
                tick += delta
                if byte in (0xF0, 0xF7):
                    self._check_sysex(data[position:after])
            position = after
            self.last_tick = tick

    def _number(self, position: int) -> tuple[int, int]:
        """Returns the variable-length quantity at ``position``, and the position behind it."""
        data, number, start = self._data, 0, position
        while (byte := data[position]) > 0x7F:
            number = min(number << 7 | byte & 0x7F, _MAX_NUMBER)  # else its size would grow with the number of bytes
            position += 1
            if self._stock and position - start >= MAX_NUMBER_BYTES:
                raise NotProven
        return min(number << 7 | byte, _MAX_NUMBER), position + 1

    def _length(self, position: int) -> tuple[int, int]:
        """Returns the length of a message, a variable-length quantity, and the position behind it."""
        length, behind = self._number(position)
        if self._stock and length > _MAX_MESSAGE_BYTES:
            raise NotProven
        return length, behind

    def _meta(self, kind: int, content: bytes, tick: int) -> None:
        """Keeps or checks a meta event."""
        if kind not in _KNOWN_META:
            return
        if len(content) < _MIN_META_BYTES.get(kind, 0) or (kind == 0 and len(content) == 1):
            self._break(_BROKEN_META.get(kind, account.BROKEN_META))
        elif kind == 0x03:
            self._names.append((self._events.count, tick, content.decode("latin1")))
        elif kind == 0x51:
            tempo = int.from_bytes(content[:3], "big")
            if tempo or self._stock:  # ignored outside the first track
                self._tempos.append((tick, tempo))
            else:
                self._break(account.BROKEN_TEMPO)
        elif kind == 0x54:  # SMPTE offset: mido checks its hours, minutes, seconds and subframes
            if content[0] >> 5 > 3 or content[1] > 59 or content[2] > 59 or content[4] > 99:
                self._break(account.BROKEN_META)
        elif kind == 0x58:
            if (content[0] or self._stock) and content[1] <= _MAX_DENOMINATOR_LOG2:
                self._time_signatures.append((tick, content[0], 1 << content[1]))
            else:
                self._break(account.BROKEN_TIME)
        elif kind == 0x59:
            sharps = content[0] - 256 if content[0] > 127 else content[0]
            if sharps in _KEYS and content[1] <= 1:
                self._key_signatures.append((tick, sharps, content[1]))
            else:
                self._break(account.BROKEN_KEY)

    def _check_sysex(self, content: bytes) -> None:
        if content[:1] == b"\xf0":
            content = content[1:]
        if content[-1:] == b"\xf7":
            content = content[:-1]
        if not content.isascii():
            self._break(account.BROKEN_SYSTEM)

    def _system_length(self, status: int, explicit: bool, position: int) -> int:
        """Returns the number of data bytes of a system message."""
        length = _SYSTEM_LENGTHS.get(status, _UNDEFINED.get(status))
        if length is None:
            self._refuse(f"undefined status byte 0x{status:02X} at byte {position - 1:,}")
        if (
            status in _UNDEFINED
            or (not explicit and not length)
            or any(self._data[position + byte] > 0x7F for byte in range(length))
        ):
            self._break(account.BROKEN_SYSTEM)
        return length

    def _break_channel_event(self, status: int, second: int) -> None:
        """Counts a channel event with a data byte above 127."""
        if 0x90 <= status < 0xA0 and second:
            self.broken_note_ons += 1
            if self._stock:
                raise NotProven
        else:
            self._break(account.BROKEN_DATA)

    def _break(self, reason: str) -> None:
        """Counts an event that has no effect.

        Raises:
            NotProven: ``stock`` only: mido refuses such events.
        """
        if self._stock:
            raise NotProven
        self.broken[reason] += 1

    def _refuse(self, detail: str) -> NoReturn:
        if self._stock:
            raise NotProven
        raise MidiError(DAMAGED, "", detail)
