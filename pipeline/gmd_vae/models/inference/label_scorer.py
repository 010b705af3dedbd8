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

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.core_decoder import StepOutputs
from gmd_vae.models.accelerated.tokens import labels_to_sequence
from gmd_vae.models.inference.checkpoint_model import RestoredVae
from gmd_vae.models.label_vectors import expand_labels

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]

BATCH_SIZE = 256  # rows of one run, windows or samples of them; what is left over is filled up


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the decoder makes of windows that it is told step by step (teacher forcing).

    Attributes:
        nats: float32 ``[n, steps]``, minus the log likelihood of each step given the true ones before it.
        likeliest: integers ``[n, steps]``, the likeliest label of each step given the true ones before it. Of a NADE,
            which decides drum by drum: each drum that is as likely as not, or likelier, given those decided before.
    """

    nats: Floats
    likeliest: Labels


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
        GmdVaeError: the checkpoint cannot be read, or is not of this config.
        ValueError: the config's windows are no drum labels.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers = ACCELERATED) -> None:
        self._windows = config.drum_windows
        # a bit for each drum class; what is no wider takes half the memory
        self._dtype = np.int32 if len(self._windows.pitch_classes) < 32 else np.int64
        teacher_forcing = {"sampling_schedule": "constant", "sampling_rate": 0.0}
        super().__init__(config, {**hparams, **teacher_forcing, "batch_size": BATCH_SIZE}, checkpoint, layers)

    def encode(self, labels: Labels) -> tuple[Floats, Floats]:
        """The posterior q(z|x) of each window, a diagonal Gaussian.

        Args:
            labels: ``[n, steps]``.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        parts = [self._encoder(_filled(part, self._dtype)) for part in _parts(labels)]
        means, scales = (np.concatenate(column)[: len(labels)] for column in zip(*parts, strict=True))
        return means, scales

    def score(self, labels: Labels, z: Floats) -> Scores:
        """The likelihood p(x|z) of each window, step by step.

        Args:
            labels: ``[n, steps]``.
            z: float32 ``[n, z_size]``, the latent vector of each.
        """
        parts = [
            self._scorer(_filled(part, self._dtype), _filled(vectors, np.float32))
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
            roll = self._windows.roll_output
            expanded = expand_labels(labels, self._windows, roll=roll, no_hit=False)
            target = labels_to_sequence(labels) if chosen.decoder_takes_tokens else expanded
            # what MusicVAE feeds a decoder: the step before; before the first one, nothing
            before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
            built.model.build(built.hparams, built.data_converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, built.hparams.z_size])
            *_, results = built.model.decoder.reconstruction_loss(before, target, lengths, z)
            if roll:
                steps = _steps_of_nade(built.model.decoder, results.rnn_output, expanded, labels)
            else:
                steps = results if isinstance(results, StepOutputs) else _steps_of_magenta(results.rnn_output, labels)
            run: Callable[..., Any] = self._restored(chosen).make_callable(steps, [labels, z])
            return run

    def _given(self) -> tuple[Any, Any]:
        """A batch's labels, and the length that all windows have."""
        return (
            tf.placeholder(self._dtype, [BATCH_SIZE, self._windows.steps]),
            tf.fill([BATCH_SIZE], self._windows.steps),
        )


def _steps_of_magenta(logits: Any, labels: Any) -> StepOutputs:
    """Of Magenta's decoders: logits ``[batch, steps, classes]``."""
    logits = tf.reshape(logits, [*labels.shape, logits.shape[-1]])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    return StepOutputs(losses, tf.argmax(logits, axis=-1, output_type=tf.int32))


def _steps_of_nade(decoder: Any, written: Any, rolls: Any, labels: Any) -> StepOutputs:
    """Of a ``MultiLabelRnnNadeDecoder``: what it wrote, ``[batch, steps, depth]``, sets the biases of its NADE."""
    nade, classes = decoder._nade, int(rolls.shape[-1])
    b_enc, b_dec = tf.split(tf.reshape(written, [-1, nade.num_hidden + classes]), [nade.num_hidden, classes], axis=1)
    log_probability, _ = nade.log_prob(tf.reshape(rolls, [-1, classes]), b_enc=b_enc, b_dec=b_dec)
    decided, _ = nade.sample(b_enc=b_enc, b_dec=b_dec)
    bits = tf.bitwise.left_shift(tf.cast(decided, labels.dtype), tf.range(classes, dtype=labels.dtype))
    return StepOutputs(
        tf.reshape(-log_probability, labels.shape), tf.reshape(tf.reduce_sum(bits, axis=1), labels.shape)
    )


def _parts(rows: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    return [rows[start : start + BATCH_SIZE] for start in range(0, len(rows), BATCH_SIZE)]


def _filled(rows: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A last batch that is not full: zeros behind it."""
    return np.pad(rows.astype(dtype), [(0, BATCH_SIZE - len(rows)), (0, 0)])
