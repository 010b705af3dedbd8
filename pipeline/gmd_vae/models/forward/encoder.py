"""The bidirectional encoder: ``magenta.models.music_vae.lstm_models.BidirectionalLstmEncoder`` and the posterior."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.lstm import Cell, LstmStack, Variables, output_rows
from gmd_vae.models.forward.products import Product, padded, whole_groups

Floats = npt.NDArray[np.float32]

_ROWS = 64  # windows at once, at most
_LARGEST_OUTPUTS = 1 << 22  # numbers in the outputs of a layer at all steps: 16 MB


class Encoder:
    """Windows to posteriors q(z|x).

    Args:
        variables: Variables of the model by Magenta's names.
        layers: Number of layers.
    """

    def __init__(self, variables: Variables, layers: int) -> None:
        self._layers: list[LstmStack] = []
        for number in range(layers):
            cells = [
                Cell.read(variables, f"encoder/cell_{number}/bidirectional_rnn/{direction}/multi_rnn_cell/cell_0")
                for direction in ("fw", "bw")
            ]
            slots = [cell.inputs for cell in cells]
            if number:  # the outputs of both directions of the layer below
                slots = [np.concatenate([output_rows(half) for half in np.split(slot, 2)]) for slot in slots]
            self._layers.append(LstmStack([cells], slots))
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
        sequence, final = inputs.transpose(1, 0, 2), np.zeros((rows, 0), np.float32)
        for number, layer in enumerate(self._layers):
            run, size = layer.run(rows), padded(layer.sizes[0])
            is_last = number == len(self._layers) - 1
            forward_slot, backward_slot = run.slot
            forward, backward = run.output[:, :rows, :size]
            outputs = np.empty((0 if is_last else steps, rows, 2 * size), np.float32)
            for step in range(steps):
                forward_slot[...], backward_slot[...] = sequence[step], sequence[steps - 1 - step]
                run.step()
                if not is_last:
                    outputs[step, :, :size], outputs[steps - 1 - step, :, size:] = forward, backward
            sequence, final = outputs, np.concatenate([forward, backward], axis=1)
        operand = np.concatenate([final, np.ones((rows, 1), np.float32)], axis=1)
        both = self._posterior.rows(operand)
        return both[:, : self._z_size], np.logaddexp(both[:, self._z_size : 2 * self._z_size], np.float32(0))

    def rows_at_once(self, steps: int) -> int:
        """Returns the number of windows of a length for one call of `posterior`, so that its arrays stay small."""
        widest = max(2 * padded(layer.sizes[0]) for layer in self._layers)
        return max(whole_groups(1), min(_ROWS, _LARGEST_OUTPUTS // (widest * max(steps, 1))))
