"""A density of latent vectors: its draws lie between neighbouring windows."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.densities import random_density
from gmd_vae.common.latent_points import prior
from gmd_vae.models.latent_density import LatentDensity, describe, draw_latents

SIZE = 3
DENSITY = random_density(components=200, z_size=SIZE)


def two_groups() -> LatentDensity:
    """Windows in two groups far from each other, 60 and 140 of them, each on a sphere around the centre of all."""
    random = np.random.default_rng(2)
    windows = np.repeat([[50.0, 0, 0], [-50.0 * 60 / 140, 0, 0]], [60, 140], axis=0)
    return LatentDensity((windows + random.normal(0, 1, windows.shape)).astype(np.float32))


def test_draws_lie_between_neighbours() -> None:
    density = two_groups()
    z = density.draw(1000, seed=3)
    of_first = z[:, 0] > 0
    assert of_first.mean() == pytest.approx(0.3, abs=0.05)  # as many as windows
    for group, windows in ((z[of_first], density.windows[:60]), (z[~of_first], density.windows[60:])):
        assert (group.min(axis=0) > windows.min(axis=0) - 0.5).all()
        assert (group.max(axis=0) < windows.max(axis=0) + 0.5).all()
        np.testing.assert_allclose(group.mean(axis=0), windows.mean(axis=0), atol=0.5)


def test_a_draw_is_as_far_from_the_centre_as_its_windows() -> None:
    random = np.random.default_rng(4)
    directions = random.normal(size=(500, 16))
    sphere = LatentDensity((7 * directions / np.linalg.norm(directions, axis=1)[:, None]).astype(np.float32))
    z = sphere.draw(200, seed=1) - sphere.windows.mean(axis=0)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 7, atol=0.5)


def test_few_draws_are_near_a_window() -> None:
    z = DENSITY.draw(500, seed=6)
    nearest = np.linalg.norm(z[:, None] - DENSITY.windows, axis=2).min(axis=1)
    assert np.quantile(nearest, 0.05) > 0.01
    assert len(np.unique(z, axis=0)) == 500


def test_the_first_draws_do_not_depend_on_the_number_of_draws() -> None:
    np.testing.assert_array_equal(DENSITY.draw(2, seed=5), DENSITY.draw(200, seed=5)[:2])
    assert (DENSITY.draw(2, seed=5) != DENSITY.draw(2, seed=6)).all()


def test_without_a_density_z_is_of_the_standard_normal_distribution() -> None:
    np.testing.assert_array_equal(draw_latents(None, 9, SIZE, 2), prior(9, SIZE, seed=2))
    np.testing.assert_array_equal(draw_latents(DENSITY, 9, SIZE, 2), DENSITY.draw(9, 2))


@pytest.mark.parametrize("windows", [1, 2, 4, 21])
def test_few_windows_are_enough(windows: int) -> None:
    density = random_density(windows, SIZE)
    z = density.draw(50, seed=0)
    assert np.isfinite(z).all()
    if windows == 1:
        np.testing.assert_allclose(z, np.repeat(density.windows, 50, axis=0))
    assert np.isfinite(density.walk(z[0], 0.5, 0, 20, seed=0)).all()


def test_a_walk_begins_at_its_start_and_stays_among_its_neighbours() -> None:
    density = two_groups()
    start = np.array([-21, 0, 0], np.float32)
    walk = density.walk(start, drift=0.5, file=0, windows=3000, seed=1)
    assert (walk[:, 0] < 0).all()
    np.testing.assert_array_equal(density.walk(start, 0.5, 0, 10, seed=1), walk[:10])
    np.testing.assert_allclose(density.walk(start, 0.0, 0, 2, seed=1), [start] * 2, rtol=1e-6, atol=1e-5)
    near, far = (np.linalg.norm(density.walk(start, drift, 0, 1, seed=1) - start) for drift in (0.1, 1.0))
    assert 0 < near < far
    # the start keeps the largest weight on average, and is left now and then
    distance = np.linalg.norm(walk - start, axis=1)
    assert distance[0] < distance.max()
    assert distance[1000:].min() > 0
    assert np.corrcoef(walk[1:, 1], walk[:-1, 1])[0, 1] > 0.5


def test_numbers_that_are_no_density_are_found() -> None:
    assert LatentDensity(np.full((1, SIZE), np.inf, np.float32)).problem() == "has numbers that are not finite"
    assert DENSITY.problem() is None


def test_a_prior_in_words() -> None:
    assert describe(None) == "N(0, I)"
    assert describe(DENSITY) == "points between neighbours among 200 training windows"
