"""Random draws of unrolled loops are equal to those in Magenta's loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], np.float32) + 1e-20)


def test_an_unrolled_loop_draws_the_same_classes_as_magentas_loop(magenta: Any, randomness: Any) -> None:
    from gmd_vae.magenta.random_keys import loop_keys
    from gmd_vae.models.accelerated.random_draws import categorical_draw

    tf = magenta.tf
    with tf.Graph().as_default():
        logits = tf.tile(tf.constant(LOGITS), [10, 1])
        distribution = magenta.lstm_models.tfp.distributions.OneHotCategorical(logits=logits)
        with randomness.stateless_randomness(3, tf.constant(5)):
            _, looped = tf.while_loop(
                lambda time, _: time < 6,
                lambda time, drawn: (
                    time + 1,
                    drawn.write(time, tf.argmax(distribution.sample(), -1, output_type=tf.int32)),
                ),
                (tf.constant(0), tf.TensorArray(tf.int32, 6)),
            )
        with randomness.stateless_randomness(3, tf.constant(5)):
            unrolled = tf.stack([categorical_draw(logits, key) for key in loop_keys(6)])
        with tf.Session() as session:
            expected, found = session.run([looped.stack(), unrolled])
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found, axis=0)) == 6


def test_an_unrolled_loop_draws_the_same_booleans_as_magentas_loop(magenta: Any, randomness: Any) -> None:
    from gmd_vae.magenta.random_keys import loop_keys
    from gmd_vae.models.accelerated.random_draws import bernoulli_draws

    tf = magenta.tf
    bernoulli = magenta.lstm_models.contrib_seq2seq
    with tf.Graph().as_default():
        with randomness.stateless_randomness(3, tf.constant(5)):
            _, looped = tf.while_loop(
                lambda time, _: time < 6,
                lambda time, drawn: (time + 1, drawn.write(time, bernoulli.bernoulli_sample(tf.fill([9], 0.5)))),
                (tf.constant(0), tf.TensorArray(tf.int32, 6)),
            )
        with randomness.stateless_randomness(3, tf.constant(5)):
            unrolled = tf.stack(bernoulli_draws(0.5, 9, loop_keys(6, hashed=False)))
        with tf.Session() as session:
            expected, found = session.run([looped.stack(), unrolled])
    np.testing.assert_array_equal(found, expected.astype(bool))
    assert 0 < found.mean() < 1


def test_classes_are_drawn_with_their_probabilities(magenta: Any, randomness: Any) -> None:
    from gmd_vae.magenta.random_keys import loop_keys
    from gmd_vae.models.accelerated.random_draws import categorical_draw

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session, randomness.stateless_randomness(1, tf.constant(0)):
        drawn = session.run(categorical_draw(tf.repeat(LOGITS, 4000, axis=0), loop_keys(1)[0]))
    for classes, logits in zip(drawn.reshape(2, -1), LOGITS, strict=True):
        np.testing.assert_allclose(np.bincount(classes, minlength=3) / 4000, np.exp(logits), atol=0.03)


def test_keys_outside_of_stateless_randomness_are_an_error(magenta: Any) -> None:
    from gmd_vae.magenta.random_keys import loop_keys

    with pytest.raises(RuntimeError, match="inside stateless_randomness"):
        loop_keys(1)
