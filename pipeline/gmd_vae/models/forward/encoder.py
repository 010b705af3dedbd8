"""The bidirectional encoder: ``magenta.models.music_vae.lstm_models.BidirectionalLstmEncoder`` and the posterior."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.lstm import Cell, LstmStack, Variables, gate_columns, output_rows
from gmd_vae.models.forward.products import Product, padded, panels_of_width, whole_groups

Floats = npt.NDArray[np.float32]

_ROWS = 64  # windows at once, at most
_MOST_GATES = 1 << 22  # numbers in the gates of a layer at all steps: 16 MB


class _Layer:
    """Weights of one layer in both directions.

    Args:
        variables: Variables of the model by Magenta's names.
        number: Number of the layer; 0 reads the windows, the others both directions of the layer below.
    """

    def __init__(self, variables: Variables, number: int) -> None:
        cells = [
            Cell.read(variables, f"encoder/cell_{number}/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0")
            for direction in ("fw", "bw")
        ]
        inputs = [cell.inputs for cell in cells]
        self._inputs: Product | None = None
        if number:
            # much to read and known before the first step: one product for all steps reads the weights once
            rows = [np.concatenate([output_rows(half) for half in np.split(part, 2)]) for part in inputs]
            self._inputs = Product(np.stack([gate_columns(part) for part in rows]))
            inputs = [part[:0] for part in inputs]
        self._stack = LstmStack([cells], inputs)
        self.units = padded(cells[0].units)

    def run(self, sequence: Floats, outputs: Floats | None) -> Floats:
        """Runs both directions over a sequence.

        Args:
            sequence: Inputs, ``[steps, rows, size]``.
            outputs: Array for the doubled outputs of both directions, ``[steps, rows, 2 * units]``; ``None``: only the
                last ones count.

        Returns:
            The doubled last outputs of both directions, ``[rows, 2 * units]``.
        """
        steps, rows, _ = sequence.shape
        run = self._stack.run(rows)
        forward, backward = run.output[:, :rows, : self.units]
        gates = None if self._inputs is None else self._gates(self._inputs, sequence)
        for step in range(steps):
            if gates is None:
                run.slot[0], run.slot[1] = sequence[step], sequence[steps - 1 - step]
                run.step()
            else:
                run.step(gates[:, :, step])
            if outputs is not None:
                outputs[step, :, : self.units], outputs[steps - 1 - step, :, self.units :] = forward, backward
        return np.concatenate([forward, backward], axis=1)

    def _gates(self, inputs: Product, sequence: Floats) -> Floats:
        """Returns the inputs' part of the gates as they are computed, ``[panels, directions, steps, rows, width]``."""
        steps, rows, size = sequence.shape
        operand = np.zeros((2, whole_groups(steps * rows), size), np.float32)
        operand[0, : steps * rows] = sequence.reshape(-1, size)
        operand[1, : steps * rows] = sequence[::-1].reshape(-1, size)
        whole = inputs.outputs(operand.shape[1], 2)
        inputs.bind(operand, whole)()
        gates = panels_of_width(whole[:, :, : steps * rows], self._stack.gate_width)
        return gates.reshape(len(gates), 2, steps, rows, gates.shape[-1])


class Encoder:
    """Windows to posteriors q(z|x).

    Args:
        variables: Variables of the model by Magenta's names.
        layers: Number of layers.
    """

    def __init__(self, variables: Variables, layers: int) -> None:
        self._layers = [_Layer(variables, number) for number in range(layers)]
        kernel, bias = (
            np.concatenate([variables[f"encoder/{name}/{part}"] for name in ("mu", "sigma")], axis=-1)
            for part in ("kernel", "bias")
        )
        self._z_size = len(bias) // 2
        halves = [output_rows(half) for half in np.split(kernel, 2)]
        self._posterior = Product(np.concatenate([*halves, bias[None]])[None])

    def posterior(self, inputs: Floats) -> tuple[Floats, Floats]:
        """Computes the posteriors of windows of one length, diagonal Gaussians.

        Args:
            inputs: Windows, ``[rows, steps, depth]``; of no steps: the posterior of an empty window.

        Returns:
            Means and standard deviations, ``[rows, z_size]``.
        """
        rows, steps, _ = inputs.shape
        sequence: Floats = inputs.transpose(1, 0, 2)
        final = sequence[:0]
        for layer in self._layers:
            outputs = None if layer is self._layers[-1] else np.empty((steps, rows, 2 * layer.units), np.float32)
            final = layer.run(sequence, outputs)
            sequence = final if outputs is None else outputs
        operand = np.concatenate([final, np.ones((rows, 1), np.float32)], axis=1)
        both = self._posterior.rows(operand)
        return both[:, : self._z_size], np.logaddexp(both[:, self._z_size : 2 * self._z_size], np.float32(0))

    def rows_at_once(self, steps: int) -> int:
        """Returns the number of windows of a length for one call of `posterior`, so that its arrays stay small."""
        gates = 8 * max(layer.units for layer in self._layers)
        return max(whole_groups(1), min(_ROWS, _MOST_GATES // (gates * max(steps, 1))))
