"""Wider velocities and timing of the decoder's target, for GrooVAE.

GrooVAE's velocities and offsets minimise a squared error, so they are means of what drummers play, and vary less than
drummers do. The mean of exaggerated playing is an exaggerated mean: trained on a target whose distances from the
window's mean are larger (``widen_velocities``, ``widen_timing``), the model plays that much wider. How loud a window
is, and how early, stays.

Velocities of 127 are censored (Tobin 1958): a pad gives 127 for every stroke from some force on.
``raise_full_velocities`` sets them above 127, so that the mean of strokes of which most are full is full too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gmd_vae.configuration.own_hparams import PLAYING_LEVERS
from gmd_vae.magenta.api import tf

VELOCITY, FULL, TIMING = PLAYING_LEVERS
_FULL = 126.5 / 127  # velocities above it are 127


def widen_playing(cells: Any, levers: Mapping[str, Any]) -> Any:
    """Returns a target whose velocities and offsets at hits lie farther from their mean over the window.

    They can leave the range that the decoder can write. With them cut off, the target's mean would be narrower again.

    Args:
        cells: Hits, velocities and offsets, float32 ``[batch, steps, 3, voices]``.
        levers: All hyperparameters; two levers are the parts by which the distances grow, one is added to velocities
            of 127.

    Returns:
        Float32 of the same shape. Hits are as before, and so is everything where no drum is hit.
    """
    hits, velocities, offsets = tf.unstack(cells, axis=2)
    count = tf.maximum(_window_sums(hits), 1.0)

    def widened(values: Any, part: float) -> Any:
        return values + part * hits * (values - _window_sums(values * hits) / count)

    louder = levers[FULL] * hits * tf.cast(velocities > _FULL, tf.float32)
    return tf.stack([hits, widened(velocities, levers[VELOCITY]) + louder, widened(offsets, levers[TIMING])], axis=2)


def _window_sums(values: Any) -> Any:
    """Returns the sum of each window, float32 ``[batch, 1, 1]``."""
    return tf.reduce_sum(values, axis=[1, 2], keepdims=True)
