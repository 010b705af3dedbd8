"""A trained model: windows to latent vectors, latent vectors to windows.

What ``magenta.models.music_vae.trained_model.TrainedModel`` does, with a seed, with the checkpoint's
sizes checked first, and without unpacking archives unchecked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import GmdVaeError
from pipeline.models.layers import ACCELERATED, Layers
from pipeline.models.magenta import build_config, tf
from pipeline.models.randomness import drawn_from
from pipeline.models.registry import Config, writes_labels
from pipeline.models.restored import RestoredVae

Floats = npt.NDArray[np.float32]

# One size whatever the user asks for: the random numbers of an output depend on its place in the
# batch, so output 3 is the same whether 4 or 400 are made.
BATCH_SIZE = 64


class TrainedVae(RestoredVae):
    """A model restored from a checkpoint. Use as a context manager.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters; the batch size is replaced.
        checkpoint: prefix of the checkpoint, ours or Magenta's.
        seed: of the decoder's sampling. The same call gives the same output, whatever was called before.
        layers: what computes the model; always in fp32.

    Attributes:
        z_size: of a latent vector.
        converter: Magenta's, of the config.
        makes_labels: whether `decode` gives drum labels rather than the converter's tensors.
        layers: what computes the model, for a manifest.

    Raises:
        GmdVaeError: the checkpoint cannot be read, is not of this config, or the config needs controls (chords).
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
        if self.converter.control_depth:
            raise GmdVaeError(
                f"Config '{config.name}' generates to given chords or hits, which this version cannot pass yet",
                "Use a config without controls.",
            )
        super().__init__(config, {**hparams, "batch_size": BATCH_SIZE}, checkpoint, layers)
        self._seed = seed
        self.makes_labels = writes_labels(config)
        self.z_size: int = built.hparams.z_size
        self.converter.set_mode("infer")

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        """From (padded inputs, lengths) of a batch to the posterior's means. Made when it is first needed."""
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            inputs = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.converter.input_depth])
            lengths = tf.placeholder(tf.int32, [BATCH_SIZE, *self.converter.length_shape])
            means = built.model.encode(inputs, lengths).loc
            run: Callable[..., Any] = self._restored(chosen).make_callable(means, [inputs, lengths])
            return run

    @cached_property
    def _decoder(self) -> Callable[..., Any]:
        """From (latent vectors, temperature, the batch's number) to the decoded windows. Made when it is needed."""
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, self.z_size])
            temperature, batch = tf.placeholder(tf.float32, []), tf.placeholder(tf.int64, [])
            steps = built.hparams.max_seq_len
            with drawn_from(self._seed, batch):
                if self.makes_labels and chosen.takes_tokens:
                    decoded = built.model.decoder.sample_tokens(BATCH_SIZE, z, temperature, steps) - 1
                else:
                    decoded, _ = built.model.sample(BATCH_SIZE, max_length=steps, z=z, temperature=temperature)
                    if self.makes_labels:
                        decoded = tf.argmax(decoded, axis=-1, output_type=tf.int32)
            run: Callable[..., Any] = self._restored(chosen).make_callable(decoded, [z, temperature, batch])
            return run

    def encode(self, inputs: list[npt.NDArray[Any]], lengths: list[Any]) -> Floats:
        """The mean of the posterior for each window.

        Args:
            inputs: encoder inputs, each ``[steps, input_depth]``.
            lengths: each window's length as the converter gives it: steps, or steps per segment.

        Returns:
            float32 ``[n, z_size]``.
        """
        means = []
        for start in range(0, len(inputs), BATCH_SIZE):
            part, part_lengths = inputs[start : start + BATCH_SIZE], lengths[start : start + BATCH_SIZE]
            longest = max(len(window) for window in part)
            padded = np.zeros([BATCH_SIZE, longest, self.converter.input_depth], np.float32)
            all_lengths = np.zeros([BATCH_SIZE, *self.converter.length_shape], np.int32)
            for i, (window, length) in enumerate(zip(part, part_lengths, strict=True)):
                padded[i, : len(window)] = window
                all_lengths[i] = length
            mean = self._encoder(padded, all_lengths)
            means.append(mean[: len(part)])
        return np.concatenate(means)

    def decode(self, z: Floats, temperature: float, rows: range | None = None) -> list[npt.NDArray[Any]]:
        """Samples one window for each latent vector.

        Args:
            z: float32 ``[n, z_size]``.
            temperature: of the output distribution; towards 0 the likeliest step always wins.
            rows: of ``z``, those to decode; by default all. They come out as among all the others.

        Returns:
            One array for each row: labels, int32 ``[steps]``, of a config that `makes_labels`; for others
            ``[steps, output_depth]``, as the converter's ``from_tensors`` takes them.
        """
        wanted = range(len(z)) if rows is None else rows
        windows: list[npt.NDArray[Any]] = []
        for batch in range(wanted.start // BATCH_SIZE, -(-wanted.stop // BATCH_SIZE)):
            first = batch * BATCH_SIZE
            part = z[first : first + BATCH_SIZE]
            padded = np.zeros([BATCH_SIZE, self.z_size], np.float32)
            padded[: len(part)] = part
            decoded = self._decoder(padded, temperature, batch)
            windows.extend(decoded[max(wanted.start - first, 0) : wanted.stop - first])
        return windows

    def to_note_sequences(self, windows: list[npt.NDArray[Any]]) -> list[Any]:
        """Decoded windows that are not labels as NoteSequences, by Magenta's converter."""
        sequences: list[Any] = self.converter.from_tensors(np.array(windows))
        return sequences
