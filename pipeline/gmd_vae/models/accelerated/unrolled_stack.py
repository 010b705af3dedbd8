"""LSTM layers, one above the other, over a sequence of static length, without TensorFlow's loop.

All layers go along together: the second does its first step while the first does its second, and in the
same way back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.custom_gradients import hurry, with_gradient
from gmd_vae.models.accelerated.lstm import BackThroughTime, Layer, State, Unrolled, states_of
from gmd_vae.models.accelerated.raw_ops import gather
from gmd_vae.models.accelerated.shared_weights import Rows, factor, joined, widened


class Stack:
    """Layers over a sequence, step by step.

    Args:
        layers: the stack.
        states: of each, before the first step.
        constant: of the first layer (`lstm.Unrolled`).
        backwards: the first step is the sequence's last.
    """

    def __init__(
        self, layers: Sequence[Layer], states: Sequence[State], constant: Any = None, *, backwards: bool = False
    ) -> None:
        constants = [constant, *[None] * (len(layers) - 1)]
        self.layers = [Unrolled(*given, backwards=backwards) for given in zip(layers, states, constants, strict=True)]

    def advance(self, *, gates: Any = None, below: Any = None) -> Any:
        """One step, from what the first layer is given (`lstm.Unrolled.advance`); the last layer's output, a factor."""
        for layer in self.layers:
            layer.advance(gates=gates, below=below)
            gates, below = None, layer.output
        return below

    @property
    def states(self) -> list[State]:
        """Of each layer, after the last step so far."""
        return [layer.state for layer in self.layers]

    def back(self, d_outputs: Sequence[Any] | None, d_states: Sequence[State]) -> tuple[list[BackThroughTime], Any]:
        """All steps back.

        Args:
            d_outputs: factors, for each step the gradient of the last layer's output; ``None``: of no use.
            d_states: of the states after the last step.

        Returns:
            Each layer's gradient, and that of what was below the first one at the first step, or ``None``.
        """
        back = [BackThroughTime(*given) for given in zip(self.layers, d_states, strict=True)]
        d_below = None
        for time in reversed(range(len(self.layers[0].steps))):
            d_below = None if d_outputs is None else widened(d_outputs[time])
            for layer in reversed(back):
                d_below = layer.retreat(d_below)
        return back, d_below


def recurrence(
    gates: Any, layer: Layer, state: State, *, backwards: bool = False, every_output: bool = True
) -> tuple[Any, State]:
    """One layer over a sequence whose part of the gates is known.

    Args:
        gates: a factor ``[steps, rows, 4 * units]``.
        layer: without a layer below.
        state: before the first step.
        backwards: begins with the last step.
        every_output: whether the outputs are wanted, or only the last state.

    Returns:
        The outputs, a factor ``[steps, rows, units]`` (``None`` if they are not wanted) in the order of
        the gates, and the state after the last step.
    """
    stack = Stack([layer], [state], backwards=backwards)
    [unrolled] = stack.layers

    def drive() -> list[Any]:
        outputs = [stack.advance(gates=part) for part in unrolled.in_order(tf.unstack(gates))]
        return outputs if every_output else []

    def d_inputs(back: list[BackThroughTime], _: Any) -> list[Any]:
        return [tf.reshape(joined(back[0].d_gates), gates.shape)]

    outputs, [after] = _with_gradient(stack, drive, [gates], d_inputs)
    return tf.stack(unrolled.in_order(outputs)) if every_output else None, after


def conduct(inputs: Any, layers: Sequence[Layer], states: Sequence[State]) -> list[State]:
    """One step of a stack whose first layer's input is below it.

    Args:
        inputs: float32 ``[rows, below]``.
        layers: the stack.
        states: of each layer.
    """
    stack = Stack(layers, states)

    def drive() -> list[Any]:
        stack.advance(below=factor(inputs, layers[0].kernel.precision))
        return []

    _, after = _with_gradient(stack, drive, [inputs], lambda _, d_below: [d_below])
    return after


def decode(
    tokens: Sequence[Any],
    layers: Sequence[Layer],
    rows: Any,
    constant: Any,
    states: Sequence[State],
    read: Callable[[Any, Any, int], Any],
) -> tuple[list[Any], list[State]]:
    """A stack over a sequence of tokens, some of which may be its own.

    Args:
        tokens: int32 ``[rows]`` for each step, the true ones.
        layers: the stack; the first one's input is a token and what makes the constant.
        rows: the weights of the first layer's input by token, a factor (``products.token_rows``).
        constant: float32 ``[rows, 4 * units]``, the part of the first layer's gates that is the same at all steps.
        states: of each layer, before the first step.
        read: what it reads after a step, from the true tokens, the step's output and its number.

    Returns:
        The last layer's outputs at each step, factors ``[rows, units]``, and the states after the last step.
    """
    stack, first_axis = Stack(layers, states, constant), tf.constant(0)
    was_read: list[Any] = []

    def drive() -> list[Any]:
        outputs: list[Any] = []
        for time, true in enumerate(tokens):
            was_read.append(read(true, outputs[-1], time - 1) if time else true)
            outputs.append(stack.advance(gates=gather(rows, was_read[-1], first_axis)))
        return outputs

    def d_inputs(back: list[BackThroughTime], _: Any) -> list[Any]:
        return [[Rows(was_read, back[0].d_gates)]]

    return _with_gradient(stack, drive, [layers[0].inputs[0]], d_inputs, constant)


def _with_gradient(
    stack: Stack,
    drive: Callable[[], list[Any]],
    inputs: Sequence[Any],
    d_inputs: Callable[[list[BackThroughTime], Any], list[Any]],
    constant: Any = None,
) -> tuple[list[Any], list[State]]:
    """Drives a stack over its sequence.

    Args:
        stack: before its first step.
        drive: advances it; gives the outputs that are to have a gradient, of all steps or of none.
        inputs: what else it reads.
        d_inputs: their gradients, from what `Stack.back` gives.
        constant: as the stack was given it.

    Returns:
        The outputs, and the states after the last step.
    """
    before = _flat(stack.states)

    def run() -> Any:
        outputs = drive()

        def gradient(*d_results: Any) -> list[Any]:
            d_outputs, d_states = d_results[: len(outputs)], states_of(d_results[len(outputs) :])
            back, d_below = stack.back(d_outputs or None, d_states)
            hurry(back[0].d_state.h.op)
            d_constant = [] if constant is None else [back[0].d_constant]
            terms = [term for layer in back for term in layer.terms()]
            return [*d_inputs(back, d_below), *d_constant, *terms, *_flat([layer.d_state for layer in back])]

        return [*outputs, *_flat(stack.states)], gradient

    constants = [] if constant is None else [constant]
    shared = [part for layer in stack.layers for part in layer.shared]
    results = with_gradient(run, *inputs, *constants, *shared, *before)
    count = len(results) - len(before)
    return results[:count], states_of(results[count:])


def _flat(states: Sequence[State]) -> list[Any]:
    return [part for state in states for part in state]
