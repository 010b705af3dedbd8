"""The LSTM that Magenta's cells compute (``magenta.contrib.rnn.LSTMBlockCell``), a whole sequence at a time.

What makes it faster: the inputs' part of the gates is one large matrix product for all steps; steps
are unrolled, without TensorFlow's loop; the gradient is written by hand, so that the weights'
gradient is one large product too, and what is pointwise in a step's gradient is one operation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.models.accelerated.gradients import with_gradient
from pipeline.models.accelerated.operations import add, add_n, lstm_gradient, matmul, multiply, sigmoid, split, tanh
from pipeline.models.accelerated.products import Weights, back_through, factor, product, weights_gradient, widened
from pipeline.models.magenta import tf

_FORGET_BIAS = 1.0  # magenta.contrib.rnn.LSTMBlockCell's


class State(NamedTuple):
    """Of one layer, float32 ``[rows, units]`` each; the order of TensorFlow's ``LSTMStateTuple``."""

    c: Any
    h: Any


@dataclasses.dataclass(frozen=True)
class Layer:
    """The variables of one LSTM layer, as Magenta's cells name and shape them.

    Attributes:
        inputs: rows of the kernel for each part of the input, ``[part, 4 * units]``.
        recurrent: its rows for the layer's own output, ``[units, 4 * units]``.
        bias: float32 ``[4 * units]``, the forget gate's constant included.
        units: the layer's size.
    """

    inputs: list[Weights]
    recurrent: Weights
    bias: Any
    units: int


def layer(scope: str, input_sizes: Sequence[int], units: int, precision: str) -> Layer:
    """Makes or finds the variables of a layer.

    Args:
        scope: inside the current variable scope.
        input_sizes: the parts that make the layer's input, in their order.
        units: the layer's size.
        precision: of the matrix products.
    """
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [sum(input_sizes) + units, 4 * units])
        bias = tf.get_variable("bias", [4 * units], initializer=tf.zeros_initializer())
        # gates in the order input, cell, forget, output
        always = tf.constant([0.0] * 2 * units + [_FORGET_BIAS] * units + [0.0] * units)
        *inputs, recurrent = (Weights(part, precision) for part in tf.split(kernel, [*input_sizes, units]))
        return Layer(inputs, recurrent, bias + always, units)


def input_gates(inputs: Any, weights: Weights) -> Any:
    """The inputs' part of the gates at all steps.

    Args:
        inputs: float32 or a factor, ``[steps, rows, size]``.
        weights: ``[size, 4 * units]``.

    Returns:
        A factor, ``[steps, rows, 4 * units]``.
    """
    steps, rows, size = (int(length) for length in inputs.shape)
    flat = product(tf.reshape(inputs, [steps * rows, size]), weights, as_factor=True)
    return tf.reshape(flat, [steps, rows, weights.outputs])


class Gradients(NamedTuple):
    """Of a layer over a sequence.

    Attributes:
        gates: a factor ``[steps, rows, 4 * units]``, of the part of the gates that its inputs make.
        constant: float32 ``[rows, 4 * units]``.
        recurrent: float32 ``[units, 4 * units]``.
        state: of the state before the first step.
    """

    gates: Any
    constant: Any
    recurrent: Any
    state: State


