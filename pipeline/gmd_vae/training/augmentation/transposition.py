"""Transposition of melodies, trios and multitrack bars, with their chords.

Magenta transposes NoteSequences before they are cut (``data.NoteSequenceAugmenter``). Here the classes of a window are
shifted. The shift is uniform among those of -N to N semitones that keep all notes of the window in range, as
``note_seq.augment_note_sequence`` chooses it when it deletes no notes: the rhythm of a window stays whole. Drums keep
their classes.

Arrays are those of example records: column numbers from 1, 0 for none, int64 ``[batch, steps, streams]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gmd_vae.families.output_spec import Stream
from gmd_vae.magenta.api import tf
from gmd_vae.training.augmentation.batch_draws import BatchDraws

_FIRST_PITCH = 2  # classes of note_seq.MelodyOneHotEncoding: no event, note off, then pitches
_ROOTS = 12  # note_seq.TriadChordOneHotEncoding: no chord, then four triads on each root
_PITCHES = 128  # note_seq.PerformanceOneHotEncoding: note on at each MIDI pitch, note off at each, then other events
_DRUM_TRACK = 360 + 128  # MultiInstrumentPerformanceConverter: 360 events, then programs, the last one for drums


class Notes(NamedTuple):
    """The notes among the columns of a batch.

    Attributes:
        is_note: True where a column is a pitch that can be transposed, bool ``[batch, steps, streams]``.
        pitch: Its pitch, counted from the lowest; 0 elsewhere. int64 of the same shape.
        pitches: Number of pitches.
    """

    is_note: Any
    pitch: Any
    pitches: int


def stream_notes(columns: Any, streams: Sequence[Stream]) -> Notes:
    """Finds the notes of melodies and basses. Streams named ``drums`` have none."""
    is_note, pitch, pitches = tf.zeros_like(columns, tf.bool), tf.zeros_like(columns), 1
    for stream in streams:
        if stream.name != "drums":
            first = stream.start + _FIRST_PITCH + 1
            inside = (columns >= first) & (columns <= stream.stop)
            is_note, pitch = is_note | inside, tf.where_v2(inside, columns - first, pitch)
            pitches = stream.classes - _FIRST_PITCH
    return Notes(is_note, pitch, pitches)


def event_notes(columns: Any, tracks: int) -> Notes:
    """Finds the notes of the tracks that are not drums.

    Args:
        columns: Columns of the events, one track behind the other. The first event of a track is its program.
        tracks: Number of tracks.
    """
    by_track = tf.reshape(columns, [columns.shape[0], tracks, -1, 1])  # keeps the number of windows known
    is_drums = tf.equal(by_track[:, :, :1] - 1, _DRUM_TRACK)
    is_note = tf.reshape((by_track >= 1) & (by_track <= 2 * _PITCHES) & ~is_drums, [columns.shape[0], -1, 1])
    return Notes(is_note, tf.where_v2(is_note, (columns - 1) % _PITCHES, tf.zeros_like(columns)), _PITCHES)


def draw_shifts(notes: Notes, semitones: int, draws: BatchDraws) -> Any:
    """Draws the shift of each window in semitones, int64 ``[batch]``.

    Args:
        notes: Notes of the windows.
        semitones: Largest shift.
        draws: Random numbers of the batch.
    """
    is_note, pitch, pitches = notes
    lowest = tf.reduce_min(tf.where_v2(is_note, pitch, tf.zeros_like(pitch) + pitches - 1), axis=[1, 2])
    highest = tf.reduce_max(pitch, axis=[1, 2])
    down, up = tf.minimum(lowest, semitones), tf.minimum(pitches - 1 - highest, semitones)
    return tf.cast(draws.integers(down + up + 1), tf.int64) - down


def shift_chords(columns: Any, shifts: Any) -> Any:
    """Transposes the roots of chords.

    Args:
        columns: Columns of the chords, int64 ``[batch, steps, 1]``: 1 is no chord.
        shifts: Semitones, int64 ``[batch]``.
    """
    chord = columns - 2
    root = (chord % _ROOTS + shifts[:, None, None]) % _ROOTS
    return tf.where_v2(columns >= 2, chord // _ROOTS * _ROOTS + root + 2, columns)
