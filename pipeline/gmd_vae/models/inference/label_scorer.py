"""A trained drum model as a probability distribution: posteriors, and the likelihood of every step.

``sampler.py`` decodes with the same checkpoint. Latent vectors are arguments, so that the caller chooses the z that a
window is scored with.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.core_decoder import StepOutputs
from gmd_vae.models.accelerated.tokens import labels_to_sequence
from gmd_vae.models.elbo_terms import TEACHER_FORCING
from gmd_vae.models.inference.checkpoint_model import CheckpointModel
from gmd_vae.models.inference.scorer import StepScores
from gmd_vae.models.label_vectors import expand_labels

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]

BATCH_SIZE = 256  # windows per batch; the last batch is padded


class LabelScorer(CheckpointModel):
    """A scorer of drum labels, restored from a checkpoint. Use as a context manager.

    Args:
        config: Config that the checkpoint was trained with.
        hparams: Its hyperparameters; batch size and scheduled sampling are replaced.
        checkpoint: Prefix of the checkpoint, ours or Magenta's.
        layers: Implementation of the layers, always in fp32.

    Attributes:
        layers: Description of the layers, for a manifest.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit the config.
        ValueError: The config's windows are no drum labels.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers = ACCELERATED) -> None:
        self._windows = config.drum_windows
        # one bit for each drum class; int32 takes half the memory where it is wide enough
        self._dtype = np.int32 if len(self._windows.pitch_classes) < 32 else np.int64
        super().__init__(config, {**hparams, **TEACHER_FORCING, "batch_size": BATCH_SIZE}, checkpoint, layers)

    def encode(self, windows: Labels) -> tuple[Floats, Floats]:
        """Computes the posterior q(z|x) of each window, a diagonal Gaussian.

        Args:
            windows: Labels, ``[n, steps]``.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        parts = [self._encoder(_padded(part, self._dtype)) for part in _batches(windows)]
        means, scales = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return means, scales

    def score(self, windows: Labels, z: Floats) -> StepScores:
        """Computes the likelihood p(x|z) of each window, step by step, under teacher forcing.

        Args:
            windows: Labels, ``[n, steps]``.
            z: Latent vector of each window, float32 ``[n, z_size]``.
        """
        parts = [
            self._scorer(_padded(part, self._dtype), _padded(vectors, np.float32))
            for part, vectors in zip(_batches(windows), _batches(z), strict=True)
        ]
        nats, likeliest = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return StepScores({"steps": nats}, likeliest)

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._build()
            labels, lengths = self._placeholders()
            inputs = expand_labels(labels, self._windows, roll=self._windows.roll_input, no_hit=True)
            built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            posterior = built.model.encode(inputs, lengths)
            fetched = (posterior.loc, posterior.stddev())
            run: Callable[..., Any] = self._restore(chosen).make_callable(fetched, [labels])
            return run

    @cached_property
    def _scorer(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._build()
            labels, lengths = self._placeholders()
            expanded = expand_labels(labels, self._windows, roll=self._windows.roll_output, no_hit=False)
            target = labels_to_sequence(labels) if chosen.decoder_takes_tokens else expanded
            # MusicVAE's decoder input is the target one step earlier, with zeros at the first step
            before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
            built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, built.hparams.z_size])
            *_, results = built.model.decoder.reconstruction_loss(before, target, lengths, z)
            steps = self._step_outputs(results, expanded, labels, built.model.decoder)
            run: Callable[..., Any] = self._restore(chosen).make_callable(steps, [labels, z])
            return run

    def _step_outputs(self, results: Any, target: Any, labels: Any, decoder: Any) -> StepOutputs:
        """Returns the loss and the likeliest label of each step.

        Args:
            results: Results of the decoder's ``reconstruction_loss``.
            target: True windows as the decoder writes them, ``[batch, steps, output_depth]``.
            labels: True windows, ``[batch, steps]``.
            decoder: The decoder.
        """
        if isinstance(results, StepOutputs):  # from our layers
            return results
        logits = tf.reshape(results.rnn_output, [*labels.shape, results.rnn_output.shape[-1]])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return StepOutputs(losses, tf.argmax(logits, axis=-1, output_type=tf.int32))

    def _placeholders(self) -> tuple[Any, Any]:
        """Returns a batch's labels and lengths; all windows have the same length."""
        return (
            tf.placeholder(self._dtype, [BATCH_SIZE, self._windows.steps]),
            tf.fill([BATCH_SIZE], self._windows.steps),
        )


class NadeScorer(LabelScorer):
    """A scorer of drum labels whose decoder is Magenta's ``MultiLabelRnnNadeDecoder``."""

    def _step_outputs(self, results: Any, target: Any, labels: Any, decoder: Any) -> StepOutputs:
        """Returns losses and decided labels; the RNN output ``[batch, steps, depth]`` holds the NADE's biases."""
        nade, classes = decoder._nade, int(target.shape[-1])
        biases = tf.reshape(results.rnn_output, [-1, nade.num_hidden + classes])
        b_enc, b_dec = tf.split(biases, [nade.num_hidden, classes], axis=1)
        log_probability, _ = nade.log_prob(tf.reshape(target, [-1, classes]), b_enc=b_enc, b_dec=b_dec)
        decided, _ = nade.sample(b_enc=b_enc, b_dec=b_dec)
        bits = tf.bitwise.left_shift(tf.cast(decided, labels.dtype), tf.range(classes, dtype=labels.dtype))
        decided_labels = tf.reduce_sum(bits, axis=1)
        return StepOutputs(tf.reshape(-log_probability, labels.shape), tf.reshape(decided_labels, labels.shape))


def _batches(rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    return [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]


def _padded(rows: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Pads a batch with zeros to the full size."""
    return np.pad(rows.astype(dtype), [(0, BATCH_SIZE - len(rows)), (0, 0)])
