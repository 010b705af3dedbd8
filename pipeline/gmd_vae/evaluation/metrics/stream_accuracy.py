"""Accuracy of predicted melodies and trios: whole steps, steps with events, notes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats
from gmd_vae.evaluation.data.coding import Classes
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, FileSums, divide
from gmd_vae.families.output_spec import Stream

NO_EVENT = 0  # class of every stream: a rest, a sustained note, or no drum
FIRST_PITCH = 2  # lowest pitch class of a melody (note_seq's MelodyOneHotEncoding); 1 is the end of a note


@dataclasses.dataclass(frozen=True)
class StreamFigures:
    """A prediction of one stream compared with the true windows.

    Attributes:
        step_accuracy: Share of the steps whose class is right.
        event_accuracy: Step accuracy at the true steps with an event: a note or a drum begins, or a note ends. The
            prediction "no event" is right at most steps, and at none of these.
        notes_f1: F1 of the note onsets. An onset is found where the prediction has the same pitch (or the same drum)
            at the same step of the same window.
        notes: Number of true onsets.
    """

    step_accuracy: Estimate
    event_accuracy: Estimate
    notes_f1: Estimate
    notes: int


@dataclasses.dataclass(frozen=True)
class StreamReconstruction:
    """A prediction compared with the true windows.

    Attributes:
        step_accuracy: Share of the steps that are right in all streams.
        notes_f1: F1 of the note onsets of all streams together.
        window_accuracy: Share of the windows that are right at every step.
        bars: Step accuracy of each bar of a window, from the first.
        accuracy_drop: Step accuracy of the last bar minus that of the first.
        streams: Accuracy of each stream, by its name.
        by_file: Right steps and all steps of each file; results of version 0.11 and earlier have none.
        notes_by_file: Sums of the notes F1 of each file; results of version 0.14 and earlier have none.
    """

    step_accuracy: Estimate
    notes_f1: Estimate
    window_accuracy: Estimate
    bars: tuple[Estimate, ...]
    accuracy_drop: Estimate
    streams: dict[str, StreamFigures]
    by_file: FileSums | None = None
    notes_by_file: FileSums | None = None


def compare_streams(
    truth: Classes, predicted: Classes, *, streams: tuple[Stream, ...], bars: int, resampler: FileResampler
) -> StreamReconstruction:
    """Compares predicted windows with the true windows.

    Args:
        truth: Classes of the true windows, ``[n, steps, streams]``; -1 after the end of a shorter window.
        predicted: Classes of the predicted windows, likewise.
        streams: The streams.
        bars: Bars in a window.
        resampler: Resampler for the intervals, from the files of these ``n`` windows.

    Raises:
        ValueError: The shapes differ.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predictions {predicted.shape} for windows {truth.shape}")
    count = len(truth)
    present = truth[..., 0] >= 0
    right = (truth == predicted) & present[..., None]
    bar_right = right.all(axis=-1).reshape(count, bars, -1).sum(axis=-1)
    bar_steps = present.reshape(count, bars, -1).sum(axis=-1)
    figures, totals = {}, np.zeros((2, count), np.int64)
    for number, stream in enumerate(streams):
        has_event = truth[..., number] > NO_EVENT
        found, in_both = _count_onsets(truth[..., number], predicted[..., number], stream)
        totals += found, in_both
        figures[stream.name] = StreamFigures(
            step_accuracy=resampler.ratio(right[..., number].sum(axis=1), present.sum(axis=1)),
            event_accuracy=resampler.ratio((right[..., number] & has_event).sum(axis=1), has_event.sum(axis=1)),
            notes_f1=resampler.ratio(2 * found, in_both),
            notes=int(onsets(truth[..., number], stream).sum()),
        )
    # shorter windows have fewer steps in the last bar than in the first: each bar is divided by its own steps
    accuracy_drop = resampler.statistic(
        np.stack([bar_right[:, -1], bar_steps[:, -1], bar_right[:, 0], bar_steps[:, 0]], axis=1), _difference
    )
    return StreamReconstruction(
        step_accuracy=resampler.ratio(bar_right.sum(axis=1), bar_steps.sum(axis=1)),
        notes_f1=resampler.ratio(2 * totals[0], totals[1]),
        window_accuracy=resampler.mean(bar_right.sum(axis=1) == bar_steps.sum(axis=1)),
        bars=tuple(resampler.ratios(bar_right, bar_steps)),
        accuracy_drop=accuracy_drop,
        streams=figures,
        by_file=resampler.sums(bar_right.sum(axis=1), bar_steps.sum(axis=1)),
        notes_by_file=resampler.sums(2 * totals[0], totals[1]),
    )


def _difference(sums: Floats) -> Floats:
    difference: Floats = divide(sums[..., 0], sums[..., 1]) - divide(sums[..., 2], sums[..., 3])
    return difference


def _count_onsets(truth: npt.NDArray[Any], predicted: npt.NDArray[Any], stream: Stream) -> tuple[Any, Any]:
    """Counts in each window the true onsets that were found, and the true and the predicted onsets together."""
    in_both = onsets(truth, stream).sum(axis=1) + onsets(predicted, stream).sum(axis=1)
    return shared_onsets(truth, predicted, stream).sum(axis=1), in_both


def shared_onsets(one: npt.NDArray[Any], other: npt.NDArray[Any], stream: Stream) -> npt.NDArray[np.int64]:
    """Counts the onsets of the same pitch, or the same drums, at each step of two arrays of classes."""
    if is_drums(stream):
        return _hits(np.where((one > 0) & (other > 0), one & other, 0))
    return np.asarray((one == other) & (one >= FIRST_PITCH), np.int64)


def onsets(classes: npt.NDArray[Any], stream: Stream) -> npt.NDArray[np.int64]:
    """Counts the notes that begin at each step of an array of classes; drums have several."""
    if is_drums(stream):
        return _hits(np.maximum(classes, 0))
    return (classes >= FIRST_PITCH).astype(np.int64)


def is_drums(stream: Stream) -> bool:
    """Returns True if the classes are drum labels, not pitches."""
    return stream.name == "drums"


def _hits(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(np.bitwise_count(labels), np.int64)
