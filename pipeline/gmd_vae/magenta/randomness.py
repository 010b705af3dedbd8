"""Random numbers that depend on where they are drawn, not on what was drawn before.

TensorFlow's usual random operations count their draws inside the session: a session that starts at
step 1,000 draws other numbers there than one that came from step 0. Inside ``drawn_from`` Magenta's
layers are built on TensorFlow's stateless operations instead, which are functions of a key, and each
draw's key is a function of the seed, the step and the draw's place. So a run that was killed and
goes on is bit for bit the run that never was.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

from gmd_vae.magenta.api import lstm_models, tf

# One context at a time patches Magenta's modules: two that overlap would restore each other's patches.
_PATCHING = threading.RLock()
_ACTIVE = threading.local()  # the draws of the innermost context of this thread

_PLACES = 2**15
_TIMES = 2**16

# TensorFlow's operations (2.21) that draw from a counter inside the session. Those of tf.data are
# missing on purpose: its shuffles are the input's business.
_STATEFUL = frozenset(
    {
        *("Multinomial", "ParameterizedTruncatedNormal", "RandomCrop", "RandomGamma", "RandomPoisson"),
        *("RandomPoissonV2", "RandomShuffle", "RandomStandardNormal", "RandomUniform", "RandomUniformInt"),
        *("TruncatedNormal", "RngReadAndSkip", "RngSkip", "StatefulRandomBinomial", "StatefulStandardNormal"),
        *("StatefulStandardNormalV2", "StatefulTruncatedNormal", "StatefulUniform", "StatefulUniformFullInt"),
        *("StatefulUniformInt", "AllCandidateSampler", "FixedUnigramCandidateSampler"),
        *("LearnedUnigramCandidateSampler", "LogUniformCandidateSampler", "ThreadUnsafeUnigramCandidateSampler"),
        *("UniformCandidateSampler", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", "FractionalAvgPool"),
        *("FractionalMaxPool", "SampleDistortedBoundingBox", "SampleDistortedBoundingBoxV2"),
    }
)


@contextlib.contextmanager
def drawn_from(seed: int | Any, step: Any, stream: int = 0) -> Iterator[None]:
    """While the graph is built inside this context, every random draw of Magenta's layers becomes a
    function of ``(seed, step, stream, place, time)``.

    ``place`` counts the draws in the order in which they are built, ``time`` the iterations of the
    loop around a draw (0 outside of loops). The same code builds the same places.

    Args:
        seed: an int64 number, or a scalar integer tensor.
        step: scalar integer tensor, the same for all draws of one session run: the global step, or
            the number of a batch. Steps that differ by 2**32 draw the same.
        stream: keeps apart what shares a seed and a step: the workers of a cluster, or the graphs
            for training and for validation.

    Raises:
        RuntimeError: a loop without a counter, or a draw that this module cannot make stateless.
    """
    draws = _Draws(seed, step, stream)
    with _PATCHING, contextlib.ExitStack() as patches:
        for owner, name, replacement in (
            # tensorflow_probability: the latent noise, and all that decoders sample, NADE's included. Without a
            # seed, which Magenta never gives, distributions draw from tf.random.normal and tf.multinomial, or
            # draw a seed from tf.random.uniform.
            (lstm_models.tfp.distributions.Distribution, "sample", _sample),
            # magenta.contrib.seq2seq: ScheduledOutputTrainingHelper decides with tf.random_uniform which windows
            # read the model's own output next.
            (lstm_models.contrib_seq2seq, "bernoulli_sample", _bernoulli_sample),
            # tf_keras.src.layers.rnn.legacy_cell_wrappers: lstm_utils.rnn_cell wraps each cell in it; it calls
            # tf.nn.dropout.
            (tf.nn.rnn_cell.DropoutWrapper, "_dropout", _dropout),
        ):
            patches.enter_context(mock.patch.object(owner, name, draws.instead_of(getattr(owner, name), replacement)))
        patches.enter_context(mock.patch.object(_ACTIVE, "draws", draws, create=True))
        yield
    draws.check_loops()


def loop_keys(times: int, *, hashed: bool = True) -> list[Any]:
    """For layers that unroll what is a loop in Magenta's: the keys of one draw in it, by iteration.

    Args:
        times: of how many iterations.
        hashed: as for what a distribution samples; otherwise as for a choice of scheduled sampling.

    Returns:
        For each iteration, int32 ``[2]``: the key of the same draw in Magenta's loop.

    Raises:
        RuntimeError: not inside ``drawn_from``.
    """
    draws: _Draws | None = getattr(_ACTIVE, "draws", None)
    if draws is None:
        raise RuntimeError("Layers that draw random numbers are built inside drawn_from")
    return draws.next_keys(times, hashed)


def choices(probability: Any, size: int, keys: Sequence[Any]) -> list[Any]:
    """Which rows are chosen, as ``magenta.contrib.seq2seq.bernoulli_sample`` does with the same keys.

    Args:
        probability: of each row, float32 scalar.
        size: how many rows.
        keys: from `loop_keys`, not hashed.

    Returns:
        For each key, bool ``[size]``.
    """
    shape, algorithm = tf.constant([size]), _algorithm()
    uniform = [
        tf.raw_ops.StatelessRandomUniformV2(shape=shape, key=key, counter=counter, alg=algorithm, dtype=tf.float32)
        for key, counter in _counters(keys)
    ]
    return list(tf.unstack(tf.stack(uniform) < probability))


def sample_classes(logits: Any, key: Any) -> Any:
    """One class a row, as ``tfp.distributions.OneHotCategorical`` draws it with the same key.

    Args:
        logits: float32 ``[rows, classes]``.
        key: int32 ``[2]``.

    Returns:
        int32 ``[rows]``.
    """
    drawn = tf.raw_ops.StatelessMultinomial(logits=logits, num_samples=1, seed=key, output_dtype=tf.int32)
    return tf.raw_ops.Squeeze(input=drawn, axis=[1])


def stateful_draws(graph: Any) -> list[str]:
    """Names of the operations in a graph that draw random numbers from the session's state.

    Those whose numbers end up nowhere but in variables' initial values are left out: they run once,
    and a run that goes on restores the variables. Functions that the graph calls (``tf.data``) count.
    """
    with graph.as_default():
        variables = [*tf.global_variables(), *tf.local_variables()]
    initializers = {variable.initializer.name for variable in variables}
    names = [
        operation.name
        for operation in graph.get_operations()
        if operation.type in _STATEFUL and not _leads_only_to(initializers, operation)
    ]
    for function in graph.as_graph_def().library.function:
        names += [f"{function.signature.name}/{node.name}" for node in function.node_def if node.op in _STATEFUL]
    return names


class _Draws:
    """The keys of one graph's draws.

    A key is two int32 numbers::

        hash(seed, stream) + (step, place * 2**16 + time)      modulo 2**32

    so within a run no two draws share one, for 2**32 steps, 2**15 places and 2**16 iterations. That
    neighbours differ by 1 does no harm: TensorFlow's stateless operations scramble their key with
    Philox before they count from it. It is int32 because TensorFlow keeps int32 in the memory of the
    host, where stateless operations want their key: on a GPU an int64 key would be fetched from
    the device in each iteration. For the same reason only three small additions are in the loop.
    """

    def __init__(self, seed: int | Any, step: Any, stream: int) -> None:
        self._graph = tf.get_default_graph()
        self._thread = threading.get_ident()
        self._place = 0
        self._counters: dict[str, Any] = {}
        if self._graph._get_control_flow_context() is not None:
            raise RuntimeError("drawn_from must not begin inside a loop or a condition")
        with tf.name_scope("drawn_from"):
            run = _hash(tf.stack([tf.cast(seed, tf.int64), tf.constant(stream, tf.int64)]))
            # a cast to int32 keeps the low bits; it also copies the step, which the optimiser
            # overwrites in place
            self._base = run + tf.stack([tf.cast(step, tf.int32), 0])

    def instead_of(self, original: Any, replacement: Any) -> Any:
        """The replacement where this thread builds; other threads' graphs get what was there before."""

        def dispatch(*args: Any, **kwargs: Any) -> Any:
            mine = threading.get_ident() == self._thread
            return replacement(self, original, *args, **kwargs) if mine else original(*args, **kwargs)

        return dispatch

    def next_key(self) -> Any:
        """The key of the next place, int32 ``[2]``, built where the draw is: inside its loop."""
        place = self._next_place()
        with tf.name_scope("key"):
            inner, *outer = self._times() or [tf.constant(0)]
            key = self._base + tf.stack([0, place + inner])
            for time in outer:  # Magenta nests no loops; a hash keeps (1, 2) and (2, 1) apart
                key = _hash(key) + tf.stack([0, time])
            return key

    def next_keys(self, times: int, hashed: bool) -> list[Any]:
        """The keys of the next place, by the iteration of a loop that is unrolled."""
        place = self._next_place()
        with tf.name_scope("keys"):
            keys = list(tf.unstack(self._base + tf.constant([[0, place + time] for time in range(times)])))
            return _hashes(keys) if hashed else keys

    def _next_place(self) -> int:
        if tf.get_default_graph() is not self._graph:
            # a tf.function, or a loop of TensorFlow 2: its iterations cannot be told apart from here
            raise RuntimeError("A random draw inside a function, whose random numbers would not depend on the step")
        if self._place >= _PLACES:
            raise RuntimeError(f"More than {_PLACES} random draws in one graph")
        place, self._place = self._place * _TIMES, self._place + 1
        return place

    def _times(self) -> list[Any]:
        """The counters of the loops around what is being built, innermost first, int32 scalars.

        Asked of TensorFlow's loops of version 1, as Magenta's helpers do not pass their time on to
        what draws. The first variable of such a loop is a counter in ``dynamic_rnn`` and
        ``dynamic_decode``, and wherever there is a ``maximum_iterations``; in the loop's body it is the
        tensor that the body's other operations wait for, ``_pivot_for_body``.
        """
        times = []
        context = self._graph._get_control_flow_context()
        while context is not None:
            if context.IsWhileContext():
                counter = context._pivot_for_body
                if counter is None or counter.dtype != tf.int32 or counter.shape.rank != 0:
                    raise RuntimeError(f"A random draw in loop '{context.name}', which does not count ({counter})")
                self._counters[context.name] = counter
                times.append(counter)
            context = context.outer_context
        return times

    def check_loops(self) -> None:
        """Each loop's first variable was taken for a counter; now that they are built, look.

        Raises:
            RuntimeError: one does not count up by one: its iterations would draw the same numbers.
        """
        for name, counter in self._counters.items():
            merge = counter.op.inputs[0].op.inputs[0].op  # Identity, Switch, Merge: TensorFlow's loop
            following = merge.inputs[1].op.inputs[0].op  # NextIteration, and what it is given
            if not (
                following.type in ("Add", "AddV2")
                and following.inputs[0] is counter
                and tf.get_static_value(following.inputs[1]) == 1
            ):
                raise RuntimeError(f"A random draw in loop '{name}', whose first variable does not count by one")


