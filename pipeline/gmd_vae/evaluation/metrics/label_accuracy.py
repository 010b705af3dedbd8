"""Accuracy of predicted drum windows: whole steps, and the drum hits in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Hits, Labels, to_hits
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, FileSums, divide

_CHUNK = 1 << 18  # steps at one time: about 80 MB for nine classes


@dataclasses.dataclass(frozen=True)
class DrumClassAccuracy:
    """Accuracy of the hits of one drum class.

    A true hit is found where the prediction has the same class at the same step of the same window.

    Attributes:
        precision: Share of the predicted hits that are true; NaN if none was predicted.
        recall: Share of the true hits that were predicted; NaN if there are none.
        f1: Their harmonic mean, 2tp / (2tp + fp + fn) with true positives (tp), false positives (fp) and false
            negatives (fn); NaN if the class is in neither.
        hits: Number of true hits.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate
    hits: int


@dataclasses.dataclass(frozen=True)
class LabelReconstruction:
    """A prediction compared with the true windows. Sums run over all windows, so each step or hit has the same weight.

    Attributes:
        step_accuracy: Share of the steps whose label is right: every class that begins there and no other. This is
            the "reconstruction accuracy" of Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning
            Long-Term Structure in Music", section "Reconstruction Quality".
        hits_f1: F1 of the hits of all classes together (micro average), the usual measure in drum transcription (Wu
            et al. 2018, "A Review of Automatic Drum Transcription").
        window_accuracy: Share of the windows that are right at every step.
        bars: Step accuracy of each bar of a window, from the first.
        accuracy_drop: Step accuracy of the last bar minus that of the first; negative where a model gets worse along
            a window.
        voices: Accuracy of each drum class.
        confusion: Outcomes of the true hits of each class (row) as shares, ``[classes][classes + 1]``. ``[a][a]``:
            found. ``[a][b]``: missed, and class ``b`` was predicted at this step though it is not true there; several
            such classes share the hit equally. Last column: missed, with no such class. A row sums to 1, or is NaN if
            the class has no true hit.
        cell_accuracy: Share of the cells, one for each step and class, that are right: hit or no hit. Most cells are
            empty, so silence has a high share too. Results of version 0.11 and earlier have none.
        by_file: Right steps and all steps of each file, likewise.
        hits_by_file: Sums of the hits F1 of each file; results of version 0.14 and earlier have none.
    """

    step_accuracy: Estimate
    hits_f1: Estimate
    window_accuracy: Estimate
    bars: tuple[Estimate, ...]
    accuracy_drop: Estimate
    voices: tuple[DrumClassAccuracy, ...]
    confusion: tuple[tuple[float, ...], ...]
    cell_accuracy: Estimate | None = None
    by_file: FileSums | None = None
    hits_by_file: FileSums | None = None


def compare_labels(
    truth: Labels, predicted: Labels, *, classes: int, steps_per_bar: int, resampler: FileResampler
) -> LabelReconstruction:
    """Compares predicted windows with the true windows.

    Args:
        truth: True windows, ``[n, steps]``, each label below ``2 ** classes``.
        predicted: Predicted windows, ``[n, steps]``, likewise.
        classes: Number of drum classes.
        steps_per_bar: Steps in one bar.
        resampler: Resampler for the intervals, from the files of these ``n`` windows.

    Raises:
        ValueError: The shapes differ, or a window is not a whole number of bars.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predictions {predicted.shape} for windows {truth.shape}")
    count, steps = truth.shape
    if steps % steps_per_bar:
        raise ValueError(f"{steps} steps are no whole number of bars of {steps_per_bar}")
    bars = steps // steps_per_bar

    bar_right = np.zeros((count, bars), np.int64)
    # hits by window and class: true, predicted, and true positives
    true_hits, predicted_hits, found = (np.zeros((count, classes), np.int64) for _ in range(3))
    confusion = np.zeros((classes, classes + 1))
    for rows in _chunks(count, steps):
        bar_right[rows] = (truth[rows] == predicted[rows]).reshape(-1, bars, steps_per_bar).sum(axis=2)
        true, guess = to_hits(truth[rows], classes), to_hits(predicted[rows], classes)
        true_hits[rows], predicted_hits[rows] = true.sum(axis=1), guess.sum(axis=1)
        found[rows] = (true & guess).sum(axis=1)
        confusion += _count_substitutions(true, guess)
    confusion[:, :classes] += np.diag(found.sum(axis=0))

    right = bar_right.sum(axis=1)
    per_bar = resampler.ratios(bar_right, np.full((count, bars), steps_per_bar))
    precision, recall = resampler.ratios(found, predicted_hits), resampler.ratios(found, true_hits)
    f1 = resampler.ratios(2 * found, true_hits + predicted_hits)  # 2tp + fp + fn
    hits = true_hits.sum(axis=0)
    wrong_cells = (true_hits + predicted_hits - 2 * found).sum(axis=1)
    return LabelReconstruction(
        step_accuracy=resampler.ratio(right, np.full(count, steps)),
        hits_f1=resampler.ratio(2 * found.sum(axis=1), (true_hits + predicted_hits).sum(axis=1)),
        window_accuracy=resampler.mean(right == steps),
        bars=tuple(per_bar),
        accuracy_drop=resampler.ratio(bar_right[:, -1] - bar_right[:, 0], np.full(count, steps_per_bar)),
        voices=tuple(DrumClassAccuracy(*voice) for voice in zip(precision, recall, f1, hits.tolist(), strict=True)),
        confusion=_shares(confusion, hits),
        cell_accuracy=resampler.mean(1 - wrong_cells / (steps * classes)),
        by_file=resampler.sums(right, np.full(count, steps)),
        hits_by_file=resampler.sums(2 * found.sum(axis=1), (true_hits + predicted_hits).sum(axis=1)),
    )


def _chunks(count: int, steps: int) -> Iterator[slice]:
    size = max(1, _CHUNK // steps)
    return (slice(start, start + size) for start in range(0, count, size))


def _count_substitutions(true: Hits, guess: Hits) -> Floats:
    """Counts the missed hits of each class by the class predicted instead, float64 ``[classes, classes + 1]``."""
    with_misses = (true & ~guess).any(axis=2)
    missed = (true & ~guess)[with_misses].astype(np.float64)
    wrong = (guess & ~true)[with_misses].astype(np.float64)
    number_wrong = wrong.sum(axis=1, keepdims=True)
    instead = np.concatenate([wrong / np.maximum(number_wrong, 1), number_wrong == 0], axis=1)
    table: Floats = missed.T @ instead
    return table


def _shares(table: Floats, hits: npt.NDArray[np.int64]) -> tuple[tuple[float, ...], ...]:
    shares = divide(table, np.broadcast_to(hits[:, None].astype(np.float64), table.shape))
    return tuple(tuple(row) for row in shares.tolist())
