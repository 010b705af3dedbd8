"""Step 2 of the reader: events to music, as pretty_midi 0.2.11 and note_seq interpret them.

Every rule about the meaning of events is in this module, ``note_pairs`` and ``instruments``: the tracks whose tempos
count, the end of a note, the instrument that a note belongs to, times in seconds.

By default the music equals note_seq's reading of the same file rewritten with every tempo, time signature and key
signature in its first track, and with an end for each drum hit.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

import numpy as np

from gmd_vae.midi.reader import account
from gmd_vae.midi.reader.account import Account, assumptions
from gmd_vae.midi.reader.events import MidiEvents, NotProven
from gmd_vae.midi.reader.instruments import Instrument, read_instruments, unmapped_pitches
from gmd_vae.midi.reader.note_pairs import pair_notes
from gmd_vae.midi.reader.tempo_map import TempoMap
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.refusals import MAX_CHANGES, MAX_CONTROLS, MAX_NOTES, check_count

_SEMITONES_PER_SHARP = 7  # from one major key to the next
_SEMITONES_TO_MINOR = 9  # from a major key up to the minor key with the same sharps

_Change = TypeVar("_Change", bound=tuple[int, ...])


class Music(NamedTuple):
    """The music of a MIDI file, times in seconds: the content of its NoteSequence.

    Attributes:
        resolution: Ticks per quarter note.
        tempos: Seconds, and quarter notes per minute.
        time_signatures: Seconds, numerator and denominator.
        key_signatures: Seconds, key (0 for C to 11 for B), and 1 for minor or 0 for major.
        instruments: Instruments in the order of their numbers in the NoteSequence.
        total_time: End of the last note in seconds; 0 without notes.
        end: End of the longest track in seconds.
        account: Use of the file's events.
    """

    resolution: int
    tempos: list[tuple[float, float]]
    time_signatures: list[tuple[float, int, int]]
    key_signatures: list[tuple[float, int, int]]
    instruments: list[Instrument]
    total_time: float
    end: float
    account: Account


def interpret(events: MidiEvents, reading: Reading = EVERY_HIT) -> Music:
    """Returns the music of a MIDI file's events.

    Tempos, time signatures and key signatures of all tracks count, in the order of their ticks; those of one tick in
    the order of the tracks. pretty_midi ignores those outside the first track.

    Args:
        events: Events of the file.
        reading: Rules for reading; those with which the events were read.

    Raises:
        MidiError: The file has more notes, changes or controls than any music. The error names no file.
        NotProven: ``reading.stock`` only: the first track has a tempo or a time signature that note_seq refuses.
    """
    counted = events.tracks[:1] if reading.stock else events.tracks
    tempos = _merged(track.tempos for track in counted)
    time_signatures = _merged(track.time_signatures for track in counted)
    key_signatures = _merged(track.key_signatures for track in counted)
    changes = len(tempos) + len(time_signatures) + len(key_signatures)
    check_count(changes, MAX_CHANGES, "changes of tempo, time signature and key signature")
    if not all(tempo for _, tempo in tempos) or not all(top for _, top, _ in time_signatures):
        raise NotProven
    tempo_map = TempoMap(events.resolution, tempos)

    def seconds(changes: list[tuple[int, int, int]]) -> list[float]:
        ticks = np.array([tick for tick, _, _ in changes], np.int64)
        return tempo_map.seconds(ticks).tolist()  # type: ignore[no-any-return]

    instruments: list[Instrument] = []
    note_ons, completed = events.broken_note_ons, 0
    notes_read = controls = 0
    dropped = collections.Counter({account.BROKEN_NOTE: events.broken_note_ons})
    ignored = collections.Counter(events.broken)
    unmapped: collections.Counter[int] = collections.Counter()
    for track in events.tracks:
        if len(track.ticks):
            notes = pair_notes(track, events.resolution, reading)
            note_ons, completed = note_ons + notes.note_ons, completed + notes.completed
            dropped.update(notes.dropped)
            notes_read += len(notes.on)
            check_count(notes_read, MAX_NOTES, "notes")
            for instrument in read_instruments(track, notes, tempo_map, reading):
                controls += len(instrument.controls.time) + len(instrument.bends.time)
                check_count(controls, MAX_CONTROLS, "control changes and pitch bends")
                instruments.append(instrument)
            unmapped.update(unmapped_pitches(track, notes, reading))
    for track in events.tracks[len(counted) :]:
        outside = len(track.tempos) + len(track.time_signatures) + len(track.key_signatures)
        ignored[account.OUTSIDE_FIRST_TRACK] += outside
    return Music(
        resolution=events.resolution,
        tempos=tempo_map.tempos,
        time_signatures=[
            (time, numerator, denominator)
            for time, (_, numerator, denominator) in zip(seconds(time_signatures), time_signatures, strict=True)
        ],
        key_signatures=[
            (time, (_SEMITONES_PER_SHARP * sharps + _SEMITONES_TO_MINOR * minor) % 12, minor)
            for time, (_, sharps, minor) in zip(seconds(key_signatures), key_signatures, strict=True)
        ],
        instruments=instruments,
        total_time=max((float(instrument.end.max()) for instrument in instruments), default=0.0),
        end=float(tempo_map.seconds(np.array([events.last_tick], np.int64))[0]),
        account=Account(
            note_ons=note_ons,
            completed=completed,
            dropped={reason: count for reason, count in dropped.items() if count},
            ignored={reason: count for reason, count in ignored.items() if count},
            unmapped={str(pitch): count for pitch, count in sorted(unmapped.items())},
            assumed=assumptions(_first_tick(tempos), _first_tick(time_signatures)),
        ),
    )


def _merged(changes: Iterable[list[_Change]]) -> list[_Change]:
    """Returns the changes of several tracks in the order of their ticks; the sort is stable."""
    return sorted((change for track in changes for change in track), key=lambda change: change[0])


def _first_tick(changes: list[_Change]) -> int | None:
    return changes[0][0] if changes else None
