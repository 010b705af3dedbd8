"""Custom gradients, and shared tensors with one gradient computation for all uses."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow


def test_a_custom_gradient_replaces_the_gradient_of_the_operations(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import with_custom_gradient

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        differentiated, not_differentiated = tf.constant(2.0), tf.constant(5.0)

        def compute() -> Any:
            outputs = [differentiated * not_differentiated, differentiated + 1.0]
            return outputs, lambda d_first, d_second: [100.0 * d_first + d_second]

        first, second = with_custom_gradient(compute, differentiated)
        assert tf.gradients(first, [not_differentiated]) == [None]
        d_both, d_second_only = (tf.gradients(results, [differentiated])[0] for results in ([first, second], second))
        assert session.run([first, second, d_both, d_second_only]) == [10.0, 3.0, 101.0, 1.0]
        # other IdentityN operations keep TensorFlow's gradient
        assert session.run(tf.gradients(tf.identity_n([differentiated])[0], [differentiated])) == [1.0]


def test_a_graph_with_custom_gradients_is_freed(magenta: Any) -> None:
    from gmd_vae.models.accelerated.shared_weights import SharedWeights, linear, lookup_tokens

    tf = magenta.tf
    with tf.Graph().as_default() as graph:
        weights = SharedWeights(tf.ones([6, 8]), "fp32")
        result = linear(lookup_tokens(weights, tf.constant([1, 2]))[:, :6], weights)
        gradients = tf.gradients(result, [weights.value])
        with tf.Session() as session:
            session.run(gradients)
    reference = weakref.ref(graph)
    del graph, weights, result, gradients, session
    gc.collect()
    assert reference() is None


def _scaled(tf: Any, shared: Any, factor: float) -> Any:
    """Returns ``factor * shared`` with ``factor * d_result`` as its gradient term."""
    from gmd_vae.models.accelerated.custom_gradients import with_custom_gradient

    return with_custom_gradient(lambda: ([shared.value * factor], lambda d_result: [[factor * d_result]]), shared)[0]


def test_the_terms_of_all_uses_are_combined_once(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    counts: list[int] = []

    def combine(terms: list[Any]) -> Any:
        counts.append(len(terms))
        return tf.add_n(terms)

    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.constant(3.0)
        shared = SharedTensor(value, combine)
        uses = [_scaled(tf, shared, factor) for factor in (1.0, 10.0, 100.0)]
        for wanted, factors in ((uses, 111.0), (uses[:1], 1.0), (uses[1:], 110.0), (uses[::-1], 111.0)):
            assert session.run(tf.gradients(wanted, [value])) == [factors]
        assert counts == [3, 1, 2, 3]
        # as an optimiser computes it: sums in pairs, with control dependencies
        optimizer = tf.train.GradientDescentOptimizer(1.0)
        variable = tf.get_variable("variable", initializer=2.0)
        shared = SharedTensor(variable.read_value(), combine)
        loss = tf.add_n([_scaled(tf, shared, factor) for factor in (1.0, 2.0, 4.0, 8.0)])
        in_pairs = tf.AggregationMethod.EXPERIMENTAL_TREE
        [(gradient, _)] = optimizer.compute_gradients(loss, [variable], aggregation_method=in_pairs)
        session.run(variable.initializer)
        assert session.run([loss, gradient]) == [30.0, 15.0]


def test_uses_of_a_shared_tensor_are_independent(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        shared = SharedTensor(tf.constant(3.0), tf.add_n)
        never = tf.debugging.Assert(False, ["was computed"])
        with tf.control_dependencies([never]):
            _scaled(tf, shared, 2.0)
        second = _scaled(tf, shared, 5.0)
        assert session.run([second, *tf.gradients(second, [shared.value])]) == [15.0, 5.0]


def test_a_placeholder_for_a_gradient_is_nan(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        shared = SharedTensor(tf.constant(3.0), tf.add_n)
        assert np.isnan(session.run(tf.gradients(_scaled(tf, shared, 2.0), [shared.tracked])[0]))
