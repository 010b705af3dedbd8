"""Magenta's ``BidirectionalLstmEncoder``, accelerated."""

from __future__ import annotations

from typing import Any

from pipeline.models.accelerated import lstm
from pipeline.models.accelerated.products import widened
from pipeline.models.magenta import lstm_models, tf


class AcceleratedBidirectionalLstmEncoder(lstm_models.BidirectionalLstmEncoder):  # type: ignore[misc]
    """Same variables and results as the class it extends.

    Args:
        precision: of the matrix products.
        whole_windows: every window has the full length, or is absent and has length 0, as drum
            windows are; then nothing has to be reversed or picked by length.
    """

    def __init__(self, precision: str, whole_windows: bool) -> None:
        self._precision, self._whole_windows = precision, whole_windows

    def build(self, hparams: Any, is_training: bool = True, name_or_scope: str = "encoder") -> None:
        """As the class it extends; keeps the length that every sequence is brought to."""
        super().build(hparams, is_training, name_or_scope)
        self._steps, self._sizes = hparams.max_seq_len, list(hparams.enc_rnn_size)

    def encode(self, sequence: Any, sequence_length: Any) -> Any:
        """The last outputs of both directions.

        Args:
            sequence: float32 ``[batch, steps, depth]``, at most ``max_seq_len`` steps.
            sequence_length: int32 ``[batch]``, in steps.

        Returns:
            float32 ``[batch, 2 * units]`` of the last layer; 0 for windows of length 0.
        """
        rows, _, depth = sequence.shape.as_list()
        missing = self._steps - tf.shape(sequence)[1]
        padded = tf.ensure_shape(tf.pad(sequence, [[0, 0], [0, missing], [0, 0]]), [rows, self._steps, depth])
        inputs = tf.transpose(padded, [1, 0, 2])
        final: list[Any] = []
        for number, units in enumerate(self._sizes):
            is_last = number == len(self._sizes) - 1
            outputs, final = [], []
            for direction in ("fw", "bw"):
                scope = f"{self._name_or_scope}/cell_{number}/bidirectional_rnn/{direction}"
                layer = lstm.layer(
                    f"{scope}/multi_rnn_cell/cell_0/lstm_cell", [int(inputs.shape[2])], units, self._precision
                )
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
        constant, start = lstm.bias_rows(layer, rows), lstm.zero_state(rows, layer.units)
        if self._whole_windows:
            gates = lstm.input_gates(inputs, layer.inputs[0])
            outputs, state = lstm.recurrence(
                gates, constant, layer.recurrent, start, backwards=backwards, every_output=not is_last
            )
            return outputs, state.h
        if backwards:
            inputs = tf.reverse_sequence(inputs, lengths, seq_axis=0, batch_axis=1)
        outputs, _ = lstm.recurrence(lstm.input_gates(inputs, layer.inputs[0]), constant, layer.recurrent, start)
        last = tf.gather_nd(outputs, tf.stack([tf.maximum(lengths - 1, 0), tf.range(rows)], axis=1))
        if backwards:
            outputs = tf.reverse_sequence(outputs, lengths, seq_axis=0, batch_axis=1)
        return outputs, widened(last)
