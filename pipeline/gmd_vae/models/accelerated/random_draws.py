"""Random draws of unrolled layers, equal to the draws in Magenta's loops with the same keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.magenta.random_keys import auto_algorithm, key_and_counter


def bernoulli_draws(probability: Any, size: int, keys: Sequence[Any]) -> list[Any]:
    """Draws booleans as ``magenta.contrib.seq2seq.bernoulli_sample`` does with the same keys.

    Args:
        probability: Probability of ``True``, float32 scalar.
        size: Number of draws per key.
        keys: Keys from `random_keys.loop_keys`, not hashed.

    Returns:
        For each key, bool ``[size]``.
    """
    shape, algorithm = tf.constant([size]), auto_algorithm()
    uniform = [
        tf.raw_ops.StatelessRandomUniformV2(shape=shape, key=key, counter=counter, alg=algorithm, dtype=tf.float32)
        for key, counter in map(key_and_counter, keys)
    ]
    # one comparison for all steps, instead of one for each
    return list(tf.unstack(tf.stack(uniform) < probability))


def categorical_draw(logits: Any, key: Any) -> Any:
    """Draws one class per row as ``tfp.distributions.OneHotCategorical`` does with the same key.

    Args:
        logits: Logits, float32 ``[rows, classes]``.
        key: Key, int32 ``[2]``.

    Returns:
        Classes, int32 ``[rows]``.
    """
    drawn = tf.raw_ops.StatelessMultinomial(logits=logits, num_samples=1, seed=key, output_dtype=tf.int32)
    return tf.raw_ops.Squeeze(input=drawn, axis=[1])
