"""LSTM layers, one above the other, computed step by step.

A layer computes what ``magenta.contrib.rnn.LSTMBlockCell`` computes; `models.accelerated.lstm` has the equations. Three
changes of the weights, all of them exact, save operations:

- ``sigmoid(x) = (1 + tanh(x / 2)) / 2``: the columns of the input, forget and output gate are halved, so that one tanh
  serves all four gates.
- The layers hold twice their output, ``(1 + tanh(o)) * tanh(c)``, and the rows of all weights that read it are halved.
- The bias, with the constant 1 of the forget gate, is a row of the weights for an input that is always 1.

The inputs and outputs of all layers lie side by side in one operand, ``[slot | h0 | 1 | h1 | 1 | ...]``: the operand of
each layer, and that of whatever reads the last layer, is a range of its columns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.models.forward.products import Product, padded, panels_of, whole_groups

Floats = npt.NDArray[np.float32]
Variables = Mapping[str, Floats]

_FORGET_BIAS = 1.0  # the default of magenta.contrib.rnn.LSTMBlockCell
# arrays without dimensions: NumPy takes longer with scalars
_HALF, _ONE, _TWO = (np.full((), number, np.float32) for number in (0.5, 1, 2))


@dataclasses.dataclass(frozen=True)
class Cell:
    """Variables of one layer.

    Attributes:
        kernel: Rows of the inputs, then those of the layer's own output, ``[inputs + units, 4 * units]``.
        bias: Bias, ``[4 * units]``.
    """

    kernel: Floats
    bias: Floats

    @classmethod
    def read(cls, variables: Variables, scope: str) -> Cell:
        """Returns the variables in a scope."""
        return cls(variables[f"{scope}/lstm_cell/kernel"], variables[f"{scope}/lstm_cell/bias"])

    @property
    def units(self) -> int:
        """Size of the layer."""
        return len(self.bias) // 4

    @property
    def inputs(self) -> Floats:
        """Rows of the inputs."""
        return self.kernel[: -self.units]


def gate_columns(weights: Floats) -> Floats:
    """Returns weights ``[rows, 4 * units]`` with the gates in the order of `StackRun`, padded, ``[rows, 4 * padded]``.

    Magenta's order of columns is input gate, candidate, forget gate, output gate.
    """
    units = weights.shape[1] // 4
    gates = np.zeros((len(weights), 4, padded(units)), np.float32)
    i, g, f, o = np.split(weights, 4, axis=1)
    for number, (gate, factor) in enumerate(((i, 0.5), (f, 0.5), (o, 0.5), (g, 1))):
        gates[:, number, :units] = gate * np.float32(factor)
    return gates.reshape(len(weights), -1)


def output_rows(weights: Floats) -> Floats:
    """Returns weights that read a layer's output ``[units, columns]``, for twice the padded output."""
    rows = np.zeros((padded(len(weights)), weights.shape[1]), np.float32)
    rows[: len(weights)] = weights / 2
    return rows


def state_columns(weights: Floats, sizes: Sequence[int]) -> Floats:
    """Returns weights whose columns are states ``c, h, c, h, ...`` with each part padded.

    Args:
        weights: Weights, ``[rows, 2 * sum of sizes]``.
        sizes: Units of each layer.
    """
    parts = np.split(weights, np.cumsum([size for size in sizes for _ in "ch"])[:-1], axis=1)
    return np.concatenate([np.pad(part, ((0, 0), (0, padded(part.shape[1]) - part.shape[1]))) for part in parts], 1)


class LstmStack:
    """Weights of layers, one above the other. The encoder has one layer in two directions, a decoder has one direction.

    Args:
        cells: Variables of each layer and each of its directions.
        slot: Weights of the slot for each direction, ``[slot, 4 * units]``: the rows of the first layer's kernel for
            the inputs that change from step to step. Other inputs are added to the gates (`StackRun.step`).

    Attributes:
        sizes: Units of each layer.
        directions: Number of directions.
    """

    def __init__(self, cells: Sequence[Sequence[Cell]], slot: Sequence[Floats]) -> None:
        self.sizes, self.directions = [layer[0].units for layer in cells], len(slot)
        self._products: list[Product] = []
        self._ranges: list[slice] = []  # columns of each layer's output in the operand
        self.slot, start = len(slot[0]), len(slot[0])
        for number, (layer, size) in enumerate(zip(cells, self.sizes, strict=True)):
            weights = []
            for inputs, cell in zip(slot, layer, strict=True):
                bias = cell.bias.copy()
                bias[2 * size : 3 * size] += np.float32(_FORGET_BIAS)
                own = output_rows(cell.kernel[-size:])
                rows = [output_rows(cell.inputs), bias[None], own] if number else [inputs, own, bias[None]]
                weights.append(gate_columns(np.concatenate(rows)))
            self._products.append(Product(np.stack(weights)))
            self._ranges.append(slice(start, start + padded(size)))
            start += padded(size) + 1
        self._columns = start

    @property
    def gate_width(self) -> int:
        """Width of the panels of the first layer's gates."""
        return self._products[0].width

    def run(self, rows: int) -> StackRun:
        """Returns the layers with zero states for a number of rows."""
        return StackRun(self, rows)


