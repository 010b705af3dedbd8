"""Scorers of tensors: streams, multitrack events and GrooVAE. ``label_scorer.py`` scores drum labels."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.families import family_of
from gmd_vae.magenta.api import lstm_models, tf
from gmd_vae.models.accelerated.core_decoder import StepOutputs
from gmd_vae.models.elbo_terms import TEACHER_FORCING, allow_empty_windows
from gmd_vae.models.inference.checkpoint_model import CheckpointModel
from gmd_vae.models.inference.scorer import StepScores
from gmd_vae.windows.extraction import Tensors

Floats = npt.NDArray[np.float32]

_LARGEST_BATCH = 256
_BATCH_NUMBERS = 1 << 23  # numbers, at most, in the widest tensor of a batch: 32 MB as float32


class _TensorScorer(CheckpointModel, abc.ABC):
    """A scorer of tensors, restored from a checkpoint. Use as a context manager.

    Args:
        config: Config that the checkpoint was trained with.
        hparams: Its hyperparameters; batch size and scheduled sampling are replaced.
        checkpoint: Prefix of the checkpoint, ours or Magenta's.
        layers: Implementation of the layers, always in fp32.

    Attributes:
        layers: Description of the layers, for a manifest.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit the config.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers = ACCELERATED) -> None:
        self._output = family_of(config).output(config)
        super().__init__(config, {**hparams, **TEACHER_FORCING}, checkpoint, layers)
        self._converter = self._build()[0].data_converter
        widest = self._output.steps * max(self._converter.input_depth, self._converter.output_depth)
        self._size = max(1, min(_LARGEST_BATCH, _BATCH_NUMBERS // widest))
        self._hparams = {**self._hparams, "batch_size": self._size}

    def encode(self, windows: Sequence[Tensors]) -> tuple[Floats, Floats]:
        """Computes the posterior q(z|x) of each window, a diagonal Gaussian.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        parts = [self._encoder(batch.inputs, batch.lengths, batch.controls) for batch in self._batches(windows)]
        means, scales = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return means, scales

    def score(self, windows: Sequence[Tensors], z: Floats) -> StepScores:
        """Computes loss and likeliest output of each step under teacher forcing.

        Args:
            windows: Windows without padding.
            z: Latent vector of each window, float32 ``[n, z_size]``.
        """
        parts = []
        for number, batch in enumerate(self._batches(windows)):
            vectors = z[number * self._size : (number + 1) * self._size]
            vectors = np.concatenate([vectors, np.repeat(vectors[:1], self._size - len(vectors), axis=0)])
            parts.append(self._scorer(batch.outputs, batch.lengths, batch.controls, vectors))
        *losses, likeliest = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return StepScores(dict(zip(self._parts, losses, strict=True)), likeliest)

    @property
    @abc.abstractmethod
    def _parts(self) -> tuple[str, ...]:
        """Names of the parts of a step's loss."""

    @abc.abstractmethod
    def _step_outputs(self, results: Any, target: Any, lengths: Any, decoder: Any) -> tuple[Any, ...]:
        """Returns tensors: the losses ``[batch, steps]`` of each part, and the likeliest outputs.

        Args:
            results: Results of the decoder's ``reconstruction_loss``.
            target: True windows, ``[batch, steps, output_depth]``.
            lengths: Lengths of the windows.
            decoder: The decoder.
        """

    def _batches(self, windows: Sequence[Tensors]) -> Iterator[_Batch]:
        """Yields batches of one size; the last one is padded with its first window."""
        for start in range(0, len(windows), self._size):
            part = list(windows[start : start + self._size])
            yield _Batch.pad([*part, *part[:1] * (self._size - len(part))], self._output.steps)

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._build()
            built.model.build(built.hparams, self._converter.output_depth, is_training=False)
            inputs, lengths, controls = self._placeholders(self._converter.input_depth)
            posterior = built.model.encode(
                tf.cast(inputs, tf.float32), lengths, controls if self._converter.control_depth else None
            )
            fetched = (posterior.loc, posterior.stddev())
            run: Callable[..., Any] = self._restore(chosen).make_callable(fetched, [inputs, lengths, controls])
            return run

    @cached_property
    def _scorer(self) -> Callable[..., Any]:
        """The graph from (outputs, lengths, controls, z) of a batch to the losses of each part and the outputs."""
        with tf.Graph().as_default():
            built, chosen = self._build()
            built.model.build(built.hparams, self._converter.output_depth, is_training=False)
            outputs, lengths, controls = self._placeholders(self._converter.output_depth)
            z = tf.placeholder(tf.float32, [self._size, built.hparams.z_size])
            target = tf.cast(outputs, tf.float32)
            # MusicVAE's decoder input is the target one step earlier, with zeros at the first step
            before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
            allow_empty_windows(built.model)
            _pad_segments(built.model.decoder)
            *_, results = built.model.decoder.reconstruction_loss(
                before, target, lengths, z, tf.cast(controls, tf.float32) if self._converter.control_depth else None
            )
            fetched = self._step_outputs(results, target, lengths, built.model.decoder)
            feeds = [outputs, lengths, controls, z]
            run: Callable[..., Any] = self._restore(chosen).make_callable(fetched, feeds)
            return run

    def _placeholders(self, depth: int) -> tuple[Any, Any, Any]:
        """Returns a batch's tensors, lengths and controls, with the converter's types."""
        steps, converter = self._output.steps, self._converter
        return (
            tf.placeholder(tf.as_dtype(np.dtype(converter.output_dtype)), [self._size, steps, depth]),
            tf.placeholder(tf.int32, [self._size, *converter.length_shape]),
            tf.placeholder(tf.float32, [self._size, steps, converter.control_depth]),
        )


class StreamScorer(_TensorScorer):
    """A scorer of streams and multitrack events: a categorical distribution for each stream and step."""

    @property
    def _parts(self) -> tuple[str, ...]:
        return tuple(stream.name for stream in self._output.streams)

    def _step_outputs(self, results: Any, target: Any, lengths: Any, decoder: Any) -> tuple[Any, ...]:
        if isinstance(results, StepOutputs):  # from our layers; several streams are in the last dimension
            if results.losses.shape.rank == 2:
                return results.losses, results.likeliest[..., None]
            return *tf.unstack(results.losses, axis=-1), results.likeliest
        logits = tf.reshape(results.rnn_output, target.shape)
        segments = int(np.prod(lengths.shape[1:]))
        mask = tf.sequence_mask(lengths, self._output.steps // segments, dtype=tf.float32)
        mask = tf.reshape(mask, [self._size, self._output.steps])
        losses, likeliest = [], []
        for stream in self._output.streams:
            columns = slice(stream.start, stream.stop)
            truth = tf.argmax(target[..., columns], axis=-1, output_type=tf.int32)
            stream_logits = logits[..., columns]
            losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=truth, logits=stream_logits) * mask)
            likeliest.append(tf.argmax(stream_logits, axis=-1, output_type=tf.int32))
        return *losses, tf.stack(likeliest, axis=-1)


class GrooveScorer(_TensorScorer):
    """A scorer of GrooVAE windows, with the parts of the loss that Magenta's ``GrooveLstmDecoder`` adds up."""

    @property
    def _parts(self) -> tuple[str, ...]:
        return "hits", "velocities", "offsets"

    def _step_outputs(self, results: Any, target: Any, lengths: Any, decoder: Any) -> tuple[Any, ...]:
        depth = int(target.shape[-1])
        outputs = tf.concat(decoder._activate_outputs(tf.reshape(results.rnn_output, [-1, depth])), axis=-1)
        outputs = tf.reshape(outputs, target.shape)
        (true_hits, *true), (hits, *values) = (tf.split(tensor, 3, axis=-1) for tensor in (target, outputs))
        none = tf.losses.Reduction.NONE
        losses = [tf.losses.log_loss(true_hits, hits, reduction=none)]
        losses += [tf.losses.mean_squared_error(*pair, reduction=none) for pair in zip(true, values, strict=True)]
        return *(tf.reduce_sum(loss, axis=-1) for loss in losses), outputs


def _pad_segments(decoder: Any) -> None:
    """Pads segments before Magenta's hierarchical decoder concatenates them.

    If all segments of a batch are shorter than the longest allowed length, the decoder's outputs are shorter too, and
    concatenated they would not be at the positions of their steps.
    """
    if type(decoder) is not lstm_models.HierarchicalLstmDecoder:
        return
    merge, steps = decoder._merge_decode_results, decoder._level_lengths[-1]

    def merged(results: Any) -> Any:
        padded = []
        for result in results:
            missing = steps - tf.shape(result.rnn_output)[1]
            padded.append(result._replace(rnn_output=tf.pad(result.rnn_output, [(0, 0), (0, missing), (0, 0)])))
        return merge(padded)

    decoder._merge_decode_results = merged


@dataclasses.dataclass(frozen=True)
class _Batch:
    """Windows padded with zeros, ``[batch, steps, depth]``, with lengths in the converter's form."""

    inputs: npt.NDArray[Any]
    outputs: npt.NDArray[Any]
    controls: Floats
    lengths: npt.NDArray[np.int32]

    @staticmethod
    def pad(windows: Sequence[Tensors], steps: int) -> _Batch:
        lengths = np.array([window.length for window in windows], np.int32)
        return _Batch(
            inputs=_padded([window.inputs for window in windows], steps),
            outputs=_padded([window.outputs for window in windows], steps),
            controls=_padded([window.controls for window in windows], steps).astype(np.float32),
            lengths=lengths[:, 0] if lengths.shape[1] == 1 else lengths,
        )


def _padded(arrays: Sequence[npt.NDArray[Any]], steps: int) -> npt.NDArray[Any]:
    batch = np.zeros([len(arrays), steps, arrays[0].shape[1]], arrays[0].dtype)
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    return batch
