"""Writes Standard MIDI Files from plain numbers: ticks, pitches, velocities, programs, tempo and time signature.

``write_drums`` writes drum hits to a file with one track (format 0). ``write_instruments`` writes several
instruments, each to a track of its own behind a track with the tempo (format 1). Every track ends at the last tick
of the file, so that the file loops in any music program. Nothing here depends on a library: a window of drums
takes microseconds. Source: Standard MIDI Files 1.0 (MIDI Manufacturers Association, 1996).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple, NewType

TICKS_PER_QUARTER = 480
MAX_TICKS_PER_QUARTER = 0x7FFF  # the header has 15 bits for it

_MICROSECONDS_PER_MINUTE = 60_000_000
_CLOCKS_PER_QUARTER, _32NDS_PER_QUARTER = 24, 8
_DRUM_CHANNEL = 9  # channel 10, counted from 0
_MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != _DRUM_CHANNEL)
_NOTE_OFF, _NOTE_ON, _PROGRAM_CHANGE = 0x80, 0x90, 0xC0
_NO_DELTA = b"\x00"
_TEXT, _TRACK_NAME, _END_OF_TRACK, _TEMPO, _TIME_SIGNATURE = (
    b"\xff\x01",
    b"\xff\x03",
    b"\xff\x2f\x00",
    b"\xff\x51\x03",
    b"\xff\x58\x04",
)

Strokes = NewType("Strokes", bytes)
"""Note events of the drums at one tick, encoded by ``strokes``."""


class Song(NamedTuple):
    """The facts of a MIDI file apart from its notes.

    Attributes:
        name: Name of the first track. Letters outside Latin-1 become question marks.
        end: Length of every track in ticks.
        tempo: Quarter notes per minute, at least 3.58 (the file has 24 bits for the microseconds of a quarter note).
        time_signature: Numerator and denominator; the denominator is a power of two.
        ticks_per_quarter: Ticks per quarter note, 1 to ``MAX_TICKS_PER_QUARTER``.
    """

    name: str
    end: int
    tempo: float
    time_signature: tuple[int, int] = (4, 4)
    ticks_per_quarter: int = TICKS_PER_QUARTER


class Note(NamedTuple):
    """A note of an instrument.

    Attributes:
        start: First tick. May be negative: the note then begins with the file.
        end: Tick at which the note stops.
        pitch: MIDI pitch, 0 to 127.
        velocity: MIDI velocity, 1 to 127.
    """

    start: int
    end: int
    pitch: int
    velocity: int


class Instrument(NamedTuple):
    """The notes of one instrument.

    Attributes:
        name: Name of the track. Letters outside Latin-1 become question marks.
        program: General MIDI program, 0 to 127. Drums ignore it.
        is_drum: True for the drums of channel 10.
        notes: Notes in any order.
    """

    name: str
    program: int
    is_drum: bool
    notes: Sequence[Note]


def strokes(events: Iterable[tuple[int, int]]) -> Strokes:
    """Encodes note events of the drums at one tick, for ``write_drums``.

    Kept apart from it so that a caller can cache what comes again: few combinations of drums make up a beat.

    Args:
        events: Pairs of pitch and velocity in the file's order. Velocity 0 ends the note.
    """
    return Strokes(_NO_DELTA.join(map(bytes, events)))  # under running status: no status byte


def write_drums(song: Song, by_tick: Iterable[tuple[int, Strokes]]) -> bytes:
    """Returns a MIDI file (format 0) with drums on channel 10.

    Args:
        song: Facts of the file.
        by_tick: Pairs of tick and encoded note events, in order of time. Several pairs may have the same tick.

    Returns:
        Bytes of the file.

    Raises:
        ValueError: Note events are out of order or behind the end.
    """
    events: list[tuple[int, bytes]] = [*by_tick]
    if events:  # running status: one status byte serves all note events of the track
        events[0] = events[0][0], bytes([_NOTE_ON | _DRUM_CHANNEL]) + events[0][1]
    return _file(0, song, [_track(_song_events(song), events, song.end)])


def write_instruments(
    song: Song, instruments: Sequence[Instrument], texts: Iterable[tuple[int, str]] = ()
) -> tuple[bytes, int]:
    """Returns a MIDI file (format 1) with one track for the song and one for each instrument.

    Each melodic instrument has a channel of its own. From the 16th on they share channels, and a program change
    precedes each of their notes.

    An instrument has one voice for each pitch: a note stops where the same pitch starts again, and of notes of one
    pitch that start together the loudest is written. Notes are cut at both ends of the file. They last at least
    one tick. Notes that start at or behind the end are left out.

    Args:
        song: Facts of the file.
        instruments: Instruments in the order of their tracks.
        texts: Pairs of tick and text in order of time, for the first track, for example chord symbols.

    Returns:
        The bytes of the file and its number of notes.

    Raises:
        ValueError: Texts are out of order or behind the end.
    """
    count = 0
    tracks = [_track(_song_events(song), [(tick, _TEXT + _text(text)) for tick, text in texts], song.end)]
    shared = sum(not instrument.is_drum for instrument in instruments) > len(_MELODIC_CHANNELS)
    melodic = 0
    for instrument in instruments:
        head = _NO_DELTA + _TRACK_NAME + _text(instrument.name)
        program = b""
        if instrument.is_drum:
            channel = _DRUM_CHANNEL
        else:
            channel = _MELODIC_CHANNELS[melodic % len(_MELODIC_CHANNELS)]
            melodic += 1
            program = bytes((_PROGRAM_CHANGE | channel, instrument.program))
            head += _NO_DELTA + program
        notes = _sounding(instrument.notes, song.end)
        count += len(notes)
        tracks.append(_track(head, _note_events(notes, channel, program if shared else b""), song.end))
    return _file(1, song, tracks), count


def _sounding(notes: Iterable[Note], end: int) -> list[Note]:
    """Returns the notes that one voice for each pitch plays before the tick ``end``, see ``write_instruments``."""
    loudest: dict[tuple[int, int], tuple[int, int]] = {}  # pitch, start → velocity, stop
    for note in notes:
        start, stop = min(max(note.start, 0), end), min(max(note.end, 0), end)
        if start < end:
            known = loudest.get((note.pitch, start), (0, 0))
            loudest[note.pitch, start] = max(known, (note.velocity, max(stop, start + 1)))
    sounding = []
    next_start: dict[int, int] = {}  # by pitch
    for (pitch, start), (velocity, stop) in sorted(loudest.items(), reverse=True):
        sounding.append(Note(start, min(stop, next_start.get(pitch, end)), pitch, velocity))
        next_start[pitch] = start
    return sounding


def _note_events(notes: Iterable[Note], channel: int, before_each: bytes) -> list[tuple[int, bytes]]:
    """Returns the note events of a track by tick, note-offs before note-ons; ``before_each`` precedes each note-on."""
    events: list[tuple[int, bool, bytes]] = []
    for note in notes:
        events.append((note.start, True, bytes((_NOTE_ON | channel, note.pitch, note.velocity))))
        events.append((note.end, False, bytes((_NOTE_OFF | channel, note.pitch, 0))))
    events.sort()
    if not before_each:
        return [(tick, data) for tick, _, data in events]
    written: list[tuple[int, bytes]] = []
    for tick, starts, data in events:
        if starts:
            written.append((tick, before_each))
        written.append((tick, data))
    return written


def _song_events(song: Song) -> bytes:
    """Returns the events ahead of the notes in the first track: its name, the tempo and the time signature."""
    microseconds = round(_MICROSECONDS_PER_MINUTE / song.tempo)
    numerator, denominator = song.time_signature
    is_compound = denominator >= 8 and numerator > 3 and numerator % 3 == 0  # the metronome clicks dotted quarters
    click = _CLOCKS_PER_QUARTER * 3 // 2 if is_compound else _CLOCKS_PER_QUARTER
    meter = bytes((numerator, denominator.bit_length() - 1, click, _32NDS_PER_QUARTER))
    return b"".join(
        (
            (_NO_DELTA + _TRACK_NAME + _text(song.name)),
            (_NO_DELTA + _TEMPO + microseconds.to_bytes(3, "big")),
            (_NO_DELTA + _TIME_SIGNATURE + meter),
        )
    )


def _file(midi_format: int, song: Song, tracks: Sequence[bytes]) -> bytes:
    """Returns the header chunk and the track chunks."""
    header = b"".join(number.to_bytes(2, "big") for number in (midi_format, len(tracks), song.ticks_per_quarter))
    chunks = [_chunk(b"MThd", header), *(_chunk(b"MTrk", track) for track in tracks)]
    return b"".join(chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4, "big") + content


def _track(head: bytes, events: Iterable[tuple[int, bytes]], end: int) -> bytes:
    """Returns the content of a track: events with their delta times, and the end of the track at tick ``end``."""
    parts, last = [head], 0
    for tick, data in events:
        parts += (_variable_length(tick - last), data)
        last = tick
    parts += (_variable_length(end - last), _END_OF_TRACK)
    return b"".join(parts)


def _text(text: str) -> bytes:
    data = text.encode("latin-1", "replace")
    return _variable_length(len(data)) + data


@functools.lru_cache(maxsize=1 << 10)
def _variable_length(number: int) -> bytes:
    """Returns a variable-length quantity: 7 bits a byte, the highest first, the top bit set on all but the last."""
    if number < 0:
        raise ValueError("events must be in order of time, none behind the end of the file")
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))
