"""Step 1 of the reader: the bytes of a MIDI file to its events, as arrays.

No music is interpreted here: ``gmd_vae.midi.reader.music`` does that. ``track_reader`` reads the events of a track.

Files are read with tolerance: chunks of other types are skipped, tracks count although the header does not, a track
may be empty. For Magenta's bytes (``stock``) the events are those of mido 1.3.3; a file that mido refuses, or that
this reader may decode differently, raises ``NotProven``, and the caller converts it with note_seq
(``gmd_vae.midi.fallback``).
"""

from __future__ import annotations

import collections
import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from gmd_vae.midi.reader import account
from gmd_vae.midi.reader.event_buffer import Bytes, Ints
from gmd_vae.midi.reader.track_reader import NotProven, Track, TrackReader
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.refusals import CUT_SHORT, DAMAGED, MAX_TRACKS, SMPTE, MidiError, check_count

__all__ = ["Bytes", "Ints", "MidiEvents", "NotProven", "Track", "read_events"]

_HEADER_BYTES = 14
_SMPTE_BIT = 0x8000  # of the division in the header


class MidiEvents(NamedTuple):
    """The events of a MIDI file.

    Attributes:
        format: Format in the header: 0, 1 or 2.
        resolution: Ticks per quarter note, at least 1.
        tracks: All tracks, at least one.
        last_tick: Tick of the last event of any track.
        broken_note_ons: Number of note-ons with a pitch or a velocity above 127; they are not in the tracks.
        broken: Other events that have no effect, by reason (``account``).
    """

    format: int
    resolution: int
    tracks: list[Track]
    last_tick: int
    broken_note_ons: int
    broken: dict[str, int]


def read_events(data: bytes, reading: Reading = EVERY_HIT) -> MidiEvents:
    """Returns the events of a MIDI file.

    Args:
        data: Bytes of the file.
        reading: Rules for reading.

    Raises:
        MidiError: The file is cut short, damaged, without tracks or with too many, or has no quarter notes. The error
            names no file.
        NotProven: ``reading.stock`` only: mido refuses the file, or may read it differently.
    """
    if len(data) < _HEADER_BYTES or data[:4] != b"MThd":
        raise NotProven if reading.stock else MidiError(CUT_SHORT, "", "the file ends inside its header")
    size, kind, count, resolution = struct.unpack_from(">L3H", data, 4)
    if reading.stock:
        if size < 6 or not 1 <= count < 1 << 15 or not 1 <= resolution < _SMPTE_BIT:
            raise NotProven
        places = _counted_tracks(data, 8 + size, count)
    else:
        if size < 6:
            raise MidiError(DAMAGED, "", f"a header of {size} bytes")
        if resolution & _SMPTE_BIT:
            frames, ticks = 256 - (resolution >> 8), resolution & 0xFF
            raise MidiError(SMPTE, "", f"{frames} frames a second, {ticks} ticks a frame")
        if not resolution:
            raise MidiError(DAMAGED, "", "no ticks in a quarter note")
        places = _all_tracks(data, 8 + size, count)
    array = np.frombuffer(data, np.uint8)
    broken: collections.Counter[str] = collections.Counter()
    tracks = []
    last_tick = broken_note_ons = 0
    for number, (start, end) in enumerate(places, start=1):
        check_count(number, MAX_TRACKS, "tracks")
        reader = TrackReader(data, array, reading.stock)
        tracks.append(reader.read(start, end))
        last_tick = max(last_tick, reader.last_tick)
        broken_note_ons += reader.broken_note_ons
        broken.update(reader.broken)
    if not tracks:
        raise MidiError(DAMAGED, "", "the file has no track")
    if not reading.stock and len(tracks) < count:
        broken[account.MISSING_TRACK] += count - len(tracks)
    return MidiEvents(kind, resolution, tracks, last_tick, broken_note_ons, dict(broken))


def _counted_tracks(data: bytes, position: int, count: int) -> Iterator[tuple[int, int]]:
    """Yields beginning and end of the first ``count`` tracks, as mido does.

    Raises:
        NotProven: Another chunk lies between them, or a track is empty or longer than the file.
    """
    for _ in range(count):
        if data[position : position + 4] != b"MTrk" or len(data) < position + 8:
            raise NotProven
        (size,) = struct.unpack_from(">L", data, position + 4)
        position += 8 + size
        if not size or position > len(data):
            raise NotProven
        yield position - size, position


def _all_tracks(data: bytes, position: int, count: int) -> Iterator[tuple[int, int]]:
    """Yields beginning and end of every track, also of those beyond ``count``, the number in the header.

    Raises:
        MidiError: A track is longer than the file, or something else lies where a track should begin.
    """
    found = 0
    while position < len(data):
        name = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "big")
        start, position = position + 8, position + 8 + size
        if name == b"MTrk":
            if position > len(data) or start > len(data):
                raise MidiError(CUT_SHORT, "", f"track {found + 1} ends after the end of the file")
            found += 1
            yield start, position
        elif not (name.isascii() and name.isalnum()) or position > len(data):
            if found >= count:
                return  # bytes behind the last track
            raise MidiError(DAMAGED, "", f"no track begins at byte {start - 8:,}")
