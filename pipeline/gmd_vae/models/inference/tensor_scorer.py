"""A trained model of anything but drum labels as a probability distribution; ``models.scored`` is that of labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.families.output_spec import Output, output_of
from gmd_vae.magenta.api import lstm_models, tf
from gmd_vae.models.accelerated.core_decoder import StepOutputs
from gmd_vae.models.elbo_terms import allow_absent_windows
from gmd_vae.models.inference.checkpoint_model import RestoredVae
from gmd_vae.windows.extraction import Tensors

Floats = npt.NDArray[np.float32]

_LARGEST_BATCH = 256
_BATCH_NUMBERS = 1 << 23  # of the widest tensor of a batch: 32 MB as float32


@dataclasses.dataclass(frozen=True)
class TensorScores:
    """What the decoder makes of windows that it is told step by step (teacher forcing).

    Attributes:
        nats: float32 ``[n, steps]`` of each part, by name: minus the log likelihood of each stream's class given
            the true steps before. GrooVAE: the parts of Magenta's loss, ``hits`` (nats), ``velocities`` and
            ``offsets`` (squared errors, no likelihoods). 0 where a window has no step.
        answers: of each step, given the true ones before it: the likeliest class of each stream, int32
            ``[n, steps, streams]``; GrooVAE: float32 ``[n, steps, 27]``, the probabilities of hits, velocities
            (0 to 1) and offsets (-1 to 1).
    """

    nats: dict[str, Floats]
    answers: npt.NDArray[Any]


class ScoredTensors(RestoredVae):
    """A model restored from a checkpoint. Use as a context manager.

    Args:
        config: the config it was trained with: its output is of kind ``streams`` or ``groove``.
        hparams: its hyperparameters; batch size and scheduled sampling are replaced.
        checkpoint: prefix of the checkpoint, ours or Magenta's.
        layers: what computes the model; always in fp32.

    Attributes:
        layers: what computes the model, for a manifest.

    Raises:
        GmdVaeError: the checkpoint cannot be read, or is not of this config.
    """

    def __init__(self, config: Config, hparams: dict[str, Any], checkpoint: Path, layers: Layers = ACCELERATED) -> None:
        self._output: Output = output_of(config)
        teacher_forcing = {"sampling_schedule": "constant", "sampling_rate": 0.0}
        super().__init__(config, {**hparams, **teacher_forcing}, checkpoint, layers)
        self._converter = self._built()[0].data_converter
        widest = self._output.steps * max(self._converter.input_depth, self._converter.output_depth)
        self._size = max(1, min(_LARGEST_BATCH, _BATCH_NUMBERS // widest))
        self._hparams = {**self._hparams, "batch_size": self._size}

    def encode(self, windows: Sequence[Tensors]) -> tuple[Floats, Floats]:
        """The posterior q(z|x) of each window, a diagonal Gaussian.

        Returns:
            Means and standard deviations, float32 ``[n, z_size]``.
        """
        parts = [self._encoder(batch.inputs, batch.lengths, batch.controls) for batch in self._batches(windows)]
        means, scales = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return means, scales

    def score(self, windows: Sequence[Tensors], z: Floats) -> TensorScores:
        """What the decoder makes of each step of each window.

        Args:
            windows: unpadded.
            z: float32 ``[n, z_size]``, the latent vector of each.
        """
        parts = []
        for number, batch in enumerate(self._batches(windows)):
            vectors = z[number * self._size : (number + 1) * self._size]
            vectors = np.concatenate([vectors, np.repeat(vectors[:1], self._size - len(vectors), axis=0)])
            parts.append(self._scorer(batch.outputs, batch.lengths, batch.controls, vectors))
        *nats, answers = (np.concatenate(column)[: len(windows)] for column in zip(*parts, strict=True))
        return TensorScores(dict(zip(self._parts, nats, strict=True)), answers)

    @property
    def _parts(self) -> tuple[str, ...]:
        """The names of the parts of a step's loss."""
        if self._output.kind == "groove":
            return "hits", "velocities", "offsets"
        return tuple(stream.name for stream in self._output.streams)

    def _batches(self, windows: Sequence[Tensors]) -> Iterator[_Batch]:
        """Of one size; the last one is filled up with its first window."""
        for start in range(0, len(windows), self._size):
            part = list(windows[start : start + self._size])
            yield _Batch.of([*part, *part[:1] * (self._size - len(part))], self._output.steps)

    @cached_property
    def _encoder(self) -> Callable[..., Any]:
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self._converter.output_depth, is_training=False)
            inputs, lengths, controls = self._given(self._converter.input_depth)
            posterior = built.model.encode(
                tf.cast(inputs, tf.float32), lengths, controls if self._converter.control_depth else None
            )
            fetched = (posterior.loc, posterior.stddev())
            run: Callable[..., Any] = self._restored(chosen).make_callable(fetched, [inputs, lengths, controls])
            return run

    @cached_property
    def _scorer(self) -> Callable[..., Any]:
        """From (outputs, lengths, controls, latent vectors) of a batch to the losses of each part, and the answers."""
        with tf.Graph().as_default():
            built, chosen = self._built()
            built.model.build(built.hparams, self._converter.output_depth, is_training=False)
            outputs, lengths, controls = self._given(self._converter.output_depth)
            z = tf.placeholder(tf.float32, [self._size, built.hparams.z_size])
            target = tf.cast(outputs, tf.float32)
            # what MusicVAE feeds a decoder: the step before; before the first one, nothing
            before = tf.pad(target[:, :-1], [(0, 0), (1, 0), (0, 0)])
            allow_absent_windows(built.model)
            _let_segments_be_short(built.model.decoder)
            *_, results = built.model.decoder.reconstruction_loss(
                before, target, lengths, z, tf.cast(controls, tf.float32) if self._converter.control_depth else None
            )
            fetched = self._steps_of(results, target, lengths, built.model.decoder)
            feeds = [outputs, lengths, controls, z]
            run: Callable[..., Any] = self._restored(chosen).make_callable(fetched, feeds)
            return run

    def _given(self, depth: int) -> tuple[Any, Any, Any]:
        """A batch's tensors, its lengths and its controls; types as the converter has them."""
        steps, converter = self._output.steps, self._converter
        return (
            tf.placeholder(tf.as_dtype(np.dtype(converter.output_dtype)), [self._size, steps, depth]),
            tf.placeholder(tf.int32, [self._size, *converter.length_shape]),
            tf.placeholder(tf.float32, [self._size, steps, converter.control_depth]),
        )

    def _steps_of(self, results: Any, target: Any, lengths: Any, decoder: Any) -> tuple[Any, ...]:
        """The losses ``[batch, steps]`` of each part, and the answers ``[batch, steps, ...]``."""
        if isinstance(results, StepOutputs):  # of our layers; of several streams in the last dimension
            if results.losses.shape.rank == 2:
                return results.losses, results.likeliest[..., None]
            return *tf.unstack(results.losses, axis=-1), results.likeliest
        written = tf.reshape(results.rnn_output, target.shape)
        if self._output.kind == "groove":
            return _groove_steps(written, target, decoder)
        segments = int(np.prod(lengths.shape[1:]))
        mask = tf.sequence_mask(lengths, self._output.steps // segments, dtype=tf.float32)
        mask = tf.reshape(mask, [self._size, self._output.steps])
        losses, likeliest = [], []
        for stream in self._output.streams:
            columns = slice(stream.start, stream.stop)
            truth = tf.argmax(target[..., columns], axis=-1, output_type=tf.int32)
            logits = written[..., columns]
            losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=truth, logits=logits) * mask)
            likeliest.append(tf.argmax(logits, axis=-1, output_type=tf.int32))
        return *losses, tf.stack(likeliest, axis=-1)


