"""Encodes windows to latent vectors and decodes latent vectors to windows with a checkpoint.

It replaces ``magenta.models.music_vae.trained_model.TrainedModel``. It adds a seed, controls for each window, and a
check of the checkpoint's sizes. It unpacks no archives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.configuration.own_hparams import FULL_VELOCITY
from gmd_vae.families import family_of
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.magenta.randomness import stateless_randomness
from gmd_vae.models.forward.groove import reads_blanks
from gmd_vae.models.inference.checkpoint_model import CheckpointModel
from gmd_vae.models.inference.conditioned_sampling import condition_decoder

Floats = npt.NDArray[np.float32]

# One size for every request: the random draws of a window depend on its row in the batch, so window 3 is the same in
# a request for 4 windows and in one for 400.
BATCH_SIZE = 64
_LOWEST_TEMPERATURE = 1e-9  # the likeliest step always wins; with less, float32 logits overflow


class Sampler(CheckpointModel):
    """A checkpoint that encodes and decodes. A context manager.

    Args:
        config: Config that the checkpoint was trained with.
        hparams: Its hyperparameters; the batch size is replaced.
        checkpoint: Prefix of the checkpoint, ours or Magenta's.
        seed: Seed of the decoder's sampling. Equal calls give equal output, whatever was called before.
        layers: Implementation of the layers. The precision is always fp32.

    Attributes:
        z_size: Size of a latent vector.
        converter: Magenta's converter of the config.
        control_depth: Columns of the conditioning input of each window (chords or hits); 0 for none.
        makes_labels: True if ``decode`` returns drum labels instead of the converter's tensors.
        layers: Implementation of encoder and decoder, for manifests.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or belongs to another config.
    """

    def __init__(
        self,
        config: Config,
        hparams: dict[str, Any],
        checkpoint: Path,
        seed: int,
        layers: Layers = ACCELERATED,
    ) -> None:
        built = build_config(config, hparams)
        self.converter = built.data_converter
        super().__init__(config, {**hparams, "batch_size": BATCH_SIZE}, checkpoint, layers)
        self._seed = seed
        self.control_depth: int = self.converter.control_depth
        output = family_of(config).output(config)
        self.makes_labels = output.is_label
        self._drums = output.given_hits
        self._blank, self._full = reads_blanks(output.controls, hparams), hparams[FULL_VELOCITY]
        self._steps: int = built.hparams.max_seq_len
        self.z_size: int = built.hparams.z_size
        self.converter.set_mode("infer")
        # with an encoding, from_tensors requires chords of each window, only to copy them into the NoteSequence
        self.converter._chord_encoding = None

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        """Function from padded inputs, lengths and controls of a batch to the posterior means; built on first use."""
        with tf.Graph().as_default():
            built, chosen = self._build()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            inputs = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.converter.input_depth])
            lengths = tf.placeholder(tf.int32, [BATCH_SIZE, *self.converter.length_shape])
            controls = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.control_depth])
            means = built.model.encode(inputs, lengths, controls if self.control_depth else None).loc
            run: Callable[..., Any] = self._restore(chosen).make_callable(means, [inputs, lengths, controls])
            return run

    @cached_property
    def _decoder(self) -> Callable[..., Any]:
        """Function from latent vectors, temperature, number of the batch, controls and hits to the decoded windows."""
        with tf.Graph().as_default():
            built, chosen = self._build()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, self.z_size])
            temperature, batch = tf.placeholder(tf.float32, []), tf.placeholder(tf.int64, [])
            controls = tf.placeholder(tf.float32, [BATCH_SIZE, self._steps, self.control_depth])
            hits = tf.placeholder(tf.float32, [BATCH_SIZE, self._steps, self._drums])
            if self.control_depth or self._drums:
                condition_decoder(
                    built.model.decoder, hits if self._drums else None, blank=self._blank, full=self._full
                )
            with stateless_randomness(self._seed, batch):
                if self.makes_labels and chosen.decoder_takes_tokens:
                    decoded = built.model.decoder.sample_tokens(BATCH_SIZE, z, temperature, self._steps) - 1
                else:
                    decoded, _ = built.model.sample(
                        BATCH_SIZE,
                        max_length=self._steps,
                        z=z,
                        c_input=controls if self.control_depth else None,
                        temperature=temperature,
                    )
                    if self.makes_labels:
                        decoded = tf.argmax(decoded, axis=-1, output_type=tf.int32)
            feeds = [z, temperature, batch, controls, hits]
            run: Callable[..., Any] = self._restore(chosen).make_callable(decoded, feeds)
            return run

    def encode(
        self,
        inputs: Sequence[npt.NDArray[Any]],
        lengths: Sequence[Any],
        controls: Sequence[npt.NDArray[Any]] | None = None,
    ) -> Floats:
        """Returns the posterior mean of each window.

        Args:
            inputs: Inputs of the encoder, each ``[steps, input_depth]``.
            lengths: Length of each window as the converter gives it: steps, or steps of each segment.
            controls: Conditioning input of each window, ``[steps, control_depth]``; required if ``control_depth``.

        Returns:
            Means, float32 ``[n, z_size]``.

        Raises:
            ValueError: The model needs controls, and there are none.
        """
        self._check_controls(controls)
        means = []
        for start in range(0, len(inputs), BATCH_SIZE):
            part, part_lengths = inputs[start : start + BATCH_SIZE], lengths[start : start + BATCH_SIZE]
            longest = max(len(window) for window in part)
            all_lengths = np.zeros([BATCH_SIZE, *self.converter.length_shape], np.int32)
            for i, length in enumerate(part_lengths):
                all_lengths[i] = np.reshape(length, self.converter.length_shape)  # one number may be a tuple
            part_controls = _part(controls, slice(start, start + BATCH_SIZE))
            mean = self._encoder(
                _batch(part, longest, self.converter.input_depth),
                all_lengths,
                _batch(part_controls, longest, self.control_depth),
            )
            means.append(mean[: len(part)])
        return np.concatenate(means)

    def decode(
        self,
        z: Floats,
        temperature: float,
        rows: range | None = None,
        controls: Sequence[npt.NDArray[Any]] | None = None,
        hits: Sequence[npt.NDArray[Any]] | None = None,
        places: Sequence[tuple[int, int]] | None = None,
    ) -> list[npt.NDArray[Any]]:
        """Samples one window for each latent vector.

        Args:
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the output distribution; towards 0 the likeliest step always wins.
            rows: Rows of ``z`` to decode; by default all. A row's window does not depend on the other rows.
            controls: Conditioning input of each row of ``z``, ``[steps, control_depth]``; required if
                ``control_depth``.
            hits: Hits of each row of ``z`` that replace those of a GrooVAE's decoder, float32 ``[steps, drums]``, NaN
                where the decoder draws. By default it draws all.
            places: Not read: TensorFlow's draws depend on the row of ``z``.

        Returns:
            One array for each row: labels, int32 ``[steps]``, if ``makes_labels``; else ``[steps, output_depth]``, the
            input of the converter's ``from_tensors``.

        Raises:
            ValueError: The model needs controls and there are none, or it takes no hits and there are some.
            GmdVaeError: The decoder's output is not finite.
        """
        self._check_controls(controls)
        if hits is not None and not self._drums:
            raise ValueError("hits are for GrooVAE")
        wanted = range(len(z)) if rows is None else rows
        windows: list[npt.NDArray[Any]] = []
        for batch in range(wanted.start // BATCH_SIZE, -(-wanted.stop // BATCH_SIZE)):
            first = batch * BATCH_SIZE
            part = slice(first, first + BATCH_SIZE)
            padded = np.zeros([BATCH_SIZE, self.z_size], np.float32)
            padded[: len(z[part])] = z[part]
            try:
                decoded = self._decoder(
                    padded,
                    max(temperature, _LOWEST_TEMPERATURE),
                    batch,
                    _batch(_part(controls, part), self._steps, self.control_depth),
                    _batch(_part(hits, part), self._steps, self._drums, np.nan),
                )
            except tf.errors.InvalidArgumentError:  # a draw from logits that are NaN is no index of a step
                raise GmdVaeError(
                    "The decoder's output is not finite: its weights or the latent vectors are damaged",
                    "Take another checkpoint, or other latent vectors.",
                ) from None
            windows.extend(decoded[max(wanted.start - first, 0) : wanted.stop - first])
        return windows

    def _check_controls(self, controls: Sequence[Any] | None) -> None:
        if self.control_depth and controls is None:
            raise ValueError("this model needs controls")

    def to_note_sequences(self, windows: Sequence[npt.NDArray[Any]]) -> list[Any]:
        """Converts decoded windows to NoteSequences with Magenta's converter.

        Args:
            windows: Windows from ``decode``, not labels.

        Returns:
            One NoteSequence for each window, at 120 quarter notes per minute.
        """
        sequences: list[Any] = self.converter.from_tensors(np.array(windows))
        return sequences


def _part(arrays: Sequence[npt.NDArray[Any]] | None, rows: slice) -> Sequence[npt.NDArray[Any]]:
    """Returns the arrays of some rows; none where there are no arrays."""
    return () if arrays is None else arrays[rows]


def _batch(windows: Sequence[npt.NDArray[Any]], steps: int, depth: int, filled: float = 0.0) -> Floats:
    """Returns windows of up to ``steps`` steps as one batch, float32 ``[BATCH_SIZE, steps, depth]``."""
    batch = np.full([BATCH_SIZE, steps, depth], filled, np.float32)
    for row, window in zip(batch, windows, strict=False):
        row[: len(window)] = window
    return batch
