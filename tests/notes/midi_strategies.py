"""MIDI files for tests: built from random events, and real ones with damage.

A file is made from a string of bytes, of which each decision takes one: hypothesis draws and shrinks
such a string quickly, and ``tools/fuzz_midi.py`` takes it from a random generator. A byte 0 stands for
the simplest choice, and so does the end of the string.

Most events are legal; a *wild* file also has some that are illegal or that readers take differently.
Channels, pitches and delta times come from small sets, so that notes meet: overlaps, repeats on one
tick, note-offs for nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")
RAW = -1  # in place of a status: the data stands for itself


class Choices:
    """Decisions, from bytes."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, limit: int) -> int:
        """A number from 0 up to but not including ``limit`` (256 at most)."""
        return next(self._bytes, 0) % limit

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, most simply the first."""
        return options[self.below(len(options))]

    def seldom(self, times: int = 10) -> bool:
        """True once in so many times."""
        return self.below(times) == times - 1

    def wide(self, limit: int) -> int:
        """A number below a limit of up to 2**24."""
        return int.from_bytes(bytes(next(self._bytes, 0) for _ in range(3)), "big") % limit

    def bytes(self, limit: int) -> bytes:
        """Up to so many bytes."""
        return bytes(next(self._bytes, 0) for _ in range(self.below(limit + 1)))


class Event(NamedTuple):
    """One event: the status may be left out where it is the same as before (``running``)."""

    delta: bytes
    status: int
    data: bytes
    running: bool = False


# --- writing


def number(value: int, padding: int = 0) -> bytes:
    """A variable-length number; ``padding``: zeros in front, which are legal."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.insert(0, 0x80 | (value & 0x7F))
    return bytes([0x80] * padding + digits)


def chunk(name: bytes, data: bytes, length: int | None = None) -> bytes:
    """A chunk of a file; ``length``: what it says instead of the truth."""
    return name + struct.pack(">L", (len(data) if length is None else length) & 0xFFFFFFFF) + data


def header(kind: int, tracks: int, division: int, extra: bytes = b"") -> bytes:
    """The first chunk of a file."""
    return chunk(b"MThd", struct.pack(">HHH", kind & 0xFFFF, tracks & 0xFFFF, division & 0xFFFF) + extra)


def encode(events: Sequence[Event]) -> bytes:
    """The bytes of a track without its chunk."""
    parts, last = [], None
    for event in events:
        parts.append(event.delta)
        if event.status != RAW and not (event.running and event.status == last):
            parts.append(bytes([event.status]))
        parts.append(event.data)
        if event.status not in (RAW, 0xFF):
            last = event.status
    return b"".join(parts)


# --- events


def _delta(c: Choices) -> bytes:
    if c.seldom(6):
        return number(c.wide(c.pick([1000, 30_000])), c.pick([0, 1, 0, 1, 0, 1, 0, 1, 2]))
    return c.pick([b"\x00", b"\x00", b"\x01", number(60), number(240), number(480)])


def _of_channel(high: int, c: Choices, *data: int) -> Event:
    channel = c.below(16) if c.seldom() else c.pick([9, 9, 0, 1])
    return Event(_delta(c), high | channel, bytes(data), bool(c.below(2)))


def _pitch(c: Choices) -> int:
    return c.below(128) if c.seldom(6) else c.pick([36, 38, 42])


def _note_on(c: Choices) -> Event:
    return _of_channel(0x90, c, _pitch(c), c.pick([100, 1, 127, c.below(128)]))


def _note_off(c: Choices) -> Event:
    high, velocity = c.pick([(0x80, 0), (0x80, 64), (0x90, 0)])
    return _of_channel(high, c, _pitch(c), velocity)


def _program(c: Choices) -> Event:
    return _of_channel(0xC0, c, c.pick([0, 24, 127, c.below(128)]))


def _control(c: Choices) -> Event:
    return _of_channel(0xB0, c, c.pick([4, 7, 64, 120, 123, c.below(128)]), c.below(128))


