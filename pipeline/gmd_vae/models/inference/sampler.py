"""A trained model: windows to latent vectors, latent vectors to windows.

What ``magenta.models.music_vae.trained_model.TrainedModel`` does, with a seed, with controls for each window,
with the checkpoint's sizes checked first, and without unpacking archives unchecked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.families.output_spec import output_of
from gmd_vae.magenta.api import build_config, tf
from gmd_vae.magenta.randomness import stateless_randomness
from gmd_vae.models.inference.checkpoint_model import RestoredVae
from gmd_vae.models.inference.conditioned_sampling import steer

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
        control_depth: columns of the controls that it needs with each window (chords or hits); 0 for none.
        makes_labels: whether `decode` gives drum labels rather than the converter's tensors.
        layers: what computes the model, for a manifest.

    Raises:
        GmdVaeError: the checkpoint cannot be read, or is not of this config.
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
        self.makes_labels = output_of(config).kind == "labels"
        # columns of hits, velocities and offsets each, of GrooVAE's output
        self._drums = self.converter.output_depth // 3 if output_of(config).kind == "groove" else 0
        self._steps: int = built.hparams.max_seq_len
        self.z_size: int = built.hparams.z_size
        self.converter.set_mode("infer")
        # a converter with chords asks for those of each window to make notes, only to write them beside the notes
        self.converter._chord_encoding = None

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        """From (padded inputs, lengths, controls) of a batch to the posterior's means. Made when it is first needed."""
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            inputs = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.converter.input_depth])
            lengths = tf.placeholder(tf.int32, [BATCH_SIZE, *self.converter.length_shape])
            controls = tf.placeholder(tf.float32, [BATCH_SIZE, None, self.control_depth])
            means = built.model.encode(inputs, lengths, controls if self.control_depth else None).loc
            run: Callable[..., Any] = self._restored(chosen).make_callable(means, [inputs, lengths, controls])
            return run

    @cached_property
    def _decoder(self) -> Callable[..., Any]:
        """From (latent vectors, temperature, the batch's number, controls, hits) to the decoded windows."""
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self.converter.output_depth, is_training=False)
            z = tf.placeholder(tf.float32, [BATCH_SIZE, self.z_size])
            temperature, batch = tf.placeholder(tf.float32, []), tf.placeholder(tf.int64, [])
            controls = tf.placeholder(tf.float32, [BATCH_SIZE, self._steps, self.control_depth])
            hits = tf.placeholder(tf.float32, [BATCH_SIZE, self._steps, self._drums])
            if self.control_depth or self._drums:
                steer(built.model.decoder, hits if self._drums else None)
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
            run: Callable[..., Any] = self._restored(chosen).make_callable(decoded, feeds)
            return run

    def encode(
        self,
        inputs: Sequence[npt.NDArray[Any]],
        lengths: Sequence[Any],
        controls: Sequence[npt.NDArray[Any]] | None = None,
    ) -> Floats:
        """The mean of the posterior for each window.

        Args:
            inputs: encoder inputs, each ``[steps, input_depth]``.
            lengths: each window's length as the converter gives it: steps, or steps per segment.
            controls: of each window ``[steps, control_depth]``, where the model needs them.

        Returns:
            float32 ``[n, z_size]``.

        Raises:
            ValueError: it needs controls and gets none.
        """
        self._check_controls(controls)
        means = []
        for start in range(0, len(inputs), BATCH_SIZE):
            part, part_lengths = inputs[start : start + BATCH_SIZE], lengths[start : start + BATCH_SIZE]
            longest = max(len(window) for window in part)
            all_lengths = np.zeros([BATCH_SIZE, *self.converter.length_shape], np.int32)
            for i, length in enumerate(part_lengths):
                all_lengths[i] = np.reshape(length, self.converter.length_shape)  # one number may be a tuple
            steering = _part(controls, slice(start, start + BATCH_SIZE))
            mean = self._encoder(
                _batch(part, longest, self.converter.input_depth),
                all_lengths,
                _batch(steering, longest, self.control_depth),
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
    ) -> list[npt.NDArray[Any]]:
        """Samples one window for each latent vector.

        Args:
            z: float32 ``[n, z_size]``.
            temperature: of the output distribution; towards 0 the likeliest step always wins.
            rows: of ``z``, those to decode; by default all. They come out as among all the others.
            controls: of each row of ``z``, ``[steps, control_depth]``, where the model needs them.
            hits: GrooVAE: of each row of ``z``, float32 ``[steps, drums]``, the hits in the place of those that
                the decoder would draw; NaN where it shall draw. By default it draws all.

        Returns:
            One array for each row: labels, int32 ``[steps]``, of a config that `makes_labels`; for others
            ``[steps, output_depth]``, as the converter's ``from_tensors`` takes them.

        Raises:
            ValueError: it needs controls and gets none, or gets hits that it cannot take.
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
            decoded = self._decoder(
                padded,
                temperature,
                batch,
                _batch(_part(controls, part), self._steps, self.control_depth),
                _batch(_part(hits, part), self._steps, self._drums, np.nan),
            )
            windows.extend(decoded[max(wanted.start - first, 0) : wanted.stop - first])
        return windows

    def _check_controls(self, controls: Sequence[Any] | None) -> None:
        if self.control_depth and controls is None:
            raise ValueError("this model needs controls")

    def to_note_sequences(self, windows: Sequence[npt.NDArray[Any]]) -> list[Any]:
        """Decoded windows that are not labels as NoteSequences, by Magenta's converter."""
        sequences: list[Any] = self.converter.from_tensors(np.array(windows))
        return sequences


def _part(windows: Sequence[npt.NDArray[Any]] | None, part: slice) -> Sequence[npt.NDArray[Any]]:
    return () if windows is None else windows[part]


def _batch(windows: Sequence[npt.NDArray[Any]], steps: int, depth: int, filled: float = 0.0) -> Floats:
    """Windows of up to ``steps`` steps as one batch, float32 ``[BATCH_SIZE, steps, depth]``."""
    batch = np.full([BATCH_SIZE, steps, depth], filled, np.float32)
    for row, window in zip(batch, windows, strict=False):
        row[: len(window)] = window
    return batch
