"""Errors of velocities and timing of drum hits, and baselines that play given hits.

The figures are those of Gillick et al. 2019, "Learning to Groove with Inverse Sequence Transformations": timing and
velocity errors, and the divergence of their distributions from those of the test set.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats, Hits, Labels
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler, FileSums, divide

DRUMS = 9
STEPS_PER_BAR = 16
VELOCITY_BINS = 32
OFFSET_BINS = 33  # odd, so that hits exactly on the grid lie in the middle of a bin
UNIFORM = 1e-3  # share of a uniform distribution mixed into each before the divergence, which makes it finite

Values = npt.NDArray[np.float32]  # [n, steps, drums]


@dataclasses.dataclass(frozen=True)
class Performance:
    """Windows with velocities and timing.

    Attributes:
        hits: Hits, bool ``[n, steps, drums]``.
        velocities: Velocities, 0 to 1, float32 ``[n, steps, drums]``; only those at hits count.
        offsets: Timing offsets in half steps, -1 to 1, positive is early, likewise.
    """

    hits: Hits
    velocities: Values
    offsets: Values

    @staticmethod
    def from_columns(values: npt.NDArray[Any]) -> Performance:
        """Splits a GrooVAE's input or output ``[n, steps, 27]``: hits (or their probabilities), velocities, offsets."""
        hits, velocities, offsets = np.split(np.asarray(values, np.float32), 3, axis=-1)
        return Performance(hits > 0.5, velocities, offsets)

    @property
    def labels(self) -> Labels:
        """Hits as drum labels, int64 ``[n, steps]``."""
        labels: Labels = self.hits.astype(np.int64) @ (1 << np.arange(self.hits.shape[-1], dtype=np.int64))
        return labels


@dataclasses.dataclass(frozen=True)
class Feel:
    """Divergence of played velocities and offsets from the true ones, as distributions.

    Attributes:
        velocity_kl: Kullback-Leibler divergence KL(true hits || played hits) of the velocities in nats, from
            histograms with ``VELOCITY_BINS`` equal bins; 0 is best.
        timing_kl: The same of the offsets, with ``OFFSET_BINS`` bins from half a step late to half a step early.
    """

    velocity_kl: Estimate
    timing_kl: Estimate


@dataclasses.dataclass(frozen=True)
class Errors(Feel):
    """Errors of velocities and timing at each true hit, played by the prediction or not.

    Attributes:
        timing_mae_ms: Mean absolute timing error in milliseconds, at the tempo of each file.
        timing_mae: Mean absolute timing error in steps (sixteenth notes).
        timing_mse: Mean squared timing error in steps squared.
        velocity_mse: Mean squared error of velocities from 0 to 1.
        timing_by_file: Sums of the timing error in milliseconds and hits of each file; results of version 0.14 and
            earlier have none.
        velocity_by_file: Sums of the squared errors of velocities and hits of each file, likewise.
    """

    timing_mae_ms: Estimate
    timing_mae: Estimate
    timing_mse: Estimate
    velocity_mse: Estimate
    timing_by_file: FileSums | None = None
    velocity_by_file: FileSums | None = None


def measure_errors(truth: Performance, played: Performance, tempos: Floats, resampler: FileResampler) -> Errors:
    """Measures velocities and timing of one prediction.

    Args:
        truth: True windows.
        played: Prediction of the same windows.
        tempos: Tempo of each window in quarter notes per minute, ``[n]``.
        resampler: Resampler for the intervals.
    """
    weights = truth.hits.astype(np.float64)
    late = (truth.offsets.astype(np.float64) - played.offsets) / 2
    louder = played.velocities.astype(np.float64) - truth.velocities
    hits = _window_sums(weights)
    distance = _window_sums(np.abs(late) * weights)
    milliseconds = distance * 60_000 / (4 * tempos)
    of_velocities = _window_sums(louder**2 * weights)
    return Errors(
        **vars(measure_feel(truth, played, resampler, same_windows=True)),
        timing_mae_ms=resampler.ratio(milliseconds, hits),
        timing_mae=resampler.ratio(distance, hits),
        timing_mse=resampler.ratio(_window_sums(late**2 * weights), hits),
        velocity_mse=resampler.ratio(of_velocities, hits),
        timing_by_file=resampler.sums(milliseconds, hits),
        velocity_by_file=resampler.sums(of_velocities, hits),
    )


def measure_feel(truth: Performance, played: Performance, resampler: FileResampler, *, same_windows: bool) -> Feel:
    """Measures the distributions of velocities and offsets.

    Args:
        truth: True windows.
        played: Predictions of the same windows, or samples.
        resampler: Resampler for the intervals, from the files of the true windows.
        same_windows: True for predictions: the bootstrap then resamples both together.
    """
    divergence = _paired_divergence if same_windows else _divergence_from_samples
    return Feel(
        velocity_kl=divergence(_velocities(truth), _velocities(played), resampler),
        timing_kl=divergence(_offsets(truth), _offsets(played), resampler),
    )


def _window_sums(values: Floats) -> Floats:
    return np.asarray(values.sum(axis=(1, 2)))


def _velocities(played: Performance) -> Floats:
    return _histograms(played.hits, played.velocities, VELOCITY_BINS)