def _bend(c: Choices) -> Event:
    return _of_channel(0xE0, c, c.pick([0, 127, c.below(128)]), c.pick([64, 0, 127, c.below(128)]))


def _pressure(c: Choices) -> Event:
    return _of_channel(0xA0, c, _pitch(c), c.below(128)) if c.below(2) else _of_channel(0xD0, c, c.below(128))


def _meta(c: Choices, kind: int, data: bytes) -> Event:
    return Event(_delta(c), 0xFF, bytes([kind]) + number(len(data), c.seldom()) + data)


def _tempo(c: Choices) -> Event:
    tempo = c.pick([500_000, 500_000, 400_000, 1, 0xFFFFFF, 1 + c.wide(0xFFFFFF)])
    return _meta(c, 0x51, tempo.to_bytes(3, "big"))


def _time_signature(c: Choices) -> Event:
    power = 30 if c.seldom(20) else c.pick([2, 3, 0])  # of the denominator
    return _meta(c, 0x58, bytes([c.pick([4, 3, 6, 255]), power, c.below(256), c.below(256)]))


def _key(c: Choices) -> Event:
    return _meta(c, 0x59, bytes([(c.below(15) - 7) & 0xFF, c.below(2)]))


def _text(c: Choices) -> Event:
    texts = [b"drums", b"", b"Schlagzeug \xfc", b"\xe9\x9f\xb3", b"a\x00b", c.bytes(4) * 50]
    return _meta(c, c.pick([3, 3, 3, 1, 2, 4, 5, 6, 7, 9]), c.pick(texts))


def _other_meta(c: Choices) -> Event:
    smpte_offset = bytes([c.below(128), c.below(60), c.below(60), c.below(256), c.below(100)])
    kind, data = c.pick(
        [
            (0x2F, b""),  # the end of the track, and more after it
            (0x20, bytes([c.below(256)])),  # channel prefix
            (0x21, bytes([c.below(256)])),  # port
            (0x21, b""),
            (0x00, b""),  # sequence number
            (0x00, bytes([c.below(256), 1])),
            (0x54, smpte_offset),
            (0x7F, c.bytes(6)),
        ]
    )
    return _meta(c, kind, data)


def _unknown_meta(c: Choices) -> Event:
    return _meta(c, c.pick([0x60, 0x08, 0x0A, 0x10, 0x22, 0x4B, 0x7E, 0x80, 0xFF]), c.bytes(6))


def _sysex(c: Choices) -> Event:
    data = bytes(byte & 0x7F for byte in c.bytes(8))
    first, last = c.pick([(b"", b"\xf7"), (b"", b""), (b"\xf0", b"\xf7"), (b"\xf0", b"")])
    whole = first + data + last
    return Event(_delta(c), c.pick([0xF0, 0xF7]), number(len(whole)) + whole)


_SYSTEM = ((0xF8, 0), (0xF1, 1), (0xF2, 2), (0xF3, 1), (0xF6, 0), (0xFA, 0), (0xFB, 0), (0xFC, 0), (0xFE, 0))


def _system(c: Choices) -> Event:
    status, length = c.pick(_SYSTEM)
    return Event(_delta(c), status, bytes(c.below(128) for _ in range(length)), bool(c.below(2)))


def _illegal(c: Choices) -> Event:
    """What readers refuse, or take differently."""
    kind = c.below(9)
    if kind == 0:
        return Event(_delta(c), RAW, c.bytes(3))  # data bytes with the status of before
    if kind == 1:
        return Event(c.bytes(3), 0x80 + c.below(128), c.bytes(4))
    if kind == 2:
        return Event(number(1 << 16 + c.below(24)), 0x99, b"\x24\x40")  # a long time
    if kind == 3:
        return _meta(c, 0x58, bytes([c.below(4), 27 + c.below(8), 24, 8]))  # impossible time signatures
    if kind == 4:
        return _meta(c, 0x59, bytes([c.below(256), c.below(3)]))
    if kind == 5:
        return _meta(c, 0x51, bytes(3))
    if kind == 6:  # lengths that are not those of the kind
        return _meta(c, c.pick([0x51, 0x58, 0x59, 0x54, 0x00, 0x20, 0x21, 0x2F]), c.bytes(6))
    if kind == 7:  # bytes above 127 where there must be none
        return Event(_delta(c), 0xF0, c.pick([b"\x02\x01\x80", b"\x03\xf8\x01\xf7", b"\x02\xf7\xf7"]))
    return Event(_delta(c), c.pick([0xF4, 0xF5, 0xF9, 0xFD, 0xF1, 0x99]), c.bytes(2))


