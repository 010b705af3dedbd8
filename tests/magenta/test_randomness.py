"""Stateless randomness in small graphs: functions of seed, stream, step, place and time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fixtures.stateful_ops import stateful_draws

pytestmark = pytest.mark.tensorflow

Check = Callable[[npt.NDArray[Any]], None]


def drawn(build: Callable[[Any], Any], *at: tuple[int, int], stream: int = 0) -> list[Any]:
    """Returns the results of a small graph at each (seed, step)."""
    from gmd_vae.magenta.api import tf
    from gmd_vae.magenta.randomness import stateless_randomness

    with tf.Graph().as_default() as graph, tf.Session() as session:
        seed, step = tf.placeholder(tf.int64, []), tf.placeholder(tf.int64, [])
        with stateless_randomness(seed, step, stream):
            result = build(tf)
        assert stateful_draws(graph) == []
        return [session.run(result, {seed: number, step: at_step}) for number, at_step in at]


def normal(*shape: int) -> Any:
    from gmd_vae.magenta.api import lstm_models, tf

    return lstm_models.tfp.distributions.MultivariateNormalDiag(tf.zeros(shape), tf.ones(shape)).sample()


def test_draws_depend_on_seed_step_stream_and_place(magenta: Any, assert_unrelated: Check) -> None:
    def two(tf: Any) -> Any:
        return normal(300), normal(300)

    ats = [(0, 0), (0, 1), (1, 0), (0, 2**31), (0, 2**31 + 1), (2**40, 0), (-1, 0)]
    draws = [place for stream in (0, 1, 2) for at in drawn(two, *ats, stream=stream) for place in at]
    assert_unrelated(np.array(draws).T)
    assert np.array_equal(drawn(two, (3, 4)), drawn(two, (3, 4)))


def test_dropout_scales_the_kept_values_and_differs_in_time_and_place(magenta: Any, assert_unrelated: Check) -> None:
    class Echo(magenta.tf.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        state_size = output_size = 40

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs, state

    def layers(tf: Any, **kwargs: float) -> Any:
        cells = [tf.nn.rnn_cell.DropoutWrapper(Echo(), **kwargs) for _ in range(2)]
        return [
            tf.nn.dynamic_rnn(cell, tf.ones([50, 20, 40]), dtype=tf.float32, scope=str(i))[0]
            for i, cell in enumerate(cells)
        ]

    [outputs] = drawn(functools.partial(layers, input_keep_prob=0.3), (0, 0))
    kept = np.array(outputs) != 0  # [places, batch, time, depth]
    np.testing.assert_allclose(np.array(outputs)[kept], 1 / 0.3, rtol=1e-6)
    assert kept.mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / kept.size))
    assert_unrelated(np.moveaxis(kept, 1, 2).reshape(40, -1).T)
    [outputs] = drawn(functools.partial(layers, input_keep_prob=1.0), (0, 0))
    assert np.all(np.array(outputs) == 1)
    with pytest.raises(RuntimeError, match="Only plain dropout"):
        drawn(functools.partial(layers, output_keep_prob=0.5))


def test_draws_inside_conditions_and_nested_loops_differ(magenta: Any, assert_unrelated: Check) -> None:
    def nested(tf: Any) -> Any:
        def inner(i: Any, j: Any, rows: Any) -> Any:
            row = tf.cond(i >= 0, lambda: normal(300), lambda: tf.zeros([300]))
            return j + 1, rows.write(3 * i + j, row)

        def outer(i: Any, rows: Any) -> Any:
            _, rows = tf.while_loop(lambda j, _: j < 3, functools.partial(inner, i), [0, rows])
            return i + 1, rows

        rows = tf.TensorArray(tf.float32, size=9)
        _, rows = tf.while_loop(lambda i, _: i < 3, outer, [0, rows])
        return rows.stack()

    first, second = drawn(nested, (0, 0), (0, 1))
    assert_unrelated(np.concatenate([first, second]).T)


def test_a_loop_without_a_counter_is_an_error(magenta: Any) -> None:
    def loop(tf: Any, start: Any, step: float) -> Any:
        return tf.while_loop(lambda i, _: i < 3, lambda i, _: (i + step, normal(2)), [start, tf.zeros([2])])

    with pytest.raises(RuntimeError, match="does not count"):
        drawn(lambda tf: loop(tf, 0.0, 1.0))
    with pytest.raises(RuntimeError, match="does not count by one"):
        drawn(lambda tf: loop(tf, 0, 0))
    assert len(drawn(lambda tf: loop(tf, 0, 1), (0, 0))) == 1


def test_the_patched_functions_are_restored_after_an_error(magenta: Any, randomness: Any) -> None:
    tf, models = magenta.tf, magenta.lstm_models
    places = [
        (models.tfp.distributions.Distribution, "sample"),
        (models.contrib_seq2seq, "bernoulli_sample"),
        (tf.nn.rnn_cell.DropoutWrapper, "_dropout"),
    ]
    before = [getattr(*place) for place in places]

    def fail() -> None:
        with tf.Graph().as_default(), randomness.stateless_randomness(0, tf.constant(0)):
            assert all(getattr(*place) is not own for place, own in zip(places, before, strict=True))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [getattr(*place) for place in places] == before


def test_graphs_of_other_threads_are_not_affected(magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    found: list[list[str]] = []

    def build() -> None:
        with tf.Graph().as_default() as graph:
            normal(2)
            found.append(stateful_draws(graph))

    with tf.Graph().as_default() as graph, randomness.stateless_randomness(0, tf.constant(0)):
        thread = threading.Thread(target=build)
        thread.start()
        thread.join(60)
        normal(2)
    assert [len(each) for each in found] == [1]
    assert stateful_draws(graph) == []


def test_draws_of_initial_values_are_not_listed(magenta: Any, randomness: Any) -> None:
    tf = magenta.tf
    with tf.Graph().as_default() as graph:
        weights = tf.get_variable("weights", [3, 3], initializer=tf.orthogonal_initializer())
        assert stateful_draws(graph) == []
        tf.nn.dropout(weights, rate=0.5)
        assert [graph.get_operation_by_name(name).type for name in stateful_draws(graph)] == ["RandomUniform"]
        shared = tf.random.normal([2])
        tf.get_variable("shared", initializer=shared)
        assert len(stateful_draws(graph)) == 1
        tf.identity(shared)
        assert len(stateful_draws(graph)) == 2
        tf.data.make_one_shot_iterator(tf.data.Dataset.range(3).map(lambda _: tf.random.uniform([])))
        assert any("/" in name for name in stateful_draws(graph)[2:])
