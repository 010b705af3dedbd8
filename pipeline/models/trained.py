"""A trained model: windows to latent vectors, latent vectors to windows.

What ``magenta.models.music_vae.trained_model.TrainedModel`` does, with a seed, with the checkpoint's
sizes checked first, and without unpacking archives unchecked.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import GmdVaeError
from pipeline.models.magenta import build_config, tf
from pipeline.models.randomness import drawn_from
from pipeline.models.registry import Config
from pipeline.models.restore import check_fits, damage, graph_variables

Floats = npt.NDArray[np.float32]

# One size whatever the user asks for: the random numbers of an output depend on its place in the
# batch, so output 3 is the same whether 4 or 400 are made.
BATCH_SIZE = 16


class TrainedVae:
    """A model restored from a checkpoint. Use as a context manager.

    Args:
        config: the config it was trained with.
        hparams: its hyperparameters; the batch size is replaced.
        checkpoint: prefix of the checkpoint, ours or Magenta's.
        seed: of the decoder's sampling. The same call gives the same output, whatever was called before.

    Raises:
        GmdVaeError: the checkpoint is not of this config, or the config needs controls (chords).
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, seed: int) -> None:
        built = build_config(config, {**hparams, "batch_size": BATCH_SIZE})
        self.converter = built.data_converter
        if self.converter.control_depth:
            raise GmdVaeError(
                f"Config '{config.name}' generates to given chords or hits, which this version cannot pass yet",
                "Use a config without controls.",
            )
        self.converter.set_mode("infer")
        self._length = built.hparams.max_seq_len
        with tf.Graph().as_default() as graph:
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            self._temperature = tf.placeholder(tf.float32, [])
            self._z = tf.placeholder(tf.float32, [BATCH_SIZE, built.hparams.z_size])
            self._batch = tf.placeholder(tf.int64, [])
            with drawn_from(seed, self._batch):
                self._decoded, _ = built.model.sample(
                    BATCH_SIZE, max_length=self._length, z=self._z, temperature=self._temperature
                )
            self._inputs = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.converter.input_depth])
            self._lengths = tf.placeholder(tf.int32, [BATCH_SIZE, *self.converter.length_shape])
            posterior = built.model.encode(self._inputs, self._lengths)
            self._mean = posterior.loc
            check_fits(checkpoint, graph_variables())
            if reason := damage(checkpoint):
                raise GmdVaeError(
                    f"Checkpoint '{checkpoint}' cannot be read ({reason})",
                    "Give another one: RUN/best, RUN/latest, or an earlier step.",
                )
            self._session = tf.Session(graph=graph)
            tf.train.Saver().restore(self._session, str(checkpoint))
        self.z_size: int = built.hparams.z_size

    def __enter__(self) -> TrainedVae:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

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
            mean = self._session.run(self._mean, {self._inputs: padded, self._lengths: all_lengths})
            means.append(mean[: len(part)])
        return np.concatenate(means)

    def decode(self, z: Floats, temperature: float) -> list[npt.NDArray[Any]]:
        """Samples one window for each latent vector.

        Args:
            z: float32 ``[n, z_size]``.
            temperature: of the output distribution; towards 0 the likeliest step always wins.

        Returns:
            n arrays ``[steps, output_depth]``, as the converter's ``from_tensors`` takes them.
        """
        windows: list[npt.NDArray[Any]] = []
        for batch, start in enumerate(range(0, len(z), BATCH_SIZE)):
            part = z[start : start + BATCH_SIZE]
            padded = np.zeros([BATCH_SIZE, self.z_size], np.float32)
            padded[: len(part)] = part
            decoded = self._session.run(
                self._decoded, {self._z: padded, self._temperature: temperature, self._batch: batch}
            )
            windows.extend(decoded[: len(part)])
        return windows

    def to_note_sequences(self, windows: list[npt.NDArray[Any]]) -> list[Any]:
        """Decoded windows as NoteSequences, by Magenta's converter."""
        sequences: list[Any] = self.converter.from_tensors(np.array(windows))
        return sequences
