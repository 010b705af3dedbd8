"""GrooVAE in NumPy: draws of hits, given hits, controls."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.random_models import random_variables, small
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.latent_points import prior
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.forward.draws import fractions
from gmd_vae.models.forward.groove import MEAN_VELOCITY, PRIOR_WEIGHT, GrooveChoice, sigmoid, with_hits
from gmd_vae.models.forward.numpy_model import NumpyModel

FOLLOW = get_config("groovae_2bar_hits_control_tfds")
HUMANIZE = get_config("groovae_2bar_humanize_small")
HITS = np.random.default_rng(1).integers(0, 2, (100, 32, 9)).astype(np.float32)
Z = prior(100, 6, seed=1)


def follower() -> NumpyModel:
    return NumpyModel(FOLLOW, small(FOLLOW), random_variables(FOLLOW, small(FOLLOW)), 8)


def test_a_window_does_not_depend_on_the_others() -> None:
    model = follower()
    inputs = np.random.default_rng(2).uniform(-1, 1, (100, 32, 27)).astype(np.float32)
    whole = np.array(model.decode(Z, 1.0, None, HITS, HITS))
    drawn, means = np.array(model.decode(Z, 1.0, None, HITS)), model.encode(inputs, [32] * 100, HITS)
    for count in (1, 2, 7, 64):
        assert np.array(model.decode(Z[:count], 1.0, None, HITS, HITS)).tobytes() == whole[:count].tobytes()
        assert np.array(model.decode(Z[:count], 1.0, None, HITS)).tobytes() == drawn[:count].tobytes()
        assert model.encode(inputs[:count], [32] * count, HITS).tobytes() == means[:count].tobytes()
    np.testing.assert_array_equal(model.decode(Z, 1.0, range(70, 73), HITS), drawn[70:73])
    at = [(70, 0), (71, 0), (70, 1)]
    moved = np.array(model.decode(Z[[70, 71, 70]], 1.0, None, HITS[[70, 71, 70]], places=at))
    np.testing.assert_array_equal(moved[:2], drawn[70:72])
    assert (moved[2] != drawn[70]).any()


def test_given_hits_replace_drawn_ones_and_their_velocities() -> None:
    model = follower()
    some = HITS.copy()
    some[:, :, 4:] = np.nan
    windows = np.array(model.decode(Z, 0, None, HITS, some))
    hits, velocities, offsets = np.split(windows, 3, axis=-1)
    np.testing.assert_array_equal(hits[..., :4], HITS[..., :4])
    assert not velocities[..., :4][HITS[..., :4] == 0].any()
    assert not offsets[..., :4][HITS[..., :4] == 0].any()
    # each step is that of the model, given the steps before it
    outputs = model.logits(windows, Z, HITS)
    likeliest = np.concatenate(
        [outputs[..., :9] > 0, sigmoid(outputs[..., 9:18]), np.tanh(outputs[..., 18:])], axis=-1
    ).astype(np.float32)
    np.testing.assert_allclose(windows, with_hits(likeliest, sigmoid(outputs[..., :9]), some), rtol=0, atol=1e-6)


def test_the_velocity_of_a_given_hit_is_that_of_hits_alone() -> None:
    drawn = np.array([[0, 0, 0.4, 0.01, 0.2, -0.3]], np.float32)  # of two drums, which hit with 0.8 and 0.01
    windows = with_hits(drawn, np.array([[0.8, 0.01]], np.float32), np.array([[1, 1]], np.float32))
    expected = [1, 1]
    expected += [(p_v + PRIOR_WEIGHT * MEAN_VELOCITY) / (p + PRIOR_WEIGHT) for p_v, p in ((0.4, 0.8), (0.01, 0.01))]
    expected += [0.2 / 0.9, -1]
    np.testing.assert_allclose(windows[0], expected, rtol=1e-6)


def test_hits_are_drawn_as_often_as_their_probability_says() -> None:
    count, temperature = 100_000, 0.7
    logits = np.random.default_rng(0).normal(0, 2, 27).astype(np.float32)
    drawn = fractions(9, [(file, 3) for file in range(count)], 9)
    choice = GrooveChoice(count, 1, 9, temperature, drawn)
    hits = choice(0, np.tile(logits, (count, 1)))[:, :9]
    probabilities = 1 / (1 + np.exp(-logits[:9] / temperature))
    deviation = np.sqrt(probabilities * (1 - probabilities) / count)
    assert (np.abs(hits.mean(axis=0) - probabilities) < 4 * deviation).all()
    assert np.abs(np.corrcoef(hits.T) - np.eye(9)).max() < 6 / np.sqrt(count)


def test_velocities_from_a_limit_on_are_full() -> None:
    """As a pad gives 127 from some force on. Others, hits and offsets stay."""
    columns = np.zeros((1, 27), np.float32)
    columns[0, 9:12] = (0.9, 0.94, 0.97)
    outputs = np.log(np.maximum(columns, 1e-6)) - np.log1p(-columns)  # sigmoid undoes it
    plain, full = (GrooveChoice(1, 1, 9, 0, None, full=limit) for limit in (1.0, 0.939))
    before, after = plain(0, outputs), full(0, outputs)
    np.testing.assert_allclose(before[0, 9:12], (0.9, 0.94, 0.97), atol=1e-6)
    np.testing.assert_allclose(after[0, 9:12], (0.9, 1, 1), atol=1e-6)
    np.testing.assert_array_equal(np.delete(after, np.s_[9:12], axis=1), np.delete(before, np.s_[9:12], axis=1))
    np.testing.assert_array_equal(full.windows[:, 0], after)


def test_what_a_model_does_not_take_is_refused() -> None:
    model = follower()
    for call in (
        lambda: model.decode(Z, 0),
        lambda: model.posterior([np.zeros((32, 27))]),
        lambda: model.logits(np.zeros((1, 32, 27)), Z[:1]),
    ):
        with pytest.raises(ValueError, match="needs controls"):
            call()
    labels = get_config("flat-drum_1bar_small")
    with pytest.raises(ValueError, match="hits are for GrooVAE"):
        NumpyModel(labels, small(labels), random_variables(labels, small(labels))).decode(Z, 0, hits=HITS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_damaged_weights_are_reported(bad: float) -> None:
    variables = random_variables(HUMANIZE, small(HUMANIZE))
    variables["decoder/output_projection/bias"][20] = bad
    with pytest.raises(GmdVaeError, match="not finite"):
        NumpyModel(HUMANIZE, small(HUMANIZE), variables).decode(Z, 0)
