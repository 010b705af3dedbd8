"""The output of a GrooVAE: hits that are drawn or given, with their velocities and offsets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.draws import LOWEST_TEMPERATURE

Floats = npt.NDArray[np.float32]

# Mean velocity of a hit in the training split of the Groove MIDI Dataset (1 is MIDI velocity 127), and its weight as
# a prior in hits. The weight was chosen on the validation split with a small model that gives many hits a low
# probability: velocity MSE 0.160 without a correction, 0.083 with division alone, 0.073 with weight 0.1. Weights of
# 0.05 and 0.2 are no better.
MEAN_VELOCITY = 0.56
PRIOR_WEIGHT = 0.1

# Share of blanks in the decoder's inputs from which on a trained decoder plays without its own output
_MOSTLY_BLANK = 0.5


def reads_blanks(controls: str, hparams: Mapping[str, Any]) -> bool:
    """Returns True if the decoder of a GrooVAE reads zeros in place of its output of the step before.

    So it reads in training with the lever ``blank_inputs``. A decoder with the hits as conditioning input loses nothing
    by it. With its own velocities and offsets as input it takes them for those of a drummer, whose hits drift together,
    and exaggerates: on the validation split of the Groove MIDI Dataset the timing of ``humanize-2bar`` was off by 0.147
    instead of 0.138 of a sixteenth on average.

    Args:
        controls: Kind of the conditioning input (``OutputSpec.controls``).
        hparams: All hyperparameters, with the levers.
    """
    return controls == "hits" and hparams["blank_inputs"] >= _MOSTLY_BLANK


class GrooveChoice:
    """Hits drawn, likeliest or given, and the velocities and offsets; called by `decoder.Decoder.decode` for each step.

    Args:
        rows: Number of rows.
        steps: Number of steps.
        drums: Number of drum classes.
        temperature: Temperature of the hits; below `draws.LOWEST_TEMPERATURE` the likelier of hit and silence is taken,
            of equal ones silence.
        drawn: Random fractions, ``[rows, steps * drums]``; not read where the likelier is taken.
        given: Hits in place of the decoder's own, ``[rows, steps, drums]``, NaN where it draws; ``None``: it draws all.
        blank: The decoder reads zeros (`reads_blanks`).
        full: Velocity from which on hits are played with velocity 1 (the hyperparameter ``full_velocity_from``).
    """

    def __init__(
        self,
        rows: int,
        steps: int,
        drums: int,
        temperature: float,
        drawn: Floats | None,
        given: Floats | None = None,
        blank: bool = False,
        full: float = 1.0,
    ) -> None:
        self._drums, self._given, self._blank, self._full = drums, given, blank, np.float32(full)
        self._factor = np.float32(1 / max(temperature, LOWEST_TEMPERATURE))
        self._fractions = None if drawn is None else drawn.reshape(rows, steps, drums)
        self._raw, self._windows = (np.empty((steps, rows, 3 * drums), np.float32) for _ in range(2))

    @property
    def windows(self) -> Floats:
        """Hits, velocities (0 to 1) and offsets (-1 to 1), ``[rows, steps, 3 * drums]``."""
        return self._windows.transpose(1, 0, 2).copy()

    @property
    def is_finite(self) -> bool:
        """False if some output is infinite or not a number."""
        return bool(np.isfinite(self._raw).all())

    def __call__(self, step: int, outputs: Floats) -> Floats:
        """Stores hits, velocities and offsets of a step, from the outputs of the decoder.

        Returns:
            The decoder's next input, ``[rows, 3 * drums]``: what was stored, or zeros.
        """
        drums, window = self._drums, self._windows[step]
        self._raw[step] = outputs
        probabilities = sigmoid(outputs[:, :drums])
        if self._fractions is None:
            window[:, :drums] = outputs[:, :drums] > 0
        else:
            window[:, :drums] = self._fractions[:, step] < sigmoid(outputs[:, :drums] * self._factor)
        window[:, drums : 2 * drums] = sigmoid(outputs[:, drums : 2 * drums])
        window[:, 2 * drums :] = np.tanh(outputs[:, 2 * drums :])
        if self._given is not None:
            window[...] = with_hits(window, probabilities, self._given[:, step], knows_hits=self._blank)
        velocities = window[:, drums : 2 * drums]
        velocities[velocities >= self._full] = 1
        chosen: Floats = np.zeros_like(window) if self._blank else window
        return chosen


def sigmoid(values: Floats) -> Floats:
    """Returns the logistic function of numbers."""
    half = np.float32(0.5)
    logistic: Floats = half * np.tanh(half * values) + half
    return logistic


def with_hits(drawn: Floats, probabilities: Floats, given: Floats, *, knows_hits: bool = False) -> Floats:
    """Returns one step of a GrooVAE with given hits, and the velocities and offsets that belong to them.

    The model was trained with velocity and offset 0 for silent drums. So its velocity is the mean over hit and silence:
    P(hit) times the velocity of a hit. For a given hit the output is divided by P(hit), to undo this. Where P(hit) is
    low the quotient is unreliable, and an average hit with the weight of ``PRIOR_WEIGHT`` hits regularises it. Velocity
    and offset of a silent drum are 0, as in training.

    The velocities and offsets of a decoder that knows the hits are no such means, and stay as they are.

    Args:
        drawn: Output of the decoder, ``[rows, 3 * drums]``: hits, velocities (0 to 1) and offsets (-1 to 1).
        probabilities: Probabilities of hits, ``[rows, drums]``.
        given: Given hits, ``[rows, drums]``, 1 or 0; NaN where the drawn values stay.
        knows_hits: The hits are conditioning input of the decoder.
    """
    _, velocities, offsets = np.split(drawn, 3, axis=-1)
    if not knows_hits:
        weight = probabilities + np.float32(PRIOR_WEIGHT)
        velocities = np.minimum((velocities + np.float32(PRIOR_WEIGHT * MEAN_VELOCITY)) / weight, np.float32(1))
        offsets = np.clip(offsets / weight, np.float32(-1), np.float32(1))
    velocities, offsets = given * velocities, given * offsets
    conditioned = np.concatenate([given, velocities, offsets], axis=-1)
    return np.where(np.tile(np.isnan(given), 3), drawn, conditioned)
