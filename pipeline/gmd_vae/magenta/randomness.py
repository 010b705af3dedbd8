"""Replaces the stateful random draws of Magenta's layers by stateless ones.

TensorFlow's usual random operations count their draws inside the session: a session that starts at step 1,000 draws
other numbers there than a session that started at step 0. Inside `stateless_randomness` Magenta's layers are built on
TensorFlow's stateless operations, which are functions of a key (`random_keys`). An interrupted run that continues
therefore ends with exactly the weights of an uninterrupted run.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from gmd_vae.magenta.api import lstm_models, tf
from gmd_vae.magenta.random_keys import ACTIVE, RandomKeys, hash_key

_PATCHING = threading.RLock()  # one context at a time: two that overlap would restore each other's patches


@contextlib.contextmanager
def stateless_randomness(seed: int | Any, step: Any, stream: int = 0) -> Iterator[None]:
    """Makes every random draw of Magenta's layers a function of ``(seed, step, stream, place, time)``.

    Build the graph inside this context. Graphs that other threads build meanwhile are not affected.

    Args:
        seed: Seed, an int64 number or a scalar integer tensor.
        step: Scalar integer tensor, the same for all draws of one session run: the global step or the number of a
            batch. Steps that differ by 2**32 draw the same numbers.
        stream: Number that separates graphs with the same seed and step: the workers of a cluster, or the graphs for
            training and for validation.

    Raises:
        RuntimeError: The graph has a draw in a loop without a counter, or a draw that this module cannot replace.
    """
    keys = RandomKeys(seed, step, stream)
    replacements: list[tuple[Any, str, Callable[..., Any]]] = [
        # tensorflow_probability: the latent noise and all samples of the decoders, NADE included. Without a seed,
        # which Magenta never gives, distributions draw from tf.random.normal and tf.multinomial.
        (lstm_models.tfp.distributions.Distribution, "sample", _sample),
        # magenta.contrib.seq2seq: ScheduledOutputTrainingHelper draws the rows of scheduled sampling with
        # tf.random_uniform.
        (lstm_models.contrib_seq2seq, "bernoulli_sample", _bernoulli_sample),
        # tf_keras.src.layers.rnn.legacy_cell_wrappers: lstm_utils.rnn_cell wraps each cell; calls tf.nn.dropout.
        (tf.nn.rnn_cell.DropoutWrapper, "_dropout", _dropout),
    ]
    with _PATCHING, contextlib.ExitStack() as patches:
        for owner, name, replacement in replacements:
            patched = _in_this_thread(keys, getattr(owner, name), replacement)
            patches.enter_context(_replaced_attribute(owner, name, patched))
        patches.enter_context(_replaced_attribute(ACTIVE, "keys", keys))
        yield
    keys.check_loops()


@contextlib.contextmanager
def _replaced_attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Sets an attribute of an object, a class or a module, and restores it at the end."""
    was_set, original = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if was_set:
            setattr(owner, name, original)
        else:
            delattr(owner, name)


def _in_this_thread(keys: RandomKeys, original: Any, replacement: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that calls the replacement in this thread and the original in all others."""
    thread = threading.get_ident()

    def dispatch(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == thread:
            return replacement(keys, original, *args, **kwargs)
        return original(*args, **kwargs)

    return dispatch


def _sample(
    keys: RandomKeys,
    original: Any,
    distribution: Any,
    sample_shape: Any = (),
    seed: Any = None,
    name: str = "sample",
    **kwargs: Any,
) -> Any:
    """Replaces ``tfp.distributions.Distribution.sample``: passes a key, int32 ``[2]``, as the seed.

    Compound distributions pass the key on to their parts, whose draws then are no places of their own.
    """
    if seed is None or isinstance(seed, int):
        # hashed, because the library derives further keys by flipping low bits, which would give neighbouring keys
        seed = hash_key(keys.next_key())
    return original(distribution, sample_shape, seed, name, **kwargs)


def _bernoulli_sample(
    keys: RandomKeys,
    original: Any,
    probs: Any = None,
    logits: Any = None,
    dtype: Any = tf.int32,
    sample_shape: Any = (),
    seed: int | None = None,
) -> Any:
    """Replaces ``magenta.contrib.seq2seq.bernoulli_sample``: returns 0 and 1, ``[*sample_shape, *probs.shape]``."""
    probs = tf.sigmoid(logits) if probs is None else tf.convert_to_tensor(probs)
    shape = tf.concat([tf.reshape(tf.cast(sample_shape, tf.int32), [-1]), tf.shape(probs)], 0)
    uniform = tf.random.stateless_uniform(shape, seed=keys.next_key(), dtype=probs.dtype)
    return tf.cast(uniform < probs, dtype)


def _dropout(
    keys: RandomKeys,
    original: Any,
    wrapper: Any,
    values: Any,
    salt_prefix: str,
    recurrent_noise: Any,
    keep_prob: Any,
    shallow_filtered_substructure: Any = None,
) -> Any:
    """Replaces ``DropoutWrapper._dropout``: sets a share of ``values`` to 0 and divides the rest by ``keep_prob``."""
    if wrapper._variational_recurrent or salt_prefix != "input" or not tf.is_tensor(values):
        raise RuntimeError("Only plain dropout of a cell's input can be made a function of the step")
    return tf.nn.experimental.stateless_dropout(values, rate=1.0 - keep_prob, seed=keys.next_key())
