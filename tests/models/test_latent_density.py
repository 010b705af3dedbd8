"""A density of latent vectors: its draws have its moments, and its log density is that of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.densities import density_of, random_density
from gmd_vae.common.latent_points import prior
from gmd_vae.models.latent_density import LatentDensity, describe, draw_latents
from scipy.stats import multivariate_normal

SIZE = 3
DENSITY = random_density(components=2, z_size=SIZE)


def covariances(density: LatentDensity) -> list[np.ndarray]:
    return [np.diag(scale**2) for scale in density.scales.astype(np.float64)]


def test_draws_have_the_moments_of_the_mixture() -> None:
    z = DENSITY.draw(20_000, seed=2).astype(np.float64)
    mean = DENSITY.weights @ DENSITY.means
    second = sum(
        weight * (covariance + np.outer(m, m))
        for weight, covariance, m in zip(DENSITY.weights, covariances(DENSITY), DENSITY.means, strict=True)
    )
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(z.T @ z / len(z), second, atol=0.3)


def test_the_first_draws_do_not_depend_on_the_number_of_draws() -> None:
    np.testing.assert_array_equal(DENSITY.draw(2, seed=5), DENSITY.draw(200, seed=5)[:2])
    assert (DENSITY.draw(2, seed=5) != DENSITY.draw(2, seed=6)).all()


def test_a_standard_normal_density_draws_the_numbers_of_the_prior() -> None:
    standard = density_of([1.0], np.zeros((1, SIZE)), np.ones((1, SIZE)))
    np.testing.assert_array_equal(standard.draw(9, seed=2), prior(9, SIZE, seed=2))
    np.testing.assert_array_equal(draw_latents(None, 9, SIZE, 2), prior(9, SIZE, seed=2))


def test_the_log_density_is_that_of_the_mixture() -> None:
    z = DENSITY.draw(50, seed=3)
    parts = zip(DENSITY.weights, DENSITY.means, covariances(DENSITY), strict=True)
    expected = np.log(sum(weight * multivariate_normal(mean, matrix).pdf(z) for weight, mean, matrix in parts))
    np.testing.assert_allclose(DENSITY.log_density(z), expected, rtol=1e-4)


def test_a_walk_stays_in_the_gaussian_of_its_start() -> None:
    far = density_of([0.5, 0.5], [[50.0] * SIZE, [-50.0] * SIZE], [[1] * SIZE, [2] * SIZE])
    start = np.full(SIZE, -49, np.float32)
    walk = far.walk(start, drift=0.5, file=0, windows=3000, seed=1)
    np.testing.assert_allclose(walk.mean(axis=0), [-50] * SIZE, atol=0.5)
    np.testing.assert_allclose(walk.std(axis=0), [2] * SIZE, atol=0.3)
    np.testing.assert_allclose(far.walk(start, 0.0, 0, 2, seed=1), [start] * 2, atol=1e-4)
    np.testing.assert_array_equal(far.walk(start, 0.5, 0, 10, seed=1), walk[:10])


def test_a_walk_around_its_start_has_the_spread_of_the_nearest_gaussian() -> None:
    far = density_of([0.5, 0.5], [[50.0] * SIZE, [-50.0] * SIZE], [[1] * SIZE, [2] * SIZE])
    start = np.full(SIZE, -30, np.float32)
    walk = far.walk(start, drift=0.5, file=0, windows=3000, seed=1, around_start=True)
    np.testing.assert_allclose(walk.mean(axis=0), [-30] * SIZE, atol=0.5)
    np.testing.assert_allclose(walk.std(axis=0), [2] * SIZE, atol=0.3)
    np.testing.assert_array_equal(far.walk(start, 0.0, 0, 2, seed=1, around_start=True), [start] * 2)


@pytest.mark.parametrize(
    ("density", "problem"),
    [
        (density_of([0.5, 0.4], np.zeros((2, SIZE)), np.ones((2, SIZE))), "weights"),
        (density_of([1.5, -0.5], np.zeros((2, SIZE)), np.ones((2, SIZE))), "weights"),
        (density_of([1.0], np.full((1, SIZE), np.inf), np.ones((1, SIZE))), "not finite"),
        (density_of([1.0], np.zeros((1, SIZE)), [[1, 0, 1]]), "standard deviations that are not positive"),
    ],
)
def test_numbers_that_are_no_density_are_found(density: LatentDensity, problem: str) -> None:
    assert problem in (density.problem() or "")


def test_a_prior_in_words() -> None:
    assert describe(None) == "N(0, I)"
    assert describe(DENSITY) == "a mixture of 2 Gaussians fitted to the training windows"
    assert DENSITY.problem() is None
