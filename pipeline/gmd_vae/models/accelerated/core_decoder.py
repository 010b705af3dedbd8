"""Accelerated version of Magenta's ``CategoricalLstmDecoder``: the network that all our decoders run.

At each step the network reads a token and an embedding: the latent vector ``z`` in a flat decoder, the output of the
conductor in a hierarchical one. Everything here is time-major. A row is a window or, where all segments are decoded at
once, a segment of a window.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.magenta.random_keys import loop_keys
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.random_draws import categorical_draw
from gmd_vae.models.accelerated.raw_ops import gather
from gmd_vae.models.accelerated.scheduled_sampling import ScheduledSampling
from gmd_vae.models.accelerated.shared_weights import SharedWeights, linear, linear_without_gradient, token_table
from gmd_vae.models.accelerated.unrolled_stack import UnrolledStack, run_decoder


class CoreDecoder(lstm_models.CategoricalLstmDecoder):  # type: ignore[misc]
    """Hyperparameters of a core decoder; `network` creates its variables.

    Args:
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.

    Attributes:
        sizes: Units of each LSTM layer.
        classes: Number of classes.
        is_training: True if the graph is built for training.
        samples_inputs: True if scheduled sampling can replace inputs.
    """

    def __init__(self, precision: str) -> None:
        super().__init__()
        self._precision = precision

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """Builds Magenta's decoder and keeps the sizes."""
        super().build(hparams, output_depth, is_training)
        self.sizes, self.classes, self.is_training = list(hparams.dec_rnn_size), output_depth, is_training
        self.samples_inputs = tf.get_static_value(self._sampling_probability) != 0.0

    def network(self, embedding_size: int) -> DecoderNetwork:
        """Creates or reuses the variables in the current variable scope.

        Args:
            embedding_size: Size of the vector that accompanies every step.
        """
        return DecoderNetwork(self, embedding_size)


class DecoderNetwork:
    """Variables of a core decoder, and the computations with them.

    Args:
        core: The decoder.
        embedding_size: Size of the vector that accompanies every step.
    """

    def __init__(self, core: CoreDecoder, embedding_size: int) -> None:
        self._core, precision = core, core._precision
        self._layers: list[lstm.LstmLayer] = []
        input_sizes, below = [core.classes, embedding_size], 0
        for number, units in enumerate(core.sizes):
            scope = f"decoder/multi_rnn_cell/cell_{number}/lstm_cell"
            self._layers.append(lstm.lstm_layer(scope, input_sizes, units, precision, below=below))
            input_sizes, below = [], units
        self._token_gates = token_table(self._layers[0].inputs[0])
        with tf.variable_scope("decoder/z_to_initial_state", reuse=tf.AUTO_REUSE):
            # as in Magenta's lstm_utils.initial_cell_state_from_embedding
            self._state_sizes = [units for units in core.sizes for _ in lstm.LstmState._fields]
            initializer = tf.random_normal_initializer(stddev=0.001)
            kernel = tf.get_variable("kernel", [embedding_size, sum(self._state_sizes)], initializer=initializer)
            self._to_states = SharedWeights(kernel, precision)
            self._states_bias = tf.get_variable("bias", [sum(self._state_sizes)], initializer=tf.zeros_initializer())
        with tf.variable_scope("decoder/output_projection", reuse=tf.AUTO_REUSE):
            self._output = SharedWeights(tf.get_variable("kernel", [core.sizes[-1], core.classes]), precision)
            self._output_bias = tf.get_variable("bias", [core.classes], initializer=tf.zeros_initializer())

    def decode(self, tokens: Any, embedding: Any, segments: int = 1) -> tuple[list[Any], list[lstm.LstmState]]:
        """Decodes a known sequence, teacher-forced or, where the config says so, with scheduled sampling.

        Args:
            tokens: True input tokens, int32 ``[steps, rows]``.
            embedding: Embedding of each row, float32 ``[rows, size]``.
            segments: Number of segments in the rows, one after the other. Scheduled sampling draws for each segment
                separately, as Magenta does.

        Returns:
            The last layer's outputs at each step, operands ``[rows, units]``, and the states after the last step.
        """
        steps, rows = (int(size) for size in tokens.shape)
        sampling = None
        if self._core.samples_inputs and steps > 1:
            sampling = ScheduledSampling(self._core._sampling_probability, steps - 1, rows, segments)

        def choose_input(true_tokens: Any, output: Any, time: int) -> Any:
            if sampling is None:
                return true_tokens
            return sampling.next_tokens(true_tokens, self._logits_without_gradient(output), time)

        constant, states = self._constant(embedding), self._initial_states(embedding)
        return run_decoder(tf.unstack(tokens), self._layers, self._token_gates, constant, states, choose_input)

    def logits(self, outputs: Any) -> Any:
        """Applies the output layer.

        Args:
            outputs: Outputs of the last LSTM layer ``[rows, units]``.

        Returns:
            Logits, float32 ``[rows, classes]``.
        """
        return linear(outputs, self._output) + self._output_bias

    def sample(self, steps: int, first: Any, embedding: Any, temperature: Any) -> tuple[Any, list[lstm.LstmState]]:
        """Samples a sequence autoregressively (free-running).

        Args:
            steps: Number of steps.
            first: Tokens before the first step, int32 ``[rows]``.
            embedding: Embedding of each row, float32 ``[rows, size]``.
            temperature: Temperature of the softmax, float32 scalar.

        Returns:
            Tokens, int32 ``[steps, rows]``, and the states after the last step.
        """
        keys, tokens, drawn = loop_keys(steps), first, []
        stack = UnrolledStack(self._layers, self._initial_states(embedding), self._constant(embedding))
        axis = tf.constant(0)
        for time in range(steps):
            output = stack.forward_step(gates=gather(self._token_gates, tokens, axis))
            tokens = categorical_draw(self._logits_without_gradient(output) / temperature, keys[time]) + 1
            drawn.append(tokens)
        return tf.stack(drawn), stack.states

    def _initial_states(self, embedding: Any) -> list[lstm.LstmState]:
        """Computes the initial state of each layer from the embedding ``[rows, size]``."""
        flat = tf.tanh(linear(embedding, self._to_states) + self._states_bias)
        return lstm.group_states(tf.split(flat, self._state_sizes, axis=1))

    def _constant(self, embedding: Any) -> Any:
        """Computes the embedding's part of the first layer's gate pre-activations, float32 ``[rows, 4 * units]``."""
        first = self._layers[0]
        return linear(embedding, first.inputs[1]) + first.bias.value

    def _logits_without_gradient(self, output: Any) -> Any:
        """Computes `logits` for values that are only sampled from."""
        return linear_without_gradient(output, self._output) + self._output_bias


