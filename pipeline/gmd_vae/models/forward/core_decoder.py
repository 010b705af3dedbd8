"""The network that writes the steps of a window: Magenta's ``CategoricalLstmDecoder`` and ``GrooveLstmDecoder``.

At each step it reads its output of the step before, controls where the model has them, and an embedding: the latent
vector in a flat decoder, the output of the conductor in a hierarchical one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.lstm import Cell, LstmStack, StackRun, Variables, gate_columns, output_rows, state_columns
from gmd_vae.models.forward.products import Product, panels_of, whole_groups

Floats = npt.NDArray[np.float32]


class Embedding:
    """The part of a stack that depends on an embedding: its first states, and a part of the first layer's gates.

    Args:
        stack: The stack.
        kernel: Kernel of the layer that computes the first states, ``[size, 2 * sum of sizes]``.
        bias: Its bias.
        gates: Rows of the first layer's kernel that read the embedding, ``[size, 4 * units]``; ``None`` for none.
        of_stack: True if the embedding is the output of another stack, else a latent vector.
    """

    def __init__(self, stack: LstmStack, kernel: Floats, bias: Floats, gates: Floats | None, *, of_stack: bool) -> None:
        self._width = stack.gate_width
        rows = output_rows if of_stack else np.asarray
        self._states = Product(state_columns(np.concatenate([rows(kernel), bias[None]]), stack.sizes)[None])
        self._gates: Product | None = None
        if gates is not None:
            self._gates = Product(gate_columns(np.concatenate([rows(gates), np.zeros_like(gates[:1])]))[None])

    def start(self, run: StackRun, embedding: Floats) -> tuple[Floats, ...]:
        """Sets the first states, and returns the part of the gates for `StackRun.step`.

        Args:
            run: The stack for the rows of the embedding.
            embedding: ``[rows, size + 1]``; the last column is 1, as in `StackRun.output`.
        """
        run.set_states(np.tanh(self._states.rows(embedding)))
        if self._gates is None:
            return ()
        return (np.ascontiguousarray(panels_of(self._gates.rows(embedding), self._width))[:, None],)


class CoreDecoder:
    """Weights of the network.

    Args:
        variables: Variables of the model by Magenta's names.
        scope: Variable scope, empty or ending with ``/``.
        layers: Number of layers.
        embedding_size: Size of the embedding.
        reads_labels: The output of a step is one of several labels; False: columns.

    Attributes:
        stack: The LSTM layers.
        depth: Columns of the output; the number of labels.
    """

    def __init__(
        self, variables: Variables, scope: str, layers: int, embedding_size: int, *, reads_labels: bool
    ) -> None:
        cells = [Cell.read(variables, f"{scope}decoder/multi_rnn_cell/cell_{number}") for number in range(layers)]
        kernel, bias = (variables[f"{scope}decoder/output_projection/{part}"] for part in ("kernel", "bias"))
        self.depth = len(bias)
        before, gates, controls = np.split(cells[0].inputs, [self.depth, self.depth + embedding_size])
        self.stack = LstmStack([[cell] for cell in cells], [controls if reads_labels else np.r_[before, controls]])
        first, first_bias = (variables[f"{scope}decoder/z_to_initial_state/{part}"] for part in ("kernel", "bias"))
        self.embedding = Embedding(self.stack, first, first_bias, gates, of_stack=bool(scope))
        self.projection = Product(np.concatenate([output_rows(kernel), bias[None]])[None])
        self.token_gates: Floats | None = None
        if reads_labels:  # the last row is for no label, before the first step
            rows = gate_columns(np.concatenate([before, np.zeros_like(before[:1])]))
            self.token_gates = np.ascontiguousarray(panels_of(rows, self.stack.gate_width))


class CoreRun:
    """The network with its state for a number of rows.

    Args:
        core: Weights.
        rows: Number of rows.

    Attributes:
        stack: The states of the layers.
        before: Output of the step before: labels, int64 ``[rows]``, or columns, ``[rows, depth]``.
    """

    def __init__(self, core: CoreDecoder, rows: int) -> None:
        self._core = core
        self._added: tuple[Floats, ...] = ()  # the embedding's part of the gates
        self.stack = core.stack.run(rows)
        self._slot = self.stack.slot[0]
        product, whole = core.projection, whole_groups(rows)
        logits = np.zeros((1, whole, product.panels * product.width), np.float32)
        self._project = product.bind(self.stack.output, panels_of(logits, product.width))
        self._logits = logits[0, :rows, : core.depth]
        self.before: npt.NDArray[Any] = np.zeros((rows, core.depth), np.float32)
        if core.token_gates is not None:
            self.before = np.full(rows, core.depth)
            panels, _, width = core.token_gates.shape
            self._token_gates = np.empty((panels, rows, width), np.float32)

    def start(self, embedding: Floats) -> None:
        """Begins a segment: sets the states, ``embedding`` as in `Embedding.start`."""
        self._added = self._core.embedding.start(self.stack, embedding)

    def step(self, controls: Floats | None) -> Floats:
        """Computes one step from `before`.

        Args:
            controls: Controls of this step, ``[rows, control_depth]``, where the model has them.

        Returns:
            Outputs before their activation, ``[rows, depth]``; the next call overwrites them.
        """
        if controls is not None:
            self._slot[:, -controls.shape[1] :] = controls
        added = self._added
        if self._core.token_gates is None:
            self._slot[:, : self._core.depth] = self.before
        else:
            self._core.token_gates.take(self.before, 1, self._token_gates, "clip")  # np.take: 1 µs more
            added = (*added, self._token_gates[:, None])
        self.stack.step(*added)
        self._project()
        return self._logits
