"""Novelty of windows: the distance of each one to the nearest training window."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.nearest import nearest, pack

_Z = 1.959963984540054  # two-sided 95 % quantile of the normal distribution


@dataclasses.dataclass(frozen=True)
class Spread:
    """The distances of windows, summarised.

    Attributes:
        minimum: Smallest distance.
        quarter: First quartile, by linear interpolation.
        median: Median, likewise.
        three_quarters: Third quartile, likewise.
        maximum: Largest distance.
        mean: Mean distance.
        histogram: Number of windows at each distance, from 0 to ``maximum``.
    """

    minimum: int
    quarter: float
    median: float
    three_quarters: float
    maximum: int
    mean: float
    histogram: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Novelty:
    """Windows compared with the training windows.

    Attributes:
        samples: Number of windows.
        distinct: Number of different windows divided by ``samples``.
        copies: Share of the windows that equal a training window at every step, with its 95 % Wilson interval. The
            interval holds for independent windows, as samples are. For held-out windows, which overlap, it is too
            narrow.
        steps: Number of steps that differ from the nearest training window.
        hits: Number of drum hits that differ from that window; ``None`` for windows that are no drum labels.
    """

    samples: int
    distinct: float
    copies: Estimate
    steps: Spread
    hits: Spread | None = None

    @property
    def copied(self) -> int:
        """Number of windows that equal a training window."""
        return round(self.samples * self.copies.value) if math.isfinite(self.copies.value) else 0


def measure_novelty(windows: Labels, training: Labels, classes: int) -> Novelty:
    """Measures the distances of windows to the training windows.

    Samples that are much nearer than held-out windows are memorised. Samples that are much farther away are unlike
    the data. So measure held-out windows too, as the yardstick.

    Args:
        windows: Windows, ``[n, steps]``, each label below ``2 ** classes``.
        training: Training windows, ``[m, steps]``, likewise.
        classes: Number of drum classes; of stream codes, the number of bits.

    Raises:
        ValueError: There are no windows or no training windows, or their lengths differ.
    """
    if not len(windows):
        raise ValueError("there are no windows to measure")
    if windows.shape[1] != training.shape[1]:
        raise ValueError(f"windows of {windows.shape[1]} steps, training windows of {training.shape[1]}")
    packed = pack(windows, classes)
    neighbours = nearest(packed, pack(training, classes))
    return Novelty(
        samples=len(windows),
        distinct=len({window.tobytes() for window in packed}) / len(windows),
        copies=wilson(int((neighbours.steps == 0).sum()), len(windows)),
        steps=_spread(neighbours.steps),
        hits=_spread(neighbours.hits),
    )


def wilson(successes: int, trials: int) -> Estimate:
    """Estimates a share of independent trials with its Wilson score interval, without continuity correction.

    Source: Wilson 1927, J. Am. Stat. Assoc. 22. Unlike the normal approximation, it holds for shares of 0 and 1.

    Args:
        successes: Number of successes, 0 to ``trials``.
        trials: Number of trials, at least 1.
    """
    share = successes / trials
    scale = 1 + _Z**2 / trials
    centre = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * (share * (1 - share) / trials + (_Z / (2 * trials)) ** 2) ** 0.5
    # rounding errors must not put the share outside its interval
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def _spread(distances: npt.NDArray[np.int64]) -> Spread:
    quarter, median, three_quarters = np.quantile(distances, [0.25, 0.5, 0.75])
    return Spread(
        minimum=int(distances.min()),
        quarter=float(quarter),
        median=float(median),
        three_quarters=float(three_quarters),
        maximum=int(distances.max()),
        mean=float(distances.mean()),
        histogram=tuple(np.bincount(distances).tolist()),
    )
