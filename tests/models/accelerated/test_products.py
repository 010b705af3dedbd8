"""Products with weights, and gradients written by hand, against TensorFlow's own."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.tensorflow

NUMBERS = np.random.default_rng(0)
LEFT, RIGHT, D_RESULT = (NUMBERS.normal(size=size).astype(np.float32) for size in ((5, 6), (6, 8), (5, 8)))


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-6), ("bf16", 2**-7)])
def test_a_product_and_its_gradients(precision: str, tolerance: float, magenta: Any) -> None:
    from pipeline.models.accelerated.products import Weights, plain_product, product

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        left, right = tf.constant(LEFT), tf.constant(RIGHT)
        weights = Weights(right, precision)
        result = product(left, weights)
        gradients = tf.gradients(result, [left, right], D_RESULT)
        assert {tensor.dtype for tensor in (result, *gradients)} == {tf.float32}
        assert tf.gradients(plain_product(left, weights), [right]) == [None]
        found = session.run([result, plain_product(left, weights), *gradients])
    for values, factors in zip(
        found, [(LEFT, RIGHT), (LEFT, RIGHT), (D_RESULT, RIGHT.T), (LEFT.T, D_RESULT)], strict=True
    ):
        terms = np.abs(factors[0]) @ np.abs(factors[1])  # each is rounded, whatever they sum up to
        assert np.all(np.abs(values - factors[0] @ factors[1]) <= tolerance * terms)


def test_rows_by_token_are_the_product_with_one_hot_vectors(magenta: Any) -> None:
    from pipeline.models.accelerated.products import Weights, gather_rows

    tf = magenta.tf
    tokens = np.array([[0, 3, 3], [6, 0, 1]], np.int32)  # nothing twice, one class twice, others never
    one_hot = np.eye(7, dtype=np.float32)[tokens][..., 1:]
    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.constant(RIGHT)
        rows = gather_rows(Weights(value, "fp32"), tf.constant(tokens))
        product = tf.tensordot(tf.constant(one_hot), value, 1)
        d_rows = NUMBERS.normal(size=[2, 3, 8]).astype(np.float32)
        [mine], [theirs] = (tf.gradients(result, [value], d_rows) for result in (rows, product))
        found = session.run([rows, product, mine, theirs])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[2], found[3], rtol=1e-6)
    assert not found[0][tokens == 0].any()
    assert not found[2][[1, 3, 4]].any()  # classes 2, 4 and 5 of no token


def test_a_gradient_of_ones_own(magenta: Any) -> None:
    from pipeline.models.accelerated.gradients import with_gradient

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        given_to_it, only_read = tf.constant(2.0), tf.constant(5.0)

        def compute() -> Any:
            return [given_to_it * only_read, given_to_it + 1.0], lambda d_first, d_second: [100.0 * d_first + d_second]

        first, second = with_gradient(compute, given_to_it)
        assert tf.gradients(first, [only_read]) == [None]
        of_both, of_one = (tf.gradients(results, [given_to_it])[0] for results in ([first, second], second))
        assert session.run([first, second, of_both, of_one]) == [10.0, 3.0, 101.0, 1.0]
        # TensorFlow's own operation of that kind keeps its gradient
        assert session.run(tf.gradients(tf.identity_n([given_to_it])[0], [given_to_it])) == [1.0]


def test_a_graph_with_such_gradients_does_not_outlive_its_use(magenta: Any) -> None:
    from pipeline.models.accelerated.products import Weights, gather_rows, product

    tf = magenta.tf
    with tf.Graph().as_default() as graph:
        weights = Weights(tf.constant(RIGHT), "fp32")
        result = product(gather_rows(weights, tf.constant([1, 2]))[:, :6], weights)
        gradients = tf.gradients(result, [weights.value])
        with tf.Session() as session:
            session.run(gradients)
    reference = weakref.ref(graph)
    del graph, weights, result, gradients, session
    gc.collect()
    assert reference() is None


CLASSES = 5


@pytest.fixture(scope="module")
def to_tokens(magenta: Any) -> Any:
    """Tokens of sequences ``[batch, steps, depth]``, and of labels ``[batch, steps]`` by way of `as_sequence`."""
    from pipeline.models.accelerated import tokens

    tf = magenta.tf
    with tf.Graph().as_default():
        sequence = tf.placeholder(tf.float32, [None, None, CLASSES])
        labels = tf.placeholder(tf.int64, [None, None])
        fetched = tokens.to_tokens(sequence), tokens.to_tokens(tokens.as_sequence(labels))
        with tf.Session() as session:
            yield session.make_callable(fetched, [sequence, labels])


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda steps: st.lists(
            st.lists(st.integers(-1, CLASSES - 1), min_size=steps, max_size=steps), min_size=1, max_size=3
        )
    )
)
def test_sequences_and_labels_become_the_same_tokens(to_tokens: Any, labels: list[list[int]]) -> None:
    """Label -1 stands for nothing, which only a one-hot sequence can say outright."""
    one_hot = np.eye(CLASSES + 1, dtype=np.float32)[np.array(labels) + 1][..., 1:]
    from_one_hot, from_labels = to_tokens(one_hot, np.array(labels))
    np.testing.assert_array_equal(from_one_hot, np.array(labels) + 1)
    np.testing.assert_array_equal(from_labels, np.array(labels) + 1)


def test_labels_stay_exact_as_far_as_they_promise(to_tokens: Any) -> None:
    labels = np.array([[2**24 - 2, 2**24 - 1, 12_345_677]])
    np.testing.assert_array_equal(to_tokens(np.zeros([1, 1, CLASSES]), labels)[1], labels + 1)
