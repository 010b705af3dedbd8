"""The baseline of gradient boosting for velocities and timing, on rules that are known."""

from __future__ import annotations

import numpy as np
from gmd_vae.evaluation.metrics.boosted_feel import PlayedWindows, hit_features, play_boosted
from gmd_vae.evaluation.metrics.groove_errors import Performance, TrainingFeel


def played(count: int, seed: int) -> PlayedWindows:
    """Hits that are louder on beats and after long rests, and earlier in jazz; with noise."""
    random = np.random.default_rng(seed)
    hits = random.random((count, 32, 9)) < 0.15
    styles = ["jazz" if number % 2 else "rock" for number in range(count)]
    windows = PlayedWindows(Performance(hits, hits * 0.0, hits * 0.0), styles, [120.0] * count)
    window, step, drum = np.nonzero(hits)
    rest = np.nan_to_num(hit_features(windows, [])[:, 2], nan=8)
    velocities, offsets = (np.zeros(hits.shape, np.float32) for _ in range(2))
    noise = random.normal(0, 0.02, (2, len(step)))
    velocities[window, step, drum] = 0.3 + 0.2 * (step % 4 == 0) + 0.04 * np.minimum(rest, 8) + noise[0]
    offsets[window, step, drum] = 0.3 * (window % 2) + noise[1]
    return PlayedWindows(Performance(hits, velocities, offsets), styles, [120.0] * count)


def test_it_finds_rules_that_the_mean_of_drum_and_position_does_not_have() -> None:
    training, truth = played(60, seed=0), played(30, seed=1)
    boosted, feel = play_boosted(training, truth, seed=0), TrainingFeel.learn(training.played)
    assert boosted is not None
    assert feel is not None
    at_hits, mean = truth.played.hits, feel.play_means(truth.played)
    for column in ("velocities", "offsets"):
        errors = [
            np.square(getattr(answer, column) - getattr(truth.played, column))[at_hits].mean()
            for answer in (boosted, mean)
        ]
        assert errors[0] < errors[1] / 3, column
    again = play_boosted(training, truth, seed=0)
    assert again is not None
    assert (again.velocities == boosted.velocities).all()


def test_features_by_hand() -> None:
    hits = np.zeros((1, 32, 9), bool)
    hits[0, [0, 3, 20], 2] = hits[0, 3, 0] = True
    windows = PlayedWindows(Performance(hits, hits * 1.0, hits * 0.0), ["rock"], [None])
    features = hit_features(windows, ["jazz", "rock"])
    nan = np.nan
    np.testing.assert_array_equal(
        features[:, :6],
        [[2, 0, nan, 3, 1, nan], [0, 3, nan, nan, 1, nan], [2, 3, 3, 17, 1, nan], [2, 4, 17, nan, 1, nan]],
    )
    assert features[1, 6:].tolist() == features[2, 6:].tolist() == [1, 0, 1, 0, 0, 0, 0, 0, 0]


def test_silence_teaches_nothing() -> None:
    silent = np.zeros((2, 32, 9))
    windows = PlayedWindows(Performance(silent > 0, silent, silent), [None] * 2, [None] * 2)
    assert play_boosted(windows, windows, seed=0) is None
    answer = play_boosted(played(3, seed=0), windows, seed=0)
    assert answer is not None
    assert not answer.velocities.any()
