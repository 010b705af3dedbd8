"""Interpolation between two windows: how evenly the music moves from one to the other.

After Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music", section 5, "Interpolations": a path through latent space is decoded, and beside it stands a
path that mixes the two windows themselves.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gmd_vae.evaluation.data.label_data import Floats, Labels
from gmd_vae.evaluation.metrics.intervals import FileResampler


@dataclasses.dataclass(frozen=True)
class Curve:
    """Distance from the first end, by point of the path; nan at each point where no pair is left.

    Attributes:
        mean: over the pairs, in units of the distance between both ends: 0 at the first point, 1 at the last.
        low: lower end of the mean's 95 % interval; nan if there is one pair only.
        high: upper end.
        pairs: those that the mean is of.
        left_out: pairs whose two ends are the same window: they have no distance to divide by.
    """

    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    pairs: int
    left_out: int


def hamming(a: Labels, b: Labels) -> Floats:
    """Share of the steps whose labels differ, 0 to 1 (Hamming distance over the number of steps).

    Args:
        a: labels ``[..., steps]``, at least one step.
        b: labels of the same shape, or of one that broadcasts to it.

    Returns:
        float64 ``[...]``.
    """
    share: Floats = (a != b).mean(axis=-1)
    return share


def data_path(start: Labels, end: Labels, alphas: Floats, seed: int) -> Labels:
    """The baseline of Roberts et al. 2018, section 5: interpolation without a model.

    At each point each step is taken from ``end`` with probability alpha, else from ``start``; the
    draws (Bernoulli) are independent of each other.

    Args:
        start: labels ``[pairs, steps]``.
        end: labels ``[pairs, steps]``.
        alphas: 0 to 1, ``[points]``; 0 gives ``start`` itself, 1 ``end`` itself.
        seed: of the draws.

    Returns:
        labels ``[pairs, points, steps]``.
    """
    pairs, steps = start.shape
    from_end = np.random.default_rng(seed).random((pairs, len(alphas), steps)) < alphas[:, None]
    return np.where(from_end, end[:, None], start[:, None])


def curve(paths: Labels) -> Curve:
    """How far each point of the paths is from the first end (Roberts et al. 2018, section 5).

    For each pair: the Hamming distance from the first point of its path, divided by the distance
    between its first and last point. A model whose latent space is smooth stays near the straight
    line from 0 to 1, as the data-space baseline does by its construction; a value over 1 is
    possible, where the path leaves the region between its ends.

    Args:
        paths: labels ``[pairs, points, steps]``. The pairs count as independent of each other.

    Raises:
        ValueError: a path has fewer than two points, thus no two ends.
    """
    if paths.shape[1] < 2:
        raise ValueError("a path has at least two points, its ends")
    distances = hamming(paths, paths[:, :1])
    moving = distances[:, -1] > 0
    pairs, left_out = int(moving.sum()), int((~moving).sum())
    if not pairs:
        nowhere = (float("nan"),) * paths.shape[1]
        return Curve(nowhere, nowhere, nowhere, pairs, left_out)
    resampler = FileResampler(np.arange(pairs))  # each pair stands for itself, as files do elsewhere
    points = [resampler.mean(column) for column in (distances[moving] / distances[moving, -1:]).T]
    return Curve(
        tuple(point.value for point in points),
        tuple(point.low for point in points),
        tuple(point.high for point in points),
        pairs,
        left_out,
    )
