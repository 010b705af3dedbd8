"""Magenta's flat and hierarchical decoders of categorical sequences, accelerated."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import lstm_models, lstm_utils, tf
from gmd_vae.models.accelerated import lstm
from gmd_vae.models.accelerated.core_decoder import Core, Decoding, Steps, metrics, reconstruction
from gmd_vae.models.accelerated.tokens import to_tokens
from gmd_vae.models.accelerated.unrolled_stack import conduct

CORE = "core_decoder"  # Magenta's variable scope


class AcceleratedCategoricalLstmDecoder(Core):
    """Same variables and results as ``CategoricalLstmDecoder``; sequences may also be tokens (`tokens`)."""

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """As the class it extends; keeps the length that every sequence is brought to."""
        super().build(hparams, output_depth, is_training)
        self._steps = hparams.max_seq_len

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], Steps]:
        """As the class it extends, of which it returns what ``MusicVAE`` reads: losses and metrics.

        Args:
            x_input: float32 ``[batch, steps, depth]``, what the decoder reads.
            x_target: float32 ``[batch, steps, depth]``, what it should say.
            x_length: int32 ``[batch]``.
            z: float32 ``[batch, z_size]``.
            c_input: ``None``.

        Returns:
            Float32 ``[batch]`` in nats; metrics (none in training); what makes them, step by step.
        """
        inputs, targets = (_time_major(to_tokens(sequence), self._steps) for sequence in (x_input, x_target))
        decoding = self.open(int(z.shape[1]))

        def decoded(inputs: Any, z: Any) -> Any:
            outputs, _ = decoding.decoded(inputs, z)
            return tf.stack(outputs)

        outputs = self.side_by_side(decoded, inputs, z)
        mask = tf.transpose(tf.sequence_mask(x_length, self._steps, dtype=tf.float32))
        losses, likeliest = reconstruction(decoding, outputs, targets, mask)
        found = {} if self.is_training else metrics(targets, likeliest, mask, self.classes)
        return tf.reduce_sum(losses, axis=0), found, Steps(tf.transpose(losses), tf.transpose(likeliest))

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Tokens int32 ``[n, steps]`` for latent vectors ``[n, z_size]``; ``first`` are the tokens before."""
        decoding = self.open(int(z.shape[1]))
        first = tf.zeros([n], tf.int32) if first is None else first
        tokens, _ = decoding.sample(steps, first, z, temperature)
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
        """As the class it extends; ``end_fn`` is the class that ends a sequence, or ``None``."""
        steps = self._steps if max_length is None else int(max_length)
        first = None if start_inputs is None else to_tokens(start_inputs[:, None])[:, 0]
        tokens = self.sample_tokens(n, z, temperature, steps, first)
        lengths = tf.fill([n], steps)
        if end_fn is not None:
            ended = tf.equal(tokens, end_fn + 1)
            first_end = tf.argmax(tf.cast(ended, tf.int32), axis=1, output_type=tf.int32) + 1
            lengths = tf.where(tf.reduce_any(ended, axis=1), first_end, lengths)
        return _results(tokens, self.classes, lengths)


