"""How well velocities and timing of drum hits are met, and what simple ways of playing them would score.

The figures of Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations": timing and velocity
errors, and the divergence of their distributions from those of the test set.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats, Hits, Labels
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, divide

DRUMS = 9
STEPS_PER_BAR = 16
VELOCITY_BINS = 32
OFFSET_BINS = 33  # odd: what is exactly on the grid is in the middle of a bin
EVEN = 1e-3  # of each distribution, before their divergence is taken: it is finite then

Values = npt.NDArray[np.float32]  # [n, steps, drums]


@dataclasses.dataclass(frozen=True)
class Performance:
    """Windows as they are played.

    Attributes:
        hits: which drums begin at each step.
        velocities: 0 to 1. There is one at each place; it is heard where there is a hit.
        offsets: -1 to 1 of half a step, early is positive; likewise.
    """

    hits: Hits
    velocities: Values
    offsets: Values

    @staticmethod
    def of(values: npt.NDArray[Any]) -> Performance:
        """From what a GrooVAE reads or writes, ``[n, steps, 27]``: hits (or their probabilities) come first."""
        hits, velocities, offsets = np.split(np.asarray(values, np.float32), 3, axis=-1)
        return Performance(hits > 0.5, velocities, offsets)

    @property
    def labels(self) -> Labels:
        """The hits as drum labels, int64 ``[n, steps]``."""
        labels: Labels = self.hits.astype(np.int64) @ (1 << np.arange(self.hits.shape[-1], dtype=np.int64))
        return labels


@dataclasses.dataclass(frozen=True)
class Feel:
    """How alike two distributions of velocities and of offsets are.

    Attributes:
        velocity_kl: Kullback-Leibler divergence KL(true hits || played hits) of their velocities, in nats, from
            histograms of ``VELOCITY_BINS`` equal bins; 0 is best.
        timing_kl: the same of their offsets, from ``OFFSET_BINS`` bins between half a step late and half a step early.
    """

    velocity_kl: Estimate
    timing_kl: Estimate


@dataclasses.dataclass(frozen=True)
class Errors(Feel):
    """How far velocities and timing are from the true ones, at each true hit, whether or not it is played.

    Attributes:
        timing_mae_ms: mean distance in milliseconds, at the tempo of each file.
        timing_mae: the same in steps (sixteenths).
        timing_mse: mean squared distance, in steps squared.
        velocity_mse: mean squared error of velocities from 0 to 1.
    """

    timing_mae_ms: Estimate
    timing_mae: Estimate
    timing_mse: Estimate
    velocity_mse: Estimate


def measure_errors(truth: Performance, played: Performance, tempos: Floats, resampler: FileResampler) -> Errors:
    """The figures of one answer.

    Args:
        truth: the windows.
        played: the same windows, as a model or a baseline plays them.
        tempos: quarters a minute of each window, ``[n]``.
        resampler: for the intervals.
    """
    weights = truth.hits.astype(np.float64)
    late = (truth.offsets.astype(np.float64) - played.offsets) / 2
    louder = played.velocities.astype(np.float64) - truth.velocities
    hits = _of_windows(weights)
    distance = _of_windows(np.abs(late) * weights)
    return Errors(
        **vars(measure_feel(truth, played, resampler, of_truth=True)),
        timing_mae_ms=resampler.ratio(distance * 60_000 / (4 * tempos), hits),
        timing_mae=resampler.ratio(distance, hits),
        timing_mse=resampler.ratio(_of_windows(late**2 * weights), hits),
        velocity_mse=resampler.ratio(_of_windows(louder**2 * weights), hits),
    )


def measure_feel(truth: Performance, played: Performance, resampler: FileResampler, *, of_truth: bool) -> Feel:
    """The divergences alone.

    Args:
        truth: the windows.
        played: the same windows, or others.
        resampler: for the intervals; made from the files of the true windows.
        of_truth: whether they are the same, so that their files are drawn together.
    """
    divergence = _divergence_of_windows if of_truth else _divergence_of_others
    return Feel(
        velocity_kl=divergence(_velocities(truth), _velocities(played), resampler),
        timing_kl=divergence(_offsets(truth), _offsets(played), resampler),
    )


def _of_windows(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=(1, 2)))


def _velocities(played: Performance) -> Floats:
    return _histograms(played.hits, played.velocities, VELOCITY_BINS)


def _offsets(played: Performance) -> Floats:
    return _histograms(played.hits, (played.offsets + 1) / 2, OFFSET_BINS)


def _histograms(hits: Hits, values: npt.NDArray[np.floating[Any]], bins: int) -> Floats:
    """How many hits of each window have values in each of equal bins from 0 to 1; float64 ``[n, bins]``."""
    window, step, drum = np.nonzero(hits)
    place = np.clip((values[window, step, drum] * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(window * bins + place, minlength=len(hits) * bins)
    return counts.reshape(len(hits), bins).astype(np.float64)


def _divergence_of_windows(true: Floats, played: Floats, resampler: FileResampler) -> Estimate:
    """Of the sums of histograms ``[n, bins]`` of the same windows."""
    bins = true.shape[1]
    return resampler.statistic(
        np.concatenate([true, played], axis=1), lambda sums: kl_divergence(sums[..., :bins], sums[..., bins:])
    )


def _divergence_of_others(true: Floats, played: Floats, resampler: FileResampler) -> Estimate:
    """The same where other windows are played, which no interval draws again."""
    fixed = played.sum(axis=0)
    return resampler.statistic(true, lambda sums: kl_divergence(sums, np.broadcast_to(fixed, sums.shape)))


def kl_divergence(true: Floats, played: Floats) -> Floats:
    """KL(true || played) in nats, from counts ``[..., bins]``; NaN where one of them has none."""
    p, q = (_shares(counts) for counts in (true, played))
    return np.asarray((p * np.log(p / q)).sum(axis=-1))


def _shares(counts: Floats) -> Floats:
    """Counts as shares, with a little of each spread evenly; NaN where there are none."""
    total = np.broadcast_to(counts.sum(axis=-1, keepdims=True), counts.shape)
    return (1 - EVEN) * divide(counts, total) + EVEN / counts.shape[-1]


@dataclasses.dataclass(frozen=True)
class Players:
    """What plays given hits as the training windows were played, on the whole or hit by hit.

    Attributes:
        values: velocity and offset of each hit, float64 ``[hits, 2]``, by drum and sixteenth of a bar.
        first: of each drum and sixteenth ``[drums, 16]``, the first of its hits; where the training windows have
            none there, of all of the drum, or of all hits.
        behind: behind the last of them.
    """

    values: Floats
    first: npt.NDArray[np.int64]
    behind: npt.NDArray[np.int64]

    @staticmethod
    def of(training: Performance) -> Players | None:
        """``None``: the training windows are silent."""
        window, step, drum = np.nonzero(training.hits)
        if not len(window):
            return None
        place = drum * STEPS_PER_BAR + step % STEPS_PER_BAR
        order = np.argsort(place, kind="stable")
        values = np.stack([part[window, step, drum] for part in (training.velocities, training.offsets)], axis=1)
        ends = np.searchsorted(place[order], np.arange(DRUMS * STEPS_PER_BAR + 1))
        first: npt.NDArray[np.int64] = ends[:-1].reshape(DRUMS, STEPS_PER_BAR)
        behind: npt.NDArray[np.int64] = ends[1:].reshape(DRUMS, STEPS_PER_BAR)
        of_drum = ends[::STEPS_PER_BAR]
        for begin, end in ((of_drum[:-1, None], of_drum[1:, None]), (np.int64(0), np.int64(len(order)))):
            empty = first == behind
            first, behind = np.where(empty, begin, first), np.where(empty, end, behind)
        return Players(values[order].astype(np.float64), first, behind)

    def on_the_grid(self, truth: Performance) -> Performance:
        """Every hit on its step, with the mean velocity."""
        velocity = np.float32(self.values[:, 0].mean())
        return Performance(
            truth.hits, np.full(truth.velocities.shape, velocity), np.zeros_like(truth.offsets, np.float32)
        )

    def as_usual(self, truth: Performance) -> Performance:
        """Every hit with the mean velocity and the mean offset of its drum at its sixteenth."""
        sums = np.concatenate([np.zeros((1, 2)), np.cumsum(self.values, axis=0)])
        means = (sums[self.behind] - sums[self.first]) / (self.behind - self.first)[..., None]  # [drums, 16, 2]
        bars = truth.hits.shape[1] // STEPS_PER_BAR
        velocities, offsets = (np.tile(means[..., part].T, (len(truth.hits), bars, 1)) for part in (0, 1))
        return Performance(truth.hits, velocities.astype(np.float32), offsets.astype(np.float32))

    def by_dice(self, truth: Performance, random: np.random.Generator) -> Performance:
        """Every hit with velocity and offset of one training hit of its drum at its sixteenth, drawn."""
        window, step, drum = np.nonzero(truth.hits)
        first, behind = (part[drum, step % STEPS_PER_BAR] for part in (self.first, self.behind))
        drawn = self.values[first + (random.random(len(window)) * (behind - first)).astype(np.int64)]
        velocities, offsets = (np.zeros(truth.hits.shape, np.float32) for _ in range(2))
        velocities[window, step, drum], offsets[window, step, drum] = drawn.T
        return Performance(truth.hits, velocities, offsets)