class _Layer(NamedTuple):
    """Arrays of one layer: ``[panels, directions, rows, width]`` each."""

    multiply: Callable[[], Any]
    gates: Floats
    sigmoids: Floats  # input, forget and output gate
    i: Floats
    f: Floats
    o: Floats
    g: Floats
    c: Floats
    h: Floats  # twice the output; a view of the operand


class StackRun:
    """The states of layers for a number of rows, and the arrays of a step.

    Attributes:
        slot: Inputs of the next step, ``[directions, rows, slot]``, to be written.
        output: Twice the output of the last layer, and a last column of ones, ``[directions, whole groups of rows,
            padded units + 1]``.
    """

    def __init__(self, stack: LstmStack, rows: int) -> None:
        whole = whole_groups(rows)
        operand = np.zeros((stack.directions, whole, stack._columns), np.float32)
        self._layers: list[_Layer] = []
        start = 0
        for number, (product, columns) in enumerate(zip(stack._products, stack._ranges, strict=True)):
            operand[..., columns.stop] = 1
            stop = columns.stop if number else columns.stop + 1
            outputs = product.outputs(whole, stack.directions)
            gates, panels = outputs[:, :, :rows], product.panels // 4
            cells = np.zeros((stack.directions, rows, padded(stack.sizes[number])), np.float32)
            c = panels_of(cells, product.width)
            if rows > 1:  # panels apart, as those of the gates
                c = np.ascontiguousarray(c)
            h = panels_of(operand[:, :rows, columns], product.width)
            i, f, o, g = (gates[part * panels : (part + 1) * panels] for part in range(4))
            multiply = product.bind(operand[:, :, start:stop], outputs)
            self._layers.append(_Layer(multiply, gates, gates[: 3 * panels], i, f, o, g, c, h))
            start = columns.start
        self.slot, self.output = operand[:, :rows, : stack.slot], operand[:, :, start:]

    def step(self, *added: Floats) -> None:
        """Computes one step.

        Args:
            added: Parts of the first layer's gates, ``[panels, directions, rows, width]``.
        """
        for multiply, gates, sigmoids, i, f, o, g, c, h in self._layers:
            multiply()
            for part in added:
                np.add(gates, part, gates)
            added = ()
            np.tanh(gates, gates)
            np.add(sigmoids, _ONE, sigmoids)
            np.multiply(i, g, g)
            np.multiply(f, c, c)
            np.add(c, g, c)
            np.multiply(c, _HALF, c)
            np.tanh(c, i)
            np.multiply(i, o, h)

    def set_states(self, states: Floats) -> None:
        """Sets the states of all layers of a stack with one direction.

        Args:
            states: ``[rows, columns]`` as `state_columns` orders them.
        """
        start = 0
        for c, h, size in self._states():
            np.copyto(c, panels_of(states[:, start : start + size], c.shape[-1])[:, None])
            np.multiply(panels_of(states[:, start + size : start + 2 * size], c.shape[-1])[:, None], _TWO, h)
            start += 2 * size

    def copy_states(self, into: Floats) -> None:
        """Copies the states of all layers of a stack with one direction; each ``h`` is twice the output.

        Args:
            into: ``[rows, columns]`` as `state_columns` orders them.
        """
        start = 0
        for c, h, size in self._states():
            np.copyto(panels_of(into[:, start : start + size], c.shape[-1])[:, None], c)
            np.copyto(panels_of(into[:, start + size : start + 2 * size], c.shape[-1])[:, None], h)
            start += 2 * size

    def _states(self) -> Iterator[tuple[Floats, Floats, int]]:
        """Yields cell state and doubled output of each layer, and its padded size."""
        for layer in self._layers:
            yield layer.c, layer.h, len(layer.c) * layer.c.shape[-1]
