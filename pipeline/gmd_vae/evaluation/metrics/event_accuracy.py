"""Accuracy of predicted multitrack bars: events, track lengths, programs, notes.

The steps of these windows are events, track after track (``MultiInstrumentPerformanceConverter`` in
``magenta.models.music_vae.data_hierarchical``): a program, then note on, note off, time shift and velocity events, then
an end. One event too many shifts all later ones, so free-running predictions are compared by the notes they play.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.coding import Classes
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, FileSums
from gmd_vae.families.output_spec import OutputSpec

# event kind -> its first class and the class after its last one
KINDS = {
    "note on": (0, 128),
    "note off": (128, 256),
    "time shift": (256, 352),
    "velocity": (352, 360),
    "program": (360, 489),
    "end": (489, 490),
}
_SHIFT, _PROGRAM, _END = (KINDS[kind][0] for kind in ("time shift", "program", "end"))
DRUMS = _END - 1 - _PROGRAM  # program of the drums, after the 128 of General MIDI
BAR = 96  # steps of a bar, a 24th of a quarter note each
NEAR = 1  # largest distance, in steps, at which a note counts as found

_FAR = 4 * BAR  # distance between notes that must not be paired

Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Notes:
    """The notes of all windows; each field is int64 ``[notes]``.

    Attributes:
        window: Number of the note's window.
        program: MIDI program, 0 to 127; 128 for drums.
        pitch: MIDI pitch, 0 to 127.
        step: Onset, 0 to 95.
    """

    window: Integers
    program: Integers
    pitch: Integers
    step: Integers


@dataclasses.dataclass(frozen=True)
class EventReconstruction:
    """A prediction compared with the true windows. Sums run over all windows.

    Four figures are only of a free-running prediction: teacher-forced events make no music of their own.

    Attributes:
        step_accuracy: Share of the true events that the prediction has at the same position of the same track.
        window_accuracy: Share of the windows in which every event is right.
        kinds: Step accuracy of each kind of event, by its name.
        track_length_accuracy: Share of the tracks with the true number of events, empty tracks included.
        programs_f1: F1 of the programs of all tracks, in any order: 2 × found / (2 × found + invented + missed).
        notes_f1: F1 of the note onsets. A true onset is found if the prediction has an onset of the same pitch, drums
            paired with drums, at most ``NEAR`` steps away. Each predicted onset is paired at most once.
        same_program_f1: The same F1 where the program must be the same too.
        by_file: Right events and all events of each file; results of version 0.11 and earlier have none.
        notes_by_file: Sums of the notes F1 of each file; results of version 0.14 and earlier have none.
    """

    step_accuracy: Estimate
    window_accuracy: Estimate
    kinds: dict[str, Estimate]
    track_length_accuracy: Estimate | None = None
    programs_f1: Estimate | None = None
    notes_f1: Estimate | None = None
    same_program_f1: Estimate | None = None
    by_file: FileSums | None = None
    notes_by_file: FileSums | None = None

    def without_music(self) -> EventReconstruction:
        """Returns the figures of a teacher-forced prediction."""
        return EventReconstruction(self.step_accuracy, self.window_accuracy, self.kinds, by_file=self.by_file)


def compare_events(
    truth: Classes, predicted: Classes, *, output: OutputSpec, resampler: FileResampler
) -> EventReconstruction:
    """Compares predicted windows with the true windows.

    Args:
        truth: Classes of the true windows, ``[n, steps, 1]``; -1 after the end of a track.
        predicted: Classes of the predicted windows, likewise.
        output: Shapes of these windows.
        resampler: Resampler for the intervals, from the files of these ``n`` windows.

    Raises:
        ValueError: The shapes differ.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predictions {predicted.shape} for windows {truth.shape}")
    true, guess = (classes[..., 0].reshape(len(classes), output.tracks, -1) for classes in (truth, predicted))
    present = true >= 0
    right = (true == guess) & present
    kinds = {}
    for kind, (first, stop) in KINDS.items():
        of_kind = (true >= first) & (true < stop)
        kinds[kind] = resampler.ratio((right & of_kind).sum(axis=(1, 2)), of_kind.sum(axis=(1, 2)))
    window_right = (true == guess).all(axis=(1, 2))
    length_right = ((true >= 0).sum(axis=2) == (guess >= 0).sum(axis=2)).sum(axis=1)
    programs, predicted_programs = _programs(true), _programs(guess)
    notes, predicted_notes = notes_of(true), notes_of(guess)
    in_both = _count(notes, len(true)) + _count(predicted_notes, len(true))
    notes_found = 2 * count_found(notes, predicted_notes, len(true))
    return EventReconstruction(
        step_accuracy=resampler.ratio(right.sum(axis=(1, 2)), present.sum(axis=(1, 2))),
        window_accuracy=resampler.mean(window_right),
        kinds=kinds,
        by_file=resampler.sums(right.sum(axis=(1, 2)), present.sum(axis=(1, 2))),
        track_length_accuracy=resampler.ratio(length_right, np.full(len(true), output.tracks)),
        programs_f1=resampler.ratio(
            2 * np.minimum(programs, predicted_programs).sum(axis=1),
            programs.sum(axis=1) + predicted_programs.sum(axis=1),
        ),
        notes_f1=resampler.ratio(notes_found, in_both),
        notes_by_file=resampler.sums(notes_found, in_both),
        same_program_f1=resampler.ratio(2 * count_found(notes, predicted_notes, len(true), same_program=True), in_both),
    )


