"""Random numbers for the windows of a training batch: functions of seed, step and position in the batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gmd_vae.configuration.own_hparams import DRUM_LEVERS
from gmd_vae.magenta.api import tf
from gmd_vae.magenta.random_keys import RandomKeys

_RNG_STREAM = 2_000_000  # differs from the streams of all training processes and of validation


class BatchDraws:
    """Source of random numbers for the levers of one training graph.

    A process of a cluster draws for the whole batch and keeps its own rows. So a window gets the same numbers in a
    cluster of any size, and after a restart. Spare workers, whose rows lie behind the batch, draw those of its first
    rows.

    Args:
        seed: Seed of the run.
        step: Training step, int64 scalar.
        batch_size: Number of windows in the batch of all processes.
        first_row: Position of this process's first window in the batch.
        size: Number of windows of this process.

    Attributes:
        size: As above.
    """

    def __init__(self, seed: int, step: Any, batch_size: int, first_row: int, size: int) -> None:
        self._keys = RandomKeys(seed, step, _RNG_STREAM)
        self._batch_size, self._first_row, self.size = batch_size, first_row % batch_size, size

    def uniform(self, *shape: int) -> Any:
        """Returns numbers from 0 to below 1, float32 ``[size, *shape]``; each call draws others."""
        numbers = tf.random.stateless_uniform([self._batch_size, *shape], seed=self._keys.next_key())
        return numbers[self._first_row : self._first_row + self.size]

    def happens(self, probability: float, *shape: int) -> Any:
        """Returns True with a probability, bool ``[size, *shape]``."""
        return self.uniform(*shape) < probability

    def integers(self, count: Any, *shape: int) -> Any:
        """Returns whole numbers from 0 to below ``count``, int32 ``[size, *shape]``.

        Args:
            count: Number, or int32 tensor that broadcasts to the result.
            *shape: Dimensions after the first one.
        """
        # the largest number is 1 - 2**-23, whose product with a count is below the count in float32
        return tf.cast(self.uniform(*shape) * tf.cast(count, tf.float32), tf.int32)

    def others(self) -> Any:
        """Returns for each window the position of another one in the whole batch, all equally likely, int32 ``[size]``.

        In a batch of one window it is that window.
        """
        own = tf.range(self._first_row, self._first_row + self.size)
        return (own + 1 + self.integers(max(1, self._batch_size - 1))) % self._batch_size


class Augmentation:
    """Levers of a run, with the random numbers and the other windows that they need.

    Args:
        levers: All hyperparameters; those of ``configuration/own_hparams.py`` are read.
        draws: Random numbers of the batch.
        batch_rows: Table rows of the windows of the whole batch, int64 ``[batch]``.

    Attributes:
        levers: As above.
        draws: As above.
    """

    def __init__(self, levers: Mapping[str, Any], draws: BatchDraws, batch_rows: Any) -> None:
        self.levers, self.draws, self._batch_rows = levers, draws, batch_rows

    @property
    def changes_drums(self) -> bool:
        """True if a lever of drum windows is on."""
        return any(self.levers[name] for name in DRUM_LEVERS)

    def partner_rows(self) -> Any:
        """Returns the table rows of the windows to mix with, int64 ``[size]``; ``None`` if no lever mixes windows."""
        mixes = self.levers["mix_windows"] or self.levers["mix_bars"]
        return tf.gather(self._batch_rows, self.draws.others()) if mixes else None
