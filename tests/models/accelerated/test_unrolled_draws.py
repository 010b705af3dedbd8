"""Random numbers of unrolled loops: those of Magenta's loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

LOGITS = np.log(np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]], np.float32) + 1e-20)


def test_an_unrolled_loop_draws_the_classes_of_the_loop(magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    with tf.Graph().as_default():
        logits = tf.tile(tf.constant(LOGITS), [10, 1])
        distribution = magenta.lstm_models.tfp.distributions.OneHotCategorical(logits=logits)
        with randomness.drawn_from(3, tf.constant(5)):
            _, looped = tf.while_loop(
                lambda time, _: time < 6,
                lambda time, drawn: (
                    time + 1,
                    drawn.write(time, tf.argmax(distribution.sample(), -1, output_type=tf.int32)),
                ),
                (tf.constant(0), tf.TensorArray(tf.int32, 6)),
            )
        with randomness.drawn_from(3, tf.constant(5)):
            unrolled = tf.stack([randomness.sample_classes(logits, key) for key in randomness.loop_keys(6)])
        with tf.Session() as session:
            expected, found = session.run([looped.stack(), unrolled])
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found, axis=0)) == 6


def test_an_unrolled_choice_is_that_of_the_loop(magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    bernoulli = magenta.lstm_models.contrib_seq2seq
    with tf.Graph().as_default():
        with randomness.drawn_from(3, tf.constant(5)):
            _, looped = tf.while_loop(
                lambda time, _: time < 6,
                lambda time, drawn: (time + 1, drawn.write(time, bernoulli.bernoulli_sample(tf.fill([9], 0.5)))),
                (tf.constant(0), tf.TensorArray(tf.int32, 6)),
            )
        with randomness.drawn_from(3, tf.constant(5)):
            unrolled = tf.stack(randomness.choices(0.5, 9, randomness.loop_keys(6, hashed=False)))
        with tf.Session() as session:
            expected, found = session.run([looped.stack(), unrolled])
    np.testing.assert_array_equal(found, expected.astype(bool))
    assert 0 < found.mean() < 1


def test_classes_are_drawn_as_often_as_they_are_likely(magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session, randomness.drawn_from(1, tf.constant(0)):
        drawn = session.run(randomness.sample_classes(tf.repeat(LOGITS, 4000, axis=0), randomness.loop_keys(1)[0]))
    for classes, logits in zip(drawn.reshape(2, -1), LOGITS, strict=True):
        np.testing.assert_allclose(np.bincount(classes, minlength=3) / 4000, np.exp(logits), atol=0.03)


def test_keys_are_had_only_where_draws_follow_from_a_seed(randomness: Any) -> None:
    with pytest.raises(RuntimeError, match="inside drawn_from"):
        randomness.loop_keys(1)
