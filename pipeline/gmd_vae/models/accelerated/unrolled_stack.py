"""LSTM layers, one above the other, unrolled over a sequence of static length instead of a TensorFlow loop.

All layers advance together, in both passes: the second layer can compute step 1 while the first computes step 2.
There is one function for each way in which the model uses a stack: `run_layer` (encoder), `run_stack_step`
(conductor) and `run_decoder` (core decoder). Shapes and symbols are those of `lstm`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.custom_gradients import with_custom_gradient
from gmd_vae.models.accelerated.lstm import LayerBackprop, LstmLayer, LstmState, UnrolledLayer, group_states
from gmd_vae.models.accelerated.raw_ops import gather
from gmd_vae.models.accelerated.shared_weights import LookupTerm, as_operand, concat_rows, upcast


class UnrolledStack:
    """A stack of layers over a sequence, step by step.

    Args:
        layers: Layers, from the lowest to the highest.
        states: State of each layer before the first step.
        constant: Constant part of the gate pre-activations of the first layer (`lstm.UnrolledLayer`).
        backwards: Run from the last element of the sequence to the first.
    """

    def __init__(
        self, layers: Sequence[LstmLayer], states: Sequence[LstmState], constant: Any = None, *, backwards: bool = False
    ) -> None:
        constants = [constant, *[None] * (len(layers) - 1)]
        self.layers = [
            UnrolledLayer(*each, backwards=backwards) for each in zip(layers, states, constants, strict=True)
        ]

    def forward_step(self, *, gates: Any = None, below: Any = None) -> Any:
        """Computes one step of all layers.

        Args:
            gates: Input of the first layer, as in `lstm.UnrolledLayer.forward_step`.
            below: As above.

        Returns:
            Output of the last layer, operand ``[rows, units]``.
        """
        for layer in self.layers:
            layer.forward_step(gates=gates, below=below)
            gates, below = None, layer.output
        return below

    @property
    def states(self) -> list[LstmState]:
        """State of each layer after the latest step."""
        return [layer.state for layer in self.layers]

    def backprop(
        self, d_outputs: Sequence[Any] | None, d_states: Sequence[LstmState]
    ) -> tuple[list[LayerBackprop], Any]:
        """Computes the gradient of all steps.

        Args:
            d_outputs: Gradient of the last layer's output at each step, operands ``[rows, units]``; ``None`` where
                the outputs are not used.
            d_states: Gradient of each layer's state after the last step.

        Returns:
            The backward pass of each layer, and the gradient of the first layer's ``below`` at the first step, or
            ``None``.
        """
        layers = [LayerBackprop(*each) for each in zip(self.layers, d_states, strict=True)]
        d_below = None
        for time in reversed(range(len(self.layers[0].steps))):
            d_below = None if d_outputs is None else upcast(d_outputs[time])
            for layer in reversed(layers):
                d_below = layer.backward_step(d_below)
        return layers, d_below


def run_layer(
    gates: Any, layer: LstmLayer, state: LstmState, *, backwards: bool = False, every_output: bool = True
) -> tuple[Any, LstmState]:
    """Runs one layer over a sequence whose input products are precomputed.

    Args:
        gates: Input part of the gate pre-activations, operand ``[steps, rows, 4 * units]``.
        layer: Layer without another layer below.
        state: State before the first step.
        backwards: Run from the last element of the sequence to the first.
        every_output: Return the output of every step.

    Returns:
        The outputs in sequence order, operand ``[steps, rows, units]``, or ``None``; and the state after the last
        step.
    """
    stack = UnrolledStack([layer], [state], backwards=backwards)
    [unrolled] = stack.layers

    def forward() -> list[Any]:
        outputs = [stack.forward_step(gates=part) for part in unrolled.in_sequence_order(tf.unstack(gates))]
        return outputs if every_output else []

    def input_gradients(layers: list[LayerBackprop], _: Any) -> list[Any]:
        return [tf.reshape(concat_rows(layers[0].d_gates), gates.shape)]

    outputs, [final] = _with_gradient(stack, forward, [gates], input_gradients)
    return tf.stack(unrolled.in_sequence_order(outputs)) if every_output else None, final


def run_stack_step(inputs: Any, layers: Sequence[LstmLayer], states: Sequence[LstmState]) -> list[LstmState]:
    """Runs one step of a stack.

    Args:
        inputs: Input of the first layer, float32 ``[rows, below]``.
        layers: Layers, from the lowest to the highest.
        states: State of each layer before the step.

    Returns:
        State of each layer after the step.
    """
    stack = UnrolledStack(layers, states)

    def forward() -> list[Any]:
        stack.forward_step(below=as_operand(inputs, layers[0].kernel.precision))
        return []

    _, final = _with_gradient(stack, forward, [inputs], lambda _, d_below: [d_below])
    return final


def run_decoder(
    tokens: Sequence[Any],
    layers: Sequence[LstmLayer],
    token_gates: Any,
    constant: Any,
    states: Sequence[LstmState],
    choose_input: Callable[[Any, Any, int], Any],
) -> tuple[list[Any], list[LstmState]]:
    """Runs a stack over a sequence of tokens, some of which scheduled sampling may replace.

    Args:
        tokens: True tokens of each step, int32 ``[rows]``.
        layers: Layers. The input of the first one is a token and the vector behind ``constant``.
        token_gates: Token part of the first layer's gate pre-activations by token, an operand
            ``[1 + classes, 4 * units]`` (`shared_weights.token_table`).
        constant: Part of the first layer's gate pre-activations that is the same at all steps, float32
            ``[rows, 4 * units]``.
        states: State of each layer before the first step.
        choose_input: Function from the true tokens of a step, the stack's output at the step before and the index
            of that step before to the tokens that the stack reads.

    Returns:
        The last layer's outputs at each step, operands ``[rows, units]``, and the states after the last step.
    """
    stack, axis = UnrolledStack(layers, states, constant), tf.constant(0)
    read_tokens: list[Any] = []

    def forward() -> list[Any]:
        outputs: list[Any] = []
        for time, true_tokens in enumerate(tokens):
            read_tokens.append(choose_input(true_tokens, outputs[-1], time - 1) if time else true_tokens)
            outputs.append(stack.forward_step(gates=gather(token_gates, read_tokens[-1], axis)))
        return outputs

    def input_gradients(layers: list[LayerBackprop], _: Any) -> list[Any]:
        return [[LookupTerm(read_tokens, layers[0].d_gates)]]

    return _with_gradient(stack, forward, [layers[0].inputs[0]], input_gradients, constant)


def _with_gradient(
    stack: UnrolledStack,
    forward: Callable[[], list[Any]],
    inputs: Sequence[Any],
    input_gradients: Callable[[list[LayerBackprop], Any], list[Any]],
    constant: Any = None,
) -> tuple[list[Any], list[LstmState]]:
    """Runs the forward pass of a stack and attaches the hand-written backward pass.

    Args:
        stack: Stack before its first step.
        forward: Function that runs all steps. It returns the outputs of all steps, or an empty list.
        inputs: Tensors or shared tensors that ``forward`` reads, besides the states and the constant.
        input_gradients: Function from the results of `UnrolledStack.backprop` to the gradients of ``inputs``.
        constant: Constant of the stack.

    Returns:
        The outputs, and the state of each layer after the last step.
    """
    initial = _flatten(stack.states)

    def compute() -> Any:
        outputs = forward()

        def gradient(*d_results: Any) -> list[Any]:
            d_outputs, d_states = d_results[: len(outputs)], group_states(d_results[len(outputs) :])
            layers, d_below = stack.backprop(d_outputs or None, d_states)
            d_constant = [] if constant is None else [layers[0].d_constant]
            terms = [term for layer in layers for term in layer.weight_gradient_terms()]
            d_initial = _flatten([layer.d_state for layer in layers])
            return [*input_gradients(layers, d_below), *d_constant, *terms, *d_initial]

        return [*outputs, *_flatten(stack.states)], gradient

    constants = [] if constant is None else [constant]
    shared = [part for layer in stack.layers for part in layer.shared]
    results = with_custom_gradient(compute, *inputs, *constants, *shared, *initial)
    count = len(results) - len(initial)
    return results[:count], group_states(results[count:])


def _flatten(states: Sequence[LstmState]) -> list[Any]:
    """Returns the tensors ``c, h, c, h, ...`` of the layers (`lstm.group_states`)."""
    return [tensor for state in states for tensor in state]
