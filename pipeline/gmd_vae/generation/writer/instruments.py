"""Notes of several instruments to the bytes of a MIDI file; ``drum_midi`` does the same for drum labels, faster.

Format 1: a track with the tempo, the time signature and the chords, then one for each part. All of them end
exactly at the end of the last bar, so that the file loops in any music program.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from gmd_vae.generation.writer.drums import END_OF_TRACK, number_bytes, tempo_events

TICKS_PER_QUARTER = 480
_DRUMS = 9  # channel 10, counted from 0
_MELODIC = tuple(channel for channel in range(16) if channel != _DRUMS)


@dataclasses.dataclass(frozen=True, order=True)
class Note:
    """A note, in quarters from the beginning of the file.

    Attributes:
        start: where it begins.
        end: where it ends, behind its beginning.
        pitch: MIDI pitch.
        velocity: 1 to 127.
    """

    start: float
    end: float
    pitch: int
    velocity: int


@dataclasses.dataclass(frozen=True)
class Part:
    """One instrument.

    Attributes:
        name: of its track.
        program: General MIDI, 0 to 127; of drums it says nothing.
        is_drum: whether it is on channel 10.
        notes: in any order.
    """

    name: str
    program: int
    is_drum: bool
    notes: tuple[Note, ...]


def parts_midi(
    parts: Sequence[Part],
    bars: int,
    tempo: float,
    name: str,
    chords: Sequence[str] = (),
) -> tuple[bytes, int]:
    """Parts as a MIDI file of a whole number of bars of 4/4.

    Notes that begin before 0 begin there; those that reach beyond the end are cut, those behind it left out. Of
    notes of one channel and pitch the one before ends where the next one begins; of those that begin together
    the loudest counts.

    Args:
        parts: each gets a channel of its own, drums the tenth; beyond 15 they share channels.
        bars: of the file.
        tempo: quarters a minute.
        name: of the first track; letters outside Latin-1 become question marks.
        chords: of each bar, written as text where they change.

    Returns:
        The bytes of the file, and the number of notes in it.
    """
    end = bars * 4 * TICKS_PER_QUARTER
    melodic, shared = 0, sum(not part.is_drum for part in parts) > len(_MELODIC)
    tracks, count = [_track([*_chord_events(chords)], end, tempo_events(tempo, 4, name))], 0
    for part in parts:
        channel = _DRUMS if part.is_drum else _MELODIC[melodic % len(_MELODIC)]
        melodic += not part.is_drum
        events, notes = _note_events(part, channel, end)
        head = b"\x00\xff\x03" + _text(part.name)
        if not part.is_drum:
            head += bytes((0, 0xC0 | channel, part.program))
            if shared:
                events = _with_programs(events, channel, part.program)
        tracks.append(_track(events, end, head))
        count += notes
    header = b"MThd\x00\x00\x00\x06\x00\x01" + len(tracks).to_bytes(2, "big") + TICKS_PER_QUARTER.to_bytes(2, "big")
    return header + b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks), count


def _note_events(part: Part, channel: int, end: int) -> tuple[list[tuple[int, bytes]], int]:
    """The events of a part by tick, ends before beginnings, and how many notes there are."""
    loudest: dict[tuple[int, int], tuple[int, int]] = {}  # pitch, begin → velocity, end
    for note in part.notes:
        begin, stop = (min(max(round(at * TICKS_PER_QUARTER), 0), end) for at in (note.start, note.end))
        if begin < end:
            known = loudest.get((note.pitch, begin), (0, 0))
            loudest[note.pitch, begin] = max(known, (note.velocity, max(stop, begin + 1)))
    events: list[tuple[int, bool, bytes]] = []
    following: dict[int, int] = {}  # pitch → where its next note begins
    for (pitch, begin), (velocity, stop) in sorted(loudest.items(), reverse=True):
        events.append((begin, True, bytes((0x90 | channel, pitch, velocity))))
        events.append((min(stop, following.get(pitch, end)), False, bytes((0x80 | channel, pitch, 0))))
        following[pitch] = begin
    return [(tick, data) for tick, _, data in sorted(events)], len(loudest)


def _with_programs(events: list[tuple[int, bytes]], channel: int, program: int) -> list[tuple[int, bytes]]:
    """A part on a channel that it shares: its program again ahead of each of its notes."""
    change = bytes((0xC0 | channel, program))
    return [
        event
        for tick, data in events
        for event in ([(tick, change), (tick, data)] if data[0] & 0xF0 == 0x90 else [(tick, data)])
    ]


def _chord_events(chords: Sequence[str]) -> list[tuple[int, bytes]]:
    """A text event at each bar whose chord is another than the one before."""
    return [
        (bar * 4 * TICKS_PER_QUARTER, b"\xff\x01" + _text(chord))
        for bar, chord in enumerate(chords)
        if not bar or chords[bar - 1] != chord
    ]


def _track(events: Sequence[tuple[int, bytes]], end: int, head: bytes) -> bytes:
    parts, last = [head], 0
    for tick, data in events:
        parts += (number_bytes(tick - last), data)
        last = tick
    return b"".join([*parts, number_bytes(end - last), END_OF_TRACK])


def _text(text: str) -> bytes:
    data = text.encode("latin-1", "replace")
    return number_bytes(len(data)) + data
