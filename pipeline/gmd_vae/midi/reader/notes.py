"""From a MIDI file's events to instruments and seconds, as pretty_midi 0.2.11 makes them.

Mirrors ``pretty_midi.PrettyMIDI._load_tempo_changes``, ``_update_tick_to_time`` and
``_load_instruments``, with arrays in place of a loop over objects:

- a note-off closes every open note of its channel and pitch but those that begin on its own tick; if
  there are no others, those are forgotten;
- a note belongs to the program that its channel has when the note is closed;
- instruments (a program on a channel of a track) are in the order of their first closed note, and bear
  the name that the track had then;
- control changes and pitch bends from before a channel has its instrument go to a list that all its
  later instruments share.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader.events import Bytes, Ints, MidiEvents, Track

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer[Any]]

_DRUM_CHANNEL = 9
_NEVER = np.iinfo(np.int64).max


class Controls(NamedTuple):
    """Control changes: ticks, int64; control numbers, uint8; values, uint8."""

    ticks: Ints
    number: Bytes
    value: Bytes


class Bends(NamedTuple):
    """Pitch bends: ticks, int64; bends from -8192 to 8191, int64."""

    ticks: Ints
    bend: Ints


class Instrument(NamedTuple):
    """A program on a channel of a track. Arrays of notes, of control changes and of pitch bends, in their order.

    Attributes:
        program: 0 to 127.
        is_drum: whether it is on MIDI channel 10.
        name: of its track, as of its first note's end.
        start: ticks, int64 [notes].
        end: ticks, int64 [notes].
        pitch: uint8 [notes].
        velocity: uint8 [notes].
        controls: the control changes.
        bends: the pitch bends.
    """

    program: int
    is_drum: bool
    name: str
    start: Ints
    end: Ints
    pitch: Bytes
    velocity: Bytes
    controls: Controls
    bends: Bends


class TempoMap:
    """Ticks to seconds, an element for every tempo; bit for bit what pretty_midi's array for every tick holds."""

    def __init__(self, resolution: int, tempos: list[tuple[int, int]]) -> None:
        starts, scales = [0], [60.0 / (120.0 * resolution)]
        for tick, tempo in tempos:
            scale = 60.0 / (6e7 / tempo * resolution)
            if tick == 0:
                starts, scales = [0], [scale]
            elif scale != scales[-1]:  # a repeated tempo is no change
                starts.append(tick)
                scales.append(scale)
        seconds = [0.0]  # at the start of each tempo
        for index in range(1, len(starts)):
            seconds.append(seconds[-1] + scales[index - 1] * (starts[index] - starts[index - 1]))
        self.resolution = resolution
        self.scales = scales  # seconds of a tick
        self.times = seconds
        self._starts, self._scales, self._seconds = np.array(starts), np.array(scales), np.array(seconds)

    def seconds(self, ticks: Ints) -> Floats:
        """The time of each tick."""
        if len(self.scales) == 1:
            return self._scales[0] * ticks  # type: ignore[no-any-return]
        index = np.searchsorted(self._starts, ticks, side="right") - 1
        found: Floats = self._seconds[index] + self._scales[index] * (ticks - self._starts[index])
        return found


def instruments(events: MidiEvents) -> Iterator[Instrument]:
    """The instruments of a file, in the order of its NoteSequence's instrument numbers."""
    for track in events.tracks:
        if len(track.ticks):
            yield from _instruments_of(track)


def _instruments_of(track: Track) -> Iterator[Instrument]:
    kind, channel = track.status >> 4, track.status & 15
    on, off = _closed_notes(track, kind)
    if not len(on):
        return
    programs = _Programs(track, kind, channel)
    of_note = programs.at(off, channel[off])
    code = of_note << 4 | channel[off]
    if code.min() == code.max():
        codes, first, inverse = code[:1], _FIRST, code
    else:
        codes, first, inverse = np.unique(code, return_index=True, return_inverse=True)
    others = _Others(track, kind, channel, programs, {int(c): int(off[at]) for c, at in zip(codes, first, strict=True)})
    for number in np.argsort(first):
        member = slice(None) if len(codes) == 1 else inverse == number
        starts, ends = on[member], off[member]
        found, created = int(codes[number]), int(off[first[number]])
        names = [name for before, name in track.names if before <= created]
        controls, bends = others.of(found)
        yield Instrument(
            program=found >> 4,
            is_drum=found & 15 == _DRUM_CHANNEL,
            name=names[-1] if names else "",
            start=track.ticks[starts],
            end=track.ticks[ends],
            pitch=track.first[starts],
            velocity=track.second[starts],
            controls=controls,
            bends=bends,
        )


