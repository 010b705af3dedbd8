"""Scheduled sampling: a decoder that reads, at some steps, what it would have said itself."""

from __future__ import annotations

from typing import Any

from pipeline.models.magenta import tf
from pipeline.models.randomness import loop_keys, sample_classes


class Draws:
    """Which steps are drawn, and what: as in ``magenta.contrib.seq2seq.ScheduledOutputTrainingHelper``.

    Args:
        probability: that a row's next token is drawn, float32 scalar.
        segments: how many the rows hold, one after the other; Magenta draws for each apart.
    """

    def __init__(self, probability: Any, segments: int) -> None:
        self._probability = probability
        self._keys = [(loop_keys(hashed=False), loop_keys()) for _ in range(segments)]

    def mixed(self, true: Any, logits: Any, time: int) -> Any:
        """The next tokens ``[rows]``: the true ones, some replaced by draws from the logits ``[rows, classes]``."""
        size = int(true.shape[0]) // len(self._keys)
        parts = []
        for number, (chooses, draws) in enumerate(self._keys):
            rows = slice(number * size, (number + 1) * size)
            uniform = tf.random.stateless_uniform([size], seed=chooses(time))
            chosen = tf.cast(tf.where(uniform < self._probability), tf.int32)
            drawn = sample_classes(tf.gather_nd(logits[rows], chosen), draws(time)) + 1
            parts.append(tf.tensor_scatter_nd_update(true[rows], chosen, drawn))
        return tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]
