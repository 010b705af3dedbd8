"""Drum labels as the vectors that Magenta's models read and write."""

from __future__ import annotations

from typing import Any

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.magenta.api import tf


def expand_labels(labels: Any, windows: DrumWindows, *, roll: bool, no_hit: bool) -> Any:
    """Labels as the vectors that ``DrumsConverter`` makes of them.

    Args:
        labels: int32 or int64 ``[batch, steps]``.
        windows: says how many drum classes there are.
        roll: one column a drum class; otherwise one-hot, ``2 ** classes`` wide.
        no_hit: adds to a roll the last column that says "no drum here", as the encoder's input has.

    Returns:
        float32 ``[batch, steps, depth]``.
    """
    classes = len(windows.pitch_classes)
    if not roll:
        return tf.one_hot(labels, 2**classes, dtype=tf.float32)
    shifted = tf.bitwise.right_shift(labels[..., None], tf.range(classes, dtype=labels.dtype))
    hits = tf.cast(tf.bitwise.bitwise_and(shifted, 1), tf.float32)
    if not no_hit:
        return hits
    return tf.concat([hits, tf.cast(tf.equal(labels, 0), tf.float32)[..., None]], axis=-1)
