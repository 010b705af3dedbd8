"""Categorical sequences as tokens: 0 is "nothing yet", ``k + 1`` is class ``k``.

Magenta feeds its categorical decoders one-hot vectors, 512 wide for drums, and a vector of zeros
before the first step. As tokens the same sequence is a five-hundredth of the size.
"""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf


def to_tokens(sequence: Any) -> Any:
    """Tokens of a sequence as the model is given it.

    Args:
        sequence: float32 ``[batch, steps, classes]``, one-hot or zero at each step; or
            ``[batch, steps, 1]``, already tokens (`as_sequence`).

    Returns:
        int32 ``[batch, steps]``.
    """
    if sequence.shape[-1] == 1:
        return tf.cast(tf.squeeze(sequence, axis=-1), tf.int32)
    present = tf.cast(tf.reduce_max(sequence, axis=-1) > 0, tf.int32)
    return (tf.argmax(sequence, axis=-1, output_type=tf.int32) + 1) * present


def as_sequence(labels: Any) -> Any:
    """Labels of classes in the form in which ``MusicVAE.train`` takes, shifts and pads sequences.

    Args:
        labels: int32 or int64 ``[batch, steps]``; below 2**24, which float32 holds exactly.

    Returns:
        float32 ``[batch, steps, 1]``.
    """
    return tf.cast(labels[..., None] + 1, tf.float32)
