"""Accelerated version of Magenta's hierarchical decoder: conductors write an embedding per segment, a core the steps.

In an *autoregressive* decoder the conductor reads the state in which the core ended the segment before, so segments
are decoded one after the other. Otherwise the embeddings depend on ``z`` alone, and in training all segments are
decoded at once, as rows of one batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.core_decoder import (
    CoreDecoder,
    DecoderNetwork,
    StepOutputs,
    reconstruction_losses,
    sample_results,
    streaming_metrics,
)
from gmd_vae.models.accelerated.tokens import time_major, to_tokens
from gmd_vae.models.accelerated.unrolled_stack import run_stack_step

CORE_SCOPE = "core_decoder"  # Magenta's variable scope


class AcceleratedHierarchicalLstmDecoder(lstm_models.HierarchicalLstmDecoder):  # type: ignore[misc]
    """Decoder with the variables and results of Magenta's ``HierarchicalLstmDecoder`` over a categorical core.

    Args:
        level_lengths: Number of outputs of each level for one of the level above, from the top conductor to the core.
        autoregressive: Conductors read the final state of the level below.
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
    """

    def __init__(self, level_lengths: Sequence[int], autoregressive: bool, precision: str) -> None:
        super().__init__(CoreDecoder(precision), list(level_lengths), disable_autoregression=not autoregressive)
        self._precision, self._autoregressive = precision, autoregressive
        self._segments, self._steps = math.prod(level_lengths[:-1]), level_lengths[-1]

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """Builds Magenta's decoder and replaces the cells of its conductors."""
        super().build(hparams, output_depth, is_training)
        cells = list(self._hier_cells)  # created by the line above
        conductors = [_Conductor(cell, hparams.dec_rnn_size, self._precision) for cell in cells]
        self._hier_cells: list[Any] = conductors

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], StepOutputs]:
        """Computes the reconstruction loss, as Magenta's method of this name.

        Args:
            x_input: Decoder inputs, float32 ``[batch, steps, depth]``.
            x_target: Targets, float32 ``[batch, steps, depth]``.
            x_length: Lengths in steps, int32 ``[batch]`` or ``[batch, segments]``.
            z: Latent vectors, float32 ``[batch, z_size]``.
            c_input: ``None``: controls are not supported.

        Returns:
            Losses in nats, float32 ``[batch]``; streaming metrics, empty in training; and the results of each step.
        """
        lengths = lstm_utils.maybe_split_sequence_lengths(x_length, self._segments, self._total_length)
        inputs, targets = (self._by_segment(to_tokens(sequence)) for sequence in (x_input, x_target))
        mask = tf.transpose(tf.sequence_mask(lengths, self._steps, dtype=tf.float32), [1, 2, 0])
        with tf.variable_scope(CORE_SCOPE, reuse=tf.AUTO_REUSE):
            network = self._core_decoder.network(self.hparams.dec_rnn_size[-1])
        if self._autoregressive:
            outputs = self._decode_in_turn(network, inputs, z)
        else:
            outputs = self._decode_at_once(network, inputs, self._embeddings(z))
        losses, likeliest = reconstruction_losses(network, outputs, targets, mask)
        metrics = {} if self._core_decoder.is_training else self._segment_metrics(targets, likeliest, mask)
        steps = StepOutputs(*(tf.transpose(join_segments(values)) for values in (losses, likeliest)))
        return tf.reduce_sum(losses, axis=[0, 1]), metrics, steps

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Samples windows as tokens.

        Args:
            n: Number of windows.
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the softmax, float32 scalar.
            steps: Number of steps; must be that of a whole window.
            first: ``None``: a window always starts from the beginning.

        Returns:
            Tokens, int32 ``[n, steps]``.

        Raises:
            ValueError: Another number of steps, or a first token.
        """
        self._check_whole_window(steps, first)
        with tf.variable_scope(CORE_SCOPE, reuse=tf.AUTO_REUSE):
            network = self._core_decoder.network(self.hparams.dec_rnn_size[-1])
        segments: list[Any] = []

        def sample_segment(embedding: Any, path: list[int]) -> Any:
            before = segments[-1][-1] if segments else tf.zeros([n], tf.int32)
            tokens, final = network.sample(self._steps, before, embedding, temperature)
            segments.append(tokens)
            return _concat_states(final)

        self._run_conductors(z, sample_segment)
        return tf.transpose(tf.concat(segments, axis=0))

    def sample(
        self, n: int, max_length: Any = None, z: Any = None, c_input: Any = None, temperature: Any = 1.0
    ) -> tuple[Any, Any]:
        """Samples windows, as Magenta's method of this name.

        Args:
            n: Number of windows.
            max_length: ``None``, or the number of steps of a whole window.
            z: Latent vectors, float32 ``[n, z_size]``.
            c_input: ``None``: controls are not supported.
            temperature: Temperature of the softmax, float32 scalar.

        Returns:
            The values of `core_decoder.sample_results`.
        """
        steps = self._total_length if max_length is None else int(max_length)
        tokens = self.sample_tokens(n, z, temperature, steps)
        return sample_results(tokens, self._output_depth, tf.fill([n, self._segments], self._steps))

    def _check_whole_window(self, steps: int, first: Any) -> None:
        if steps != self._total_length or first is not None:
            raise ValueError(f"A hierarchical decoder makes {self._total_length} steps from the beginning")

    def _by_segment(self, tokens: Any) -> Any:
        """Splits tokens ``[batch, steps]`` into segments, ``[segments, steps of a segment, batch]``."""
        whole = time_major(tokens, self._total_length)
        return tf.reshape(whole, [self._segments, self._steps, int(tokens.shape[0])])

    def _run_conductors(self, z: Any, decode_segment: Callable[[Any, list[int]], Any]) -> None:
        """Runs Magenta's ``_hierarchical_decode``.

        Args:
            z: Latent vectors, float32 ``[rows, z_size]``.
            decode_segment: Function from a segment's embedding and its path in the hierarchy to the core's final
                state.
        """
        original: Any = self.hparams
        # Magenta takes hparams.batch_size for the number of rows
        self.hparams: Any = copy.deepcopy(original)
        self.hparams.batch_size = int(z.shape[0])
        self._hierarchical_decode(z, decode_segment)
        self.hparams = original

    def _decode_in_turn(self, network: DecoderNetwork, inputs: Any, z: Any) -> Any:
        """Decodes segments one after the other.

        Args:
            network: Core decoder.
            inputs: Input tokens, int32 ``[segments, steps, batch]``.
            z: Latent vectors, float32 ``[batch, z_size]``.

        Returns:
            Outputs of the last layer ``[segments, steps, batch, units]``.
        """
        outputs: list[Any] = []
        segments = tf.unstack(inputs)

        def decode_segment(embedding: Any, path: list[int]) -> Any:
            segment_outputs, final = network.decode(segments[len(outputs) // self._steps], embedding)
            outputs.extend(segment_outputs)
            return _concat_states(final)

        self._run_conductors(z, decode_segment)
        return tf.reshape(tf.concat(outputs, axis=0), [self._segments, self._steps, *outputs[0].shape])

    def _embeddings(self, z: Any) -> Any:
        """Computes the embeddings of all segments without autoregression, float32 ``[segments * batch, size]``."""
        embeddings: list[Any] = []
        self._run_conductors(z, lambda embedding, path: embeddings.append(embedding))
        return tf.concat(embeddings, axis=0)

    def _decode_at_once(self, network: DecoderNetwork, inputs: Any, embeddings: Any) -> Any:
        """Decodes all segments as rows of one batch.

        Args:
            network: Core decoder.
            inputs: Input tokens, int32 ``[segments, steps, batch]``.
            embeddings: Embeddings, float32 ``[segments * batch, size]``.

        Returns:
            Outputs of the last layer ``[segments, steps, batch, units]``.
        """
        tokens = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [self._steps, int(embeddings.shape[0])])
        outputs, _ = network.decode(tokens, embeddings, self._segments)
        by_segment = [self._steps, self._segments, -1, outputs[0].shape[-1]]
        return tf.transpose(tf.reshape(tf.stack(outputs), by_segment), [1, 0, 2, 3])

    def _segment_metrics(self, targets: Any, likeliest: Any, mask: Any) -> dict[str, Any]:
        """Builds Magenta's streaming metrics for tensors ``[segments, steps, batch]``."""
        segments = zip(*(tf.unstack(tensor) for tensor in (targets, likeliest, mask)), strict=True)
        return merge_segment_metrics(
            [streaming_metrics(truth, found, weights, self._output_depth) for truth, found, weights in segments]
        )