def _offsets(played: Performance) -> Floats:
    return _histograms(played.hits, (played.offsets + 1) / 2, OFFSET_BINS)


def _histograms(hits: Hits, values: npt.NDArray[np.floating[Any]], bins: int) -> Floats:
    """Counts each window's hits by value in equal bins from 0 to 1; float64 ``[n, bins]``."""
    window, step, drum = np.nonzero(hits)
    bin_number = np.clip((values[window, step, drum] * bins).astype(np.int64), 0, bins - 1)
    counts = np.bincount(window * bins + bin_number, minlength=len(hits) * bins)
    return counts.reshape(len(hits), bins).astype(np.float64)


def _paired_divergence(true: Floats, played: Floats, resampler: FileResampler) -> Estimate:
    """Estimates the divergence of summed histograms ``[n, bins]`` of the same windows."""
    bins = true.shape[1]
    return resampler.statistic(
        np.concatenate([true, played], axis=1), lambda sums: kl_divergence(sums[..., :bins], sums[..., bins:])
    )


def _divergence_from_samples(true: Floats, played: Floats, resampler: FileResampler) -> Estimate:
    """Estimates the divergence from samples, which are not resampled."""
    fixed = played.sum(axis=0)
    return resampler.statistic(true, lambda sums: kl_divergence(sums, np.broadcast_to(fixed, sums.shape)))


def kl_divergence(true: Floats, played: Floats) -> Floats:
    """Returns KL(true || played) in nats from counts ``[..., bins]``; NaN where one of them has no counts."""
    p, q = (_shares(counts) for counts in (true, played))
    return np.asarray((p * np.log(p / q)).sum(axis=-1))


def _shares(counts: Floats) -> Floats:
    """Returns counts as shares, with a uniform distribution mixed in; NaN where there are no counts."""
    total = np.broadcast_to(counts.sum(axis=-1, keepdims=True), counts.shape)
    return (1 - UNIFORM) * divide(counts, total) + UNIFORM / counts.shape[-1]


@dataclasses.dataclass(frozen=True)
class TrainingFeel:
    """Velocities and offsets of the training hits, by drum class and metrical position: baselines that play given hits.

    Attributes:
        values: Velocity and offset of each training hit, float64 ``[hits, 2]``, sorted by drum class and position.
        first: First row of each drum class and position, ``[drums, 16]``. Where the training windows have no hit, the
            rows are those of the whole drum class, or of all hits.
        stop: Row after the last one, likewise.
    """

    values: Floats
    first: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]

    @staticmethod
    def learn(training: Performance) -> TrainingFeel | None:
        """Collects the hits of the training windows; ``None`` if they are silent."""
        window, step, drum = np.nonzero(training.hits)
        if not len(window):
            return None
        group = drum * STEPS_PER_BAR + step % STEPS_PER_BAR
        order = np.argsort(group, kind="stable")
        values = np.stack([part[window, step, drum] for part in (training.velocities, training.offsets)], axis=1)
        ends = np.searchsorted(group[order], np.arange(DRUMS * STEPS_PER_BAR + 1))
        first: npt.NDArray[np.int64] = ends[:-1].reshape(DRUMS, STEPS_PER_BAR)
        stop: npt.NDArray[np.int64] = ends[1:].reshape(DRUMS, STEPS_PER_BAR)
        of_drum = ends[::STEPS_PER_BAR]
        for begin, end in ((of_drum[:-1, None], of_drum[1:, None]), (np.int64(0), np.int64(len(order)))):
            empty = first == stop
            first, stop = np.where(empty, begin, first), np.where(empty, end, stop)
        return TrainingFeel(values[order].astype(np.float64), first, stop)

    def play_on_grid(self, truth: Performance) -> Performance:
        """Plays every hit on the grid, with the mean velocity."""
        velocity = np.float32(self.values[:, 0].mean())
        return Performance(
            truth.hits, np.full(truth.velocities.shape, velocity), np.zeros_like(truth.offsets, np.float32)
        )

    def play_means(self, truth: Performance) -> Performance:
        """Plays every hit with the mean velocity and the mean offset of its drum class at its position."""
        sums = np.concatenate([np.zeros((1, 2)), np.cumsum(self.values, axis=0)])
        means = (sums[self.stop] - sums[self.first]) / (self.stop - self.first)[..., None]  # [drums, 16, 2]
        bars = truth.hits.shape[1] // STEPS_PER_BAR
        velocities, offsets = (np.tile(means[..., part].T, (len(truth.hits), bars, 1)) for part in (0, 1))
        return Performance(truth.hits, velocities.astype(np.float32), offsets.astype(np.float32))

    def play_random(self, truth: Performance, random: np.random.Generator) -> Performance:
        """Plays every hit like a training hit of its drum class at its position, drawn at random."""
        window, step, drum = np.nonzero(truth.hits)
        first, stop = (part[drum, step % STEPS_PER_BAR] for part in (self.first, self.stop))
        drawn = self.values[first + (random.random(len(window)) * (stop - first)).astype(np.int64)]
        velocities, offsets = (np.zeros(truth.hits.shape, np.float32) for _ in range(2))
        velocities[window, step, drum], offsets[window, step, drum] = drawn.T
        return Performance(truth.hits, velocities, offsets)