def _groove_steps(written: Any, target: Any, decoder: Any) -> tuple[Any, ...]:
    """The parts of the loss as ``GrooveLstmDecoder._flat_reconstruction_loss`` adds them, and what was written."""
    depth = int(target.shape[-1])
    answers = tf.concat(decoder._activate_outputs(tf.reshape(written, [-1, depth])), axis=-1)
    answers = tf.reshape(answers, target.shape)
    (true_hits, *true), (hits, *values) = (tf.split(tensor, 3, axis=-1) for tensor in (target, answers))
    none = tf.losses.Reduction.NONE
    losses = [tf.losses.log_loss(true_hits, hits, reduction=none)]
    losses += [tf.losses.mean_squared_error(*pair, reduction=none) for pair in zip(true, values, strict=True)]
    return *(tf.reduce_sum(loss, axis=-1) for loss in losses), answers


def _let_segments_be_short(decoder: Any) -> None:
    """Keeps every segment's place where Magenta's hierarchical decoder joins them.

    Segments that are all shorter than the longest allowed come out shorter; side by side they would no longer
    stand where their steps are.
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
    """Windows side by side, filled up with zeros: ``[batch, steps, depth]``; lengths as the converter gives them."""

    inputs: npt.NDArray[Any]
    outputs: npt.NDArray[Any]
    controls: Floats
    lengths: npt.NDArray[np.int32]

    @staticmethod
    def of(windows: Sequence[Tensors], steps: int) -> _Batch:
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
