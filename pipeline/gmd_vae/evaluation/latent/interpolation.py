"""Interpolation between two windows: distances along a path through latent space and along a baseline path.

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in Music", section 5,
"Interpolations". The baseline mixes the steps of the two windows without a model.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gmd_vae.evaluation.data.arrays import Floats, Labels
from gmd_vae.evaluation.metrics.intervals import FileResampler


@dataclasses.dataclass(frozen=True)
class Curve:
    """Distance from the first window at each point of the path; NaN where no pair is left.

    Attributes:
        mean: Mean over the pairs, in units of the distance between both ends: 0 at the first point, 1 at the last.
        low: Lower end of the mean's 95 % interval; NaN with one pair.
        high: Upper end of the interval, likewise.
        pairs: Number of pairs in the mean.
        left_out: Number of pairs whose two ends are equal: they have no distance to divide by.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    pairs: int
    left_out: int


def hamming(a: Labels, b: Labels) -> Floats:
    """Returns the share of the steps whose labels differ: the Hamming distance divided by the number of steps.

    Args:
        a: Labels ``[..., steps]``, at least one step.
        b: Labels of the same shape, or of one that broadcasts to it.

    Returns:
        float64 ``[...]``.
    """
    share: Floats = (a != b).mean(axis=-1)
    return share


def data_path(start: Labels, end: Labels, alphas: Floats, seed: int) -> Labels:
    """Interpolates without a model: the baseline of Roberts et al. 2018, section 5.

    At each point, each step is taken from ``end`` with probability alpha, else from ``start``, by independent
    Bernoulli draws.

    Args:
        start: First windows, labels ``[pairs, steps]``.
        end: Last windows, labels ``[pairs, steps]``.
        alphas: Probabilities, ``[points]``; 0 gives ``start`` itself, 1 ``end`` itself.
        seed: Seed of the draws.

    Returns:
        Labels ``[pairs, points, steps]``.
    """
    pairs, steps = start.shape
    from_end = np.random.default_rng(seed).random((pairs, len(alphas), steps)) < alphas[:, None]
    return np.where(from_end, end[:, None], start[:, None])


def measure_curve(paths: Labels) -> Curve:
    """Measures the distance of each point of the paths from the first point (Roberts et al. 2018, section 5).

    For each pair it is the Hamming distance from the first point, divided by the distance between the first and the
    last point. With a smooth latent space the curve is near the straight line from 0 to 1, like the baseline by its
    construction. Values over 1 are possible, where the path leaves the region between its ends.

    Args:
        paths: Labels ``[pairs, points, steps]``. The pairs count as independent of each other.

    Raises:
        ValueError: A path has fewer than two points.
    """
    if paths.shape[1] < 2:
        raise ValueError("a path has at least two points, its ends")
    distances = hamming(paths, paths[:, :1])
    moving = distances[:, -1] > 0
    pairs, left_out = int(moving.sum()), int((~moving).sum())
    if not pairs:
        nowhere = (float("nan"),) * paths.shape[1]
        return Curve(nowhere, nowhere, nowhere, pairs, left_out)
    resampler = FileResampler(np.arange(pairs))  # pairs are resampled in the place of files
    points = [resampler.mean(column) for column in (distances[moving] / distances[moving, -1:]).T]
    return Curve(
        tuple(point.value for point in points),
        tuple(point.low for point in points),
        tuple(point.high for point in points),
        pairs,
        left_out,
    )
