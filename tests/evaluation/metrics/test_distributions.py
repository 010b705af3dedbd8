"""Comparison of distributions by pairwise distances."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from gmd_vae.evaluation.data.arrays import Floats
from gmd_vae.evaluation.metrics.distributions import compare_distributions
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from scipy.stats import gaussian_kde

sets = arrays(np.float64, st.tuples(st.integers(2, 12), st.integers(1, 3)), elements=st.integers(-8, 8).map(float))


def normal(seed: int, count: int, mean: float = 0.0, scale: float = 1.0, k: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(mean, scale, (count, k))


def test_mean_distances_by_hand() -> None:
    """Samples 1 and 3, reference 0, 4 and 6 on a line."""
    found = compare_distributions(np.array([[1.0], [3.0]]), np.array([[0.0], [4.0], [6.0]]))
    assert found.intra_samples == pytest.approx(2)  # |1 - 3|
    assert found.intra_reference == pytest.approx((4 + 6 + 2) / 3)
    assert found.inter == pytest.approx((1 + 3 + 5 + 3 + 1 + 3) / 6)


def test_distances_are_euclidean() -> None:
    found = compare_distributions(np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 0.0], [6.0, 8.0]]))
    assert (found.intra_samples, found.intra_reference) == (pytest.approx(5), pytest.approx(10))
    assert found.inter == pytest.approx((0 + 10 + 5 + 5) / 4)


def test_densities_are_those_of_an_exact_kernel_estimate() -> None:
    """SciPy puts a kernel at every distance; one millionth of a uniform density is mixed in, as documented."""
    samples, reference = normal(1, 40, 0.8, 1.3), normal(2, 50)
    intra = cdist(reference, reference)[~np.eye(50, dtype=bool)]
    inter = cdist(samples, reference).ravel()
    kernels = [gaussian_kde(values) for values in (intra, inter)]
    margin = 7 * max(kernel.covariance[0, 0] ** 0.5 for kernel in kernels)
    low, high = min(intra.min(), inter.min()) - margin, max(intra.max(), inter.max()) + margin
    grid = np.linspace(low, high, 2048)
    exact = [kernel(grid) * (grid[1] - grid[0]) for kernel in kernels]
    p, q = (density * (1 - 1e-6) + 1e-6 / 2048 for density in exact)
    found = compare_distributions(samples, reference)
    assert 0.5 < found.overlap < 0.95, "the two sets overlap in part"
    assert found.overlap == pytest.approx(np.minimum(*exact).sum(), abs=1e-4)
    assert found.kl_divergence == pytest.approx((p * np.log(p / q)).sum(), rel=1e-3)


def test_sets_from_one_distribution_overlap() -> None:
    found = compare_distributions(normal(1, 600, k=3), normal(2, 600, k=3))
    assert found.overlap > 0.95
    assert found.kl_divergence < 0.02


def test_the_farther_away_the_worse() -> None:
    reference = normal(0, 300)
    found = [compare_distributions(normal(1, 300, mean), reference) for mean in (0, 1, 2, 4, 50)]
    overlaps, divergences = [one.overlap for one in found], [one.kl_divergence for one in found]
    assert overlaps == sorted(overlaps, reverse=True)
    assert divergences == sorted(divergences)
    assert overlaps[-1] < 1e-6
    assert 10 < divergences[-1] < 21.5


def test_samples_with_too_little_variety_overlap_less() -> None:
    """Samples that are all in the middle: between the sets distances are too small."""
    reference = normal(0, 300)
    assert (
        compare_distributions(normal(1, 300, scale=0.05), reference).overlap
        < compare_distributions(normal(1, 300), reference).overlap - 0.1
    )


def test_the_same_constant_overlaps() -> None:
    found = compare_distributions(np.full(5, 0.1), np.full(7, 0.1))
    assert dataclasses.astuple(found) == pytest.approx((1, 0, 0, 0, 0), abs=1e-9)


def test_different_constants_do_not() -> None:
    found = compare_distributions(np.full(5, 3.0), np.full(7, 1.0))
    assert found.overlap == pytest.approx(0, abs=1e-9)
    assert 10 < found.kl_divergence < 21.5
    assert (found.intra_samples, found.intra_reference, found.inter) == (0, 0, 2)


def test_constant_samples_in_a_reference_that_is_not() -> None:
    found = compare_distributions(np.zeros(50), normal(0, 50)[:, 0])
    assert 0 < found.overlap < 1
    assert np.isfinite(found.kl_divergence)


def test_rounding_errors_make_no_difference() -> None:
    """The corners of a triangle with three equal sides: 1.3, but for the last digit of two."""
    samples, reference = np.full((2, 2), [0.65, 0.65 * 3**0.5]), np.array([[0.0, 0.0], [1.3, 0.0]])
    assert (cdist(samples, reference) != 1.3).all()
    found = compare_distributions(samples, reference)
    assert (found.overlap, found.kl_divergence) == (pytest.approx(1), pytest.approx(0))


def test_a_feature_of_one_number_may_come_as_a_row() -> None:
    one, other = normal(1, 20), normal(2, 30)
    assert compare_distributions(one[:, 0], other[:, 0]) == compare_distributions(one, other)


def test_large_sets_are_subsampled() -> None:
    samples, reference = normal(1, 500), normal(2, 400)
    found = compare_distributions(samples, reference, limit=50, seed=3)
    assert found == compare_distributions(samples, reference, limit=50, seed=3)
    assert found != compare_distributions(samples, reference, limit=50, seed=4)
    assert found != compare_distributions(samples, reference)
    # the reference is represented by the same windows, whatever it is compared with
    assert found.intra_reference == compare_distributions(samples[:40], reference, limit=50, seed=3).intra_reference
    assert compare_distributions(samples[:40], reference[:30], limit=50) == compare_distributions(
        samples[:40], reference[:30], limit=40
    )


def test_it_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(dataclasses.asdict(compare_distributions(normal(1, 9), normal(2, 9)))))["overlap"] <= 1


@pytest.mark.parametrize(("samples", "reference"), [(1, 5), (5, 1), (0, 5), (5, 0)])
def test_one_window_has_no_distances(samples: int, reference: int) -> None:
    with pytest.raises(ValueError, match="two windows or more"):
        compare_distributions(np.zeros((samples, 2)), np.zeros((reference, 2)))


@settings(deadline=None, max_examples=50)
@given(sets, sets)
def test_bounds_and_order(samples: Floats, reference: Floats) -> None:
    k = min(samples.shape[1], reference.shape[1])
    samples, reference = samples[:, :k], reference[:, :k]
    found = compare_distributions(samples, reference)
    assert 0 <= found.overlap <= 1
    assert 0 <= found.kl_divergence < 21.5
    turned = compare_distributions(samples[::-1], reference[::-1])
    assert dataclasses.astuple(turned) == pytest.approx(dataclasses.astuple(found), rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(sets, sets, st.sampled_from([0.125, 2.0, 1024.0]))
def test_the_unit_of_a_feature_does_not_matter(samples: Floats, reference: Floats, unit: float) -> None:
    k = min(samples.shape[1], reference.shape[1])
    samples, reference = samples[:, :k], reference[:, :k]
    found, scaled = compare_distributions(samples, reference), compare_distributions(samples * unit, reference * unit)
    assert scaled.overlap == pytest.approx(found.overlap, rel=1e-6, abs=1e-6)
    assert scaled.kl_divergence == pytest.approx(found.kl_divergence, rel=1e-6, abs=1e-6)
    assert scaled.inter == pytest.approx(found.inter * unit)
