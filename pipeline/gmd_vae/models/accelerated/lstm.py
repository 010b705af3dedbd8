"""The LSTM that Magenta's cells compute (``magenta.contrib.rnn.LSTMBlockCell``), one layer, step by step.

Its gradient is written by hand: what is pointwise in a step is one operation, and the weights' gradient
is one large product of all steps (``accelerated.products``).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.raw_ops import (
    add,
    add_n,
    concat,
    lstm_gradient,
    matmul,
    multiply,
    sigmoid,
    split,
    split_at,
    tanh,
)
from gmd_vae.models.accelerated.shared_weights import Bias, Factors, Weights, back_through, factor, widened

_FORGET_BIAS = 1.0  # magenta.contrib.rnn.LSTMBlockCell's


class State(NamedTuple):
    """Of one layer, float32 ``[rows, units]`` each; the order of TensorFlow's ``LSTMStateTuple``."""

    c: Any
    h: Any


def states_of(flat: Sequence[Any]) -> list[State]:
    """Of each layer, from all of them one after the other."""
    return [State(*flat[start : start + 2]) for start in range(0, len(flat), 2)]


@dataclasses.dataclass(frozen=True)
class Layer:
    """The variables of one LSTM layer, as Magenta's cells name and shape them.

    Attributes:
        inputs: rows of the kernel for each part of the input that is multiplied for all steps at once,
            ``[part, 4 * units]``.
        kernel: the rest, which each step is multiplied with: rows for the output of the layer below at the same
            step, if there is one, and for the layer's own output before, ``[below + units, 4 * units]``.
        bias: float32 ``[4 * units]``, the forget gate's constant included.
        units: the layer's size.
    """

    inputs: list[Weights]
    kernel: Weights
    bias: Bias
    units: int


def layer(scope: str, input_sizes: Sequence[int], units: int, precision: str, *, below: int = 0) -> Layer:
    """Makes or finds the variables of a layer.

    Args:
        scope: inside the current variable scope.
        input_sizes: of the parts of the layer's input that are known before its first step, in their order.
        units: the layer's size.
        precision: of the matrix products.
        below: the size of the rest of its input, the output of a layer that goes along step by step.
    """
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [sum(input_sizes) + below + units, 4 * units])
        bias = tf.get_variable("bias", [4 * units], initializer=tf.zeros_initializer())
        # gates in the order input, cell, forget, output
        always = tf.constant([0.0] * 2 * units + [_FORGET_BIAS] * units + [0.0] * units)
        parts = tf.split(kernel, [*input_sizes, below + units])
        *inputs, at_each_step = (Weights(part, precision) for part in parts)
        return Layer(inputs, at_each_step, Bias(bias + always), units)


def zero_state(rows: int, units: int) -> State:
    """The state before anything was heard."""
    return State(tf.zeros([rows, units]), tf.zeros([rows, units]))


class _Step(NamedTuple):
    """What the gradient of a step is made of: float32 ``[rows, units]``, but for the factor that was multiplied.

    Attributes:
        before: the state before it.
        multiplied: a factor ``[rows, below + units]``.
        i: the input gate.
        j: the cell's input.
        f: the forget gate.
        o: the output gate.
        c: the cell's state.
        tanh_c: its tanh.
    """

    before: State
    multiplied: Any
    i: Any
    j: Any
    f: Any
    o: Any
    c: Any
    tanh_c: Any


