"""Magenta's hierarchical decoder of several streams at once (trios), accelerated: a core decoder for each stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated.core_decoder import Core, Steps, metrics, reconstruction
from gmd_vae.models.accelerated.decoders import CORE, AcceleratedHierarchicalLstmDecoder, joined, of_segments
from gmd_vae.models.accelerated.tokens import to_tokens


class AcceleratedStreamsLstmDecoder(AcceleratedHierarchicalLstmDecoder):
    """Same variables and results as a ``HierarchicalLstmDecoder`` over a ``SplitMultiOutLstmDecoder``.

    Its conductor hears nothing, and nothing is sampled in training.

    Args:
        level_lengths: as of ``HierarchicalLstmDecoder``.
        depths: classes of each stream.
        precision: of the matrix products.
    """

    def __init__(self, level_lengths: Sequence[int], depths: Sequence[int], precision: str) -> None:
        super().__init__(level_lengths, False, precision)
        self._depths, self._cores = list(depths), [Core(precision) for _ in depths]
        self._core_decoder: Any = lstm_models.SplitMultiOutLstmDecoder(self._cores, self._depths)

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], Steps]:
        """As the class it extends.

        Args:
            x_input: float32 ``[batch, steps, depth]``, what the decoder reads.
            x_target: float32 ``[batch, steps, depth]``, what it should say.
            x_length: int32 ``[batch]`` or ``[batch, segments]``.
            z: float32 ``[batch, z_size]``.
            c_input: ``None``.

        Returns:
            Float32 ``[batch]`` in nats; metrics (none in training); what makes them, ``[batch, steps, streams]``.
        """
        lengths = lstm_utils.maybe_split_sequence_lengths(x_length, self._segments, self._total_length)
        mask = tf.transpose(tf.sequence_mask(lengths, self._steps, dtype=tf.float32), [1, 2, 0])
        streams = zip(self._cores, self._tokens(x_input), self._tokens(x_target), strict=True)
        embeddings = self._embeddings(z)
        found = []
        for number, (core, read, said) in enumerate(streams):
            inputs, targets = self._by_segment(read), self._by_segment(said)
            with tf.variable_scope(_scope(number), reuse=tf.AUTO_REUSE):
                decoding = core.open(self.hparams.dec_rnn_size[-1])
            outputs = self._as_rows(decoding, inputs, embeddings)
            found.append((targets, *reconstruction(decoding, outputs, targets, mask)))
        targets, losses, likeliest = ([*column] for column in zip(*found, strict=True))
        of_windows = tf.reduce_sum(tf.add_n(losses), axis=[0, 1])
        steps = Steps(*(tf.stack([tf.transpose(joined(of)) for of in all_of]) for all_of in (losses, likeliest)))
        figures = {} if self._cores[0].is_training else self._metrics_of(targets, likeliest, mask)
        return of_windows, figures, Steps(*(tf.transpose(values, [1, 2, 0]) for values in steps))

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Tokens int32 ``[n, steps, streams]`` for latent vectors ``[n, z_size]``."""
        if steps != self._total_length or first is not None:
            raise ValueError(f"A hierarchical decoder makes {self._total_length} steps from the beginning")
        drawn: list[list[Any]] = [[] for _ in self._cores]
        streams = []
        for number, core in enumerate(self._cores):
            with tf.variable_scope(_scope(number), reuse=tf.AUTO_REUSE):
                streams.append(core.open(self.hparams.dec_rnn_size[-1]))
        for embedding in tf.split(self._embeddings(z), self._segments):
            for decoding, tokens in zip(streams, drawn, strict=True):
                before = tokens[-1][-1] if tokens else tf.zeros([n], tf.int32)
                tokens.append(decoding.sample(self._steps, before, embedding, temperature)[0])
        return tf.stack([tf.transpose(tf.concat(tokens, axis=0)) for tokens in drawn], axis=-1)

    def sample(
        self, n: int, max_length: Any = None, z: Any = None, c_input: Any = None, temperature: Any = 1.0
    ) -> tuple[Any, Any]:
        """As the class it extends."""
        steps = self._total_length if max_length is None else int(max_length)
        tokens = tf.unstack(self.sample_tokens(n, z, temperature, steps), axis=-1)
        vectors = [tf.one_hot(of - 1, depth, dtype=tf.float32) for of, depth in zip(tokens, self._depths, strict=True)]
        samples, lengths = tf.concat(vectors, axis=-1), tf.fill([n, self._segments], self._steps)
        return samples, lstm_utils.LstmDecodeResults(None, None, samples, None, lengths)

    def _tokens(self, sequence: Any) -> list[Any]:
        """The tokens of each stream, int32 ``[batch, steps]``."""
        return [to_tokens(columns) for columns in tf.split(sequence, self._depths, axis=-1)]

    def _metrics_of(self, targets: Sequence[Any], likeliest: Sequence[Any], mask: Any) -> dict[str, Any]:
        """Magenta's: of every segment and stream, and their means."""
        parts = []
        for segment, counts in enumerate(tf.unstack(mask)):
            streams = [
                metrics(truth[segment], found[segment], counts, depth)
                for truth, found, depth in zip(targets, likeliest, self._depths, strict=True)
            ]
            part = {f"{name}/output_{number}": of[name] for name in streams[0] for number, of in enumerate(streams)}
            means = {name: (tf.reduce_mean([of[name][0] for of in streams]), tf.no_op()) for name in streams[0]}
            parts.append(part | means)
        return of_segments(parts)


def _scope(stream: int) -> str:
    """Magenta's, of a stream's core decoder."""
    return f"{CORE}/{CORE}_{stream}"
