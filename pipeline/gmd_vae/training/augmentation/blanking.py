"""Blanked decoder inputs (word dropout): the decoder has to read the past from z.

Source: Bowman et al. 2016, "Generating Sentences from a Continuous Space".
"""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.training.augmentation.batch_draws import BatchDraws


def blank_decoder_inputs(model: Any, probability: float, steps: int, draws: BatchDraws) -> None:
    """Makes a model's decoder read zeros instead of the step before, with a probability, when the loss is computed.

    A zero row, as a token 0, is the input of the first step, where there is no step before. Steps of several streams
    are blanked together. Conditioning input is never blanked, nor what the decoder reads of its own output in scheduled
    sampling. Magenta's decoders and the accelerated ones get their inputs from the same argument.

    Args:
        model: A ``MusicVAE`` whose decoder is built.
        probability: Probability of a blank at each step.
        steps: Number of steps of the longest window.
        draws: Random numbers of the batch.
    """
    reconstruction_loss = model.decoder.reconstruction_loss

    def with_blanks(x_input: Any, *arguments: Any) -> Any:
        is_read = draws.uniform(steps) >= probability
        mask = tf.cast(is_read[:, : tf.shape(x_input)[1], None], x_input.dtype)
        return reconstruction_loss(x_input * mask, *arguments)

    model.decoder.reconstruction_loss = with_blanks
