"""Gradients written by hand, and tensors whose gradient is made of what all their uses give."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow


def test_a_gradient_of_ones_own(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import with_custom_gradient

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        given_to_it, only_read = tf.constant(2.0), tf.constant(5.0)

        def compute() -> Any:
            return [given_to_it * only_read, given_to_it + 1.0], lambda d_first, d_second: [100.0 * d_first + d_second]

        first, second = with_custom_gradient(compute, given_to_it)
        assert tf.gradients(first, [only_read]) == [None]
        of_both, of_one = (tf.gradients(results, [given_to_it])[0] for results in ([first, second], second))
        assert session.run([first, second, of_both, of_one]) == [10.0, 3.0, 101.0, 1.0]
        # TensorFlow's own operation of that kind keeps its gradient
        assert session.run(tf.gradients(tf.identity_n([given_to_it])[0], [given_to_it])) == [1.0]


def test_a_graph_with_such_gradients_does_not_outlive_its_use(magenta: Any) -> None:
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
    """A use of a shared number, which gives its factor times the gradient."""
    from gmd_vae.models.accelerated.custom_gradients import with_custom_gradient

    return with_custom_gradient(lambda: ([shared.value * factor], lambda d_result: [[factor * d_result]]), shared)[0]


def test_what_is_shared_gets_one_gradient_of_all_that_was_given(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    made: list[int] = []

    def together(terms: list[Any]) -> Any:
        made.append(len(terms))
        return tf.add_n(terms)

    with tf.Graph().as_default(), tf.Session() as session:
        value = tf.constant(3.0)
        shared = SharedTensor(value, together)
        uses = [_scaled(tf, shared, factor) for factor in (1.0, 10.0, 100.0)]
        for wanted, factors in ((uses, 111.0), (uses[:1], 1.0), (uses[1:], 110.0), (uses[::-1], 111.0)):
            assert session.run(tf.gradients(wanted, [value])) == [factors]
        assert made == [3, 1, 2, 3]
        # as the optimisers ask for it: sums in pairs, gated
        optimizer = tf.train.GradientDescentOptimizer(1.0)
        variable = tf.get_variable("variable", initializer=2.0)
        shared = SharedTensor(variable.read_value(), together)
        loss = tf.add_n([_scaled(tf, shared, factor) for factor in (1.0, 2.0, 4.0, 8.0)])
        in_pairs = tf.AggregationMethod.EXPERIMENTAL_TREE
        [(gradient, _)] = optimizer.compute_gradients(loss, [variable], aggregation_method=in_pairs)
        session.run(variable.initializer)
        assert session.run([loss, gradient]) == [30.0, 15.0]


def test_a_use_of_what_is_shared_does_not_wait_for_another(magenta: Any) -> None:
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        shared = SharedTensor(tf.constant(3.0), tf.add_n)
        never = tf.debugging.Assert(False, ["was computed"])
        with tf.control_dependencies([never]):
            _scaled(tf, shared, 2.0)
        second = _scaled(tf, shared, 5.0)
        assert session.run([second, *tf.gradients(second, [shared.value])]) == [15.0, 5.0]


def test_what_stands_for_a_gradient_is_no_number(magenta: Any) -> None:
    """Whoever asks for the gradient of what is shared beside its owner gets none that passes for one."""
    from gmd_vae.models.accelerated.custom_gradients import SharedTensor

    tf = magenta.tf
    with tf.Graph().as_default(), tf.Session() as session:
        shared = SharedTensor(tf.constant(3.0), tf.add_n)
        assert np.isnan(session.run(tf.gradients(_scaled(tf, shared, 2.0), [shared.tracked])[0]))
