"""How much of the true windows a prediction got right: whole steps, and the drum hits in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats, Hits, Labels, to_hits
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide

_CHUNK = 1 << 18  # steps at one time: some 80 MB for nine classes, however many windows there are


@dataclasses.dataclass(frozen=True)
class Voice:
    """How well the hits of one drum class were found.

    A hit is found where the prediction has the same class at the same step of the same window.

    Attributes:
        precision: share of the predicted hits that are true; NaN if none was predicted.
        recall: share of the true hits that were predicted; NaN if there are none.
        f1: their harmonic mean, 2tp / (2tp + fp + fn) with true positives (tp), false positives (fp)
            and false negatives (fn); NaN if the class is in neither.
        hits: number of true hits.
    """

    precision: Estimate
    recall: Estimate
    f1: Estimate
    hits: int


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """A prediction beside the truth. Sums run over all windows, so each step or hit weighs the same.

    Attributes:
        steps_right: share of the steps whose whole label is right: every class that begins there and
            no other. The "reconstruction accuracy" of Roberts et al. 2018, "A Hierarchical Latent Vector
            Model for Learning Long-Term Structure in Music", section "Reconstruction Quality".
        hits_f1: F1 of the hits of all classes together (micro average), the usual measure in drum
            transcription (Wu et al. 2018, "A Review of Automatic Drum Transcription").
        windows_right: share of the windows that are right at every step.
        bars: ``steps_right`` of each bar of a window, from the first.
        fade: that of the last bar minus that of the first: below 0 where a model loses the thread.
        voices: by drum class.
        confusion: ``[classes][classes + 1]``, what became of the true hits of each class (row), as
            shares. ``[a][a]``: found. ``[a][b]``: missed, and class ``b`` was written at this step though
            it is not true there; several such classes share the hit in equal parts. Last column: missed,
            with no such class. A row adds up to 1, or is NaN if the class has no true hit.
    """

    steps_right: Estimate
    hits_f1: Estimate
    windows_right: Estimate
    bars: tuple[Estimate, ...]
    fade: Estimate
    voices: tuple[Voice, ...]
    confusion: tuple[tuple[float, ...], ...]


def compare(
    truth: Labels, predicted: Labels, *, classes: int, steps_per_bar: int, resampler: FileResampler
) -> Reconstruction:
    """Compares predicted windows with the true ones.

    Args:
        truth: ``[n, steps]``, each label below ``2 ** classes``.
        predicted: ``[n, steps]``, likewise.
        classes: number of drum classes.
        steps_per_bar: steps in one bar.
        resampler: for the intervals; made from the files of these ``n`` windows.

    Raises:
        ValueError: the shapes differ, or a window is not a whole number of bars.
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"predictions {predicted.shape} for windows {truth.shape}")
    count, steps = truth.shape
    if steps % steps_per_bar:
        raise ValueError(f"{steps} steps are no whole number of bars of {steps_per_bar}")
    bars = steps // steps_per_bar

    bar_right = np.zeros((count, bars), np.int64)
    # true, predicted and both at once, by window and class
    there, written, found = (np.zeros((count, classes), np.int64) for _ in range(3))
    confusion = np.zeros((classes, classes + 1))
    for rows in _chunks(count, steps):
        bar_right[rows] = (truth[rows] == predicted[rows]).reshape(-1, bars, steps_per_bar).sum(axis=2)
        true, guess = to_hits(truth[rows], classes), to_hits(predicted[rows], classes)
        there[rows], written[rows], found[rows] = true.sum(axis=1), guess.sum(axis=1), (true & guess).sum(axis=1)
        confusion += _confused(true, guess)
    confusion[:, :classes] += np.diag(found.sum(axis=0))

    right = bar_right.sum(axis=1)
    per_bar = resampler.ratios(bar_right, np.full((count, bars), steps_per_bar))
    precision, recall = resampler.ratios(found, written), resampler.ratios(found, there)
    f1 = resampler.ratios(2 * found, there + written)  # 2tp + fp + fn
    hits = there.sum(axis=0)
    return Reconstruction(
        steps_right=resampler.ratio(right, np.full(count, steps)),
        hits_f1=resampler.ratio(2 * found.sum(axis=1), (there + written).sum(axis=1)),
        windows_right=resampler.mean(right == steps),
        bars=tuple(per_bar),
        fade=resampler.ratio(bar_right[:, -1] - bar_right[:, 0], np.full(count, steps_per_bar)),
        voices=tuple(Voice(*voice) for voice in zip(precision, recall, f1, hits.tolist(), strict=True)),
        confusion=_shares(confusion, hits),
    )


def _chunks(count: int, steps: int) -> Iterator[slice]:
    size = max(1, _CHUNK // steps)
    return (slice(start, start + size) for start in range(0, count, size))


def _confused(true: Hits, guess: Hits) -> Floats:
    """The missed hits of each class by what was written instead; float64 ``[classes, classes + 1]``."""
    somewhere = (true & ~guess).any(axis=2)
    missed = (true & ~guess)[somewhere].astype(np.float64)
    wrong = (guess & ~true)[somewhere].astype(np.float64)
    in_all = wrong.sum(axis=1, keepdims=True)
    instead = np.concatenate([wrong / np.maximum(in_all, 1), in_all == 0], axis=1)
    table: Floats = missed.T @ instead
    return table


def _shares(table: Floats, hits: npt.NDArray[np.int64]) -> tuple[tuple[float, ...], ...]:
    shares = divide(table, np.broadcast_to(hits[:, None].astype(np.float64), table.shape))
    return tuple(tuple(row) for row in shares.tolist())
