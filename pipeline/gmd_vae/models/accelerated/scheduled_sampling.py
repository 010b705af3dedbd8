"""Scheduled sampling: a decoder that reads, at some steps, what it would have said itself."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.magenta.randomness import choices, loop_keys, sample_classes
from gmd_vae.models.accelerated.raw_ops import add


class Draws:
    """Which steps are drawn, and what: as in ``magenta.contrib.seq2seq.ScheduledOutputTrainingHelper``.

    Args:
        probability: that a row's next token is drawn, float32 scalar.
        steps: how many.
        rows: how many.
        segments: how many the rows hold, one after the other; Magenta draws for each apart.
    """

    def __init__(self, probability: Any, steps: int, rows: int, segments: int) -> None:
        self._segments = [
            (choices(probability, rows // segments, loop_keys(steps, hashed=False)), loop_keys(steps))
            for _ in range(segments)
        ]
        self._one = tf.constant(1)

    def mixed(self, true: Any, logits: Any, time: int) -> Any:
        """The next tokens ``[rows]``: the true ones, some replaced by draws from the logits ``[rows, classes]``."""
        parts = [(true, logits)] if len(self._segments) == 1 else self._split(true, logits)
        mixed = []
        for (chosen, keys), (tokens, of_tokens) in zip(self._segments, parts, strict=True):
            rows = tf.raw_ops.Where(condition=chosen[time])
            drawn = sample_classes(tf.raw_ops.GatherNd(params=of_tokens, indices=rows), keys[time])
            updates = add(drawn, self._one)
            mixed.append(tf.raw_ops.TensorScatterUpdate(tensor=tokens, indices=rows, updates=updates))
        return tf.concat(mixed, axis=0) if len(mixed) > 1 else mixed[0]

    def _split(self, *tensors: Any) -> list[tuple[Any, ...]]:
        """The rows of each segment."""
        return list(zip(*(tf.split(tensor, len(self._segments)) for tensor in tensors), strict=True))
