"""Repeats a loop that is shorter than a window until it fills one.

Only inputs of ``gmd-vae generate`` and of the Python API are repeated. Windows for training are cut from the music as
it is: repeated bars would be music that nobody played.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import Notes, notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.drum_windows import LAST_STEP, pitch_bits, section_times

Hits = npt.NDArray[np.bool_]  # [notes]: True for the notes that a model reads

_ON_THE_LINE = 1e-3  # steps: the rounding error of a time in seconds is far below


class Loop(NamedTuple):
    """The bars of music that is shorter than a window.

    Attributes:
        bar: First bar, from 0: that of the first hit.
        bars: Number of bars, up to the one in which the last hit sounds.
        bar_seconds: Length of a bar in seconds.
        window_bars: Number of bars in a window.
    """

    bar: int
    bars: int
    bar_seconds: float
    window_bars: int

    @property
    def fills_a_window(self) -> bool:
        """True if a window is a whole number of loops."""
        return self.window_bars % self.bars == 0


def known_drums(spec: DrumWindows, notes: Notes) -> Hits:
    """Returns True for each audible note of a drum class."""
    in_range = notes.is_drum & (notes.velocity > 0) & (notes.pitch >= 0) & (notes.pitch < 128)
    known: Hits = in_range & (pitch_bits(spec.pitch_classes)[np.where(in_range, notes.pitch, 0)] != 0)
    return known


def find_loop(spec: DrumWindows, music: Music, hits: Hits) -> Loop | None:
    """Returns the bars with hits, if they are fewer than those of a window.

    The ends of notes and of tracks do not count, because programs write them at all places. A hit that sounds before a
    bar line belongs to the bar before it, even where its step is the line.

    Args:
        spec: Settings of the windows.
        music: Music that was moved to one tempo.
        hits: The notes that count.

    Returns:
        The bars; ``None`` for music of another metre, with a change of time signature, without hits, or long enough.
    """
    split = section_times(music.sequence)
    if split is None or len(split[1]) != 1:
        return None
    numerator, denominator, qpm = split[1][0]
    if not (numerator > 0 and denominator > 0 and qpm > 0):
        return None
    if spec.steps_per_quarter * (4.0 / denominator * numerator) != spec.steps_per_bar:
        return None
    starts = music.notes.start[hits]
    with np.errstate(all="ignore"):  # numbers that no MIDI file has
        positions = starts * (spec.steps_per_quarter * qpm / 60)
    if not len(positions) or not (np.abs(positions) < LAST_STEP).all():
        return None
    first = max(0, math.floor(positions.min() + 0.5) // spec.steps_per_bar)
    last = math.floor((positions.max() + _ON_THE_LINE) / spec.steps_per_bar)
    bars = max(last, first) - first + 1
    if bars >= spec.slice_bars:
        return None
    return Loop(first, bars, 60 * spec.steps_per_bar / (qpm * spec.steps_per_quarter), spec.slice_bars)


def repeat_loop(spec: DrumWindows, music: Music, hits: Hits, loop: Loop) -> Music:
    """Returns the music with its hits repeated to the end of a window; velocities and timing are repeated, too.

    A hit shortly before the end of the loop, whose step is the next bar line, is early for the beginning of each
    repeat. So it comes first in the first one, too, at time 0 at the earliest.

    Args:
        spec: Settings of the windows.
        music: Music that was moved to one tempo.
        hits: The notes to repeat. Others stay where they are.
        loop: The bars of ``find_loop``; they fill a window.
    """
    length = loop.bars * loop.bar_seconds
    end = (loop.bar + loop.bars) * spec.steps_per_bar
    step_seconds = loop.bar_seconds / spec.steps_per_bar
    sequence = NoteSequence()
    sequence.CopyFrom(music.sequence)
    del sequence.notes[:]
    starts = music.notes.start.tolist()
    for repeat in range(loop.window_bars // loop.bars):
        for note, start, is_hit in zip(music.sequence.notes, starts, hits.tolist(), strict=True):
            if repeat and not is_hit:
                continue
            wraps = is_hit and math.floor(start / step_seconds + 0.5) >= end
            shift = (repeat - wraps) * length
            copy = sequence.notes.add()
            copy.CopyFrom(note)
            copy.start_time = max(0.0, start + shift)
            copy.end_time = max(copy.start_time, note.end_time + shift)
    sequence.total_time = max(music.sequence.total_time, (loop.bar + loop.window_bars) * loop.bar_seconds)
    return Music(sequence, notes_of(sequence), music.tempos)
