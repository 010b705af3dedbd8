"""The encoder's input of a GrooVAE as a function of its output, as Magenta's ``GrooveConverter`` makes it.

A change of the output at random (`drum_voices`) changes the input too.
"""

from __future__ import annotations

from typing import Any

from gmd_vae.families.groove_columns import TAPPED, Groove
from gmd_vae.magenta.api import tf


def input_cells(outputs: Any, groove: Groove) -> Any:
    """Returns the encoder's input for a task (``GrooveConverter.to_tensors``).

    Args:
        outputs: Hits, velocities and offsets, float32 ``[batch, steps, 3, voices]``.
        groove: The task.

    Returns:
        Float32 of the same shape. ``humanize``: the hits alone. ``tap``: the hit and the offset of the loudest voice at
        each step, in the voice ``TAPPED``. ``add``: without the voices to add. Else all of the output.
    """
    voices = int(outputs.shape[-1])
    if groove.task == "humanize":
        return outputs * tf.constant([1.0, 0.0, 0.0])[:, None]
    if groove.task == "tap":
        loudest = tf.argmax(outputs[:, :, 1], axis=-1)  # the first one of equals, as NumPy's
        tapped = tf.gather(outputs, loudest[:, :, None], axis=3, batch_dims=2)  # [batch, steps, 3, 1]
        return tapped * tf.constant([1.0, 0.0, 1.0])[:, None] * tf.one_hot(TAPPED, voices)
    if groove.task == "add":
        kept = [float(voice not in groove.added) for voice in range(voices)]
        return outputs * tf.constant(kept)
    return outputs
