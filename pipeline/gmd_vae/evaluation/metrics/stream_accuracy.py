"""How much of true melodies, trios and the like a prediction got right: whole steps, those with events, notes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.codes import Classes
from gmd_vae.evaluation.data.label_data import Floats
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide
from gmd_vae.families.output_spec import Stream

NO_EVENT = 0  # of every stream: a rest, a note held on, or no drum
FIRST_PITCH = 2  # of a melody or a bass (note_seq's MelodyOneHotEncoding): 1 is the end of a note


@dataclasses.dataclass(frozen=True)
class StreamFigures:
    """A prediction of one stream beside the truth.

    Attributes:
        steps_right: share of the steps whose class is right.
        events_right: the same of those steps alone at which something happens in the truth: a note or a drum
            begins, or a note ends. Always saying that nothing happens is right at most steps, and at none of these.
        notes_f1: F1 of the beginnings of notes; one is found where the prediction has the same pitch (or the same
            drum) at the same step of the same window.
        notes: how many the truth has.
    """

    steps_right: Estimate
    events_right: Estimate
    notes_f1: Estimate
    notes: int


@dataclasses.dataclass(frozen=True)
class StreamReconstruction:
    """A prediction beside the truth, as ``accuracy.Reconstruction`` has it for drum labels.

    Attributes:
        steps_right: share of the steps that are right in all streams.
        notes_f1: of the notes of all streams together.
        windows_right: share of the windows that are right at every step.
        bars: ``steps_right`` of each bar of a window, from the first.
        fade: that of the last bar minus that of the first.
        streams: by name.
    """

    steps_right: Estimate
    notes_f1: Estimate
    windows_right: Estimate
    bars: tuple[Estimate, ...]
    fade: Estimate
    streams: dict[str, StreamFigures]


def compare_streams(
    truth: Classes, predicted: Classes, *, streams: tuple[Stream, ...], bars: int, resampler: FileResampler
) -> StreamReconstruction:
    """Compares predicted windows with the true ones.

    Args:
        truth: ``[n, steps, streams]``; a window may be shorter (-1).
        predicted: likewise.
        streams: which they are.
        bars: in a window.
        resampler: for the intervals; made from the files of these ``n`` windows.

    Raises:
        ValueError: the shapes differ.
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
        happens = truth[..., number] > NO_EVENT
        found, there = _notes(truth[..., number], predicted[..., number], stream)
        totals += found, there
        figures[stream.name] = StreamFigures(
            steps_right=resampler.ratio(right[..., number].sum(axis=1), present.sum(axis=1)),
            events_right=resampler.ratio((right[..., number] & happens).sum(axis=1), happens.sum(axis=1)),
            notes_f1=resampler.ratio(2 * found, there),
            notes=int(_beginnings(truth[..., number], stream).sum()),
        )
    # in units of the steps of a bar, so that last and first weigh the same in windows that are shorter
    fade = resampler.statistic(
        np.stack([bar_right[:, -1], bar_steps[:, -1], bar_right[:, 0], bar_steps[:, 0]], axis=1), _difference
    )
    return StreamReconstruction(
        steps_right=resampler.ratio(bar_right.sum(axis=1), bar_steps.sum(axis=1)),
        notes_f1=resampler.ratio(2 * totals[0], totals[1]),
        windows_right=resampler.mean(bar_right.sum(axis=1) == bar_steps.sum(axis=1)),
        bars=tuple(resampler.ratios(bar_right, bar_steps)),
        fade=fade,
        streams=figures,
    )


def _difference(sums: Floats) -> Floats:
    difference: Floats = divide(sums[..., 0], sums[..., 1]) - divide(sums[..., 2], sums[..., 3])
    return difference


def _notes(truth: npt.NDArray[Any], predicted: npt.NDArray[Any], stream: Stream) -> tuple[Any, Any]:
    """Of each window: notes that were found, and those of both added up."""
    there = _beginnings(truth, stream).sum(axis=1) + _beginnings(predicted, stream).sum(axis=1)
    if _is_drums(stream):
        both = np.where((truth > 0) & (predicted > 0), truth & predicted, 0)
        return _hits(both).sum(axis=1), there
    return ((truth == predicted) & (truth >= FIRST_PITCH)).sum(axis=1), there


def _beginnings(classes: npt.NDArray[Any], stream: Stream) -> npt.NDArray[np.int64]:
    """Notes that begin at each step."""
    if _is_drums(stream):
        return _hits(np.maximum(classes, 0))
    return (classes >= FIRST_PITCH).astype(np.int64)


def _hits(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.asarray(np.bitwise_count(labels), np.int64)


def _is_drums(stream: Stream) -> bool:
    """Whether the classes are drum labels rather than pitches."""
    return stream.name == "drums"
