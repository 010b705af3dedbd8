"""How much of true multitrack bars a prediction got right: events, ends of tracks, programs, notes.

The steps of these windows are events of tracks that stand one behind the other
(``magenta.models.music_vae.data_hierarchical.MultiInstrumentPerformanceConverter``): a program, then notes on and off,
shifts of time and velocities, then an end. One event too many moves all others, so predictions that are not told the
true events are compared by what they play.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.codes import Classes
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler
from gmd_vae.families.output_spec import Output

# event classes, each behind the one before
KINDS = {
    "note on": (0, 128),
    "note off": (128, 256),
    "time shift": (256, 352),
    "velocity": (352, 360),
    "program": (360, 489),
    "end": (489, 490),
}
_SHIFT, _PROGRAM, _END = (KINDS[kind][0] for kind in ("time shift", "program", "end"))
DRUMS = _END - 1 - _PROGRAM  # the program behind the 128 of General MIDI
BAR = 96  # steps of a bar: a 24th of a quarter each
NEAR = 1  # a note is found this many steps away, too

_FAR = 4 * BAR  # between notes that must not be taken for each other

Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Notes:
    """The notes that windows play, all windows together; int64 ``[notes]`` each.

    Attributes:
        window: the number of each note's window.
        program: 0 to 127; 128: drums.
        pitch: 0 to 127.
        step: where it begins, from 0 to 95.
    """

    window: Integers
    program: Integers
    pitch: Integers
    step: Integers


@dataclasses.dataclass(frozen=True)
class EventReconstruction:
    """A prediction beside the truth. Sums run over all windows.

    Attributes:
        steps_right: share of the true events that stand at their place in their track.
        windows_right: share of the windows in which every event is right.
        kinds: ``steps_right`` of each kind of event, by its name.
        ends_right: share of the tracks that end where they should, those counted that are empty.
        programs_f1: F1 of the programs of all tracks, wherever the track stands: 2 × found / (2 × found + invented
            + missed).
        notes_f1: F1 of the beginnings of notes; one is found where the prediction begins a note of the same pitch,
            drums for drums, at most a step of a 24th of a quarter away, each with one of its own.
        same_program_f1: the same, where the program must be the same, too.
    """

    steps_right: Estimate
    windows_right: Estimate
    kinds: dict[str, Estimate]
    ends_right: Estimate
    programs_f1: Estimate
    notes_f1: Estimate
    same_program_f1: Estimate


def compare_events(
    truth: Classes, predicted: Classes, *, output: Output, resampler: FileResampler
) -> EventReconstruction:
    """Compares predicted windows with the true ones.

    Args:
        truth: ``[n, steps, 1]``; -1 behind the end of a track.
        predicted: likewise.
        output: of these windows.
        resampler: for the intervals; made from the files of these ``n`` windows.

    Raises:
        ValueError: the shapes differ.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predictions {predicted.shape} for windows {truth.shape}")
    true, guess = (classes[..., 0].reshape(len(classes), output.tracks, -1) for classes in (truth, predicted))
    present = true >= 0
    right = (true == guess) & present
    kinds = {}
    for kind, (first, behind) in KINDS.items():
        of_kind = (true >= first) & (true < behind)
        kinds[kind] = resampler.ratio((right & of_kind).sum(axis=(1, 2)), of_kind.sum(axis=(1, 2)))
    windows_right = (true == guess).all(axis=(1, 2))
    ends_right = ((true >= 0).sum(axis=2) == (guess >= 0).sum(axis=2)).sum(axis=1)
    programs, wrote = _programs(true), _programs(guess)
    notes, played = notes_of(true), notes_of(guess)
    there = _count(notes, len(true)) + _count(played, len(true))
    return EventReconstruction(
        steps_right=resampler.ratio(right.sum(axis=(1, 2)), present.sum(axis=(1, 2))),
        windows_right=resampler.mean(windows_right),
        kinds=kinds,
        ends_right=resampler.ratio(ends_right, np.full(len(true), output.tracks)),
        programs_f1=resampler.ratio(
            2 * np.minimum(programs, wrote).sum(axis=1), programs.sum(axis=1) + wrote.sum(axis=1)
        ),
        notes_f1=resampler.ratio(2 * found(notes, played, len(true)), there),
        same_program_f1=resampler.ratio(2 * found(notes, played, len(true), same_program=True), there),
    )


def notes_of(tracks: Classes) -> Notes:
    """The notes that events play.

    Args:
        tracks: ``[n, tracks, steps]``, -1 behind the end of a track. As in Magenta's converter, the first program
            counts, and a track without one has program 0.
    """
    is_program = (tracks >= _PROGRAM) & (tracks < _END)
    first = np.take_along_axis(tracks, is_program.argmax(axis=2)[..., None], axis=2)[..., 0]
    programs = np.where(is_program.any(axis=2), first - _PROGRAM, 0)
    shifts = np.where((tracks >= _SHIFT) & (tracks < KINDS["time shift"][1]), tracks - _SHIFT + 1, 0)
    now = np.cumsum(shifts, axis=2)
    window, track, place = np.nonzero((tracks >= 0) & (tracks < KINDS["note on"][1]) & (now < BAR))
    found_there = programs[window, track], tracks[window, track, place], now[window, track, place]
    return Notes(window, *(np.asarray(values, np.int64) for values in found_there))


def found(truth: Notes, played: Notes, count: int, *, same_program: bool = False) -> Integers:
    """How many notes of each of ``count`` windows were found, each with one of its own; int64 ``[count]``."""
    (here, windows), (there, _) = (_line(notes, same_program) for notes in (truth, played))
    hits = np.zeros(count, np.int64)
    first = second = 0
    while first < len(here) and second < len(there):  # on a line, taking the earliest that will do finds the most
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
    """The notes as places on one line, in order, far from each other where they differ; and their windows."""
    program = notes.program if same_program else np.where(notes.program == DRUMS, DRUMS, 0)
    which = (notes.window * (DRUMS + 1) + program) * 128 + notes.pitch
    places = which * _FAR + notes.step
    order = np.argsort(places, kind="stable")
    return places[order].tolist(), notes.window[order].tolist()


def _programs(tracks: Classes) -> Integers:
    """How many tracks of each window have each program, int64 ``[n, 129]``; a track without one counts for none."""
    is_program = (tracks >= _PROGRAM) & (tracks < _END)
    first = np.take_along_axis(tracks, is_program.argmax(axis=2)[..., None], axis=2)[..., 0]
    counts = np.zeros((len(tracks), DRUMS + 1), np.int64)
    window, track = np.nonzero(is_program.any(axis=2))
    np.add.at(counts, (window, first[window, track] - _PROGRAM), 1)
    return counts


def _count(notes: Notes, count: int) -> Integers:
    return np.asarray(np.bincount(notes.window, minlength=count), np.int64)
