"""Part of step 2 of the reader: the events of a track to instruments, as pretty_midi 0.2.11 makes them.

Mirrors ``pretty_midi.PrettyMIDI._load_instruments``, with arrays in place of a loop over objects. ``note_pairs`` finds
the notes:

- A note belongs to the program that its channel has when the note is closed.
- An instrument is a program on a channel of a track. Instruments are in the order of their first closed note, and
  have the name that the track has at that event.
- Control changes and pitch bends before a channel has its instrument go to a list that all later instruments of the
  channel share.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader.events import Bytes, Ints, Track
from gmd_vae.midi.reader.note_pairs import NotePairs
from gmd_vae.midi.reader.tempo_map import Floats, TempoMap
from gmd_vae.midi.reading import Reading

Integers = npt.NDArray[np.integer[Any]]

_CONTROL_CHANGE, _PROGRAM_CHANGE, _PITCH_BEND = 0xB, 0xC, 0xE
_BEND_CENTRE = 8192
_NEVER = np.iinfo(np.int64).max  # later than any event


class Controls(NamedTuple):
    """Control changes.

    Attributes:
        time: Seconds, float64 [changes].
        number: Control numbers, uint8 [changes].
        value: Control values, uint8 [changes].
    """

    time: Floats
    number: Bytes
    value: Bytes


class Bends(NamedTuple):
    """Pitch bends.

    Attributes:
        time: Seconds, float64 [bends].
        bend: -8192 to 8191, int64 [bends].
    """

    time: Floats
    bend: Ints


class Instrument(NamedTuple):
    """A program on a channel of a track. Notes are in the order in which they end.

    Attributes:
        program: General MIDI program, 0 to 127.
        is_drum: True for drums (``Reading.is_drum``).
        name: Name of the track at the end of the instrument's first note.
        start: Starts of the notes in seconds, float64 [notes].
        end: Ends of the notes in seconds, float64 [notes].
        pitch: MIDI pitches, uint8 [notes].
        velocity: MIDI velocities, uint8 [notes].
        controls: Control changes.
        bends: Pitch bends.
    """

    program: int
    is_drum: bool
    name: str
    start: Floats
    end: Floats
    pitch: Bytes
    velocity: Bytes
    controls: Controls
    bends: Bends


def read_instruments(track: Track, notes: NotePairs, tempo_map: TempoMap, reading: Reading) -> Iterator[Instrument]:
    """Yields the instruments of a track, in the order of their first closed note.

    Args:
        track: Events of the track.
        notes: Notes of the track.
        tempo_map: Ticks to seconds.
        reading: Rules for reading.
    """
    on, off, end = notes.on, notes.off, notes.end
    if not len(on):
        return
    kind, channel = track.status >> 4, track.status & 15
    programs = _Programs(track, kind, channel)
    code = programs.at(off, channel[on]) << 4 | channel[on]  # one number for program and channel
    if code.min() == code.max():
        codes, first, inverse = code[:1], _FIRST, code
    else:
        codes, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    created = {int(number): int(off[index]) for number, index in zip(codes, first, strict=True)}
    others = _ControlsAndBends(track, kind, channel, programs, created)
    for number in np.argsort(first):
        member = slice(None) if len(codes) == 1 else inverse == number
        starts = on[member]
        instrument = int(codes[number])
        event, tick = created[instrument], int(end[first[number]])
        named = bisect.bisect_right(track.names, (event, tick), key=lambda name: name[:2])
        controls, bends = others.of(instrument, tempo_map)
        yield Instrument(
            program=instrument >> 4,
            is_drum=bool(reading.is_drum(instrument & 15)),
            name=track.names[named - 1][2] if named else "",
            start=tempo_map.seconds(track.ticks[starts]),
            end=tempo_map.seconds(end[member]),
            pitch=_mapped(track.first[starts], reading) if reading.is_drum(instrument & 15) else track.first[starts],
            velocity=track.second[starts],
            controls=controls,
            bends=bends,
        )


def _mapped(pitch: Bytes, reading: Reading) -> Bytes:
    """Returns the pitches of drums after the drum map, uint8 [notes]."""
    if not reading.drum_map:
        return pitch
    table = np.arange(256, dtype=np.uint8)
    for before, after in reading.drum_map:
        table[before] = after
    return table[pitch]


def unmapped_pitches(track: Track, notes: NotePairs, reading: Reading) -> list[int]:
    """Returns the pitch of each drum note of a track that the drum map lacks; empty without a map."""
    if not reading.drum_map:
        return []
    is_drum = reading.is_drum(track.status[notes.on] & 15)
    pitches = track.first[notes.on][is_drum]
    known = [pitch for pitch, _ in reading.drum_map]
    return pitches[~np.isin(pitches, known)].tolist()  # type: ignore[no-any-return]


class _Programs:
    """The program of each channel over time.

    Args:
        track: Events of the track.
        kind: Status bytes without the channel, uint8 [events].
        channel: Channels, uint8 [events].
    """

    def __init__(self, track: Track, kind: Integers, channel: Integers) -> None:
        changes = np.flatnonzero(kind == _PROGRAM_CHANGE)
        self._changes = {
            number: (of_channel, track.first[of_channel].astype(np.int64))
            for number in _distinct(channel[changes])
            for of_channel in [changes[channel[changes] == number]]
        }

    def at(self, events: Ints, channel: Integers) -> Ints:
        """Returns the program of each event's channel at that event, int64 [events]; 0 before the first change."""
        programs = np.zeros(len(events), np.int64)
        for number, (changes, new_programs) in self._changes.items():
            of_channel = np.flatnonzero(channel == number)
            index = np.searchsorted(changes, events[of_channel]) - 1
            programs[of_channel] = np.where(index >= 0, new_programs[index], 0)
        return programs


