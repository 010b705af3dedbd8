"""Whether windows are new: how far each is from the nearest training window."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Labels
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.metrics.nearest import nearest, pack

_Z = 1.959963984540054  # two-sided 95 % of a normal distribution


@dataclasses.dataclass(frozen=True)
class Spread:
    """How distances are spread over windows.

    Attributes:
        minimum: the least distance.
        quarter: the first quartile (linear between neighbours, as are the next two).
        median: the second quartile.
        three_quarters: the third quartile.
        maximum: the greatest distance.
        mean: the mean distance.
        histogram: windows at each distance, from 0 to ``maximum``.
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
    """Windows beside the training windows.

    Attributes:
        samples: how many windows there are.
        distinct: how many different windows are among them, as a share of ``samples``.
        copies: the share of windows that are a training window, step for step, with its 95 % Wilson
            interval. The interval holds for windows that are drawn independently of each other, as
            samples are. Windows of one recording are not: for held-out music it is too narrow.
        steps: steps that differ from the nearest training window, the one with the fewest such steps.
        hits: drum hits that differ from that same window.
    """

    samples: int
    distinct: float
    copies: Estimate
    steps: Spread
    hits: Spread


def novelty(windows: Labels, training: Labels, classes: int) -> Novelty:
    """Measures how far windows are from the training windows.

    Samples that are much nearer to them than held-out music is have been learned by heart; samples that
    are much farther away are not like music. So measure held-out windows too, as the yardstick.

    Args:
        windows: ``[n, steps]``, each label below ``2 ** classes``.
        training: ``[m, steps]``, likewise.
        classes: number of drum classes.

    Raises:
        ValueError: there are no windows, or none to compare them with, or their lengths differ.
    """
    if not len(windows):
        raise ValueError("there are no windows to measure")
    if windows.shape[1] != training.shape[1]:
        raise ValueError(f"windows of {windows.shape[1]} steps, training windows of {training.shape[1]}")
    packed = pack(windows, classes)
    found = nearest(packed, pack(training, classes))
    return Novelty(
        samples=len(windows),
        distinct=len({window.tobytes() for window in packed}) / len(windows),
        copies=wilson(int((found.steps == 0).sum()), len(windows)),
        steps=_spread(found.steps),
        hits=_spread(found.hits),
    )


def wilson(successes: int, trials: int) -> Estimate:
    """A share of independent trials with its 95 % interval (Wilson 1927, J. Am. Stat. Assoc. 22; no correction).

    Unlike the interval of the normal approximation, it is right where nothing, or everything, succeeded.

    Args:
        successes: from 0 to ``trials``.
        trials: 1 or more.
    """
    share = successes / trials
    scale = 1 + _Z**2 / trials
    centre = (share + _Z**2 / (2 * trials)) / scale
    half = _Z / scale * (share * (1 - share) / trials + (_Z / (2 * trials)) ** 2) ** 0.5
    # rounding must not put the share outside its interval
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
