"""Accelerated version of Magenta's flat decoder: one LSTM stack writes the whole window."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.core_decoder import (
    CoreDecoder,
    StepOutputs,
    reconstruction_losses,
    sample_results,
    streaming_metrics,
)
from gmd_vae.models.accelerated.tokens import time_major, to_tokens


class AcceleratedCategoricalLstmDecoder(CoreDecoder):
    """Decoder with the variables and results of Magenta's ``CategoricalLstmDecoder``.

    Sequences may also be tokens (`tokens`).
    """

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """Builds the decoder and keeps the length to which sequences are padded."""
        super().build(hparams, output_depth, is_training)
        self._steps = hparams.max_seq_len

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], StepOutputs]:
        """Computes the reconstruction loss, as Magenta's method of this name.

        Args:
            x_input: Decoder inputs, float32 ``[batch, steps, depth]``.
            x_target: Targets, float32 ``[batch, steps, depth]``.
            x_length: Lengths in steps, int32 ``[batch]``.
            z: Latent vectors, float32 ``[batch, z_size]``.
            c_input: ``None``: controls are not supported.

        Returns:
            Losses in nats, float32 ``[batch]``; streaming metrics, empty in training; and the results of each step.
        """
        inputs, targets = (time_major(to_tokens(sequence), self._steps) for sequence in (x_input, x_target))
        network = self.network(int(z.shape[1]))
        outputs, _ = network.decode(inputs, z)
        mask = tf.transpose(tf.sequence_mask(x_length, self._steps, dtype=tf.float32))
        losses, likeliest = reconstruction_losses(network, tf.stack(outputs), targets, mask)
        metrics = {} if self.is_training else streaming_metrics(targets, likeliest, mask, self.classes)
        return tf.reduce_sum(losses, axis=0), metrics, StepOutputs(tf.transpose(losses), tf.transpose(likeliest))

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Samples windows as tokens.

        Args:
            n: Number of windows.
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the softmax, float32 scalar.
            steps: Number of steps.
            first: Tokens before the first step, int32 ``[n]``; ``None`` means none.

        Returns:
            Tokens, int32 ``[n, steps]``.
        """
        network = self.network(int(z.shape[1]))
        first = tf.zeros([n], tf.int32) if first is None else first
        tokens, _ = network.sample(steps, first, z, temperature)
        return tf.transpose(tokens)

    def sample(
        self,
        n: int,
        max_length: Any = None,
        z: Any = None,
        c_input: Any = None,
        temperature: Any = 1.0,
        start_inputs: Any = None,
        end_fn: Any = None,
    ) -> tuple[Any, Any]:
        """Samples windows, as Magenta's method of this name.

        Args:
            n: Number of windows.
            max_length: Number of steps; by default ``max_seq_len``.
            z: Latent vectors, float32 ``[n, z_size]``.
            c_input: ``None``: controls are not supported.
            temperature: Temperature of the softmax, float32 scalar.
            start_inputs: Input of the first step, float32 ``[n, classes]``; ``None`` means zeros.
            end_fn: Class that ends a window, or ``None``.

        Returns:
            The values of `core_decoder.sample_results`.
        """
        steps = self._steps if max_length is None else int(max_length)
        first = None if start_inputs is None else to_tokens(start_inputs[:, None])[:, 0]
        tokens = self.sample_tokens(n, z, temperature, steps, first)
        lengths = tf.fill([n], steps)
        if end_fn is not None:
            ended = tf.equal(tokens, end_fn + 1)
            first_end = tf.argmax(tf.cast(ended, tf.int32), axis=1, output_type=tf.int32) + 1
            lengths = tf.where(tf.reduce_any(ended, axis=1), first_end, lengths)
        return sample_results(tokens, self.classes, lengths)
