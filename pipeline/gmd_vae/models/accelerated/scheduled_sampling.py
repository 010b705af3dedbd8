"""Scheduled sampling: at random steps the decoder reads its own sample instead of the true token.

Source: Bengio et al. 2015, as implemented in ``magenta.contrib.seq2seq.ScheduledOutputTrainingHelper``. With the same
keys, all draws are equal to Magenta's.
"""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.magenta.random_keys import loop_keys
from gmd_vae.models.accelerated.random_draws import bernoulli_draws, categorical_draw
from gmd_vae.models.accelerated.raw_ops import add


class ScheduledSampling:
    """Random draws of scheduled sampling for one decoding.

    Args:
        probability: Probability that a token is replaced, float32 scalar.
        steps: Number of steps with a draw: all but the first.
        rows: Number of rows, segments times batch size.
        segments: Number of segments in the rows, one after the other. Magenta draws for each segment separately.
    """

    def __init__(self, probability: Any, steps: int, rows: int, segments: int) -> None:
        self._segments = [
            (bernoulli_draws(probability, rows // segments, loop_keys(steps, hashed=False)), loop_keys(steps))
            for _ in range(segments)
        ]
        self._one = tf.constant(1)

    def next_tokens(self, true_tokens: Any, logits: Any, time: int) -> Any:
        """Returns the tokens that the decoder reads next.

        Args:
            true_tokens: True tokens, int32 ``[rows]``.
            logits: Logits of the step before, float32 ``[rows, classes]``.
            time: Index of the step before.

        Returns:
            Tokens, int32 ``[rows]``: the true ones, some replaced by samples from the logits.
        """
        count = len(self._segments)
        parts = [(true_tokens, logits)]
        if count > 1:
            parts = list(zip(tf.split(true_tokens, count), tf.split(logits, count), strict=True))
        mixed = []
        for (replaced, keys), (segment_tokens, segment_logits) in zip(self._segments, parts, strict=True):
            rows = tf.raw_ops.Where(condition=replaced[time])
            samples = categorical_draw(tf.raw_ops.GatherNd(params=segment_logits, indices=rows), keys[time])
            tokens = add(samples, self._one)
            mixed.append(tf.raw_ops.TensorScatterUpdate(tensor=segment_tokens, indices=rows, updates=tokens))
        return tf.concat(mixed, axis=0) if len(mixed) > 1 else mixed[0]