class AcceleratedHierarchicalLstmDecoder(lstm_models.HierarchicalLstmDecoder):  # type: ignore[misc]
    """Same variables and results as the class it extends, over a categorical core; any number of levels.

    Where the conductor does not hear what was decoded, all segments are decoded at once in training.

    Args:
        level_lengths: see the class it extends.
        autoregressive: whether the conductors' input is the state that the level below ended in.
        precision: of the matrix products.
    """

    def __init__(self, level_lengths: Sequence[int], autoregressive: bool, precision: str) -> None:
        super().__init__(Core(precision), list(level_lengths), disable_autoregression=not autoregressive)
        self._precision, self._autoregressive = precision, autoregressive
        self._segments, self._steps = math.prod(level_lengths[:-1]), level_lengths[-1]

    def build(self, hparams: Any, output_depth: int, is_training: bool = True) -> None:
        """As the class it extends."""
        super().build(hparams, output_depth, is_training)
        cells = list(self._hier_cells)  # of Magenta, made by the line above
        conductors = [_Conductor(cell, hparams.dec_rnn_size, self._precision) for cell in cells]
        self._hier_cells: list[Any] = conductors

    def reconstruction_loss(
        self, x_input: Any, x_target: Any, x_length: Any, z: Any = None, c_input: Any = None
    ) -> tuple[Any, dict[str, Any], Steps]:
        """As the class it extends, of which it returns what ``MusicVAE`` reads: losses and metrics.

        Args:
            x_input: float32 ``[batch, steps, depth]``, what the decoder reads.
            x_target: float32 ``[batch, steps, depth]``, what it should say.
            x_length: int32 ``[batch]`` or ``[batch, segments]``.
            z: float32 ``[batch, z_size]``.
            c_input: ``None``.

        Returns:
            Float32 ``[batch]`` in nats; metrics (none in training); what makes them, step by step.
        """
        lengths = lstm_utils.maybe_split_sequence_lengths(x_length, self._segments, self._total_length)
        inputs, targets = (self._by_segment(to_tokens(sequence)) for sequence in (x_input, x_target))
        mask = tf.transpose(tf.sequence_mask(lengths, self._steps, dtype=tf.float32), [1, 2, 0])
        with tf.variable_scope(CORE, reuse=tf.AUTO_REUSE):
            decoding = self._core_decoder.open(self.hparams.dec_rnn_size[-1])
        if self._autoregressive:
            outputs = self._core_decoder.side_by_side(lambda *half: self._in_turn(decoding, *half), inputs, z)
        else:
            outputs = self._at_once(decoding, inputs, z)
        losses, likeliest = reconstruction(decoding, outputs, targets, mask)
        found = {} if self._core_decoder.is_training else self._metrics(targets, likeliest, mask)
        steps = Steps(*(tf.transpose(joined(values)) for values in (losses, likeliest)))
        return tf.reduce_sum(losses, axis=[0, 1]), found, steps

    def sample_tokens(self, n: int, z: Any, temperature: Any, steps: int, first: Any = None) -> Any:
        """Tokens int32 ``[n, steps]`` for latent vectors ``[n, z_size]``."""
        if steps != self._total_length or first is not None:
            raise ValueError(f"A hierarchical decoder makes {self._total_length} steps from the beginning")
        with tf.variable_scope(CORE, reuse=tf.AUTO_REUSE):
            decoding = self._core_decoder.open(self.hparams.dec_rnn_size[-1])
        drawn: list[Any] = []

        def segment(embedding: Any, path: list[int]) -> Any:
            before = drawn[-1][-1] if drawn else tf.zeros([n], tf.int32)
            tokens, after = decoding.sample(self._steps, before, embedding, temperature)
            drawn.append(tokens)
            return _flat(after)

        self._conducted(z, segment)
        return tf.transpose(tf.concat(drawn, axis=0))

    def sample(
        self, n: int, max_length: Any = None, z: Any = None, c_input: Any = None, temperature: Any = 1.0
    ) -> tuple[Any, Any]:
        """As the class it extends."""
        steps = self._total_length if max_length is None else int(max_length)
        tokens = self.sample_tokens(n, z, temperature, steps)
        return _results(tokens, self._output_depth, tf.fill([n, self._segments], self._steps))

    def _by_segment(self, tokens: Any) -> Any:
        """``[batch, steps]`` as ``[segments, steps of one, batch]``."""
        whole = _time_major(tokens, self._total_length)
        return tf.reshape(whole, [self._segments, self._steps, int(tokens.shape[0])])

    def _conducted(self, z: Any, base: Callable[[Any, list[int]], Any]) -> None:
        """Magenta's ``_hierarchical_decode``, for the rows of z: it takes ``hparams.batch_size`` for their number."""
        whole: Any = self.hparams
        self.hparams: Any = copy.deepcopy(whole)
        self.hparams.batch_size = int(z.shape[0])
        self._hierarchical_decode(z, base)
        self.hparams = whole

    def _in_turn(self, decoding: Decoding, inputs: Any, z: Any) -> Any:
        """Outputs ``[segments, steps, batch, units]``, each segment after the one before."""
        outputs: list[Any] = []
        segments = tf.unstack(inputs)

        def segment(embedding: Any, path: list[int]) -> Any:
            of_segment, after = decoding.decoded(segments[len(outputs) // self._steps], embedding)
            outputs.extend(of_segment)
            return _flat(after)

        self._conducted(z, segment)
        return tf.reshape(tf.concat(outputs, axis=0), [self._segments, self._steps, *outputs[0].shape])

    def _at_once(self, decoding: Decoding, inputs: Any, z: Any) -> Any:
        """The same, all segments as rows of one batch: nothing that is decoded comes back to the conductor."""
        return self._as_rows(decoding, inputs, self._embeddings(z))

    def _embeddings(self, z: Any) -> Any:
        """What a conductor that hears nothing says to each segment, ``[segments * batch, size]``."""
        embeddings: list[Any] = []
        self._conducted(z, lambda embedding, path: embeddings.append(embedding))
        return tf.concat(embeddings, axis=0)

    def _as_rows(self, decoding: Decoding, inputs: Any, embeddings: Any) -> Any:
        """Outputs ``[segments, steps, batch, units]`` of a core decoder."""
        tokens = tf.reshape(tf.transpose(inputs, [1, 0, 2]), [self._steps, int(embeddings.shape[0])])
        outputs, _ = decoding.decoded(tokens, embeddings, self._segments)
        by_segment = [self._steps, self._segments, -1, outputs[0].shape[-1]]
        return tf.transpose(tf.reshape(tf.stack(outputs), by_segment), [1, 0, 2, 3])

    def _metrics(self, targets: Any, likeliest: Any, mask: Any) -> dict[str, Any]:
        """Magenta's: every segment's, and their mean."""
        parts = [
            metrics(truth, found, counts, self._output_depth)
            for truth, found, counts in zip(*(tf.unstack(tensor) for tensor in (targets, likeliest, mask)), strict=True)
        ]
        return of_segments(parts)


def of_segments(parts: Sequence[dict[str, tuple[Any, Any]]]) -> dict[str, tuple[Any, Any]]:
    """Magenta's metrics of a hierarchical decoder: those of every segment, and their means."""
    all_of_them = {f"segment/{number:03d}/{name}": part[name] for number, part in enumerate(parts) for name in part}
    means = {name: (tf.reduce_mean([part[name][0] for part in parts]), tf.no_op()) for name in parts[0]}
    return {**all_of_them, **means}


class _Conductor:
    """A conductor's LSTM stack, called a step at a time as Magenta's ``MultiRNNCell``.

    Args:
        cell: Magenta's, for its sizes; its own variables are never made.
        sizes: of the layers.
        precision: of the matrix products.
    """

    def __init__(self, cell: Any, sizes: Sequence[int], precision: str) -> None:
        self.state_size, self.zero_state = cell.state_size, cell.zero_state
        self._sizes, self._precision = list(sizes), precision
        self._layers: list[lstm.Layer] = []

    def __call__(self, inputs: Any, states: Any, scope: Any) -> tuple[Any, Any]:
        """One step, inside the variable scope of its level: the last layer's output and the new states."""
        if not self._layers:
            below = int(inputs.shape[1])
            for number, units in enumerate(self._sizes):
                scope = f"cell_{number}/lstm_cell"
                self._layers.append(lstm.layer(scope, [], units, self._precision, below=below))
                below = units
        after = conduct(inputs, self._layers, [lstm.State(*state) for state in states])
        return after[-1].h, tuple(after)


def _flat(states: Sequence[lstm.State]) -> Any:
    """All states side by side, in the order in which Magenta passes them to a conductor."""
    return tf.concat(tf.nest.flatten(list(states)), axis=-1)


def joined(segments: Any) -> Any:
    """``[segments, steps of one, batch]`` as ``[steps, batch]``."""
    number, steps, rows = (int(size) for size in segments.shape)
    return tf.reshape(segments, [number * steps, rows])


def _time_major(tokens: Any, steps: int) -> Any:
    """``[batch, steps]`` as ``[steps, batch]`` of static length; filled up with 0."""
    missing = steps - tf.shape(tokens)[1]
    return tf.ensure_shape(tf.transpose(tf.pad(tokens, [[0, 0], [0, missing]])), [steps, tokens.shape[0]])


def _results(tokens: Any, classes: int, lengths: Any) -> tuple[Any, Any]:
    """What ``sample`` of Magenta's decoders returns; of the second part, what is read: samples and lengths."""
    samples = tf.one_hot(tokens - 1, classes, dtype=tf.float32)
    return samples, lstm_utils.LstmDecodeResults(None, None, samples, None, lengths)