def _note(c: Choices) -> list[Event]:
    """Hits on one pitch, perhaps on one tick or overlapping, with other events between them."""
    channel, pitch = _note_on(c).status & 0x0F, _pitch(c)
    patterns = [(100, 0), (100, 0, 90), (100, 90, 0), (100, 90, 0, 0), (100, 0, 90, 0, 80, 0), (0, 1, 0)]
    events: list[Event] = []
    for velocity in c.pick(patterns):
        high = 0x80 if velocity == 0 and c.below(2) else 0x90
        events.append(Event(_delta(c), high | channel, bytes([pitch, velocity]), bool(c.below(2))))
        if c.seldom(6):
            event = c.pick([_program, _control, _bend, _text, _sysex, _unknown_meta])(c)
            if event.status < 0xF0:
                event = event._replace(status=event.status & 0xF0 | channel)
            events.append(event)
    return events


Make = Callable[[Choices], Event]
_OF_NOTES: tuple[Make, ...] = (_note_on, _note_off, _program, _control, _bend, _pressure)
_OF_FILES: tuple[Make, ...] = (_tempo, _tempo, _time_signature, _key, _text)
_OTHERS: tuple[Make, ...] = (_other_meta, _unknown_meta, _sysex, _system)
_KINDS = (None, None, None, _OF_NOTES, _OF_NOTES, _OF_FILES, _OTHERS)


def _track(c: Choices, wild: bool) -> list[Event]:
    events: list[Event] = []
    while c.below(20):
        if wild and c.seldom(12):
            events.append(_illegal(c))
        elif kinds := c.pick(_KINDS):
            events.append(c.pick(kinds)(c))
        else:
            events += _note(c)
    if not c.seldom():
        events.append(Event(_delta(c), 0xFF, b"\x2f\x00"))
    return events


def build(data: bytes) -> bytes:
    """A file of random events, from decisions."""
    c = Choices(data)
    wild = c.seldom(4)
    kind = c.pick([1, 0, 2])
    division = c.pick([480, 480, 96, 220, 24, 1, 0x7FFF])
    tracks = [_track(c, wild) for _ in range(1 + c.pick([0, 0, 1, 2, 3]))]
    chunks = [chunk(b"MTrk", encode(events)) for events in tracks]
    claimed = len(chunks)
    extra = c.bytes(6) if c.seldom() else b""
    after = c.bytes(6) if c.seldom() else b""  # behind the last track: nobody reads it
    if wild:
        kind = c.pick([kind, kind, 3, -1])
        division = c.pick([division, division, division, division, 0, 0xE728, 0x8000])
        claimed += c.pick([0, 0, 0, 0, 0, 0, -1, 1, -0x8000])
        if c.seldom(8):
            place = c.below(len(chunks))
            body = chunks[place][8:]
            chunks[place] = chunk(c.pick([b"MTrk", b"XFIH"]), body, len(body) + c.below(7) - 3)
    return header(kind, claimed, division, extra) + b"".join(chunks) + after


# --- damage


def damage(data: bytes, corpus: Sequence[bytes]) -> bytes:
    """A file of the corpus with one to four damages, from decisions."""
    c = Choices(data)
    file = corpus[c.wide(len(corpus))]
    for _ in range(1 + c.pick([0, 0, 0, 1, 1, 2, 3])):
        other = corpus[c.wide(len(corpus))]
        if c.seldom(8):
            file = _damage_bytes(c, file, other)  # anywhere, the header too
        elif c.seldom(6):
            file = _add_track(c, file, other)
        else:
            file = _damage_track(c, file, other)
    return file


