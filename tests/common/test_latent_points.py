"""Points in latent space."""

import numpy as np
import pytest
from gmd_vae.common import latent_points
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

vectors = arrays(np.float32, 8, elements=st.floats(-4, 4, width=32))


def test_the_first_draws_do_not_depend_on_how_many_there_are() -> None:
    assert (latent_points.prior(3, 64, seed=1) == latent_points.prior(300, 64, seed=1)[:3]).all()
    assert (latent_points.prior(3, 64, seed=1) != latent_points.prior(3, 64, seed=2)).all()


def test_the_prior_is_a_standard_normal() -> None:
    z = latent_points.prior(5000, 16, seed=0)
    assert z.shape == (5000, 16)
    assert z.dtype == np.float32
    assert abs(z.mean()) < 0.02
    assert z.std() == pytest.approx(1, abs=0.02)


def test_a_quarter_turn_goes_through_its_middle() -> None:
    """By hand: between (1, 0) and (0, 1) the middle of the arc is (√½, √½)."""
    path = latent_points.slerp(np.array([1, 0], np.float32), np.array([0, 1], np.float32), 3)
    np.testing.assert_allclose(path, [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-6)


def test_equal_inputs_stay_where_they_are() -> None:
    """Magenta's own interpolation divides 0 by 0 here."""
    point = np.array([0.3, -2, 1], np.float32)
    np.testing.assert_allclose(latent_points.slerp(point, point, 5), np.tile(point, (5, 1)), rtol=1e-6)


@given(vectors, vectors, st.integers(2, 9))
def test_a_walk_is_finite_and_has_its_two_ends(start: np.ndarray, end: np.ndarray, steps: int) -> None:
    path = latent_points.slerp(start, end, steps)
    assert path.shape == (steps, 8)
    assert np.isfinite(path).all()
    np.testing.assert_allclose(path[0], start, atol=1e-3)
    np.testing.assert_allclose(path[-1], end, atol=1e-3)


@given(vectors, vectors)
def test_the_walk_back_is_the_walk_reversed(start: np.ndarray, end: np.ndarray) -> None:
    np.testing.assert_allclose(latent_points.slerp(start, end, 5), latent_points.slerp(end, start, 5)[::-1], atol=1e-3)


def test_one_step_is_the_start() -> None:
    path = latent_points.slerp(np.array([1, 2], np.float32), np.array([3, 4], np.float32), 1)
    np.testing.assert_allclose(path, [[1, 2]])
