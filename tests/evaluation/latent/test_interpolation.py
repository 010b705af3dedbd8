"""Paths from one window to another, and the distance of each point."""

from __future__ import annotations

import numpy as np
import pytest
from gmd_vae.evaluation.latent.interpolation import data_path, hamming, measure_curve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

_WINDOWS = arrays.arrays(np.uint16, (3, 8), elements=st.integers(0, 511))


def test_hamming_by_hand() -> None:
    a = np.array([[1, 2, 3, 4], [1, 2, 3, 4]])
    b = np.array([[1, 2, 3, 4], [1, 0, 3, 5]])
    assert hamming(a, b).tolist() == [0.0, 0.5]  # two of four steps; how much a label differs does not count


@given(a=_WINDOWS, b=_WINDOWS, c=_WINDOWS)
def test_hamming_is_a_distance(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    assert np.array_equal(hamming(a, b), hamming(b, a))
    assert not hamming(a, a).any()
    assert (hamming(a, b) <= hamming(a, c) + hamming(c, b) + 1e-12).all()
    assert ((hamming(a, b) >= 0) & (hamming(a, b) <= 1)).all()


def test_data_path_starts_and_ends_at_its_ends_and_mixes_by_alpha() -> None:
    start, end = np.zeros((20, 64), np.uint16), np.full((20, 64), 7, np.uint16)
    path = data_path(start, end, np.array([0.0, 0.25, 1.0]), seed=0)
    assert path.shape == (20, 3, 64)
    assert path.dtype == np.uint16
    assert np.array_equal(path[:, 0], start)
    assert np.array_equal(path[:, 2], end)
    # 1,280 draws with a chance of 1/4: the share's standard deviation is 0.012
    assert (path[:, 1] == 7).mean() == pytest.approx(0.25, abs=0.06)


def test_data_path_depends_only_on_the_seed() -> None:
    start, end, alphas = np.zeros((2, 64), np.int64), np.ones((2, 64), np.int64), np.array([0.5])
    assert np.array_equal(data_path(start, end, alphas, 1), data_path(start, end, alphas, 1))
    assert not np.array_equal(data_path(start, end, alphas, 1), data_path(start, end, alphas, 2))
    mixed = data_path(start, end, alphas, 1)[:, 0]
    assert not np.array_equal(mixed[0], mixed[1])  # pairs do not share their draws


@given(start=_WINDOWS, end=_WINDOWS, seed=st.integers(0, 9))
def test_data_path_takes_every_step_from_one_of_both_ends(start: np.ndarray, end: np.ndarray, seed: int) -> None:
    path = data_path(start, end, np.linspace(0, 1, 4), seed)
    assert ((path == start[:, None]) | (path == end[:, None])).all()


def test_curve_by_hand() -> None:
    paths = np.array(
        [
            # four steps change in all, one of them on half the way: 1/4
            [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]],
            # two steps change in all, and three on half the way, outside of the region between: 3/2
            [[0, 0, 0, 0], [5, 5, 5, 0], [1, 1, 0, 0]],
            # both ends are the same window: left out
            [[3, 3, 3, 3], [0, 0, 0, 0], [3, 3, 3, 3]],
        ]
    )
    found = measure_curve(paths)
    assert found.mean == (0.0, (1 / 4 + 3 / 2) / 2, 1.0)
    assert (found.pairs, found.left_out) == (2, 1)
    # of two pairs the resamples hold one twice, or each once
    assert (found.low[1], found.high[1]) == (1 / 4, 3 / 2)
    assert (found.low[0], found.high[0]) == (0.0, 0.0)
    assert (found.low[2], found.high[2]) == (1.0, 1.0)


def test_curve_of_the_data_space_baseline_is_straight() -> None:
    random = np.random.default_rng(0)
    start, end = random.integers(0, 512, (2, 200, 64))
    alphas = np.linspace(0, 1, 5)
    found = measure_curve(data_path(start, end, alphas, seed=0))
    assert found.mean == pytest.approx(alphas, abs=0.02)
    inner = slice(1, 4)
    assert all(
        low < mean < high
        for low, mean, high in zip(*(x[inner] for x in (found.low, found.mean, found.high)), strict=True)
    )


def test_curve_without_a_pair_that_moves() -> None:
    for paths, left_out in ((np.zeros((2, 3, 4), np.int64), 2), (np.zeros((0, 3, 4), np.int64), 0)):
        found = measure_curve(paths)
        assert (found.pairs, found.left_out) == (0, left_out)
        assert all(np.isnan(points).all() and len(points) == 3 for points in (found.mean, found.low, found.high))


def test_curve_of_one_pair_has_no_interval() -> None:
    found = measure_curve(np.array([[[0, 0], [0, 1], [1, 1]]]))
    assert found.mean == (0.0, 0.5, 1.0)
    assert np.isnan(found.low).all()
    assert np.isnan(found.high).all()


def test_curve_needs_two_ends() -> None:
    with pytest.raises(ValueError, match="two points"):
        measure_curve(np.zeros((2, 1, 4), np.int64))
