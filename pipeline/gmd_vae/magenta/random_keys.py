"""Keys for stateless random operations: functions of seed, stream, step, place and time.

A key is two int32 numbers, computed modulo 2**32::

    hash(seed, stream) + (step, place * 2**16 + time)

``place`` counts the draws of a graph in the order in which they are built. ``time`` is the iteration of the loop
around a draw, 0 outside of loops. The same code builds the same places. Within one run, no two draws share a key, up
to 2**32 steps, 2**15 places and 2**16 iterations. Neighbouring keys are safe: TensorFlow's stateless operations
scramble a key with Philox before they count from it.

Keys are int32 because TensorFlow keeps int32 tensors in host memory, where stateless operations read them. An int64
key would be copied from the GPU in each iteration. For the same reason a loop contains only three small additions.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf

_PLACES = 2**15
_TIMES = 2**16

ACTIVE = threading.local()  # ``ACTIVE.keys``: keys of the innermost stateless_randomness context of this thread


class RandomKeys:
    """Keys of the random draws of one graph.

    Args:
        seed: Seed, an int64 number or a scalar integer tensor.
        step: Training step or batch number, a scalar integer tensor.
        stream: Number that separates graphs with the same seed and step.

    Raises:
        RuntimeError: The current position in the graph is inside a loop or a condition.
    """

    def __init__(self, seed: int | Any, step: Any, stream: int) -> None:
        self._graph = tf.get_default_graph()
        self._place = 0
        self._counters: dict[str, Any] = {}
        if self._graph._get_control_flow_context() is not None:
            raise RuntimeError("stateless_randomness must not begin inside a loop or a condition")
        with tf.name_scope("random_keys"):
            hashed = hash_key(tf.stack([tf.cast(seed, tf.int64), tf.constant(stream, tf.int64)]))
            # the cast to int32 keeps the low bits and copies the step, which the optimiser overwrites in place
            self._base = hashed + tf.stack([tf.cast(step, tf.int32), 0])

    def next_key(self) -> Any:
        """Returns the key of the next place, int32 ``[2]``, built inside the loop around the draw.

        Raises:
            RuntimeError: The draw is inside a function, or inside a loop without a counter, or one too many.
        """
        place = self._next_place()
        with tf.name_scope("key"):
            inner, *outer = self._loop_counters() or [tf.constant(0)]
            key = self._base + tf.stack([0, place + inner])
            for time in outer:  # Magenta nests no loops; the hash separates (1, 2) from (2, 1)
                key = hash_key(key) + tf.stack([0, time])
            return key

    def next_loop_keys(self, times: int, hashed: bool) -> list[Any]:
        """Returns the keys of the next place for each iteration of an unrolled loop (`loop_keys`)."""
        place = self._next_place()
        with tf.name_scope("keys"):
            keys = list(tf.unstack(self._base + tf.constant([[0, place + time] for time in range(times)])))
            return _hash_keys(keys) if hashed else keys

    def _next_place(self) -> int:
        if tf.get_default_graph() is not self._graph:
            # in a tf.function or a loop of TensorFlow 2, the iteration is not visible from here
            raise RuntimeError("A random draw inside a function, whose random numbers would not depend on the step")
        if self._place >= _PLACES:
            raise RuntimeError(f"More than {_PLACES} random draws in one graph")
        place, self._place = self._place * _TIMES, self._place + 1
        return place

    def _loop_counters(self) -> list[Any]:
        """Returns the counters of the loops around the current position, innermost first, int32 scalars.

        They come from TensorFlow 1's control flow contexts, because Magenta's helpers do not pass their time to the
        code that draws. In ``dynamic_rnn``, in ``dynamic_decode`` and in every loop with ``maximum_iterations``, the
        first loop variable is a counter. In the loop's body it is ``_pivot_for_body``.
        """
        counters = []
        context = self._graph._get_control_flow_context()
        while context is not None:
            if context.IsWhileContext():
                counter = context._pivot_for_body
                if counter is None or counter.dtype != tf.int32 or counter.shape.rank != 0:
                    raise RuntimeError(f"A random draw in loop '{context.name}', which does not count ({counter})")
                self._counters[context.name] = counter
                counters.append(counter)
            context = context.outer_context
        return counters

    def check_loops(self) -> None:
        """Checks that the first variable of each loop with a draw counts up by one, after the loops are built.

        Raises:
            RuntimeError: One does not: its iterations would draw the same numbers.
        """
        for name, counter in self._counters.items():
            merge = counter.op.inputs[0].op.inputs[0].op  # a TensorFlow 1 loop: Merge -> Switch -> Identity
            following = merge.inputs[1].op.inputs[0].op  # the value that NextIteration passes on
            if not (
                following.type in ("Add", "AddV2")
                and following.inputs[0] is counter
                and tf.get_static_value(following.inputs[1]) == 1
            ):
                raise RuntimeError(f"A random draw in loop '{name}', whose first variable does not count by one")


def loop_keys(times: int, *, hashed: bool = True) -> list[Any]:
    """Returns the keys of one draw in a loop of Magenta's, for layers that unroll the loop.

    Args:
        times: Number of iterations.
        hashed: Hash the keys, as for ``Distribution.sample``. ``bernoulli_sample`` uses them as they are.

    Returns:
        Keys, int32 ``[2]`` for each iteration.

    Raises:
        RuntimeError: Not inside a ``stateless_randomness`` context.
    """
    keys: RandomKeys | None = getattr(ACTIVE, "keys", None)
    if keys is None:
        raise RuntimeError("Layers that draw random numbers are built inside stateless_randomness")
    return keys.next_loop_keys(times, hashed)


def hash_key(key: Any) -> Any:
    """Hashes a pair of integers, ``[2]``, to two well-mixed int32 numbers."""
    return tf.random.stateless_uniform([2], seed=key, minval=None, maxval=None, dtype=tf.int32)


def _hash_keys(keys: Sequence[Any]) -> list[Any]:
    """Computes `hash_key` of each key in fewer operations."""
    shape, algorithm = tf.constant([2]), auto_algorithm()
    return [
        tf.raw_ops.StatelessRandomUniformFullIntV2(shape=shape, key=key, counter=counter, alg=algorithm, dtype=tf.int32)
        for key, counter in map(key_and_counter, keys)
    ]


def key_and_counter(key: Any) -> tuple[Any, Any]:
    """Derives the Philox key and the start of its counter, as ``tf.random.stateless_uniform`` does."""
    philox_key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=key)
    return philox_key, counter


def auto_algorithm() -> Any:
    """Returns the algorithm argument of ``tf.random.stateless_uniform``: the best one of the device."""
    return tf.constant(tf.random.Algorithm.AUTO_SELECT.value)
