"""One LSTM layer, computed step by step, with a hand-written gradient (backpropagation through time).

It computes what Magenta's cell computes, ``magenta.contrib.rnn.LSTMBlockCell`` without peepholes. For one time step
``t``, with the inputs ``x``, the outputs ``h`` and the cell state ``c``::

    [i, g, f, o] = x[t] @ Wx + h[t-1] @ Wh + b         gate pre-activations, [rows, 4 * units]
    i, f, o      = sigmoid(i), sigmoid(f + 1), sigmoid(o)   input, forget and output gate
    g            = tanh(g)                             candidate cell state
    c[t]         = f * c[t-1] + i * g                  cell state, [rows, units]
    h[t]         = o * tanh(c[t])                      output, [rows, units]

The four blocks of columns are in Magenta's order: input gate, candidate, forget gate, output gate ("i, c, f, o").
Magenta stores one kernel, the rows of ``Wx`` followed by the rows of ``Wh``, ``[inputs + units, 4 * units]``.

Two changes make it faster. The part of ``x @ Wx`` that is known before the first step is one matmul for all steps.
In the gradient, one ``LSTMBlockCellGrad`` operation computes the pointwise part of a step, and the gradients of the
weights are one matmul for all steps (`shared_weights`).

Names: ``d_x`` is the gradient of the loss with respect to ``x``. ``below`` is the output of the layer below at the
same step. Tensors are float32 ``[rows, ...]`` unless the text says "operand" (`shared_weights`).
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
from gmd_vae.models.accelerated.shared_weights import (
    MatmulTerm,
    SharedBias,
    SharedWeights,
    as_operand,
    matmul_transposed,
    upcast,
)

_FORGET_BIAS = 1.0  # the default of magenta.contrib.rnn.LSTMBlockCell


class LstmState(NamedTuple):
    """State of one layer, in the order of TensorFlow's ``LSTMStateTuple``.

    Attributes:
        c: Cell state, float32 ``[rows, units]``.
        h: Output, float32 ``[rows, units]``.
    """

    c: Any
    h: Any


def group_states(flat: Sequence[Any]) -> list[LstmState]:
    """Groups the tensors ``c, h, c, h, ...`` into one state per layer."""
    return [LstmState(*flat[start : start + 2]) for start in range(0, len(flat), 2)]


def zero_state(rows: int, units: int) -> LstmState:
    """Returns the initial state of a layer, all zeros."""
    return LstmState(tf.zeros([rows, units]), tf.zeros([rows, units]))


@dataclasses.dataclass(frozen=True)
class LstmLayer:
    """Variables of one layer, with the names and shapes of Magenta's cell.

    Attributes:
        inputs: Rows of the kernel for each part of the input that is known before the first step,
            ``[part size, 4 * units]``.
        kernel: The other rows of the kernel, ``[below + units, 4 * units]``: those for the output of the layer below,
            if that layer runs step by step too, then those for the layer's own previous output.
        bias: Bias, float32 ``[4 * units]``, with the constant 1 of the forget gate added.
        units: Size of the layer.
    """

    inputs: list[SharedWeights]
    kernel: SharedWeights
    bias: SharedBias
    units: int


def lstm_layer(scope: str, input_sizes: Sequence[int], units: int, precision: str, *, below: int = 0) -> LstmLayer:
    """Creates the variables of a layer, or reuses them.

    Args:
        scope: Variable scope of the layer, inside the current one.
        input_sizes: Sizes of the parts of the input that are known before the first step, in kernel order.
        units: Size of the layer.
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
        below: Size of the output of the layer below, if that layer runs step by step too; otherwise 0.
    """
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [sum(input_sizes) + below + units, 4 * units])
        bias = tf.get_variable("bias", [4 * units], initializer=tf.zeros_initializer())
        forget_bias = tf.constant([0.0] * 2 * units + [_FORGET_BIAS] * units + [0.0] * units)
        parts = tf.split(kernel, [*input_sizes, below + units])
        *inputs, recurrent = (SharedWeights(part, precision) for part in parts)
        return LstmLayer(inputs, recurrent, SharedBias(bias + forget_bias), units)


class _StepCache(NamedTuple):
    """Values of one step that its gradient needs, float32 ``[rows, units]`` unless noted.

    Attributes:
        before: State before the step.
        operand: Left operand of the step's matmul, ``[rows, below + units]``.
        i: Input gate.
        g: Candidate cell state.
        f: Forget gate.
        o: Output gate.
        c: Cell state after the step.
        tanh_c: ``tanh(c)``.
    """

    before: LstmState
    operand: Any
    i: Any
    g: Any
    f: Any
    o: Any
    c: Any
    tanh_c: Any


class UnrolledLayer:
    """Forward pass of a layer over a sequence. Caches each step for the gradient.

    Args:
        layer: Variables of the layer.
        state: State before the first step.
        constant: Part of the gate pre-activations that is the same at all steps, bias included, float32
            ``[rows, 4 * units]``. ``None`` means the bias alone.
        backwards: Run from the last element of the sequence to the first.

    Attributes:
        state: State after the latest step.
        output: ``state.h`` as an operand.
        steps: Caches of the steps so far.
        has_constant: True if ``constant`` was given.
        shared: Shared tensors whose gradient terms `LayerBackprop.weight_gradient_terms` returns.
    """

    def __init__(self, layer: LstmLayer, state: LstmState, constant: Any = None, *, backwards: bool = False) -> None:
        self.layer, self.state, self._backwards = layer, state, backwards
        self.output = as_operand(state.h, layer.kernel.precision)
        self.has_constant = constant is not None
        self.shared = [layer.kernel] if self.has_constant else [layer.kernel, layer.bias]
        self._constant = layer.bias.rows(int(state.h.shape[0])) if constant is None else constant
        self.steps: list[_StepCache] = []
        self._axis = tf.constant(1)

    def forward_step(self, *, gates: Any = None, below: Any = None) -> None:
        """Computes one step.

        Args:
            gates: Part of the gate pre-activations from the precomputed input, operand ``[rows, 4 * units]``.
            below: Output of the layer below at this step, operand ``[rows, below]``.
        """
        kernel, before = self.layer.kernel, self.state
        operand = self.output if below is None else concat([below, self.output], self._axis)
        # the product comes first and has no other consumer: AddN adds in place to such a first term
        terms = [upcast(matmul(operand, kernel.operand)), *([] if gates is None else [upcast(gates)])]
        i, g, f, o = split(add_n([*terms, self._constant]), self._axis, 4)
        i, g, f, o = sigmoid(i), tanh(g), sigmoid(f), sigmoid(o)
        c = add(multiply(f, before.c), multiply(i, g))
        tanh_c = tanh(c)
        self.state = LstmState(c, multiply(o, tanh_c))
        self.output = as_operand(self.state.h, kernel.precision)
        self.steps.append(_StepCache(before, operand, i, g, f, o, c, tanh_c))

    def in_sequence_order(self, steps: Sequence[Any]) -> Sequence[Any]:
        """Converts a list from computation order to sequence order, or back."""
        return steps[::-1] if self._backwards else steps


class LayerBackprop:
    """Backward pass of a layer over a sequence (backpropagation through time).

    Args:
        unrolled: The layer after its forward pass.
        d_state: Gradient of the state after the last step.

    Attributes:
        d_state: Gradient of the state before the steps that are done.
        d_constant: Gradient of ``constant``, float32 ``[rows, 4 * units]``; ``None`` where the layer has only a bias.
    """

    def __init__(self, unrolled: UnrolledLayer, d_state: LstmState) -> None:
        self._unrolled, self._remaining = unrolled, list(unrolled.steps)
        self.d_state, self.d_constant = d_state, None
        self._d_gates: list[Any] = []  # last step first
        kernel, units, rows = unrolled.layer.kernel, unrolled.layer.units, int(d_state.h.shape[0])
        self._below = kernel.inputs - units
        # LSTMBlockCellGrad requires the inputs of the matmul and the peepholes but ignores their values
        no_inputs, no_peephole, no_bias = tf.zeros([rows, self._below]), tf.zeros([units]), tf.zeros([4 * units])
        self._no_inputs, self._ignored = no_inputs, [kernel.value, *[no_peephole] * 3, no_bias]
        self._sizes, self._axis = tf.constant([self._below, units]), tf.constant(1)

    def backward_step(self, d_output: Any = None) -> Any:
        """Computes the gradient of one step, from the last step to the first.

        Args:
            d_output: Gradient of the step's output from outside the layer, float32 ``[rows, units]``, or ``None``.
                The part from the next step is added here.

        Returns:
            Gradient of the output of the layer below at this step, float32 ``[rows, below]``, or ``None``.
        """
        kernel, step = self._unrolled.layer.kernel, self._remaining.pop()
        d_c, d_h = self.d_state
        if d_output is not None:
            d_h = add(d_h, d_output)
        activations = [step.i, step.c, step.f, step.o, step.g, step.tanh_c]
        d_c, d_gates = lstm_gradient([self._no_inputs, *step.before, *self._ignored, *activations, d_c, d_h])
        if self._unrolled.has_constant:
            # not one tf.add_n: its order of additions, and so the last bits, would depend on timing
            self.d_constant = d_gates if self.d_constant is None else add(self.d_constant, d_gates)
        self._d_gates.append(as_operand(d_gates, kernel.precision))
        d_h, d_below = upcast(matmul_transposed(self._d_gates[-1], kernel)), None
        if self._below:
            d_below, d_h = split_at(d_h, self._sizes, self._axis)
        self.d_state = LstmState(d_c, d_h)
        return d_below

    @property
    def d_gates(self) -> Sequence[Any]:
        """Gradients of the gate pre-activations in sequence order, operands ``[rows, 4 * units]``."""
        return self._unrolled.in_sequence_order(self._d_gates[::-1])

    def weight_gradient_terms(self) -> list[Any]:
        """Returns the gradient terms for each tensor of ``UnrolledLayer.shared``."""
        operands = self._unrolled.in_sequence_order([step.operand for step in self._unrolled.steps])
        kernel_terms = [MatmulTerm(operands, self.d_gates)]
        return [kernel_terms] if self._unrolled.has_constant else [kernel_terms, self.d_gates]
