"""Scheduled sampling: a decoder that reads, at some steps, what it would have said itself.

To draw it, the decoder has to run step by step. What it computes on the way is what the gradient is made of,
so that it runs once, as in Magenta.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.models.accelerated import lstm
from pipeline.models.accelerated.gradients import with_gradient
from pipeline.models.accelerated.lstm import Layer, State, Unrolled
from pipeline.models.accelerated.products import back_through, rows_gradient, weights_gradient
from pipeline.models.magenta import tf
from pipeline.models.randomness import loop_keys, sample_classes


class Draws:
    """Which steps are drawn, and what: as in ``magenta.contrib.seq2seq.ScheduledOutputTrainingHelper``.

    Args:
        probability: that a row's next token is drawn, float32 scalar.
        segments: how many the rows hold, one after the other; Magenta draws for each apart.
    """

    def __init__(self, probability: Any, segments: int) -> None:
        self._probability = probability
        self._keys = [(loop_keys(hashed=False), loop_keys()) for _ in range(segments)]

    def mixed(self, true: Any, logits: Any, time: int) -> Any:
        """The next tokens ``[rows]``: the true ones, some replaced by draws from the logits ``[rows, classes]``."""
        size = int(true.shape[0]) // len(self._keys)
        parts = []
        for number, (chooses, draws) in enumerate(self._keys):
            rows = slice(number * size, (number + 1) * size)
            uniform = tf.random.stateless_uniform([size], seed=chooses(time))
            chosen = tf.cast(tf.where(uniform < self._probability), tf.int32)
            drawn = sample_classes(tf.gather_nd(logits[rows], chosen), draws(time)) + 1
            parts.append(tf.tensor_scatter_nd_update(true[rows], chosen, drawn))
        return tf.concat(parts, axis=0) if len(parts) > 1 else parts[0]


def decode(
    true: Sequence[Any],
    layers: Sequence[Layer],
    rows: Any,
    logits: Callable[[Any], Any],
    constants: Sequence[Any],
    states: Sequence[State],
    draws: Draws,
) -> tuple[Any, list[State]]:
    """The whole stack over a sequence whose inputs are in part its own.

    Args:
        true: int32 ``[rows]`` for each step, the true tokens.
        layers: the stack.
        rows: the first layer's weights by token (``products.token_rows``).
        logits: of the last layer's output at a step, without a gradient.
        constants: each layer's part of the gates that is the same at all steps.
        states: of each layer, before the first step.
        draws: which tokens are drawn.

    Returns:
        The last layer's outputs, a factor ``[steps, rows, units]``, and the states after the last step.
    """

    def run(*_: Any) -> Any:
        stack = [Unrolled(layer.recurrent, state) for layer, state in zip(layers, states, strict=True)]
        read = [true[0]]
        for time in range(len(true)):
            output = lstm.advance(stack, layers, tf.gather(rows, read[-1]), constants)
            if time < len(true) - 1:
                read.append(draws.mixed(true[time + 1], logits(output), time))

        def gradient(d_outputs: Any, *d_states: Any) -> list[Any]:
            found = []
            for number in reversed(range(len(layers))):
                layer, d_state = layers[number], State(*d_states[2 * number : 2 * number + 2])
                own = stack[number].gradients(d_outputs, d_state)
                flat = tf.reshape(own.gates, [-1, 4 * layer.units])
                if number:
                    below = stack[number - 1].outputs
                    d_inputs = weights_gradient(tf.reshape(below, [-1, below.shape[-1]]), flat)
                    d_outputs = tf.reshape(back_through(flat, layer.inputs[0]), below.shape)
                else:
                    d_inputs = rows_gradient(tf.stack(read), flat, layer.inputs[0])
                found.append([d_inputs, own.constant, own.recurrent, *own.state])
            return [part for of_layer in reversed(found) for part in of_layer]

        return [stack[-1].outputs, *(part for unrolled in stack for part in unrolled.state)], gradient

    given = [
        part
        for layer, constant, state in zip(layers, constants, states, strict=True)
        for part in (layer.inputs[0].value, constant, layer.recurrent.value, *state)
    ]
    outputs, *after = with_gradient(run, *given)
    return outputs, [State(*after[2 * number : 2 * number + 2]) for number in range(len(layers))]