def merge_segment_metrics(segments: Sequence[dict[str, tuple[Any, Any]]]) -> dict[str, tuple[Any, Any]]:
    """Merges the metrics of all segments as Magenta does: each under its own name, and their means."""
    each = {f"segment/{number:03d}/{name}": part[name] for number, part in enumerate(segments) for name in part}
    means = {name: (tf.reduce_mean([part[name][0] for part in segments]), tf.no_op()) for name in segments[0]}
    return {**each, **means}


class _Conductor:
    """LSTM stack of one conductor level, with the call signature of Magenta's ``MultiRNNCell``.

    Args:
        cell: Magenta's cell. Only its sizes are read; its variables are never created.
        sizes: Units of each layer.
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
    """

    def __init__(self, cell: Any, sizes: Sequence[int], precision: str) -> None:
        self.state_size, self.zero_state = cell.state_size, cell.zero_state
        self._sizes, self._precision = list(sizes), precision
        self._layers: list[lstm.LstmLayer] = []

    def __call__(self, inputs: Any, states: Any, scope: Any) -> tuple[Any, Any]:
        """Runs one step inside the variable scope of the level; returns the output and the new states."""
        if not self._layers:
            below = int(inputs.shape[1])
            for number, units in enumerate(self._sizes):
                scope = f"cell_{number}/lstm_cell"
                self._layers.append(lstm.lstm_layer(scope, [], units, self._precision, below=below))
                below = units
        final = run_stack_step(inputs, self._layers, [lstm.LstmState(*state) for state in states])
        return final[-1].h, tuple(final)


def _concat_states(states: Sequence[lstm.LstmState]) -> Any:
    """Concatenates all states along the last axis, in the order in which Magenta passes them to a conductor."""
    return tf.concat(tf.nest.flatten(list(states)), axis=-1)


def join_segments(segments: Any) -> Any:
    """Reshapes ``[segments, steps of a segment, batch]`` to ``[steps, batch]``."""
    count, steps, rows = (int(size) for size in segments.shape)
    return tf.reshape(segments, [count * steps, rows])