class StepOutputs(NamedTuple):
    """Results of a teacher-forced decoder for each step of each window.

    Attributes:
        losses: Reconstruction loss in nats, float32 ``[batch, steps]``; 0 after the end of a window.
        likeliest: Most likely class, int32 ``[batch, steps]``.
    """

    losses: Any
    likeliest: Any


def reconstruction_losses(network: DecoderNetwork, outputs: Any, targets: Any, mask: Any) -> tuple[Any, Any]:
    """Computes the cross entropy of each step.

    Args:
        network: Network with the output layer.
        outputs: Outputs of the last LSTM layer ``[..., units]``.
        targets: True tokens, int32 ``[...]``.
        mask: Float32 ``[...]``: 1 where a step counts, else 0.

    Returns:
        Losses in nats, float32 ``[...]``, and the most likely classes, int32 ``[...]``.
    """
    logits = network.logits(tf.reshape(outputs, [-1, outputs.shape[-1]]))
    labels = tf.reshape(tf.maximum(targets - 1, 0), [-1])
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    likeliest = tf.reshape(tf.argmax(logits, axis=-1, output_type=tf.int32), tf.shape(targets))
    return tf.reshape(losses, tf.shape(targets)) * mask, likeliest


def streaming_metrics(targets: Any, likeliest: Any, mask: Any, classes: int) -> dict[str, tuple[Any, Any]]:
    """Builds Magenta's metrics of a categorical decoder (``CategoricalLstmDecoder._flat_reconstruction_loss``).

    Args:
        targets: True tokens, int32 of any shape.
        likeliest: Most likely classes, int32 of the same shape.
        mask: Float32 of the same shape: 1 where a step counts, else 0.
        classes: Number of classes.

    Returns:
        Pairs (value, update operation) by metric name.
    """
    labels, predictions, weights = (
        tf.reshape(values, [-1]) for values in (tf.maximum(targets - 1, 0), likeliest, mask)
    )
    return {
        "metrics/accuracy": tf.metrics.accuracy(labels, predictions, weights),
        "metrics/mean_per_class_accuracy": tf.metrics.mean_per_class_accuracy(labels, predictions, classes, weights),
    }


def sample_results(tokens: Any, classes: int, lengths: Any) -> tuple[Any, Any]:
    """Converts sampled tokens to the return values of ``sample`` in Magenta's decoders.

    Args:
        tokens: Tokens, int32 ``[batch, steps]``.
        classes: Number of classes.
        lengths: Lengths of the windows, int32 ``[batch]`` or ``[batch, segments]``.

    Returns:
        One-hot samples, float32 ``[batch, steps, classes]``, and an ``LstmDecodeResults`` with samples and lengths.
    """
    samples = tf.one_hot(tokens - 1, classes, dtype=tf.float32)
    return samples, lstm_utils.LstmDecodeResults(None, None, samples, None, lengths)