class _ControlsAndBends:
    """Control changes and pitch bends of the instruments of a track.

    Args:
        track: Events of the track.
        kind: Status bytes without the channel, uint8 [events].
        channel: Channels, uint8 [events].
        programs: Programs of the channels.
        created: Index of the event that closes the first note, by instrument (``program << 4 | channel``).
    """

    def __init__(
        self, track: Track, kind: Integers, channel: Integers, programs: _Programs, created: dict[int, int]
    ) -> None:
        self._track, self._kind, self._created = track, kind, created
        events = np.flatnonzero((kind == _CONTROL_CHANGE) | (kind == _PITCH_BEND))
        self._own: dict[int, Ints] = {}  # by instrument: indices of events
        self._shared: dict[int, tuple[int, Ints]] = {}  # by channel: index of the first event, and all indices
        if not len(events):
            return
        code = programs.at(events, channel[events]) << 4 | channel[events]
        created_at = np.full(128 << 4, _NEVER)
        created_at[list(created)] = list(created.values())
        early = created_at[code] > events  # before its instrument is created
        for number in _distinct(channel[events]):
            of_channel = channel[events] == number
            first = events[of_channel & early]
            # instruments created after this event use the shared list, those created before it do not
            begin = int(first[0]) if len(first) else _NEVER
            self._shared[number] = begin, events[of_channel & (early | (created_at[code] > begin))]
        for instrument in created:
            self._own[instrument] = events[(code == instrument) & ~early]

    def of(self, instrument: int, tempo_map: TempoMap) -> tuple[Controls, Bends]:
        """Returns the control changes and the pitch bends of an instrument (``program << 4 | channel``)."""
        events = self._own.get(instrument, _NO_EVENTS)
        begin, shared = self._shared.get(instrument & 15, (_NEVER, _NO_EVENTS))
        if self._created[instrument] > begin:
            events = shared
        track = self._track
        is_control = self._kind[events] == _CONTROL_CHANGE
        controls, bends = (events, _NO_EVENTS) if is_control.all() else (events[is_control], events[~is_control])
        low, high = track.first[bends].astype(np.int64), track.second[bends].astype(np.int64)
        return (
            Controls(tempo_map.seconds(track.ticks[controls]), track.first[controls], track.second[controls]),
            Bends(tempo_map.seconds(track.ticks[bends]), (low | high << 7) - _BEND_CENTRE),
        )


def _distinct(channels: Integers) -> list[int]:
    """Returns the channels that occur, in order."""
    distinct: list[int] = np.flatnonzero(np.bincount(channels, minlength=1)).tolist()
    return distinct


_NO_EVENTS: Ints = np.zeros(0, np.int64)
_FIRST: Ints = np.zeros(1, np.int64)