class Unrolled:
    """A layer over a sequence, step by step; it keeps of each what the gradient is made of.

    Args:
        recurrent: ``[units, 4 * units]``.
        state: before the first step.
        backwards: the first step is the sequence's last.
    """

    def __init__(self, recurrent: Weights, state: State, *, backwards: bool = False) -> None:
        self._recurrent, self._backwards = recurrent, backwards
        self.state = state
        self.output = factor(state.h, recurrent.precision)  # ``state.h``, as a factor
        self._before: list[tuple[State, Any]] = []  # each step's state and output before it
        self._after: list[tuple[Any, ...]] = []  # its gates and the rest of `_activations`
        self._axis = tf.constant(1)

    def advance(self, gates: Any, constant: Any) -> None:
        """One step.

        Args:
            gates: float32 or a factor ``[rows, 4 * units]``, the part of the gates that its input makes.
            constant: float32 ``[rows, 4 * units]``, the part that is the same at all steps, the bias included.
        """
        own = widened(matmul(self.output, self._recurrent.factor))  # the first term, for no one else: AddN adds to it
        self._before.append((self.state, self.output))
        self._after.append(self._activations(add_n([own, widened(gates), constant])))
        *_, c, _, h = self._after[-1]
        self.state, self.output = State(c, h), factor(h, self._recurrent.precision)

    def _activations(self, gates: Any) -> tuple[Any, ...]:
        """Input gate, cell input, forget gate, output gate, cell state, its tanh, output: ``[rows, units]``."""
        i, j, f, o = split(gates, self._axis, 4)
        i, j, f, o = sigmoid(i), tanh(j), sigmoid(f), sigmoid(o)
        c = add(multiply(f, self.state.c), multiply(i, j))
        tanh_c = tanh(c)
        return i, j, f, o, c, tanh_c, multiply(o, tanh_c)

    @property
    def outputs(self) -> Any:
        """A factor ``[steps, rows, units]``, in the sequence's order."""
        return tf.stack(self._in_order([*(output for _, output in self._before[1:]), self.output]))

    def gradients(self, d_outputs: Any | None, d_state: State) -> Gradients:
        """The gradients, from those of the results.

        Args:
            d_outputs: a factor ``[steps, rows, units]`` in the sequence's order; ``None``: only the state was used.
            d_state: of the state after the last step.
        """
        rows, units, precision = int(d_state.h.shape[0]), self._recurrent.inputs, self._recurrent.precision
        d_per_step = None if d_outputs is None else self._in_order(tf.unstack(d_outputs))
        d_factors: list[Any] = []
        d_constant = None
        d_c, d_h = d_state
        # what the operation is given of the product itself, it does not look at
        no_inputs, no_peephole, no_bias = tf.zeros([rows, 0]), tf.zeros([units]), tf.zeros([4 * units])
        for number in reversed(range(len(self._after))):
            if d_per_step is not None:
                d_h = add(d_h, widened(d_per_step[number]))
            (before, _), (i, j, f, o, c, tanh_c, _) = self._before[number], self._after[number]
            of_product = [no_inputs, before.c, before.h, self._recurrent.value, *[no_peephole] * 3, no_bias]
            d_c, d_gates = lstm_gradient([*of_product, i, c, f, o, j, tanh_c, d_c, d_h])
            # not tf.add_n of all: in which order it adds depends on which term is still in use elsewhere
            d_constant = d_gates if d_constant is None else add(d_constant, d_gates)
            d_factors.append(factor(d_gates, precision))
            d_h = widened(back_through(d_factors[-1], self._recurrent))
        d_all = tf.stack(self._in_order(d_factors[::-1]))
        own_inputs = tf.concat(self._in_order([output for _, output in self._before]), axis=0)
        d_recurrent = weights_gradient(own_inputs, tf.reshape(d_all, [-1, 4 * units]))
        return Gradients(d_all, d_constant, d_recurrent, State(d_c, d_h))

    def _in_order(self, steps: list[Any]) -> list[Any]:
        """From the steps' order to the sequence's, or back."""
        return steps[::-1] if self._backwards else steps


def advance(stack: Sequence[Unrolled], layers: Sequence[Layer], gates: Any, constants: Sequence[Any]) -> Any:
    """One step of a stack of layers, without gradients of the weights between them; the last layer's output.

    Args:
        stack: the layers over the sequence so far.
        layers: their variables.
        gates: a factor ``[rows, 4 * units]``, the input's part of the first layer's gates.
        constants: each layer's part of the gates that is the same at all steps.
    """
    stack[0].advance(gates, constants[0])
    for below, unrolled, layer, constant in zip(stack, stack[1:], layers[1:], constants[1:], strict=False):
        unrolled.advance(matmul(below.output, layer.inputs[0].factor), constant)
    return stack[-1].output


def recurrence(
    gates: Any, constant: Any, recurrent: Weights, state: State, *, backwards: bool = False, every_output: bool = True
) -> tuple[Any, State]:
    """A layer over a sequence of static length.

    Args:
        gates: a factor ``[steps, rows, 4 * units]``, the part of the gates that its inputs make.
        constant: float32 ``[rows, 4 * units]``, the part that is the same at all steps, the bias included.
        recurrent: ``[units, 4 * units]``.
        state: before the first step.
        backwards: begins with the last step.
        every_output: whether the outputs are wanted, or only the last state.

    Returns:
        The outputs, a factor ``[steps, rows, units]`` (``None`` if they are not wanted) in the order of
        the gates, and the state after the last step.
    """

    def run(*_: Any) -> Any:
        unrolled = Unrolled(recurrent, state, backwards=backwards)
        per_step = tf.unstack(gates)
        for part in reversed(per_step) if backwards else per_step:
            unrolled.advance(part, constant)

        def gradient(*d_results: Any) -> list[Any]:
            *d_outputs, d_c, d_h = d_results
            found = unrolled.gradients(d_outputs[0] if every_output else None, State(d_c, d_h))
            return [found.gates, found.constant, found.recurrent, *found.state]

        return [*([unrolled.outputs] if every_output else []), *unrolled.state], gradient

    *outputs, c, h = with_gradient(run, gates, constant, recurrent.value, *state)
    return outputs[0] if every_output else None, State(c, h)


def bias_rows(layer: Layer, rows: int) -> Any:
    """The bias as the ``constant`` of `recurrence`, float32 ``[rows, 4 * units]``."""
    return tf.broadcast_to(layer.bias, [rows, 4 * layer.units])


def zero_state(rows: int, units: int) -> State:
    """The state before anything was heard."""
    return State(tf.zeros([rows, units]), tf.zeros([rows, units]))
