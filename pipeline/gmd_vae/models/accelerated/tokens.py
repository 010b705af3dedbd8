"""Categorical sequences as tokens: 0 is "no class yet", ``k + 1`` is class ``k``.

Magenta's categorical decoders read one-hot vectors, 512 wide for drums, and a zero vector before the first step. The
same sequence as tokens takes a 512th of the memory.
"""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf


def to_tokens(sequence: Any) -> Any:
    """Converts a sequence in either of the model's two formats to tokens.

    Args:
        sequence: Either float32 ``[batch, steps, classes]``, one-hot or zero at each step, or float32
            ``[batch, steps, 1]`` from `labels_to_sequence`.

    Returns:
        Tokens, int32 ``[batch, steps]``.
    """
    if sequence.shape[-1] == 1:
        return tf.cast(tf.squeeze(sequence, axis=-1), tf.int32)
    present = tf.cast(tf.reduce_max(sequence, axis=-1) > 0, tf.int32)
    return (tf.argmax(sequence, axis=-1, output_type=tf.int32) + 1) * present


def labels_to_sequence(labels: Any) -> Any:
    """Converts class labels to tokens in the shape and dtype that ``MusicVAE.train`` shifts and pads.

    Args:
        labels: Labels, int32 or int64 ``[batch, steps]``, below 2**24, because float32 holds integers exactly up
            to there.

    Returns:
        Tokens, float32 ``[batch, steps, 1]``.
    """
    return tf.cast(labels[..., None] + 1, tf.float32)


def time_major(tokens: Any, steps: int) -> Any:
    """Transposes tokens and pads them to a static length.

    Args:
        tokens: Tokens, int32 ``[batch, at most steps]``.
        steps: Number of steps of the result.

    Returns:
        Tokens, int32 ``[steps, batch]``, padded with 0.
    """
    missing = steps - tf.shape(tokens)[1]
    return tf.ensure_shape(tf.transpose(tf.pad(tokens, [[0, 0], [0, missing]])), [steps, tokens.shape[0]])
