"""Converts drum labels to the vectors that Magenta's models read and write."""

from __future__ import annotations

from typing import Any

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.magenta.api import tf


def expand_labels(labels: Any, windows: DrumWindows, *, roll: bool, no_hit: bool) -> Any:
    """Converts labels to the vectors of Magenta's ``DrumsConverter``.

    Args:
        labels: Labels, int32 or int64 ``[batch, steps]``; bit ``k`` is set if drum class ``k`` is hit.
        windows: Window spec with the drum classes.
        roll: Return one column per drum class. Otherwise one-hot vectors, ``2 ** classes`` wide.
        no_hit: Append the column of the encoder input that is 1 where no drum is hit. Only with ``roll``.

    Returns:
        Vectors, float32 ``[batch, steps, depth]``.
    """
    classes = len(windows.pitch_classes)
    if not roll:
        return tf.one_hot(labels, 2**classes, dtype=tf.float32)
    shifted = tf.bitwise.right_shift(labels[..., None], tf.range(classes, dtype=labels.dtype))
    hits = tf.cast(tf.bitwise.bitwise_and(shifted, 1), tf.float32)
    if not no_hit:
        return hits
    return tf.concat([hits, tf.cast(tf.equal(labels, 0), tf.float32)[..., None]], axis=-1)