class Unrolled:
    """A layer over a sequence; it keeps of each step what the gradient is made of.

    Args:
        layer: its variables.
        state: before the first step.
        constant: float32 ``[rows, 4 * units]``, the part of the gates that is the same at all steps, the bias
            included; ``None``: the bias alone.
        backwards: the first step is the sequence's last.

    Attributes:
        shared: the weights whose gradient `BackThroughTime.terms` gives.
    """

    def __init__(self, layer: Layer, state: State, constant: Any = None, *, backwards: bool = False) -> None:
        self.layer, self.state, self._backwards = layer, state, backwards
        self.output = factor(state.h, layer.kernel.precision)  # ``state.h``, as a factor
        self.has_constant = constant is not None
        self.shared = [layer.kernel] if self.has_constant else [layer.kernel, layer.bias]
        self._constant = layer.bias.rows(int(state.h.shape[0])) if constant is None else constant
        self.steps: list[_Step] = []
        self._axis = tf.constant(1)

    def advance(self, *, gates: Any = None, below: Any = None) -> None:
        """One step.

        Args:
            gates: a factor ``[rows, 4 * units]``, the part of the gates that the input makes, if that is known.
            below: a factor, the output of the layer below at this step, if there is one.
        """
        kernel, before = self.layer.kernel, self.state
        multiplied = self.output if below is None else concat([below, self.output], self._axis)
        # the product is the first term and for no one else: TensorFlow's AddN adds to it
        terms = [widened(matmul(multiplied, kernel.factor)), *([] if gates is None else [widened(gates)])]
        i, j, f, o = split(add_n([*terms, self._constant]), self._axis, 4)
        i, j, f, o = sigmoid(i), tanh(j), sigmoid(f), sigmoid(o)
        c = add(multiply(f, before.c), multiply(i, j))
        tanh_c = tanh(c)
        self.state = State(c, multiply(o, tanh_c))
        self.output = factor(self.state.h, kernel.precision)
        self.steps.append(_Step(before, multiplied, i, j, f, o, c, tanh_c))

    def in_order(self, steps: Sequence[Any]) -> Sequence[Any]:
        """From the steps' order to the sequence's, or back."""
        return steps[::-1] if self._backwards else steps


class BackThroughTime:
    """The gradient of a layer over a sequence, from its last step to its first.

    Args:
        unrolled: the layer, after its last step.
        d_state: the gradient of its state then.

    Attributes:
        d_state: that of the state before the steps gone back.
        d_constant: float32 ``[rows, 4 * units]``; ``None`` where there is only the bias.
    """

    def __init__(self, unrolled: Unrolled, d_state: State) -> None:
        self._unrolled, self._left = unrolled, list(unrolled.steps)
        self.d_state, self.d_constant = d_state, None
        self._d_gates: list[Any] = []  # of the last step first
        kernel, units, rows = unrolled.layer.kernel, unrolled.layer.units, int(d_state.h.shape[0])
        # what the operation is given of the product itself, it does not look at
        self._below = kernel.inputs - units
        no_inputs, no_peephole, no_bias = tf.zeros([rows, self._below]), tf.zeros([units]), tf.zeros([4 * units])
        self._of_product = (no_inputs, [kernel.value, *[no_peephole] * 3, no_bias])
        self._sizes, self._axis = tf.constant([self._below, units]), tf.constant(1)

    def retreat(self, d_output: Any = None) -> Any:
        """One step back.

        Args:
            d_output: float32 ``[rows, units]``, the gradient of its output; the next step's part comes by itself.

        Returns:
            Float32 ``[rows, below]``, that of the output of the layer below at this step, or ``None``.
        """
        kernel, step = self._unrolled.layer.kernel, self._left.pop()
        d_c, d_h = self.d_state
        if d_output is not None:
            d_h = add(d_h, d_output)
        no_inputs, of_product = self._of_product
        activations = [step.i, step.c, step.f, step.o, step.j, step.tanh_c]
        d_c, d_gates = lstm_gradient([no_inputs, *step.before, *of_product, *activations, d_c, d_h])
        if self._unrolled.has_constant:
            # not tf.add_n of all: in which order it adds depends on which term is still in use elsewhere
            self.d_constant = d_gates if self.d_constant is None else add(self.d_constant, d_gates)
        self._d_gates.append(factor(d_gates, kernel.precision))
        d_h, d_below = widened(back_through(self._d_gates[-1], kernel)), None
        if self._below:
            d_below, d_h = split_at(d_h, self._sizes, self._axis)
        self.d_state = State(d_c, d_h)
        return d_below

    @property
    def d_gates(self) -> Sequence[Any]:
        """Of the gates at each step, in the sequence's order, factors ``[rows, 4 * units]``."""
        return self._unrolled.in_order(self._d_gates[::-1])

    def terms(self) -> list[Any]:
        """What each of ``Unrolled.shared`` gets of it (``gradients.with_gradient``)."""
        multiplied = self._unrolled.in_order([step.multiplied for step in self._unrolled.steps])
        of_kernel = [Factors(multiplied, self.d_gates)]
        return [of_kernel] if self._unrolled.has_constant else [of_kernel, self.d_gates]