def _closed_notes(track: Track, kind: Integers) -> tuple[Ints, Ints]:
    """Each note's begin and end, as numbers of events, in the order in which they end."""
    is_on = (kind == 9) & (track.second > 0)
    is_off = (kind == 8) | ((kind == 9) & (track.second == 0))
    events = np.flatnonzero(is_on | is_off)
    key = (track.status[events] & 15).astype(np.int64) << 7 | track.first[events]
    order = np.argsort(key, kind="stable")
    events, key = events[order], key[order]
    begins, ticks = is_on[events], track.ticks[events]
    ends = np.flatnonzero(~begins)
    on = np.flatnonzero(begins)
    following = on - np.arange(len(on))  # the next end, as a number in `ends`
    there = following < len(ends)
    there[there] = key[ends[following[there]]] == key[on[there]]
    on, following = on[there], following[there]
    at_once = ticks[on] == ticks[ends[following]]
    off = ends[following]
    if at_once.any():
        kept = _keeps(key[ends], ticks[ends], following[at_once], following[~at_once])[following] & at_once
        later = np.minimum(following + 1, len(ends) - 1)
        kept &= (key[ends[later]] == key[on]) & (ticks[ends[later]] != ticks[on])
        off = np.where(kept, ends[later], off)
        on, off = on[kept | ~at_once], off[kept | ~at_once]
    on, off = events[on], events[off]
    order = np.lexsort((on, off))
    return on[order], off[order]


def _keeps(key: Ints, ticks: Ints, begun_at_once: Ints, begun_before: Ints) -> npt.NDArray[np.bool_]:
    """Which ends leave the notes open that begin on their own tick: those that have others to close.

    Others are notes begun on an earlier tick, since the end before or before it, if that end kept them.

    Args:
        key: of each end, sorted.
        ticks: of each end.
        begun_at_once: the ends that come next after a note begun on their own tick.
        begun_before: the ends that come next after a note begun on an earlier tick.
    """
    number = np.arange(len(key))
    at_once, before = np.zeros(len(key), np.bool_), np.zeros(len(key), np.bool_)
    at_once[begun_at_once] = True
    before[begun_before] = True
    inherits = at_once.copy()  # keeps, if the end before kept
    inherits[0] = False
    inherits[1:] &= (key[1:] == key[:-1]) & (ticks[1:] != ticks[:-1])
    since = np.maximum.accumulate(np.where(inherits, -1, number))  # the last one that does not ask the one before
    by_itself = np.maximum.accumulate(np.where(at_once & before, number, -1))
    kept: npt.NDArray[np.bool_] = by_itself >= since
    return kept


class _Programs:
    """Which program a channel has at an event."""

    def __init__(self, track: Track, kind: Integers, channel: Integers) -> None:
        changes = np.flatnonzero(kind == 0xC)
        self._changes = {
            number: (mine, track.first[mine].astype(np.int64))
            for number in _distinct(channel[changes])
            for mine in [changes[channel[changes] == number]]
        }

    def at(self, events: Ints, channel: Integers) -> Ints:
        """The program of each event's channel at that event; 0 before the first change. int64 [events]."""
        found = np.zeros(len(events), np.int64)
        for number, (changes, programs) in self._changes.items():
            mine = np.flatnonzero(channel == number)
            index = np.searchsorted(changes, events[mine]) - 1
            found[mine] = np.where(index >= 0, programs[index], 0)
        return found


class _Others:
    """Control changes and pitch bends of the instruments of a track.

    Args:
        track: the track.
        kind: its events' status without the channel.
        channel: its events' channel.
        programs: of its channels.
        created: instrument (program << 4 | channel) to the number of the event that closed its first note.
    """

    def __init__(
        self, track: Track, kind: Integers, channel: Integers, programs: _Programs, created: dict[int, int]
    ) -> None:
        self._track, self._kind, self._created = track, kind, created
        events = np.flatnonzero((kind == 0xB) | (kind == 0xE))
        self._lists: dict[int, Ints] = {}
        self._shared: dict[int, tuple[int, Ints]] = {}  # by channel: number of its first event, and all events
        if not len(events):
            return
        code = programs.at(events, channel[events]) << 4 | channel[events]
        since = np.full(128 << 4, _NEVER)
        since[list(created)] = list(created.values())
        early = since[code] > events  # its instrument is not there yet
        for number in _distinct(channel[events]):
            mine = channel[events] == number
            first = events[mine & early]
            # instruments that come after this event take part in the shared list, those before it do not
            begin = int(first[0]) if len(first) else _NEVER
            self._shared[number] = begin, events[mine & (early | (since[code] > begin))]
        for one in created:
            self._lists[one] = events[(code == one) & ~early]

    def of(self, instrument: int) -> tuple[Controls, Bends]:
        """The control changes and the pitch bends of an instrument, as ``Instrument`` has them."""
        events = self._lists.get(instrument, _NOTHING)
        begin, shared = self._shared.get(instrument & 15, (_NEVER, _NOTHING))
        if self._created[instrument] > begin:
            events = shared
        track = self._track
        controls = events[self._kind[events] == 0xB]
        bends = events[self._kind[events] == 0xE]
        first, second = track.first[bends].astype(np.int64), track.second[bends].astype(np.int64)
        return (
            Controls(track.ticks[controls], track.first[controls], track.second[controls]),
            Bends(track.ticks[bends], (first | second << 7) - 8192),
        )


def _distinct(channels: Integers) -> list[int]:
    found: list[int] = np.flatnonzero(np.bincount(channels, minlength=1)).tolist()
    return found


_NOTHING: Ints = np.zeros(0, np.int64)
_FIRST: Ints = np.zeros(1, np.int64)
