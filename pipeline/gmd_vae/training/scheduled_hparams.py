"""Schedules of the levers in the training graph: Magenta's hyperparameters as tensors of the step.

Magenta's model computes β and the learning rate from ``hparams`` when the loss is built, and shows both as summaries.
With tensors in the place of some numbers its own code computes ours. The free bits get a summary of their own.
``configuration/schedules.py`` has the formulas.
"""

from __future__ import annotations

import copy
import math
from typing import Any

from gmd_vae.configuration.own_hparams import PLANNED
from gmd_vae.configuration.schedules import COOLDOWN_BEGINS, warm_up_steps
from gmd_vae.magenta.api import tf


def schedule_hparams(model: Any, hparams: dict[str, Any], num_steps: int) -> None:
    """Replaces numbers in a model's hyperparameters by tensors of its global step; nothing where all levers are off.

    Args:
        model: Magenta's ``MusicVAE``, built, and its loss not yet. It gets a copy of its ``HParams``: encoder and
            decoder keep the numbers, and hierarchical decoders copy them deeply, as tensors cannot be.
        hparams: All hyperparameters, ours included.
        num_steps: Number of steps of a planned schedule of the learning rate.
    """
    step = model.global_step
    built = copy.copy(model.hparams)
    if hparams["beta_warm_up_steps"]:
        built.max_beta = hparams["max_beta"] * tf.minimum(1.0, _float(step) / hparams["beta_warm_up_steps"])
    if hparams["free_bits_until"]:
        built.free_bits = hparams["free_bits"] * tf.maximum(0.0, 1.0 - _float(step) / hparams["free_bits_until"])
        tf.summary.scalar("losses/free_bits", built.free_bits)
    if hparams["warm_up_steps"] or hparams["learning_rate_schedule"] in PLANNED:
        rate = _learning_rate(hparams, _float(step), num_steps)
        # Magenta computes (learning_rate - min_learning_rate) * decay_rate ** step + min_learning_rate
        built.learning_rate, built.min_learning_rate, built.decay_rate = rate, 0.0, 1.0
    model._hparams = built


def _learning_rate(hparams: dict[str, Any], step: Any, num_steps: int) -> Any:
    """Returns the learning rate, float32 scalar; see ``schedules.learning_rate``."""
    lowest, warm_up = hparams["min_learning_rate"], warm_up_steps(hparams, num_steps)
    done = tf.clip_by_value((step - warm_up) / max(1, num_steps - warm_up), 0.0, 1.0)
    if hparams["learning_rate_schedule"] == "cosine":
        share = (1.0 + tf.cos(math.pi * done)) / 2.0
    elif hparams["learning_rate_schedule"] == "cooldown":
        share = 1.0 - tf.sqrt(tf.maximum(done - COOLDOWN_BEGINS, 0.0) / (1.0 - COOLDOWN_BEGINS))
    else:
        share = tf.pow(hparams["decay_rate"], step)
    rate = (hparams["learning_rate"] - lowest) * share + lowest
    return rate * tf.minimum(1.0, (step + 1.0) / warm_up) if warm_up else rate


def _float(step: Any) -> Any:
    return tf.cast(step, tf.float32)
