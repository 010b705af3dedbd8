"""Products with shared weights equal TensorFlow's; tokens equal one-hot vectors."""

from __future__ import annotations

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
    from gmd_vae.models.accelerated.shared_weights import SharedWeights, linear, linear_without_gradient

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        left, right = tf.constant(LEFT), tf.constant(RIGHT)
        weights = SharedWeights(right, precision)
        result = linear(left, weights)
        gradients = tf.gradients(result, [left, right], D_RESULT)
        assert {tensor.dtype for tensor in (result, *gradients)} == {tf.float32}
        assert tf.gradients(linear_without_gradient(left, weights), [right]) == [None]
        found = session.run([result, linear_without_gradient(left, weights), *gradients])
    for values, factors in zip(
        found, [(LEFT, RIGHT), (LEFT, RIGHT), (D_RESULT, RIGHT.T), (LEFT.T, D_RESULT)], strict=True
    ):
        # each term is rounded, so the tolerance depends on the sum of their absolute values
        terms = np.abs(factors[0]) @ np.abs(factors[1])
        assert np.all(np.abs(values - factors[0] @ factors[1]) <= tolerance * terms)


def test_a_token_lookup_equals_the_product_with_one_hot_vectors(magenta: Any) -> None:
    from gmd_vae.models.accelerated.shared_weights import SharedWeights, lookup_tokens

    tf = magenta.tf
    tokens = np.array([[0, 3, 3], [6, 0, 1]], np.int32)  # no class twice, one class twice, others never
    one_hot = np.eye(7, dtype=np.float32)[tokens][..., 1:]
    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.constant(RIGHT)
        rows = lookup_tokens(SharedWeights(value, "fp32"), tf.constant(tokens))
        product = tf.tensordot(tf.constant(one_hot), value, 1)
        d_rows = NUMBERS.normal(size=[2, 3, 8]).astype(np.float32)
        [ours], [theirs] = (tf.gradients(result, [value], d_rows) for result in (rows, product))
        found = session.run([rows, product, ours, theirs])
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[2], found[3], rtol=1e-6)
    assert not found[0][tokens == 0].any()
    assert not found[2][[1, 3, 4]].any()  # classes without a token


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_gradient_of_weights_used_for_products_and_by_token(precision: str, magenta: Any) -> None:
    """One matmul for all products and one segment sum for all lookups, in any order of use."""
    from gmd_vae.models.accelerated.shared_weights import SharedWeights, linear, lookup_tokens

    tf = magenta.tf
    tokens = [np.array([1, 0, 6], np.int32), np.array([[6, 6], [2, 3]], np.int32)]
    d_rows = [NUMBERS.normal(size=[*part.shape, 8]).astype(np.float32) for part in tokens]
    with tf.Graph().as_default() as graph, tf.Session() as session:
        value = tf.constant(RIGHT)
        weights = SharedWeights(value, precision)
        first = linear(tf.constant(LEFT), weights)
        rows = [lookup_tokens(weights, tf.constant(part)) for part in tokens]
        second = linear(tf.constant(-2 * LEFT[:3]), weights)
        used = [first, *rows, second]
        given = [D_RESULT, *(tf.constant(part, rows[0].dtype) for part in d_rows), D_RESULT[:3]]
        before = sum(operation.type == "MatMul" for operation in graph.get_operations())
        [gradient] = tf.gradients(used, [value], given)
        added = [op for op in graph.get_operations() if op.type in ("MatMul", "UnsortedSegmentSum")][before:]
        shapes = [(op.type, op.outputs[0].shape) for op in added]
        # no gradient of a left operand is requested
        of_weights = sorted(kind for kind, shape in shapes if shape[-1] == 8 and shape[0] > 5)
        assert of_weights == ["MatMul", "UnsortedSegmentSum"]
        found = session.run(gradient)
    expected = LEFT.T @ D_RESULT - 2 * LEFT[:3].T @ D_RESULT[:3]
    for part, d_part in zip(tokens, d_rows, strict=True):
        for token, d_row in zip(part.reshape(-1), d_part.reshape(-1, 8), strict=True):
            if token:
                expected[token - 1] += d_row
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if precision == "fp32" else 0.15)


CLASSES = 5


@pytest.fixture(scope="module")
def to_tokens(magenta: Any) -> Any:
    """Function from a sequence ``[batch, steps, depth]`` and labels ``[batch, steps]`` to the tokens of both."""
    from gmd_vae.models.accelerated import tokens

    tf = magenta.tf
    with tf.Graph().as_default():
        sequence = tf.placeholder(tf.float32, [None, None, CLASSES])
        labels = tf.placeholder(tf.int64, [None, None])
        fetched = tokens.to_tokens(sequence), tokens.to_tokens(tokens.labels_to_sequence(labels))
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
    """Label -1 is "no class", a zero vector in a one-hot sequence."""
    one_hot = np.eye(CLASSES + 1, dtype=np.float32)[np.array(labels) + 1][..., 1:]
    from_one_hot, from_labels = to_tokens(one_hot, np.array(labels))
    np.testing.assert_array_equal(from_one_hot, np.array(labels) + 1)
    np.testing.assert_array_equal(from_labels, np.array(labels) + 1)


def test_labels_up_to_the_limit_are_exact(to_tokens: Any) -> None:
    labels = np.array([[2**24 - 2, 2**24 - 1, 12_345_677]])
    np.testing.assert_array_equal(to_tokens(np.zeros([1, 1, CLASSES]), labels)[1], labels + 1)
