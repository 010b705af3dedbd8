"""Active units, the exact KL divergence, and the importance-weighted bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gmd_vae.evaluation.latent.posterior import importance_bound, kl_bits, measure_activity
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

_ROW = arrays.arrays(np.float64, (3, 2), elements=st.floats(-50, 50))
_SCALES = arrays.arrays(np.float64, (3, 2), elements=st.floats(1e-3, 50))


def test_active_units_by_hand() -> None:
    # two windows: half the distance between both means, squared, is the variance
    means = np.array([[1.0, 0.0625, 0.25], [-1.0, -0.0625, 0.0]])
    found = measure_activity(means, np.ones((2, 3)))
    assert found.variance == (1.0, 0.0625**2, 0.125**2)  # 1, 0.0039 and 0.0156: the second is not active
    assert (found.active, found.size, found.collapsed) == (2, 3, False)
    # with scale 1 the divergence is mean² / 2 nats: 1/2 in both windows of the first dimension
    assert found.kl_bits_by_dimension[0] == pytest.approx(0.5 / math.log(2))


def test_a_posterior_that_is_the_same_for_all_windows_is_collapsed() -> None:
    # far from the prior, so the divergence is large; yet z holds no information about the window
    found = measure_activity(np.full((5, 2), 3.0, np.float32), np.full((5, 2), 0.5, np.float32))
    assert (found.active, found.collapsed) == (0, True)
    assert min(found.kl_bits_by_dimension) > 5


def test_one_window_has_no_active_unit_and_no_window_is_an_error() -> None:
    assert measure_activity(np.ones((1, 2)), np.ones((1, 2))).collapsed
    with pytest.raises(ValueError, match="no window"):
        measure_activity(np.ones((0, 2)), np.ones((0, 2)))


def test_kl_by_hand() -> None:
    means = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 0.0]])
    scales = np.array([[1.0, 1.0], [1.0, 1.0], [0.5, 1.0]])
    # the prior itself: 0. Mean 2: 2² / 2 = 2 nats. Scale 1/2: (1/4 - 1) / 2 nats + 1 bit.
    expected = [0.0, 2 / math.log(2), 1 - 0.375 / math.log(2)]
    assert kl_bits(means, scales) == pytest.approx(expected)


def test_kl_is_computed_in_float64_and_is_infinite_for_a_point() -> None:
    tiny = kl_bits(np.full((1, 1), 1e-5, np.float32), np.ones((1, 1), np.float32))
    assert tiny.dtype == np.float64
    assert tiny[0] == pytest.approx(0.5e-10 / math.log(2), rel=1e-5)  # in float32 it would be 0
    assert kl_bits(np.zeros((1, 1)), np.zeros((1, 1)))[0] == math.inf
    assert kl_bits(np.zeros((0, 2)), np.ones((0, 2))).shape == (0,)


@given(means=_ROW, scales=_SCALES)
def test_kl_is_not_negative_symmetric_in_the_mean_and_a_sum_over_dimensions(
    means: np.ndarray, scales: np.ndarray
) -> None:
    bits = kl_bits(means, scales)
    assert (bits >= -1e-12).all()
    assert np.array_equal(bits, kl_bits(-means, scales))
    assert bits.mean() == pytest.approx(sum(measure_activity(means, scales).kl_bits_by_dimension))


def test_importance_bound_by_hand() -> None:
    # weights 1 and 3, mean 2; and two equal weights of e^-900, which float64 cannot hold
    log_weights = np.array([[0.0, math.log(3)], [-900.0, -900.0]])
    assert importance_bound(log_weights) == pytest.approx([math.log(2), -900.0])


def test_importance_bound_of_impossible_draws_and_of_none() -> None:
    impossible = np.array([[-math.inf, -math.inf], [-math.inf, 0.0]], np.float32)
    assert importance_bound(impossible) == pytest.approx([-math.inf, -math.log(2)])
    assert importance_bound(np.zeros((0, 4))).shape == (0,)
    with pytest.raises(ValueError, match="at least one draw"):
        importance_bound(np.zeros((3, 0)))


@given(log_weights=arrays.arrays(np.float64, (2, 4), elements=st.floats(-1e4, 1e4)))
def test_importance_bound_lies_between_the_mean_and_the_largest_weight(log_weights: np.ndarray) -> None:
    bound = importance_bound(log_weights)
    assert (bound >= log_weights.mean(axis=1) - 1e-9).all()  # the ELBO of the same draws: Jensen
    assert (bound <= log_weights.max(axis=1) + 1e-9).all()
    assert bound == pytest.approx(importance_bound(log_weights[:, ::-1]))
