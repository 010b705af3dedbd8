"""Distribution of a musical feature in samples compared with that in a reference set.

Source: Yang & Lerch 2020, "On the evaluation of generative models in music", Neural Computing and
Applications 32 (their "relative" measurements), and their toolbox, github.com/RichardYang40148/mgeval.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gmd_vae.evaluation.data.arrays import Floats

_POINTS = 2048  # points of the grid: with 1,000,000 distances the kernel's standard deviation is about ten points
_REACH = 6.0  # bandwidths after which the kernel is cut off: it is below 1e-7 of its maximum there
_UNIFORM = 1e-6  # share of a uniform density mixed into each density before the divergence
_SAME = 1e-9  # relative difference below which distances count as equal


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two sets of windows compared by one feature.

    Attributes:
        overlap: Overlapping area of two densities: of the distances within the reference, and of the distances
            between both sets. 1: same distribution; 0: no overlap.
        kl_divergence: Kullback-Leibler divergence of the same densities, KL(within the reference || between the
            sets), in nats; 0 is best.
        intra_samples: Mean distance of two samples, in the feature's unit.
        intra_reference: Mean distance of two windows of the reference.
        inter: Mean distance of a sample and a window of the reference.
    """

    overlap: float
    kl_divergence: float
    intra_samples: float
    intra_reference: float
    inter: float


@dataclasses.dataclass(frozen=True)
class FeatureComparison:
    """One feature of samples and of training windows, each compared with the held-out windows.

    Attributes:
        samples: Samples from the prior.
        training: As many training windows: the yardstick.
    """

    samples: Comparison
    training: Comparison


def compare_distributions(samples: Floats, reference: Floats, *, limit: int = 1000, seed: int = 0) -> Comparison:
    """Compares the distribution of a feature in two sets by pairwise distances.

    Distances are Euclidean; within a set, each pair counts in both orders. Their densities are Gaussian kernel
    estimates with Scott's bandwidth (standard deviation times count to the power of -1/5). Bandwidth and direction of
    the divergence are those of the toolbox. Four details differ from it, so figures can only roughly be compared with
    those of papers that used the toolbox:

    - Both densities are evaluated on one grid of 2,048 points. The toolbox evaluates each between its own smallest and
      largest distance, so that its divergence compares densities at different distances.
    - The grid extends beyond all distances, as far as the kernels do: no mass is lost at its ends.
    - The bandwidth is at least one step of the grid. This defines the density of a constant distance, where the
      toolbox fails: equal constants overlap by 1, different constants by 0.
    - For the divergence, one millionth of a uniform density is mixed into each density. The divergence is then finite,
      at most 21.5 nats, even where the densities do not overlap.

    Distances are counted on the grid before the kernel is applied: with 1,000 windows a set this takes 0.1 seconds; a
    kernel for each of 2,000,000 distances would take more than a minute.

    Args:
        samples: A feature of ``k`` numbers, ``[n, k]``, or of one, ``[n]``; at least two windows.
        reference: ``[m, k]`` or ``[m]``, likewise.
        limit: Largest number of windows; larger sets are subsampled without replacement.
        seed: Seed of the subsampling. The draws from the reference do not depend on the samples.

    Raises:
        ValueError: A set has fewer than two windows.
    """
    from scipy.spatial.distance import cdist

    if min(len(samples), len(reference)) < 2:
        raise ValueError("two windows or more are needed in each set")
    random = np.random.default_rng(seed)
    reference = _at_most(reference, limit, random)
    samples = _at_most(samples, limit, random)
    intra, inter = _within(reference), cdist(samples, reference).ravel()
    within, between = _densities(intra, inter)
    p, q = ((1 - _UNIFORM) * density + _UNIFORM / len(density) for density in (within, between))
    return Comparison(
        overlap=min(1.0, float(np.minimum(within, between).sum())),
        kl_divergence=max(0.0, float((p * np.log(p / q)).sum())),
        intra_samples=float(_within(samples).mean()),
        intra_reference=float(intra.mean()),
        inter=float(inter.mean()),
    )


def _at_most(values: Floats, limit: int, random: np.random.Generator) -> Floats:
    rows = values.reshape(len(values), -1)
    return rows if len(rows) <= limit else rows[random.choice(len(rows), limit, replace=False)]


def _within(rows: Floats) -> Floats:
    """Returns the distances between different rows, in both orders: about as many as between two sets.

    Scott's bandwidth depends on the count, and a feature with few values has spikes in its density: those of equal
    sets would not overlap if one kernel were wider.
    """
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(rows, rows)[~np.eye(len(rows), dtype=bool)])


def _densities(*sets: Floats) -> list[Floats]:
    """Estimates the density of each set on one common grid; each sums to 1."""
    from scipy.ndimage import gaussian_filter1d

    low, high = min(values.min() for values in sets), max(values.max() for values in sets)
    least = (high - low) / _POINTS if high - low > _SAME * high else 1.0
    bandwidths = [max(least, values.std() * len(values) ** -0.2) for values in sets]
    margin = (_REACH + 1) * max(bandwidths)  # + 1: the kernel's reach is rounded up to whole points
    step = (high - low + 2 * margin) / (_POINTS - 1)
    densities = []
    for values, bandwidth in zip(sets, bandwidths, strict=True):
        # Linear binning: each distance is shared between its two neighbouring points, so that rounding errors of
        # distances change the density only a little.
        position = (values - low + margin) / step
        left = position.astype(np.int64)
        share = position - left
        counts = np.bincount(left, 1 - share, _POINTS) + np.bincount(left + 1, share, _POINTS)
        smooth = gaussian_filter1d(counts, bandwidth / step, mode="constant", truncate=_REACH)
        densities.append(smooth / smooth.sum())
    return densities
