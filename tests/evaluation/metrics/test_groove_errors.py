"""Errors of velocities and timing, and baselines that play given hits, with values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gmd_vae.evaluation.metrics.groove_errors import (
    OFFSET_BINS,
    Performance,
    TrainingFeel,
    kl_divergence,
    measure_errors,
    measure_feel,
)
from gmd_vae.evaluation.metrics.intervals import FileResampler
from hypothesis import given
from hypothesis import strategies as st


def played(*hits: tuple[int, int, int, float, float], windows: int = 1) -> Performance:
    """Returns windows with hits (window, step, drum, velocity, offset)."""
    values = np.zeros((windows, 32, 27), np.float32)
    for window, step, drum, velocity, offset in hits:
        values[window, step, [drum, 9 + drum, 18 + drum]] = 1, velocity, offset
    return Performance.from_columns(values)


def test_the_errors_by_hand() -> None:
    truth = played((0, 0, 0, 0.5, 0.2), (0, 4, 1, 1.0, 0.0), (1, 8, 2, 0.2, -1.0), windows=2)
    answer = played((0, 0, 0, 0.7, 0.0), (0, 9, 1, 0.9, 0.9), (1, 8, 2, 0.2, 1.0), windows=2)
    found = measure_errors(truth, answer, np.array([120.0, 60.0]), FileResampler(np.array([0, 1])))
    # in half steps: 0.2, 0 (the prediction at the missed hit is on the grid) and 2
    assert found.timing_mae.value == pytest.approx((0.1 + 0 + 1) / 3)
    assert found.timing_mse.value == pytest.approx((0.01 + 0 + 1) / 3)
    assert found.velocity_mse.value == pytest.approx((0.04 + 1 + 0) / 3)
    # a sixteenth is 125 ms at 120, and 250 at 60
    assert found.timing_mae_ms.value == pytest.approx((12.5 + 0 + 250) / 3)
    assert found.timing_mae.low < found.timing_mae.value < found.timing_mae.high


def test_the_divergence_by_hand() -> None:
    """All true hits are on the grid, half of the others half a step early; 0.001 of uniform is mixed in."""
    truth = played((0, 0, 0, 0.5, 0.0), (0, 4, 0, 0.5, 0.0))
    other = played((0, 0, 0, 0.5, 0.0), (0, 8, 0, 0.5, 1.0))
    found = measure_feel(truth, other, FileResampler(np.array([0])), same_windows=True)
    little = 1e-3 / OFFSET_BINS
    p, q = 0.999 + little, 0.4995 + little
    expected = p * math.log(p / q) + little * math.log(little / q)
    assert found.timing_kl.value == pytest.approx(expected)
    assert found.velocity_kl.value == 0


def test_silence_has_no_distribution() -> None:
    found = measure_feel(played((0, 0, 0, 0.5, 0.0)), played(), FileResampler(np.array([0])), same_windows=False)
    assert math.isnan(found.timing_kl.value)


counts = st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any)


@given(counts, counts)
def test_a_divergence_is_zero_for_equal_and_finite_for_other_distributions(first: list[int], second: list[int]) -> None:
    p, q = np.array(first, np.float64), np.array(second, np.float64)
    assert kl_divergence(p, 3 * p) == pytest.approx(0, abs=1e-12)
    assert -1e-12 <= kl_divergence(p, q) < math.log(5 / 1e-3)


def test_the_baselines_by_hand() -> None:
    training = played((0, 0, 0, 0.4, 0.2), (0, 16, 0, 0.8, 0.4), (0, 1, 0, 0.3, 0.0), (0, 5, 1, 0.9, -0.5))
    truth = played((0, 16, 0, 0.1, 0.0), (0, 2, 0, 0.1, 0.0), (0, 21, 1, 0.1, 0.0), (0, 3, 8, 0.1, 0.0))
    feel = TrainingFeel.learn(training)
    assert feel is not None

    def at(answer: Performance) -> list[tuple[float, float]]:
        places = [(0, 16, 0), (0, 2, 0), (0, 21, 1), (0, 3, 8)]
        return [(round(float(answer.velocities[at]), 4), round(float(answer.offsets[at]), 4)) for at in places]

    assert at(feel.play_on_grid(truth)) == [(0.6, 0.0)] * 4
    # of the kick at the bar's first sixteenth; of the kick anywhere; of the snare there; of all drums
    assert at(feel.play_means(truth)) == [(0.6, 0.3), (0.5, 0.2), (0.9, -0.5), (0.6, 0.025)]
    drawn = [at(feel.play_random(truth, np.random.default_rng(seed))) for seed in range(40)]
    first, second, third, last = ({answer[place] for answer in drawn} for place in range(4))
    assert first == {(0.4, 0.2), (0.8, 0.4)}
    assert second == first | {(0.3, 0.0)}
    assert third == {(0.9, -0.5)}
    assert last == second | third
    assert (feel.play_random(truth, np.random.default_rng(0)).hits == truth.hits).all()


def test_silent_training_windows_give_no_baselines() -> None:
    assert TrainingFeel.learn(played()) is None