def _damage_bytes(c: Choices, data: bytes, other: bytes) -> bytes:
    place, value = c.wide(len(data) + 1), c.pick([0, 1, 0x7F, 0x80, 0x90, 0x99, 0xC0, 0xF0, 0xF7, 0xFF, c.below(256)])
    after = 0 if c.below(2) else c.below(8)
    return c.pick(
        [
            data[:place] + bytes([value]) + data[place + 1 :],
            data[:place] + bytes([value & 0x7F]) + data[place + 1 :],
            data[:place] + data[place + 1 + after :],
            data[:place] + bytes([value]) + data[place:],
            data[:place] + other[c.wide(len(other) + 1) :],
            data[:place],
        ]
    )


def _damage_events(c: Choices, track: bytes, other: bytes) -> bytes:
    """Some events are there twice, or not at all, or in another order, or come from another track."""
    events, others = split_events(track) or [b""], split_events(other)
    place, count = c.wide(len(events)), 1 + c.pick([0, 0, 0, 1, 2, 7])
    some = events[place : place + count]
    foreign = others[c.wide(len(others)) :][:count] if others else []
    changed = c.pick(
        [
            [*events[:place], *some, *events[place:]],
            [*events[:place], *events[place + count :]],
            [*events[:place], *reversed(some), *events[place + count :]],
            [*events[:place], *foreign, *events[place:]],
            [*events[:place], *others[c.wide(len(others) + 1) :]],
        ]
    )
    return b"".join(changed)


def _damage_track(c: Choices, data: bytes, other: bytes) -> bytes:
    """The length of the track is put right."""
    chunks = split_chunks(data)
    bodies = [place for place, part in enumerate(chunks) if part.startswith(b"MTrk")]
    if not bodies:
        return data
    which = bodies[c.wide(len(bodies))]
    foreign = max((part for part in split_chunks(other) if part.startswith(b"MTrk")), key=len, default=b"")
    change = _damage_bytes if c.seldom(3) else _damage_events
    chunks[which] = chunk(b"MTrk", change(c, chunks[which][8:], foreign[8:]))
    return b"".join(chunks)


def _add_track(c: Choices, data: bytes, other: bytes) -> bytes:
    """One more track, of the other file; the header knows of it."""
    extra = split_chunks(other)[1:]
    chunks = [*split_chunks(data), *extra[c.wide(max(1, len(extra))) :][:1]]
    if len(data) < 14:
        return data
    count = sum(part.startswith(b"MTrk") for part in chunks)
    return data[:10] + struct.pack(">H", count & 0xFFFF) + b"".join(chunks)[12:]


# --- taking files apart, whatever is in them: the parts together are always the same bytes


def split_chunks(data: bytes) -> list[bytes]:
    """The chunks of a file; the last one may be cut short."""
    parts, start = [], 0
    while start < len(data):
        length = int.from_bytes(data[start + 4 : start + 8], "big")
        parts.append(data[start : start + 8 + length])
        start += 8 + length
    return parts


def split_events(track: bytes) -> list[bytes]:
    """The events of a track with their delta times; what is not understood is cut somewhere."""
    parts, start, status = [], 0, 0x90
    while start < len(track):
        place = _after_number(track, start)
        if track[place : place + 1] >= b"\x80":
            status = track[place]
            place += 1
        if status in (0xF0, 0xF7, 0xFF):
            place += status == 0xFF
            end = _after_number(track, place)
            length = 0
            for byte in track[place:end]:
                length = length << 7 | byte & 0x7F
            place = end + length
        else:
            place += 2 if status >> 4 not in (0xC, 0xD) else 1
        parts.append(track[start : max(place, start + 1)])
        start = max(place, start + 1)
    return parts


def _after_number(data: bytes, place: int) -> int:
    while data[place : place + 1] >= b"\x80":
        place += 1
    return place + 1


# --- for hypothesis


def decisions(least: int = 200, most: int = 800) -> st.SearchStrategy[bytes]:
    """What ``build`` and ``damage`` make files from."""
    return st.binary(min_size=least, max_size=most)
