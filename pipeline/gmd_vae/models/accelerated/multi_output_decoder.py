"""Accelerated version of Magenta's hierarchical decoder for several streams (trios): one core decoder per stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated.core_decoder import CoreDecoder, StepOutputs, reconstruction_losses, streaming_metrics
from gmd_vae.models.accelerated.hierarchical_decoder import (
    CORE_SCOPE,
    AcceleratedHierarchicalLstmDecoder,
    join_segments,
    merge_segment_metrics,
)
from gmd_vae.models.accelerated.tokens import to_tokens


class AcceleratedMultiOutputLstmDecoder(AcceleratedHierarchicalLstmDecoder):
    """Decoder with the variables and results of a ``HierarchicalLstmDecoder`` over a ``SplitMultiOutLstmDecoder``.

    The conductor is not autoregressive, and there is no scheduled sampling.

    Args:
        level_lengths: As in `AcceleratedHierarchicalLstmDecoder`.
        depths: Number of classes of each stream.
        precision: Precision of the matrix products, ``fp32`` or ``bf16``.
    """

    def __init__(self, level_lengths: Sequence[int], depths: Sequence[int], precision: str) -> None:
        super().__init__(level_lengths, False, precision)
        self._depths, self._cores = list(depths), [CoreDecoder(precision) for _ in depths]
        self._core_decoder: Any = lstm_models.SplitMultiOutLstmDecoder(self._cores, self._depths)

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], StepOutputs]:
        """Computes the reconstruction loss, as Magenta's method of this name.

        Args:
            x_input: Decoder inputs, float32 ``[batch, steps, depth]``.
            x_target: Targets, float32 ``[batch, steps, depth]``.
            x_length: Lengths in steps, int32 ``[batch]`` or ``[batch, segments]``.
            z: Latent vectors, float32 ``[batch, z_size]``.
            c_input: ``None``: controls are not supported.

        Returns:
            Losses in nats, float32 ``[batch]``; streaming metrics, empty in training; and the results of each step,
            ``[batch, steps, streams]``.
        """
        lengths = lstm_utils.maybe_split_sequence_lengths(x_length, self._segments, self._total_length)
        mask = tf.transpose(tf.sequence_mask(lengths, self._steps, dtype=tf.float32), [1, 2, 0])
        streams = zip(self._cores, self._stream_tokens(x_input), self._stream_tokens(x_target), strict=True)
        embeddings = self._embeddings(z)
        targets, losses, likeliest = [], [], []
        for number, (core, input_tokens, target_tokens) in enumerate(streams):
            inputs, stream_targets = self._by_segment(input_tokens), self._by_segment(target_tokens)
            with tf.variable_scope(_scope(number), reuse=tf.AUTO_REUSE):
                network = core.network(self.hparams.dec_rnn_size[-1])
            outputs = self._decode_at_once(network, inputs, embeddings)
            stream_losses, stream_likeliest = reconstruction_losses(network, outputs, stream_targets, mask)
            targets.append(stream_targets)
            losses.append(stream_losses)
            likeliest.append(stream_likeliest)
        window_losses = tf.reduce_sum(tf.add_n(losses), axis=[0, 1])
        by_stream = (tf.stack([tf.transpose(join_segments(part)) for part in parts]) for parts in (losses, likeliest))
        metrics = {} if self._cores[0].is_training else self._stream_metrics(targets, likeliest, mask)
        return window_losses, metrics, StepOutputs(*(tf.transpose(values, [1, 2, 0]) for values in by_stream))

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Samples windows as tokens.

        Args:
            n: Number of windows.
            z: Latent vectors, float32 ``[n, z_size]``.
            temperature: Temperature of the softmax, float32 scalar.
            steps: Number of steps; must be that of a whole window.
            first: ``None``: a window always starts from the beginning.

        Returns:
            Tokens, int32 ``[n, steps, streams]``.

        Raises:
            ValueError: Another number of steps, or a first token.
        """
        self._check_whole_window(steps, first)
        segments: list[list[Any]] = [[] for _ in self._cores]
        networks = []
        for number, core in enumerate(self._cores):
            with tf.variable_scope(_scope(number), reuse=tf.AUTO_REUSE):
                networks.append(core.network(self.hparams.dec_rnn_size[-1]))
        for embedding in tf.split(self._embeddings(z), self._segments):
            for network, tokens in zip(networks, segments, strict=True):
                before = tokens[-1][-1] if tokens else tf.zeros([n], tf.int32)
                tokens.append(network.sample(self._steps, before, embedding, temperature)[0])
        return tf.stack([tf.transpose(tf.concat(tokens, axis=0)) for tokens in segments], axis=-1)

    def sample(
        self, n: int, max_length: Any = None, z: Any = None, c_input: Any = None, temperature: Any = 1.0
    ) -> tuple[Any, Any]:
        """Samples windows, as Magenta's method of this name.

        Args:
            n: Number of windows.
            max_length: ``None``, or the number of steps of a whole window.
            z: Latent vectors, float32 ``[n, z_size]``.
            c_input: ``None``: controls are not supported.
            temperature: Temperature of the softmax, float32 scalar.

        Returns:
            The one-hot vectors of all streams side by side, float32 ``[n, steps, sum of depths]``, and an
            ``LstmDecodeResults`` with samples and lengths.
        """
        steps = self._total_length if max_length is None else int(max_length)
        streams = zip(tf.unstack(self.sample_tokens(n, z, temperature, steps), axis=-1), self._depths, strict=True)
        samples = tf.concat([tf.one_hot(tokens - 1, depth, dtype=tf.float32) for tokens, depth in streams], axis=-1)
        lengths = tf.fill([n, self._segments], self._steps)
        return samples, lstm_utils.LstmDecodeResults(None, None, samples, None, lengths)

    def _stream_tokens(self, sequence: Any) -> list[Any]:
        """Splits ``[batch, steps, sum of depths]`` into the tokens of each stream, int32 ``[batch, steps]``."""
        return [to_tokens(columns) for columns in tf.split(sequence, self._depths, axis=-1)]

    def _stream_metrics(self, targets: Sequence[Any], likeliest: Sequence[Any], mask: Any) -> dict[str, Any]:
        """Builds Magenta's streaming metrics of each segment and stream, and their means."""
        segments = []
        for segment, weights in enumerate(tf.unstack(mask)):
            streams = [
                streaming_metrics(truth[segment], found[segment], weights, depth)
                for truth, found, depth in zip(targets, likeliest, self._depths, strict=True)
            ]
            each = {f"{name}/output_{number}": part[name] for name in streams[0] for number, part in enumerate(streams)}
            means = {name: (tf.reduce_mean([part[name][0] for part in streams]), tf.no_op()) for name in streams[0]}
            segments.append(each | means)
        return merge_segment_metrics(segments)


def _scope(stream: int) -> str:
    """Returns Magenta's variable scope of a stream's core decoder."""
    return f"{CORE_SCOPE}/{CORE_SCOPE}_{stream}"
