"""Magenta's ``CategoricalLstmDecoder``, accelerated: the part that both decoders share.

Everything here is time-major, and its rows are windows or, where segments are decoded at once,
segments of windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from gmd_vae.engines.local import default_jobs
from gmd_vae.magenta.api import gpus, lstm_models, tf
from gmd_vae.magenta.randomness import loop_keys, sample_classes
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.raw_ops import gather
from gmd_vae.models.accelerated.scheduled_sampling import Draws
from gmd_vae.models.accelerated.shared_weights import Weights, plain_product, product, token_rows
from gmd_vae.models.accelerated.unrolled_stack import Stack, decode

# Rows times units of a half, from which on halves are faster (docs/performance.md): 32 rows of 256 units are, 32 of
# 128 are not, as what a step takes is then the number of its operations, not their size.
ENOUGH_FOR_HALVES = 32 * 256


class Core(lstm_models.CategoricalLstmDecoder):  # type: ignore[misc]
    """The LSTM stack over tokens and an embedding, with its output layer.

    Args:
        precision: of the matrix products.
    """

    def __init__(self, precision: str) -> None:
        super().__init__()
        self._precision = precision

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """As the class it extends; also keeps the sizes."""
        super().build(hparams, output_depth, is_training)
        self.sizes, self.classes, self.is_training = list(hparams.dec_rnn_size), output_depth, is_training
        self.samples_its_inputs = tf.get_static_value(self._sampling_probability) != 0.0

    def open(self, embedding_size: int) -> Decoding:
        """Makes or finds the variables, in the current variable scope."""
        return Decoding(self, embedding_size)

    def side_by_side(self, decoded: Callable[[Any, Any], Any], inputs: Any, z: Any) -> Any:
        """What a decoder makes of a batch; in training of two halves of it, if that is faster.

        One step waits for the one before, and does not keep two processors busy: two halves do.

        Args:
            decoded: of inputs ``[..., rows]`` and latent vectors ``[rows, z_size]`` makes outputs
                ``[..., rows, units]``.
            inputs: int32 ``[..., batch]``.
            z: float32 ``[batch, z_size]``.
        """
        rows = int(z.shape[0])
        enough = rows % 2 == 0 and rows // 2 * min(self.sizes) >= ENOUGH_FOR_HALVES
        if not (self.is_training and enough and default_jobs() > 1 and not gpus):
            return decoded(inputs, z)
        return tf.concat([decoded(*half) for half in zip(tf.split(inputs, 2, -1), tf.split(z, 2), strict=True)], -2)


class Decoding:
    """The variables of a core decoder, and what is computed with them.

    Args:
        core: the decoder.
        embedding_size: of the vector that accompanies every step: ``z``, or a conductor's output.
    """

    def __init__(self, core: Core, embedding_size: int) -> None:
        self._core, precision = core, core._precision
        self._layers: list[lstm.Layer] = []
        parts, below = [core.classes, embedding_size], 0
        for number, units in enumerate(core.sizes):
            scope = f"decoder/multi_rnn_cell/cell_{number}/lstm_cell"
            self._layers.append(lstm.layer(scope, parts, units, precision, below=below))
            parts, below = [], units
        self._rows = token_rows(self._layers[0].inputs[0])
        with tf.variable_scope("decoder/z_to_initial_state", reuse=tf.AUTO_REUSE):
            # Magenta's lstm_utils.initial_cell_state_from_embedding
            self._sizes = [units for units in core.sizes for _ in lstm.State._fields]
            small = tf.random_normal_initializer(stddev=0.001)
            kernel = tf.get_variable("kernel", [embedding_size, sum(self._sizes)], initializer=small)
            self._to_states = Weights(kernel, precision)
            self._states_bias = tf.get_variable("bias", [sum(self._sizes)], initializer=tf.zeros_initializer())
        with tf.variable_scope("decoder/output_projection", reuse=tf.AUTO_REUSE):
            self._output = Weights(tf.get_variable("kernel", [core.sizes[-1], core.classes]), precision)
            self._output_bias = tf.get_variable("bias", [core.classes], initializer=tf.zeros_initializer())

    def decoded(self, tokens: Any, embedding: Any, segments: int = 1) -> tuple[list[Any], list[lstm.State]]:
        """Tells it a sequence (teacher forcing); where the config says so, some of it is what it would have said.

        Args:
            tokens: int32 ``[steps, rows]``, the true ones.
            embedding: float32 ``[rows, size]``.
            segments: how many the rows hold, one after the other; Magenta draws for each apart.

        Returns:
            The last layer's outputs at each step, factors ``[rows, units]``, and the states after the last step.
        """
        steps, rows = (int(size) for size in tokens.shape)
        samples = self._core.samples_its_inputs and steps > 1
        draws = Draws(self._core._sampling_probability, steps - 1, rows, segments) if samples else None

        def mixed(true: Any, output: Any, time: int) -> Any:
            return draws.mixed(true, self._plain_logits(output), time) if draws else true

        constant, states = self._constant(embedding), self._initial_states(embedding)
        return decode(tf.unstack(tokens), self._layers, self._rows, constant, states, mixed)

    def logits(self, outputs: Any) -> Any:
        """Of the last layer's outputs ``[rows, units]``: ``[rows, classes]``."""
        return product(outputs, self._output) + self._output_bias

    def sample(self, steps: int, first: Any, embedding: Any, temperature: Any) -> tuple[Any, list[lstm.State]]:
        """Draws a sequence, each step given the ones before.

        Args:
            steps: how many.
            first: int32 ``[rows]``, the tokens before.
            embedding: float32 ``[rows, size]``.
            temperature: float32 scalar.

        Returns:
            Tokens int32 ``[steps, rows]``, and the states after the last step.
        """
        keys, tokens, drawn = loop_keys(steps), first, []
        stack = Stack(self._layers, self._initial_states(embedding), self._constant(embedding))
        first_axis = tf.constant(0)
        for time in range(steps):
            output = stack.advance(gates=gather(self._rows, tokens, first_axis))
            tokens = sample_classes(self._plain_logits(output) / temperature, keys[time]) + 1
            drawn.append(tokens)
        return tf.stack(drawn), stack.states

    def _initial_states(self, embedding: Any) -> list[lstm.State]:
        """The states that an embedding ``[rows, size]`` sets."""
        flat = tf.split(tf.tanh(product(embedding, self._to_states) + self._states_bias), self._sizes, axis=1)
        return lstm.states_of(flat)

    def _constant(self, embedding: Any) -> Any:
        """The part of the first layer's gates that is the same at all steps, ``[rows, 4 * units]``."""
        first = self._layers[0]
        return product(embedding, first.inputs[1]) + first.bias.value

    def _plain_logits(self, output: Any) -> Any:
        """As `logits`, without a gradient."""
        return plain_product(output, self._output) + self._output_bias


