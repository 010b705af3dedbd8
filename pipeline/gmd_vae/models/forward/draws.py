"""Random numbers by seed, file, window and step, and the choice of labels from logits.

``common.counter_random`` has the generator: number ``k`` of a window depends on the seed, the file, the window and
``k`` alone. Its upper 24 bits are the fraction that decides draw ``k``: of drum labels step ``k``, of a GrooVAE step
``k // 9`` and drum ``k % 9``.

A label is drawn by the inverse of the cumulative distribution: the first label at which the sum of the probabilities,
from label 0 on, is greater than the fraction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gmd_vae.common.counter_random import STEPS, integers

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

LOWEST_TEMPERATURE = 1e-9  # below it the likeliest label is taken: float32 has no smaller steps to lose


def fractions(seed: int, places: Sequence[tuple[int, int]], count: int) -> Floats:
    """Returns random fractions, at least 0 and less than 1.

    Args:
        seed: Any integer.
        places: File and window of each row, from 0 on.
        count: Fractions of each window.

    Returns:
        Float32 ``[rows, count]``, multiples of 2 ** -24.
    """
    drawn = integers(seed, STEPS, places, count)
    return (drawn >> np.uint64(40)).astype(np.float32) * np.float32(2**-24)


class LabelChoice:
    """Labels drawn from a softmax, or the likeliest; called by `decoder.Decoder.decode` for each step.

    Args:
        rows: Number of rows.
        steps: Number of steps.
        temperature: Temperature of the softmax; below `LOWEST_TEMPERATURE` the likeliest label is taken, of equal ones
            the first.
        drawn: Random fractions, ``[rows, steps]``; not read where the likeliest label is taken.

    Attributes:
        windows: The labels so far, int32 ``[rows, steps]``.
    """

    def __init__(self, rows: int, steps: int, temperature: float, drawn: Floats | None) -> None:
        self.windows = np.empty((rows, steps), np.int32)
        self._largest = np.empty((steps, rows), np.float32)
        self._factor = np.full((), 1 / max(temperature, LOWEST_TEMPERATURE), np.float32)
        self._fractions = None if drawn is None else np.ascontiguousarray(drawn.T)[..., None]
        self._weights: Floats | None = None

    @property
    def is_finite(self) -> bool:
        """False if some logits were infinite or not a number."""
        return bool(np.isfinite(self._largest).all())

    def __call__(self, step: int, logits: Floats) -> Labels:
        """Returns the labels of a step, int64 ``[rows]``."""
        largest = self._largest[step]
        np.maximum.reduce(logits, 1, None, largest)
        if self._fractions is None:
            chosen: Labels = logits.argmax(1)
        else:
            if self._weights is None:
                self._weights, self._sums = np.empty_like(logits), np.empty_like(logits)
                self._beyond = np.empty(logits.shape, bool)
            weights, sums = self._weights, self._sums
            np.subtract(logits, largest[:, None], weights)
            np.multiply(weights, self._factor, weights)
            np.exp(weights, weights)
            np.add.accumulate(weights, 1, None, sums)
            # float32 keeps the product below the last sum: a fraction is at most 1 - 2 ** -24
            np.greater(sums, self._fractions[step] * sums[:, -1:], self._beyond)
            chosen = self._beyond.argmax(1)
        self.windows[:, step] = chosen
        return chosen