def _hash(key: Any) -> Any:
    """Two well-mixed int32 numbers from two integers."""
    return tf.random.stateless_uniform([2], seed=key, minval=None, maxval=None, dtype=tf.int32)


def _hashes(keys: Sequence[Any]) -> list[Any]:
    """`_hash` of each key, in fewer operations."""
    shape, algorithm = tf.constant([2]), _algorithm()
    return [
        tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=algorithm, dtype=tf.int32)
        for key, counter in _counters(keys)
    ]


def _counters(keys: Sequence[Any]) -> list[tuple[Any, Any]]:
    """What TensorFlow's operations make of each key: a key of Philox, and where it begins to count."""
    return [tuple(tf.raw_ops.StatelessRandomGetKeyCounter(seed=key)) for key in keys]


def _algorithm() -> Any:
    """What ``tf.random.stateless_uniform`` asks for: the best one of the device."""
    return tf.constant(tf.random.Algorithm.AUTO_SELECT.value)


def _sample(
    draws: _Draws,
    original: Any,
    distribution: Any,
    sample_shape: Any = (),
    seed: Any = None,
    name: str = "sample",
    **kwargs: Any,
) -> Any:
    """``tfp.distributions.Distribution.sample``, with a key, int32 ``[2]``, where no tensor was given.

    Distributions made of others hand it on to theirs, whose draws are then no places of their own.
    """
    if seed is None or isinstance(seed, int):
        # hashed, as the library makes further keys from one by flipping low bits, which here would
        # lead to its neighbours
        seed = _hash(draws.next_key())
    return original(distribution, sample_shape, seed, name, **kwargs)