class Steps(NamedTuple):
    """What a decoder makes of each step of the windows that it is told (teacher forcing).

    Attributes:
        losses: float32 ``[batch, steps]``, nats; 0 where there is no step.
        likeliest: int32 ``[batch, steps]``, the likeliest class.
    """

    losses: Any
    likeliest: Any


def reconstruction(decoding: Decoding, outputs: Any, targets: Any, mask: Any) -> tuple[Any, Any]:
    """The reconstruction loss of every step.

    Args:
        decoding: whose output layer is used.
        outputs: float32 ``[..., units]`` of the last layer.
        targets: int32 ``[...]``, tokens.
        mask: float32 ``[...]``, 1 where a step counts.

    Returns:
        float32 ``[...]`` in nats, and the classes found likeliest.
    """
    logits = decoding.logits(tf.reshape(outputs, [-1, outputs.shape[-1]]))
    labels = tf.reshape(tf.maximum(targets - 1, 0), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    likeliest = tf.reshape(tf.argmax(logits, axis=-1, output_type=tf.int32), tf.shape(targets))
    return tf.reshape(losses, tf.shape(targets)) * mask, likeliest


def metrics(targets: Any, likeliest: Any, mask: Any, classes: int) -> dict[str, tuple[Any, Any]]:
    """Magenta's streaming metrics of a categorical decoder (``_flat_reconstruction_loss``)."""
    truth, found, weights = (tf.reshape(values, [-1]) for values in (tf.maximum(targets - 1, 0), likeliest, mask))
    return {
        "metrics/accuracy": tf.metrics.accuracy(truth, found, weights),
        "metrics/mean_per_class_accuracy": tf.metrics.mean_per_class_accuracy(truth, found, classes, weights),
    }
