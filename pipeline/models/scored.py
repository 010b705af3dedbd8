"""A trained drum model as a probability distribution: posteriors, and the likelihood of every step.

``models.trained`` makes music with a checkpoint; this looks at what the checkpoint knows. Latent vectors
go in and out as arrays, so that whoever evaluates decides which one a window is decoded from.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.models.accelerated.core import Steps
from pipeline.models.accelerated.tokens import as_sequence
from pipeline.models.labels import expand_labels
from pipeline.models.layers import ACCELERATED, Layers
from pipeline.models.magenta import tf
from pipeline.models.registry import Config, label_windows
from pipeline.models.restored import RestoredVae

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]

BATCH_SIZE = 256  # rows of one run, windows or samples of them; what is left over is filled up


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the decoder makes of windows that it is told step by step (teacher forcing).

    Attributes:
        nats: float32 ``[n, steps]``, minus the log likelihood of each step given the true ones before it.
        likeliest: int32 ``[n, steps]``, the likeliest label of each step given the true ones before it.
    """

    nats: Floats
    likeliest: npt.NDArray[np.int32]


class ScoredVae(RestoredVae):
    """A drum model restored from a checkpoint. Use as a context manager.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters; batch size and scheduled sampling are replaced.
        checkpoint: prefix of the checkpoint, ours or Magenta's.
        layers: what computes the model; always in fp32.

    Attributes:
        layers: what computes the model, for a manifest.

    Raises:
        GmdVaeError: the checkpoint cannot be read, is not of this config, or the config's output is
            not one drum label a step.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers = ACCELERATED) -> None:
        self._windows = label_windows(config)
        teacher_forcing = {"sampling_schedule": "constant", "sampling_rate": 0.0}
        super().__init__(config, {**hparams, **teacher_forcing, "batch_size": BATCH_SIZE}, checkpoint, layers)

    def encode(self, labels: Labels) -> tuple[Floats, Floats]:
        """The posterior q(z|x) of each window, a diagonal Gaussian.

        Args:
            labels: ``[n, steps]``.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        parts = [self._encoder(_filled(part, np.int32)) for part in _parts(labels)]
        means, scales = (np.concatenate(column)[: len(labels)] for column in zip(*parts, strict=True))
        return means, scales

    def score(self, labels: Labels, z: Floats) -> Scores:
        """The likelihood p(x|z) of each window, step by step.

        Args:
            labels: ``[n, steps]``.
            z: float32 ``[n, z_size]``, the latent vector of each.
        """
        parts = [
            self._scorer(_filled(part, np.int32), _filled(vectors, np.float32))
            for part, vectors in zip(_parts(labels), _parts(z), strict=True)
        ]
        nats, likeliest = (np.concatenate(column)[: len(labels)] for column in zip(*parts, strict=True))
        return Scores(nats, likeliest)

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._built()
            labels, lengths = self._given()
            inputs = expand_labels(labels, self._windows, roll=self._windows.roll_input, no_hit=True)
            built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            posterior = built.model.encode(inputs, lengths)
            fetched = (posterior.loc, posterior.stddev())
            run: Callable[..., Any] = self._restored(chosen).make_callable(fetched, [labels])
            return run

    @cached_property
    def _scorer(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._built()
            labels, lengths = self._given()
            one_hot = expand_labels(labels, self._windows, roll=False, no_hit=False)
            target = as_sequence(labels) if chosen.takes_tokens else one_hot
            # what MusicVAE feeds a decoder: the step before; before the first one, nothing
            before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
            built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, built.hparams.z_size])
            *_, results = built.model.decoder.reconstruction_loss(before, target, lengths, z)
            steps = results if isinstance(results, Steps) else _steps_of_magenta(results.rnn_output, labels)
            run: Callable[..., Any] = self._restored(chosen).make_callable(steps, [labels, z])
            return run

    def _given(self) -> tuple[Any, Any]:
        """A batch's labels, and the length that all windows have."""
        return (
            tf.placeholder(tf.int32, [BATCH_SIZE, self._windows.steps]),
            tf.fill([BATCH_SIZE], self._windows.steps),
        )


def _steps_of_magenta(logits: Any, labels: Any) -> Steps:
    """Of Magenta's decoders: logits ``[batch, steps, classes]``."""
    logits = tf.reshape(logits, [*labels.shape, logits.shape[-1]])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return Steps(losses, tf.argmax(logits, axis=-1, output_type=tf.int32))


def _parts(rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    return [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]


def _filled(rows: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A last batch that is not full: zeros behind it."""
    return np.pad(rows.astype(dtype), [(0, BATCH_SIZE - len(rows)), (0, 0)])
