"""Chords that a NoteSequence does not say, inferred as by note_seq: two a bar, by the Viterbi algorithm.

``note_seq.infer_chords_for_sequence`` makes the same table of 732 × 732 probabilities for each sequence, and
goes through all of it for each chord: half a minute for a song. Here the table is made once, and only the
transitions within a key are looked at one by one; those into another key depend on where they lead only.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module

CHORD_SYMBOL = NoteSequence.TextAnnotation.CHORD_SYMBOL
_MAX_CHORDS = 1000  # note_seq.chord_inference: more take too much memory there
_PER_BAR = {(2, 2): 1, (2, 4): 1, (3, 4): 1, (4, 4): 2, (6, 8): 2}
_STEPS = 4  # per quarter, for the rounding of times as Magenta has them

Floats = npt.NDArray[np.float64]


def has_chords(sequence: Any) -> bool:
    """Whether a NoteSequence says its chords."""
    return any(text.annotation_type == CHORD_SYMBOL for text in sequence.text_annotations)


def infer_chords(sequence: Any, steps_per_quarter: int = _STEPS) -> bool:
    """Adds chord symbols to a NoteSequence in seconds, with one tempo and one time signature.

    Args:
        sequence: it has notes and no chords.
        steps_per_quarter: of the quantisation that follows.

    Returns:
        False, and nothing is added, where note_seq infers none: in an uncommon time signature, or for more
        than 1000 chords.
    """
    signature = (4, 4)
    if sequence.time_signatures:
        signature = (sequence.time_signatures[0].numerator, sequence.time_signatures[0].denominator)
    if signature not in _PER_BAR:
        return False
    qpm = sequence.tempos[0].qpm if sequence.tempos else 120.0
    steps = steps_per_quarter * 4 * signature[0] // signature[1] // _PER_BAR[signature]
    seconds = steps / (steps_per_quarter * qpm / 60.0)
    count = math.ceil(sequence.total_time / seconds)
    if not 0 < count <= _MAX_CHORDS:
        return False
    library = note_seq_module("chord_inference")
    pitches = library.sequence_note_pitch_vectors(sequence, seconds)
    likelihood = library._chord_frame_log_likelihood(pitches, 100.0)
    current = None
    for number, chord in enumerate(_most_likely(likelihood)):
        root_and_kind = library._CHORDS[chord]
        if root_and_kind == library.constants.NO_CHORD:
            figure = root_and_kind
        else:
            root, kind = root_and_kind
            figure = f"{library._PITCH_CLASS_NAMES[root]}{kind}"
        if figure != current:
            sequence.text_annotations.add(time=number * seconds, text=figure, annotation_type=CHORD_SYMBOL)
            current = figure
    return True


@functools.cache
def _tables() -> tuple[Floats, Floats, Floats]:
    """Log-likelihoods: of the chords in each key [12, chords]; of a chord after another in the same key
    [12, chords, chords]; of a chord after a change into its key [12, chords]."""
    library = note_seq_module("chord_inference")
    distribution = library._key_chord_distribution(chord_pitch_out_of_key_prob=0.01)
    chords = distribution.shape[1]
    change, same = 0.5, 1 - 0.001
    within = (same * (change * (distribution[:, None, :] + distribution[:, :, None] / (chords - 1)))).astype(np.float64)
    within[:, range(chords), range(chords)] = same * (1 - change)
    across = 0.001 / 11 * distribution
    return np.log(distribution), np.log(within), np.log(across)


def _most_likely(likelihood: Floats) -> list[int]:
    """The most likely chords; ``likelihood`` is that of the notes, [frames, chords]."""
    first, within, across = _tables()
    keys, chords = first.shape
    best = -np.log(12) + first + likelihood[0]
    parents = np.zeros((len(likelihood), keys * chords), np.int32)
    starts = np.arange(keys) * chords
    for frame in range(1, len(likelihood)):
        steps = best[:, :, None] + within
        same = steps.argmax(axis=1)
        reached = np.take_along_axis(steps, same[:, None, :], axis=1)[:, 0]
        tops = best.max(axis=1)  # of each key
        origins = starts + best.argmax(axis=1)
        leading = int(tops.argmax())
        second = int(np.where(np.arange(keys) == leading, -np.inf, tops).argmax())
        others = np.where(np.arange(keys) == leading, second, leading)  # the best key that is another one
        changed = tops[others][:, None] + across
        same = same + starts[:, None]
        from_other = np.broadcast_to(origins[others][:, None], same.shape)
        # of equals the first, as argmax over all would choose
        change = (changed > reached) | ((changed == reached) & (from_other < same))
        parents[frame] = np.where(change, from_other, same).reshape(-1)
        best = np.where(change, changed, reached) + likelihood[frame]
    path = [int(best.argmax())]
    for frame in range(len(likelihood) - 1, 0, -1):
        path.append(int(parents[frame, path[-1]]))
    return [state % chords for state in path[::-1]]
