"""Moves music to one tempo, so that its windows follow the beat through changes of tempo.

Magenta cuts a NoteSequence at each change of tempo, as ``section_times`` does. A DAW's tempo map and a live take have
a change at every bar or beat, and no section of them is as long as a window. Here each time becomes a position in
quarter notes by the tempo map, and then a time at 120 quarter notes per minute, before anything is cut. So a position
on the grid does not depend on the tempo map, and offsets from the grid are fractions of a step.

Music with one tempo is not changed: its windows are those of Magenta, bit for bit. ``preprocess --stock`` does not use
this module.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.note_arrays import Notes
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.quarter_positions import DEFAULT_QPM, TempoMap

Floats = npt.NDArray[np.float64]

LATE = 1 / 8  # quarter notes: a change of time signature up to a 32nd note behind a bar line belongs to the line
_SAME_TICK = 1e-3  # ticks; the error of a time in seconds is about a millionth of a tick
_SAME_TIME = 1e-6  # quarter notes
_DEFAULT_TICKS = 220  # note_seq's ticks of a quarter note, for records that give none


class Music(NamedTuple):
    """Music to be cut.

    Attributes:
        sequence: The NoteSequence as it was given, or a copy with other times.
        notes: Its notes as arrays.
        tempos: Tempos of the music as it was given, if its times have been moved to 120 quarter notes per minute;
            else ``None``.
    """

    sequence: Any
    notes: Notes
    tempos: TempoMap | None = None

    def given_seconds(self, seconds: Any) -> Any:
        """Converts times of ``sequence`` to times of the music as it was given."""
        if self.tempos is None:
            return seconds
        return self.tempos.to_seconds(seconds * (DEFAULT_QPM / 60))

    def given_quarters(self, seconds: float, qpm: float) -> float:
        """Converts seconds of the music as it was given to quarter notes; ``qpm`` counts where it has one tempo."""
        return seconds * qpm / 60 if self.tempos is None else float(self.tempos.to_quarters(seconds))

    def given_tempo(self, begin: float, end: float, qpm: float) -> float:
        """Returns the median tempo between two times of ``sequence``; ``qpm`` where the music was not moved."""
        if self.tempos is None:
            return qpm
        return self.tempos.tempo_between(begin * (DEFAULT_QPM / 60), end * (DEFAULT_QPM / 60))


def at_one_tempo(sequence: Any, notes: Notes) -> Music:
    """Returns music moved to one tempo, with late changes of time signature on their bar lines.

    Args:
        sequence: NoteSequence, not changed. With an impossible tempo nothing is moved.
        notes: Notes of the sequence, in its order; the sequence may lack them (``note_arrays.read_notes``).

    Returns:
        The music. Music with one tempo and without late changes is returned as it is.
    """
    tempos = TempoMap.of(sequence)
    if tempos is None:
        return Music(sequence, notes)
    ticks = float(sequence.ticks_per_quarter if sequence.ticks_per_quarter > 0 else _DEFAULT_TICKS)
    moved, moved_notes, qpm = sequence, notes, float(tempos.qpm[0])
    if not tempos.is_constant:
        qpm = DEFAULT_QPM
        moved, moved_notes = _moved(sequence, notes, tempos, ticks)
    if late := _late_signatures(moved, qpm):
        if moved is sequence:
            moved = NoteSequence()
            moved.CopyFrom(sequence)
        times = _seconds(np.array(list(late.values())), qpm, ticks).tolist()
        for index, time in zip(late, times, strict=True):
            moved.time_signatures[index].time = time
    return Music(moved, moved_notes, None if tempos.is_constant else tempos)


def _moved(sequence: Any, notes: Notes, tempos: TempoMap, ticks: float) -> tuple[Any, Notes]:
    """Returns a copy of music with its times at 120 quarter notes per minute."""

    def move(seconds: Any) -> Floats:
        return _seconds(tempos.to_quarters(np.asarray(seconds, np.float64)), DEFAULT_QPM, ticks)

    moved_notes = notes._replace(start=move(notes.start), end=move(notes.end))
    moved = NoteSequence()
    moved.CopyFrom(sequence)
    for note, start, end in zip(moved.notes, moved_notes.start.tolist(), moved_notes.end.tolist(), strict=False):
        note.start_time, note.end_time = start, end
    del moved.tempos[:]
    moved.tempos.add(time=0.0, qpm=DEFAULT_QPM)
    moved.total_time = float(move(sequence.total_time))
    for events in _events(moved):
        for event, time in zip(events, move([event.time for event in events]).tolist(), strict=True):
            event.time = time
    return moved, moved_notes


def _events(sequence: Any) -> Iterable[Any]:
    """Returns the fields of a NoteSequence whose elements have a time."""
    return (
        sequence.time_signatures,
        sequence.key_signatures,
        sequence.pitch_bends,
        sequence.control_changes,
        sequence.text_annotations,
        sequence.section_annotations,
    )


def _seconds(quarters: Floats, qpm: float, ticks: float) -> Floats:
    """Converts quarter notes to seconds at a tempo, as the MIDI reader does for times that lie on a tick."""
    with np.errstate(all="ignore"):
        exact = quarters * ticks
        nearest = np.rint(exact)
        exact = np.where(np.abs(exact - nearest) < _SAME_TICK, nearest, exact)
        return np.asarray(60.0 / (qpm * ticks) * exact)


def _late_signatures(sequence: Any, qpm: float) -> dict[int, float]:
    """Returns the changes of time signature a little behind a bar line: index → the bar line in quarter notes."""
    late: dict[int, float] = {}
    line, signature = 0.0, (4, 4)  # a bar line of the time signature in force, in quarter notes
    total_time = sequence.total_time
    for index, change in sorted(enumerate(sequence.time_signatures), key=lambda item: item[1].time):
        numerator, denominator = signature
        if not 0 <= change.time < total_time or (change.numerator, change.denominator) == signature:
            continue
        position = change.time * qpm / 60
        if not math.isfinite(position):
            break
        if numerator > 0 and denominator > 0:
            behind = (position - line) % (4 * numerator / denominator)
            if _SAME_TIME < behind <= LATE:
                position -= behind
                late[index] = position
        line, signature = position, (change.numerator, change.denominator)
    return late