def _bernoulli_sample(
    draws: _Draws,
    original: Any,
    probs: Any = None,
    logits: Any = None,
    dtype: Any = tf.int32,
    sample_shape: Any = (),
    seed: int | None = None,
) -> Any:
    """``magenta.contrib.seq2seq.bernoulli_sample``: ``[*sample_shape, *probs.shape]`` of 0 and 1."""
    probs = tf.sigmoid(logits) if probs is None else tf.convert_to_tensor(probs)
    shape = tf.concat([tf.reshape(tf.cast(sample_shape, tf.int32), [-1]), tf.shape(probs)], 0)
    uniform = tf.random.stateless_uniform(shape, seed=draws.next_key(), dtype=probs.dtype)
    return tf.cast(uniform < probs, dtype)


def _dropout(
    draws: _Draws,
    original: Any,
    wrapper: Any,
    values: Any,
    salt_prefix: str,
    recurrent_noise: Any,
    keep_prob: Any,
    shallow_filtered_substructure: Any = None,
) -> Any:
    """``DropoutWrapper._dropout``: ``values`` scaled by ``1 / keep_prob``, with a part of them zero.

    Where nothing is dropped the wrapper does not call it.
    """
    if wrapper._variational_recurrent or salt_prefix != "input" or not tf.is_tensor(values):
        raise RuntimeError("Only plain dropout of a cell's input can be made a function of the step")
    return tf.nn.experimental.stateless_dropout(values, rate=1.0 - keep_prob, seed=draws.next_key())


def _leads_only_to(targets: set[str], operation: Any) -> bool:
    """Whether all that uses an operation, however indirectly, ends in one of the target operations."""
    seen, queue = {operation}, [operation]
    while queue:
        current = queue.pop()
        if current.name in targets:
            continue
        users = [*(user for output in current.outputs for user in output.consumers()), *current._control_outputs]
        if not users:
            return False
        new = {user for user in users if user not in seen}
        seen |= new
        queue += new
    return True
