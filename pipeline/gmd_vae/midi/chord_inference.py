"""Infers the chords of a NoteSequence as note_seq does: two chords per bar of 4/4, by the Viterbi algorithm.

``note_seq.infer_chords_for_sequence`` builds the same table of 732 × 732 transition probabilities for each sequence
and searches all of it for each chord, which takes half a minute for a song. Here the table is built once, and only
the transitions within a key are compared one by one. A transition into another key depends on its target alone.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module

CHORD_SYMBOL = NoteSequence.TextAnnotation.CHORD_SYMBOL
_MAX_CHORDS = 1000  # limit of note_seq.chord_inference
_CHORDS_PER_BAR = {(2, 2): 1, (2, 4): 1, (3, 4): 1, (4, 4): 2, (6, 8): 2}
_STEPS_PER_QUARTER = 4  # Magenta's default

Floats = npt.NDArray[np.float64]


def has_chords(sequence: Any) -> bool:
    """Returns True if a NoteSequence has chord symbols."""
    return any(text.annotation_type == CHORD_SYMBOL for text in sequence.text_annotations)


def infer_chords(sequence: Any, steps_per_quarter: int = _STEPS_PER_QUARTER) -> bool:
    """Adds inferred chord symbols to a NoteSequence. Mirrors ``note_seq.infer_chords_for_sequence``.

    Args:
        sequence: NoteSequence with notes, one tempo and one time signature, without chords. Times are in seconds.
        steps_per_quarter: Steps per quarter note of the quantisation that follows.

    Returns:
        True if chords were inferred. False where note_seq refuses: for a time signature other than 2/2, 2/4, 3/4,
        4/4 and 6/8, for no chords, and for more than 1000. The sequence is then unchanged.
    """
    signature = (4, 4)
    if sequence.time_signatures:
        signature = (sequence.time_signatures[0].numerator, sequence.time_signatures[0].denominator)
    if signature not in _CHORDS_PER_BAR:
        return False
    qpm = sequence.tempos[0].qpm if sequence.tempos else 120.0
    steps = steps_per_quarter * 4 * signature[0] // signature[1] // _CHORDS_PER_BAR[signature]
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
    """Returns log-probabilities with the constants of note_seq.

    Returns:
        Three float64 arrays: each chord in each key, [12, chords]; a chord after another one in the same key,
        [12, chords, chords]; a chord after a change into its key, [12, chords].
    """
    library = note_seq_module("chord_inference")
    distribution = library._key_chord_distribution(chord_pitch_out_of_key_prob=0.01)
    chords = distribution.shape[1]
    change, same = 0.5, 1 - 0.001
    within = (same * (change * (distribution[:, None, :] + distribution[:, :, None] / (chords - 1)))).astype(np.float64)
    within[:, range(chords), range(chords)] = same * (1 - change)
    across = 0.001 / 11 * distribution
    return np.log(distribution), np.log(within), np.log(across)


def _most_likely(likelihood: Floats) -> list[int]:
    """Returns the most likely chord of each frame, by the Viterbi algorithm.

    Args:
        likelihood: Log-likelihood of the notes under each chord, float64 [frames, chords].
    """
    first, within, across = _tables()
    keys, chords = first.shape
    best = -np.log(12) + first + likelihood[0]
    parents = np.zeros((len(likelihood), keys * chords), np.int32)
    starts = np.arange(keys) * chords
    for frame in range(1, len(likelihood)):
        steps = best[:, :, None] + within
        same = steps.argmax(axis=1)
        reached = np.take_along_axis(steps, same[:, None, :], axis=1)[:, 0]
        tops = best.max(axis=1)  # [12]
        origins = starts + best.argmax(axis=1)
        leading = int(tops.argmax())
        second = int(np.where(np.arange(keys) == leading, -np.inf, tops).argmax())
        others = np.where(np.arange(keys) == leading, second, leading)  # for each key, the best of the other keys
        changed = tops[others][:, None] + across
        same = same + starts[:, None]
        from_other = np.broadcast_to(origins[others][:, None], same.shape)
        # among equals the first one, as argmax over all states chooses
        change = (changed > reached) | ((changed == reached) & (from_other < same))
        parents[frame] = np.where(change, from_other, same).reshape(-1)
        best = np.where(change, changed, reached) + likelihood[frame]
    path = [int(best.argmax())]
    for frame in range(len(likelihood) - 1, 0, -1):
        path.append(int(parents[frame, path[-1]]))
    return [state % chords for state in path[::-1]]
