"""Accelerated versions of Magenta's ``BidirectionalLstmEncoder`` and ``HierarchicalLstmEncoder``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.shared_weights import linear, lookup_tokens, upcast
from gmd_vae.models.accelerated.tokens import to_tokens
from gmd_vae.models.accelerated.unrolled_stack import run_layer


class AcceleratedBidirectionalLstmEncoder(lstm_models.BidirectionalLstmEncoder):  # type: ignore[misc]
    """Encoder with the variables and results of Magenta's ``BidirectionalLstmEncoder``.

    Args:
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
        whole_windows: Every window has the full length or length 0 (empty). Drum windows do. The encoder
            then needs no reversal and no selection by length.
        classes: Number of classes of one-hot input. The first product then becomes a lookup of weight rows, and
            sequences may also be tokens (`tokens`). 0 means arbitrary vectors.
        steps: Number of steps to which sequences are padded; ``None`` means ``max_seq_len``.

    Attributes:
        takes_whole_windows: The argument ``whole_windows``.
    """

    def __init__(self, precision: str, whole_windows: bool, classes: int = 0, steps: int | None = None) -> None:
        self._precision, self._classes, self._steps = precision, classes, steps
        self.takes_whole_windows = whole_windows

    def build(self, hparams: Any, is_training: bool = True, name_or_scope: str = "encoder") -> None:
        """Builds Magenta's encoder and keeps the sizes. ``name_or_scope`` may be a ``tf.VariableScope``."""
        super().build(hparams, is_training, name_or_scope)
        self._scope = getattr(name_or_scope, "name", name_or_scope)
        self._steps, self._sizes = self._steps or hparams.max_seq_len, list(hparams.enc_rnn_size)

    def encode(self, sequence: Any, sequence_length: Any) -> Any:
        """Encodes windows.

        Args:
            sequence: Windows, float32 ``[batch, steps, depth]``; shorter ones are padded.
            sequence_length: Lengths in steps, int32 ``[batch]``.

        Returns:
            The last outputs of both directions of the last layer, float32 ``[batch, 2 * units]``; 0 for windows of
            length 0.
        """
        rows, _, depth = sequence.shape.as_list()
        missing = self._steps - tf.shape(sequence)[1]  # pad to a static length, because the layers are unrolled
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
                layer = lstm.lstm_layer(
                    f"{scope}/multi_rnn_cell/cell_0/lstm_cell", [sizes[number]], units, self._precision
                )
                output, state = self._direction(inputs, sequence_length, layer, direction == "bw", is_last)
                outputs.append(output)
                final.append(state)
            if not is_last:
                inputs = tf.concat(outputs, axis=2)
        present = tf.cast(sequence_length > 0, tf.float32)[:, None]
        return tf.concat(final, axis=1) * present

    def _direction(
        self, inputs: Any, lengths: Any, layer: lstm.LstmLayer, backwards: bool, is_last: bool
    ) -> tuple[Any, Any]:
        """Runs one layer in one direction.

        Args:
            inputs: Tokens, int32 ``[steps, rows]``, or vectors ``[steps, rows, size]``.
            lengths: Lengths in steps, int32 ``[rows]``.
            layer: The layer.
            backwards: Run from the last step to the first.
            is_last: True if no other layer follows.

        Returns:
            The outputs, operand ``[steps, rows, units]``, or ``None`` where no other layer needs them; and the last
            output, float32 ``[rows, units]``.
        """
        rows = int(inputs.shape[1])
        start = lstm.zero_state(rows, layer.units)
        if self.takes_whole_windows:
            gates = _input_gates(inputs, layer)
            outputs, state = run_layer(gates, layer, start, backwards=backwards, every_output=not is_last)
            return outputs, state.h
        if backwards:
            inputs = tf.reverse_sequence(inputs, lengths, seq_axis=0, batch_axis=1)
        outputs, _ = run_layer(_input_gates(inputs, layer), layer, start)
        last = tf.gather_nd(outputs, tf.stack([tf.maximum(lengths - 1, 0), tf.range(rows)], axis=1))
        if backwards:
            outputs = tf.reverse_sequence(outputs, lengths, seq_axis=0, batch_axis=1)
        return outputs, upcast(last)


def _input_gates(inputs: Any, layer: lstm.LstmLayer) -> Any:
    """Computes the input part of the gate pre-activations at all steps.

    Args:
        inputs: Tokens, int32 ``[steps, rows]``, or vectors ``[steps, rows, size]``.
        layer: The layer.

    Returns:
        Operand ``[steps, rows, 4 * units]``.
    """
    [weights] = layer.inputs
    if inputs.dtype == tf.int32:
        return lookup_tokens(weights, inputs)
    steps, rows, size = (int(length) for length in inputs.shape)
    flat = linear(tf.reshape(inputs, [steps * rows, size]), weights, keep_precision=True)
    return tf.reshape(flat, [steps, rows, weights.outputs])


class AcceleratedHierarchicalLstmEncoder(lstm_models.HierarchicalLstmEncoder):  # type: ignore[misc]
    """Encoder with the variables and results of Magenta's ``HierarchicalLstmEncoder`` over a bidirectional core.

    All segments of a level are encoded at once, as rows of one batch.

    Args:
        level_lengths: Number of inputs of each level for one of its outputs, from the steps upwards.
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
        classes: Number of classes of one-hot input, which may also be tokens. 0 means arbitrary vectors.
    """

    def __init__(self, level_lengths: Sequence[int], precision: str, classes: int) -> None:
        super().__init__(self._create_level, list(level_lengths))
        self._precision, self._classes = precision, classes

    def build(self, hparams: Any, is_training: bool = True) -> None:
        """Builds Magenta's encoder, which creates an encoder per level in their order."""
        self._levels = iter(enumerate(self._level_lengths))
        super().build(hparams, is_training)

    def _create_level(self) -> AcceleratedBidirectionalLstmEncoder:
        level, steps = next(self._levels)
        # above the first level Magenta reads every embedding, also those of empty segments
        classes = 0 if level else self._classes
        return AcceleratedBidirectionalLstmEncoder(self._precision, level > 0, classes, steps)

    def encode(self, sequence: Any, sequence_length: Any) -> Any:
        """Encodes windows.

        Args:
            sequence: Windows with each segment padded, float32 ``[batch, max_seq_len, depth]``.
            sequence_length: Lengths in steps, int32 ``[batch, segments]``, or ``[batch]`` for windows that are whole
                or empty.

        Returns:
            The output of the last level, float32 ``[batch, 2 * units]``.
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
