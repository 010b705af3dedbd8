"""Part of step 2 of the reader: the note-ons of a track and the ends of their notes.

Magenta's rule (``pretty_midi.PrettyMIDI._load_instruments``), with arrays in place of a loop over objects: a note-off
closes every open note of its channel and pitch, except notes that begin on its own tick. If there are only such notes,
they are dropped. Notes that are open at the end of the track are dropped.

By default a drum hit is never dropped. A hit without an end by Magenta's rule ends with another hit of its tick and
pitch that has one; otherwise a 64th note after it begins, or where the next hit of its pitch begins if that is sooner.
A 64th note is shorter than a step of every config's grid, so that such an end changes no quantized step, and no other
note. Files in which every hit has an end are read as Magenta reads them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.reader import account
from gmd_vae.midi.reader.event_buffer import Ints
from gmd_vae.midi.reader.track_reader import Track
from gmd_vae.midi.reading import Reading

Integers = npt.NDArray[np.integer[Any]]
Flags = npt.NDArray[np.bool_]

_NOTE_ON, _NOTES_END = 0x90, 0xA0  # status bytes: note-offs, from 0x80 on, then note-ons, then other events
_HITS_PER_QUARTER = 16  # a hit without an end lasts a 64th note
_NEVER = np.iinfo(np.int64).max  # later than any tick


class NotePairs(NamedTuple):
    """The notes of a track, in the order in which they end.

    Attributes:
        on: Indices of the events that begin the notes, int64 [notes].
        off: Indices of the events that end them, int64 [notes]. A hit without an end in the file ends ahead of this
            event, which may be the one behind the last.
        end: Ticks at which the notes end, int64 [notes].
        note_ons: Number of note-ons.
        completed: Number of hits without an end in the file.
        no_length: Number of note-ons dropped because they end on the tick they begin.
        never_end: Number of note-ons dropped because they never end.
    """

    on: Ints
    off: Ints
    end: Ints
    note_ons: int
    completed: int
    no_length: int
    never_end: int

    @property
    def dropped(self) -> dict[str, int]:
        """Number of dropped note-ons by reason."""
        return {account.NO_LENGTH: self.no_length, account.NEVER_ENDS: self.never_end}


def hit_ticks(resolution: int) -> int:
    """Returns the length in ticks of a hit without an end: a 64th note, at least one tick."""
    return max(1, resolution // _HITS_PER_QUARTER)


def pair_notes(track: Track, resolution: int, reading: Reading) -> NotePairs:
    """Pairs the note-ons of a track with the events that end their notes.

    Sorts the note events by channel and pitch, so that the end of a note is the next end behind it.

    Args:
        track: Events of the track.
        resolution: Ticks per quarter note.
        reading: Rules for reading.
    """
    events = np.flatnonzero(track.status < _NOTES_END)
    # channel and pitch, in 16 bits, which NumPy sorts by radix
    key = (track.status[events] & 15).astype(np.uint16) << 7 | track.first[events]
    order = np.argsort(key, kind="stable")
    events, key = events[order], key[order]
    begins = (track.status[events] >= _NOTE_ON) & (track.second[events] > 0)
    ticks = track.ticks[events]
    on = np.flatnonzero(begins)
    off, never = _ends_by_magentas_rule(key, ticks, begins)
    ended = off >= 0
    starts, ends = events[on[ended]], events[off[ended]]
    if ended.all():
        order = np.argsort(ends * len(track.ticks) + starts)  # by end, then by start: no two are equal
        return NotePairs(starts[order], ends[order], track.ticks[ends[order]], len(on), 0, 0, 0)
    hits: Flags = np.zeros(len(on), np.bool_) if reading.stock else ~ended & reading.is_drum(key[on] >> 7)
    lost = ~ended & ~hits
    never_end = int(np.count_nonzero(lost & never))
    no_length = int(np.count_nonzero(lost)) - never_end
    positions = 2 * ends + 1  # in the order of the ends
    leaders, closed = starts, track.ticks[ends]
    if hits.any():
        added = _complete(track, events, on, off, hits, hit_ticks(resolution))
        starts, ends, closed, positions, leaders = (
            np.concatenate(pair) for pair in zip((starts, ends, closed, positions, leaders), added, strict=True)
        )
    order = np.lexsort((starts, leaders, closed, positions)) if hits.any() else np.lexsort((starts, ends))
    return NotePairs(
        starts[order], ends[order], closed[order], len(on), int(np.count_nonzero(hits)), no_length, never_end
    )


def _ends_by_magentas_rule(key: Integers, ticks: Ints, begins: Flags) -> tuple[Ints, Flags]:
    """Returns the event that ends each note by Magenta's rule.

    Args:
        key: Channel and pitch of each note event, sorted, uint16 [events].
        ticks: Tick of each note event, int64 [events].
        begins: True for note-ons, bool [events].

    Returns:
        The index of the event that ends the note of each note-on, -1 for none, int64 [note-ons]; and a mask of the
        note-ons that never end, bool [note-ons].
    """
    on, ends = np.flatnonzero(begins), np.flatnonzero(~begins)
    if not len(ends):
        return np.full(len(on), -1), np.ones(len(on), np.bool_)
    last = len(ends) - 1
    next_end = on - np.arange(len(on))  # index into `ends`; one behind the last for none
    never = next_end > last
    next_end = np.minimum(next_end, last)
    off = ends[next_end]
    never |= key[off] != key[on]
    at_once = ~never & (ticks[on] == ticks[off])  # begins on the tick of its end
    off[never] = -1
    if at_once.any():
        before = ~never & ~at_once
        left_open = _leave_open(key[ends], ticks[ends], next_end[at_once], next_end[before])[next_end] & at_once
        second = ends[np.minimum(next_end + 1, last)]
        has_second = (next_end < last) & (key[second] == key[on])
        kept = left_open & has_second & (ticks[second] != ticks[on])
        never |= left_open & ~has_second
        off = np.where(kept, second, off)
        off[at_once & ~kept] = -1
    return off, never


def _leave_open(key: Integers, ticks: Ints, begun_at_once: Ints, begun_before: Ints) -> Flags:
    """Marks the ends that leave open the notes which begin on their own tick.

    An end does so if it has another note to close: one that began on an earlier tick since the previous end, or one
    that the previous end left open.

    Args:
        key: Channel and pitch of each end, sorted, uint16 [ends].
        ticks: Tick of each end, int64 [ends].
        begun_at_once: Indices of the ends that follow a note begun on their own tick.
        begun_before: Indices of the ends that follow a note begun on an earlier tick.

    Returns:
        bool [ends].
    """
    number = np.arange(len(key))
    at_once, before = np.zeros(len(key), np.bool_), np.zeros(len(key), np.bool_)
    at_once[begun_at_once] = True
    before[begun_before] = True
    inherits = at_once.copy()  # leaves open if the previous end did
    inherits[0] = False
    inherits[1:] &= (key[1:] == key[:-1]) & (ticks[1:] != ticks[:-1])
    chain_start = np.maximum.accumulate(np.where(inherits, -1, number))  # last end that inherits nothing
    by_itself = np.maximum.accumulate(np.where(at_once & before, number, -1))
    leaves_open: Flags = by_itself >= chain_start
    return leaves_open


def _complete(track: Track, events: Ints, on: Ints, off: Ints, hits: Flags, length: int) -> tuple[Ints, ...]:
    """Gives an end to the hits that have none by Magenta's rule.

    Args:
        track: Events of the track.
        events: Indices of the note events, sorted by channel and pitch.
        on: Indices into ``events`` of the note-ons.
        off: Indices into ``events`` of their ends, -1 for none.
        hits: Mask of the note-ons to complete.
        length: Length in ticks of a hit without an end.

    Returns:
        For each hit: the event that begins it, the event that ends it or that follows its end, the tick of its end,
        its place in the order of the ends (ahead of an event for ends that are not in the file), and the event
        that begins the first hit of its tick and pitch, which decides between ends on one tick.
    """
    begin, ticks = events[on], track.ticks[events[on]]
    pitch = (track.status[begin] & 15).astype(np.int64) << 7 | track.first[begin]
    new = np.ones(len(on), np.bool_)
    new[1:] = (pitch[1:] != pitch[:-1]) | (ticks[1:] != ticks[:-1])
    first, group = np.flatnonzero(new), np.cumsum(new) - 1  # a group: the hits of one tick and pitch
    shared = np.full(len(first), -1)
    shared[group[off >= 0]] = off[off >= 0]  # hits of a group that have an end have the same one
    hit = np.flatnonzero(hits)
    common = shared[group[hit]]
    following = np.minimum(group[hit] + 1, len(first) - 1)
    follows = (group[hit] + 1 < len(first)) & (pitch[first[following]] == pitch[hit])
    end = np.minimum(ticks[hit] + length, np.where(follows, ticks[first[following]], _NEVER))
    behind = np.searchsorted(track.ticks, end, side="left")
    has_common = common >= 0
    real = events[common]
    end = np.where(has_common, track.ticks[real], end)
    off_event = np.where(has_common, real, behind)
    leader = np.where(has_common, begin[hit], begin[first[group[hit]]])
    return begin[hit], off_event, end, 2 * off_event + has_common, leader
