"""Magenta's ``BidirectionalLstmEncoder`` and ``HierarchicalLstmEncoder``, accelerated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.shared_weights import gather_rows, product, widened
from gmd_vae.models.accelerated.tokens import to_tokens
from gmd_vae.models.accelerated.unrolled_stack import recurrence


class AcceleratedBidirectionalLstmEncoder(lstm_models.BidirectionalLstmEncoder):  # type: ignore[misc]
    """Same variables and results as the class it extends.

    Args:
        precision: of the matrix products.
        whole_windows: every window has the full length, or is absent and has length 0, as drum
            windows are; then nothing has to be reversed or picked by length.
        classes: where every step is one class or none, how many there are: then rows of the weights take the
            place of the first product, and sequences may also be tokens (`tokens`). 0: steps are any vectors.
        steps: the length that every sequence is brought to; ``None``: ``max_seq_len``.
    """

    def __init__(self, precision: str, whole_windows: bool, classes: int = 0, steps: int | None = None) -> None:
        self._precision, self._classes, self._steps = precision, classes, steps
        self.takes_whole_windows = whole_windows

    def build(self, hparams: Any, is_training: bool = True, name_or_scope: str = "encoder") -> None:
        """As the class it extends; also keeps the sizes. ``name_or_scope`` may be a ``tf.VariableScope``."""
        super().build(hparams, is_training, name_or_scope)
        self._scope = getattr(name_or_scope, "name", name_or_scope)
        self._steps, self._sizes = self._steps or hparams.max_seq_len, list(hparams.enc_rnn_size)

    def encode(self, sequence: Any, sequence_length: Any) -> Any:
        """The last outputs of both directions.

        Args:
            sequence: float32 ``[batch, steps, depth]``, at most as many steps as it brings sequences to.
            sequence_length: int32 ``[batch]``, in steps.

        Returns:
            float32 ``[batch, 2 * units]`` of the last layer; 0 for windows of length 0.
        """
        rows, _, depth = sequence.shape.as_list()
        missing = self._steps - tf.shape(sequence)[1]
        if self._classes:
            tokens = tf.pad(to_tokens(sequence), [[0, 0], [0, missing]])
            inputs = tf.transpose(tf.ensure_shape(tokens, [rows, self._steps]))
        else:
            padded = tf.ensure_shape(tf.pad(sequence, [[0, 0], [0, missing], [0, 0]]), [rows, self._steps, depth])
            inputs = tf.transpose(padded, [1, 0, 2])
        sizes = [self._classes or depth, *(2 * units for units in self._sizes)]
        final: list[Any] = []
        for number, units in enumerate(self._sizes):
            is_last = number == len(self._sizes) - 1
            outputs, final = [], []
            for direction in ("fw", "bw"):
                scope = f"{self._scope}/cell_{number}/bidirectional_rnn/{direction}"
                layer = lstm.layer(f"{scope}/multi_rnn_cell/cell_0/lstm_cell", [sizes[number]], units, self._precision)
                output, state = self._direction(inputs, sequence_length, layer, direction == "bw", is_last)
                outputs.append(output)
                final.append(state)
            if not is_last:
                inputs = tf.concat(outputs, axis=2)
        present = tf.cast(sequence_length > 0, tf.float32)[:, None]
        return tf.concat(final, axis=1) * present

    def _direction(
        self, inputs: Any, lengths: Any, layer: lstm.Layer, backwards: bool, is_last: bool
    ) -> tuple[Any, Any]:
        """One layer in one direction: its outputs where another layer follows, and its last output."""
        rows = int(inputs.shape[1])
        start = lstm.zero_state(rows, layer.units)
        if self.takes_whole_windows:
            gates = _input_gates(inputs, layer)
            outputs, state = recurrence(gates, layer, start, backwards=backwards, every_output=not is_last)
            return outputs, state.h
        if backwards:
            inputs = tf.reverse_sequence(inputs, lengths, seq_axis=0, batch_axis=1)
        outputs, _ = recurrence(_input_gates(inputs, layer), layer, start)
        last = tf.gather_nd(outputs, tf.stack([tf.maximum(lengths - 1, 0), tf.range(rows)], axis=1))
        if backwards:
            outputs = tf.reverse_sequence(outputs, lengths, seq_axis=0, batch_axis=1)
        return outputs, widened(last)


def _input_gates(inputs: Any, layer: lstm.Layer) -> Any:
    """The input's part of the gates at all steps, a factor ``[steps, rows, 4 * units]``.

    Args:
        inputs: tokens int32 ``[steps, rows]``, or vectors ``[steps, rows, size]``.
        layer: which reads them.
    """
    [weights] = layer.inputs
    if inputs.dtype == tf.int32:
        return gather_rows(weights, inputs)
    steps, rows, size = (int(length) for length in inputs.shape)
    flat = product(tf.reshape(inputs, [steps * rows, size]), weights, as_factor=True)
    return tf.reshape(flat, [steps, rows, weights.outputs])


class AcceleratedHierarchicalLstmEncoder(lstm_models.HierarchicalLstmEncoder):  # type: ignore[misc]
    """Same variables and results as the class it extends, over a bidirectional core; any number of levels.

    All segments of a level are encoded at once, as rows of one batch.

    Args:
        level_lengths: see the class it extends.
        precision: of the matrix products.
        classes: of one-hot sequences, which may also be tokens; 0: sequences are any vectors.
    """

    def __init__(self, level_lengths: Sequence[int], precision: str, classes: int) -> None:
        super().__init__(self._core, list(level_lengths))
        self._precision, self._classes = precision, classes

    def build(self, hparams: Any, is_training: bool = True) -> None:
        """As the class it extends, which makes an encoder for each level, in their order."""
        self._levels = iter(enumerate(self._level_lengths))
        super().build(hparams, is_training)

    def _core(self) -> AcceleratedBidirectionalLstmEncoder:
        level, steps = next(self._levels)
        # above the first level Magenta takes every embedding, those of absent segments too
        classes = 0 if level else self._classes
        return AcceleratedBidirectionalLstmEncoder(self._precision, level > 0, classes, steps)

    def encode(self, sequence: Any, sequence_length: Any) -> Any:
        """As the class it extends.

        Args:
            sequence: float32 ``[batch, max_seq_len, depth]``, each segment padded.
            sequence_length: int32 ``[batch, segments]``, or ``[batch]`` of windows that are whole or absent.

        Returns:
            float32 ``[batch, 2 * units]`` of the last level.
        """
        rows = int(sequence.shape[0])
        segments = math.prod(self._level_lengths[1:])
        lengths = lstm_utils.maybe_split_sequence_lengths(sequence_length, segments, self._total_length)
        for (segments, encoder), steps in zip(self._hierarchical_encoders, self._level_lengths, strict=True):
            parts = tf.reshape(sequence, [rows * segments, steps, sequence.shape[-1]])
            whole = tf.fill([rows * segments], steps)
            embeddings = encoder.encode(parts, whole if encoder.takes_whole_windows else tf.reshape(lengths, [-1]))
            sequence = tf.reshape(embeddings, [rows, segments, embeddings.shape[-1]])
        return sequence[:, 0]
