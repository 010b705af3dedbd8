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
from pipeline.models.accelerated.products import Weights, back_through, factor, product, widened
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


def step(gates: Any, c: Any) -> tuple[Any, ...]:
    """One step after its gates are summed.

    Args:
        gates: float32 ``[rows, 4 * units]``, before their activations.
        c: the cell state before, ``[rows, units]``.

    Returns:
        Input gate, cell input, forget gate, output gate, cell state, its tanh, output: ``[rows, units]``.
    """
    # raw operations: there are thousands, and TensorFlow's Python functions take twice as long to add one
    ops = tf.raw_ops
    i, j, f, o = ops.Split(axis=1, value=gates, num_split=4)
    i, j, f, o = ops.Sigmoid(x=i), ops.Tanh(x=j), ops.Sigmoid(x=f), ops.Sigmoid(x=o)
    c = ops.AddV2(x=ops.Mul(x=f, y=c), y=ops.Mul(x=i, y=j))
    tanh_c = ops.Tanh(x=c)
    return i, j, f, o, c, tanh_c, ops.Mul(x=o, y=tanh_c)


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
    steps, rows, units = int(gates.shape[0]), int(gates.shape[1]), recurrent.inputs
    order = list(reversed(range(steps))) if backwards else list(range(steps))

    def run(gates: Any, constant: Any, value: Any, c: Any, h: Any) -> Any:
        per_step, output = tf.unstack(gates), factor(h, recurrent.precision)
        before: dict[int, tuple[Any, Any, Any]] = {}  # c, h and h as a factor, by step
        after: dict[int, tuple[Any, ...]] = {}
        outputs: dict[int, Any] = {}
        for t in order:
            before[t] = c, h, output
            own = widened(tf.matmul(output, recurrent.factor))  # the first term, for no one else: AddN adds to it
            after[t] = step(tf.raw_ops.AddN(inputs=[own, widened(per_step[t]), constant]), c)
            *_, c, _, h = after[t]
            output = outputs[t] = factor(h, recurrent.precision)

        def gradient(*d_results: Any) -> list[Any]:
            *d_outputs, d_c, d_h = d_results
            d_per_step = tf.unstack(d_outputs[0]) if every_output else None
            d_gates: dict[int, Any] = {}
            as_factors: dict[int, Any] = {}
            # what the operation is given of the product itself, it does not look at
            unused, no_peephole, no_bias = tf.zeros([rows, 0]), tf.zeros([units]), tf.zeros([4 * units])
            for t in reversed(order):
                if d_per_step is not None:
                    d_h = tf.raw_ops.AddV2(x=d_h, y=widened(d_per_step[t]))
                i, j, f, o, cell, tanh_cell, _ = after[t]
                pointwise = tf.raw_ops.LSTMBlockCellGrad(
                    x=unused,
                    cs_prev=before[t][0],
                    h_prev=before[t][1],
                    w=value,
                    wci=no_peephole,
                    wcf=no_peephole,
                    wco=no_peephole,
                    b=no_bias,
                    i=i,
                    cs=cell,
                    f=f,
                    o=o,
                    ci=j,
                    co=tanh_cell,
                    cs_grad=d_c,
                    h_grad=d_h,
                    use_peephole=False,
                )
                d_gates[t], d_c = pointwise.dicfo, pointwise.cs_prev_grad
                as_factors[t] = factor(d_gates[t], recurrent.precision)
                d_h = widened(back_through(as_factors[t], recurrent))
            d_all = tf.stack([as_factors[t] for t in range(steps)])
            own_inputs = tf.concat([before[t][2] for t in range(steps)], axis=0)
            d_value = tf.matmul(own_inputs, tf.reshape(d_all, [steps * rows, 4 * units]), transpose_a=True)
            # not tf.add_n: in which order it adds depends on which term is still in use elsewhere
            unrounded = d_all if recurrent.precision == "fp32" else tf.stack([d_gates[t] for t in range(steps)])
            return [d_all, tf.reduce_sum(unrounded, axis=0), widened(d_value), d_c, d_h]

        results = [tf.stack([outputs[t] for t in range(steps)])] if every_output else []
        return [*results, c, h], gradient

    *outputs, c, h = with_gradient(run, gates, constant, recurrent.value, state.c, state.h)
    return outputs[0] if every_output else None, State(c, h)


def bias_rows(layer: Layer, rows: int) -> Any:
    """The bias as the ``constant`` of `recurrence`, float32 ``[rows, 4 * units]``."""
    return tf.broadcast_to(layer.bias, [rows, 4 * layer.units])


def zero_state(rows: int, units: int) -> State:
    """The state before anything was heard."""
    return State(tf.zeros([rows, units]), tf.zeros([rows, units]))
