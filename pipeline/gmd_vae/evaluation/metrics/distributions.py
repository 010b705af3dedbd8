"""Whether a set of windows is spread like a reference, feature by feature.

Source: Yang & Lerch 2020, "On the evaluation of generative models in music", Neural Computing and
Applications 32 (their "relative" measurements), and their toolbox, github.com/RichardYang40148/mgeval.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from gmd_vae.evaluation.data.label_data import Floats

_POINTS = 2048  # of the grid: with 1,000,000 distances the kernel's standard deviation is some ten points
_REACH = 6.0  # the kernel is cut off this many bandwidths from its distance: it is below 1e-7 of its top there
_EVEN = 1e-6  # of each density, before their divergence is taken
_SAME = 1e-9  # distances that differ relatively by less than this differ by rounding


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Two sets of windows, compared by one feature.

    Attributes:
        overlap: area under both densities, of the distances in the reference and of those between the
            sets; 1: the samples are spread as the reference is, 0: not at all.
        kl_divergence: Kullback-Leibler divergence of the same two densities,
            KL(within the reference || between the sets), in nats; 0 is best.
        intra_samples: mean distance of two samples, in the feature's unit.
        intra_reference: mean distance of two windows of the reference.
        inter: mean distance of a sample and a window of the reference.
    """

    overlap: float
    kl_divergence: float
    intra_samples: float
    intra_reference: float
    inter: float


def compare(samples: Floats, reference: Floats, *, limit: int = 1000, seed: int = 0) -> Comparison:
    """Compares how a feature is spread in two sets.

    Distances are Euclidean; within a set, each pair counts in both orders. Their densities are Gaussian
    kernel estimates with Scott's bandwidth (standard deviation times count to the power of -1/5), as in the
    toolbox, whose direction of the divergence this is, too. Four things differ from it, so that figures can
    be compared with each other, but only roughly with those of papers that used the toolbox:

    - Both densities are taken on one grid of 2,048 points. The toolbox takes each on a grid between its
      own least and greatest distance, so that its divergence compares densities at different distances.
    - The grid reaches beyond all distances, as far as the kernels do: nothing is lost at its ends.
    - The bandwidth is one step of the grid or more, which also defines the density of a constant distance
      (the toolbox fails there): the same constant overlaps by 1, different ones by 0.
    - For the divergence, one millionth of each density is spread evenly over the grid. It is then
      finite, at most 21.5 nats, also where the densities do not meet.

    Distances are counted on the grid before the kernel is laid over them: at 1,000 windows a set this takes
    a tenth of a second, and a kernel for each of 2,000,000 distances would take more than a minute.

    Args:
        samples: ``[n, k]``, a feature of ``k`` numbers, or ``[n]``; two windows or more.
        reference: ``[m, k]`` or ``[m]``, likewise.
        limit: a set with more windows is represented by as many, drawn without replacement.
        seed: of the draws. Those drawn from the reference do not depend on the samples.

    Raises:
        ValueError: a set has fewer than two windows.
    """
    from scipy.spatial.distance import cdist

    if min(len(samples), len(reference)) < 2:
        raise ValueError("two windows or more are needed in each set")
    random = np.random.default_rng(seed)
    reference = _at_most(reference, limit, random)
    samples = _at_most(samples, limit, random)
    intra, inter = _within(reference), cdist(samples, reference).ravel()
    within, between = _densities(intra, inter)
    p, q = ((1 - _EVEN) * density + _EVEN / len(density) for density in (within, between))
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
    """The distances between different rows, in both orders: about as many as between sets.

    Scott's bandwidth depends on the count, and a feature of few values (a share of 48) has spikes in its
    density: those of equal sets would not fit into each other if one kernel were wider.
    """
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(rows, rows)[~np.eye(len(rows), dtype=bool)])


def _densities(*sets: Floats) -> list[Floats]:
    """The share of each set's density at every point of a grid common to all; each sums to 1."""
    from scipy.ndimage import gaussian_filter1d

    low, high = min(values.min() for values in sets), max(values.max() for values in sets)
    least = (high - low) / _POINTS if high - low > _SAME * high else 1.0
    bandwidths = [max(least, values.std() * len(values) ** -0.2) for values in sets]
    margin = (_REACH + 1) * max(bandwidths)  # one more: a kernel reaches a whole number of points
    step = (high - low + 2 * margin) / (_POINTS - 1)
    densities = []
    for values, bandwidth in zip(sets, bandwidths, strict=True):
        # Each distance is shared between the two points beside it: whole, it would jump with its last digit.
        place = (values - low + margin) / step
        left = place.astype(np.int64)
        share = place - left
        counts = np.bincount(left, 1 - share, _POINTS) + np.bincount(left + 1, share, _POINTS)
        smooth = gaussian_filter1d(counts, bandwidth / step, mode="constant", truncate=_REACH)
        densities.append(smooth / smooth.sum())
    return densities
