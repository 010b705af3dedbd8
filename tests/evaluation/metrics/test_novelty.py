"""Novelty: distances to the training windows, by hand and by properties."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from gmd_vae.evaluation.metrics.novelty import Spread, measure_novelty, wilson
from hypothesis import given
from hypothesis import strategies as st

TRAINING = np.array([[1, 0, 1, 0], [2, 2, 2, 2]], np.uint16)


def test_novelty_by_hand() -> None:
    windows = np.array(
        [
            [1, 0, 1, 0],  # a copy: 0 steps, 0 hits
            [1, 0, 1, 0],  # and the same again
            [1, 0, 1, 2],  # 1 step, 1 hit away from the first training window
            [2, 2, 0, 1],  # 2 steps, 3 hits away from the second
        ],
        np.uint16,
    )
    found = measure_novelty(windows, TRAINING, 2)
    assert found.samples == 4
    assert found.distinct == 3 / 4
    assert found.copies.value == 2 / 4
    assert found.steps == Spread(0, 0.0, 0.5, 1.25, 2, 0.75, (2, 1, 1))
    assert found.hits == Spread(0, 0.0, 0.5, 1.5, 3, 1.0, (2, 1, 0, 1))


def test_it_can_be_written_as_json() -> None:
    """NumPy's numbers cannot be."""
    content = json.loads(json.dumps(dataclasses.asdict(measure_novelty(TRAINING, TRAINING, 2))))
    assert content["copies"]["value"] == 1
    assert content["steps"]["histogram"] == [2]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),  # by hand: z² / (10 + z²) = 3.8415 / 13.8415
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),  # half of it: z / (2 √(10 + z²)) = 1.96 / 7.4408
        (0, 1, 0.0, 0.7935),
    ],
)
def test_wilson_by_hand(successes: int, trials: int, low: float, high: float) -> None:
    found = wilson(successes, trials)
    assert found.value == successes / trials
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 10**6), st.data())
def test_wilson_is_symmetric_and_contains_its_share(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    one, other = wilson(successes, trials), wilson(trials - successes, trials)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert one.low < one.high
    assert one.low == pytest.approx(1 - other.high, abs=1e-9)


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_the_histograms_hold_every_window(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    windows, training = random.integers(0, 512, (count, 16)), random.integers(0, 512, (20, 16))
    found = measure_novelty(windows, training, 9)
    assert found.hits is not None
    for spread, most in ((found.steps, 16), (found.hits, 16 * 9)):
        assert sum(spread.histogram) == count
        assert len(spread.histogram) == spread.maximum + 1
        assert 0 <= spread.minimum <= spread.quarter <= spread.median <= spread.three_quarters <= spread.maximum <= most
        mean = sum(distance * windows for distance, windows in enumerate(spread.histogram)) / count
        assert spread.mean == pytest.approx(mean)
    assert found.copies.value == found.steps.histogram[0] / count
    assert 1 / count <= found.distinct <= 1


def test_a_silent_window_is_measured_like_any_other() -> None:
    found = measure_novelty(np.zeros((1, 4), np.uint16), TRAINING, 2)
    assert found.hits is not None
    assert (found.steps.minimum, found.hits.minimum, found.copies.value, found.distinct) == (2, 2, 0, 1)


def test_windows_that_cannot_be_compared_are_an_error() -> None:
    with pytest.raises(ValueError, match="no windows to measure"):
        measure_novelty(TRAINING[:0], TRAINING, 2)
    with pytest.raises(ValueError, match="no windows to search"):
        measure_novelty(TRAINING, TRAINING[:0], 2)
    with pytest.raises(ValueError, match="windows of 3 steps, training windows of 4"):
        measure_novelty(TRAINING[:, :3], TRAINING, 2)