def notes_of(tracks: Classes) -> Notes:
    """Returns the notes that events play.

    As in Magenta's converter, the first program of a track counts, and a track without one has program 0.

    Args:
        tracks: Classes ``[n, tracks, steps]``; -1 after the end of a track.
    """
    is_program = (tracks >= _PROGRAM) & (tracks < _END)
    first = np.take_along_axis(tracks, is_program.argmax(axis=2)[..., None], axis=2)[..., 0]
    programs = np.where(is_program.any(axis=2), first - _PROGRAM, 0)
    shifts = np.where((tracks >= _SHIFT) & (tracks < KINDS["time shift"][1]), tracks - _SHIFT + 1, 0)
    now = np.cumsum(shifts, axis=2)
    window, track, position = np.nonzero((tracks >= 0) & (tracks < KINDS["note on"][1]) & (now < BAR))
    columns = programs[window, track], tracks[window, track, position], now[window, track, position]
    return Notes(window, *(np.asarray(values, np.int64) for values in columns))


def count_found(truth: Notes, predicted: Notes, count: int, *, same_program: bool = False) -> Integers:
    """Counts the true onsets that were found, by greedy matching in order of time, which is optimal on a line.

    Args:
        truth: True notes.
        predicted: Predicted notes.
        count: Number of windows.
        same_program: True if only notes of the same program may be paired.

    Returns:
        Onsets found in each window, int64 ``[count]``.
    """
    (here, windows), (there, _) = (_line(notes, same_program) for notes in (truth, predicted))
    hits = np.zeros(count, np.int64)
    first = second = 0
    while first < len(here) and second < len(there):
        apart = there[second] - here[first]
        if abs(apart) <= NEAR:
            hits[windows[first]] += 1
            first, second = first + 1, second + 1
        elif apart < 0:
            second += 1
        else:
            first += 1
    return hits


def _line(notes: Notes, same_program: bool) -> tuple[list[int], list[int]]:
    """Maps notes to sorted points on a line, far apart where notes must not be paired; returns points and windows."""
    program = notes.program if same_program else np.where(notes.program == DRUMS, DRUMS, 0)
    group = (notes.window * (DRUMS + 1) + program) * 128 + notes.pitch
    points = group * _FAR + notes.step
    order = np.argsort(points, kind="stable")
    return points[order].tolist(), notes.window[order].tolist()


def _programs(tracks: Classes) -> Integers:
    """Counts the tracks of each window with each program, int64 ``[n, 129]``; tracks without a program are left out."""
    is_program = (tracks >= _PROGRAM) & (tracks < _END)
    first = np.take_along_axis(tracks, is_program.argmax(axis=2)[..., None], axis=2)[..., 0]
    counts = np.zeros((len(tracks), DRUMS + 1), np.int64)
    window, track = np.nonzero(is_program.any(axis=2))
    np.add.at(counts, (window, first[window, track] - _PROGRAM), 1)
    return counts


def _count(notes: Notes, count: int) -> Integers:
    return np.asarray(np.bincount(notes.window, minlength=count), np.int64)
