"""Custom gradients in TensorFlow 1 graphs, and tensors whose gradient is computed once for all their uses.

``tf.custom_gradient`` does not fit: in a graph it searches for every variable behind the computation, fails at the
variables of the input pipeline, and keeps each graph alive until the process ends. `with_custom_gradient` overrides
the gradient of an ``IdentityN`` operation instead (``Graph.gradient_override_map``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import tf

Gradient = Callable[..., Sequence[Any]]  # (*gradients of the outputs) -> gradients of the inputs

_OVERRIDE = "GmdVaeCustomGradient"
_ATTRIBUTE = "_gmd_vae_gradients"  # on the graph, because the functions hold tensors and must be freed with it


class SharedTensor:
    """A tensor with many uses and one gradient computation.

    TensorFlow would compute a gradient for each use and add them. Here each use leaves its terms, for example the
    operands of a matmul, in a list. TensorFlow adds placeholders that stand for these lists. When it asks for the
    gradient of the tensor, the terms behind that sum are collected and combined in one computation, such as one
    large matmul.

    Args:
        value: The tensor.
        combine_terms: Function from the collected terms to the gradient of ``value``.

    Attributes:
        value: The tensor.
        tracked: The same tensor, through which `with_custom_gradient` connects its uses.
    """

    def __init__(self, value: Any, combine_terms: Callable[[list[Any]], Any]) -> None:
        self.value = value
        self._terms: dict[str, Sequence[Any]] = {}  # by the name of the placeholder
        [self.tracked] = _identities([value], lambda d_tracked: [combine_terms(self._collect_terms(d_tracked))])

    def defer_gradient(self, terms: Sequence[Any]) -> Any:
        """Keeps the terms of one use.

        Args:
            terms: The terms, in a form that ``combine_terms`` reads.

        Returns:
            A float32 scalar placeholder for the gradient of this use. Its value is NaN, so that accidental use shows.
        """
        placeholder = tf.placeholder_with_default(float("nan"), shape=None)
        self._terms[placeholder.name] = terms
        return placeholder

    def _collect_terms(self, d_tracked: Any) -> list[Any]:
        """Returns the terms behind a placeholder, or behind a sum of placeholders that TensorFlow has built."""
        if d_tracked.name in self._terms:
            return list(self._terms.pop(d_tracked.name))
        return [term for addend in d_tracked.op.inputs for term in self._collect_terms(addend)]


def with_custom_gradient(compute: Callable[[], tuple[Sequence[Any], Gradient]], *inputs: Any) -> list[Any]:
    """Runs a computation and replaces its gradient.

    Args:
        compute: Function that builds the computation. It returns the output tensors, and a function from the
            gradients of the outputs to the gradients of ``inputs``: a tensor for a tensor, a list of terms for a
            `SharedTensor`.
        inputs: Tensors or `SharedTensor` objects that get a gradient. Any other tensor that ``compute`` reads gets
            none.

    Returns:
        The output tensors.
    """
    outputs, gradient = compute()
    count = len(outputs)

    def input_gradients(*d_all: Any) -> list[Any]:
        pairs = zip(inputs, gradient(*d_all[:count]), strict=True)
        d_inputs = [node.defer_gradient(d) if isinstance(node, SharedTensor) else d for node, d in pairs]
        return [None] * count + d_inputs

    # the inputs pass through the same IdentityN: TensorFlow then finds the path from the outputs to them
    tensors = [node.tracked if isinstance(node, SharedTensor) else node for node in inputs]
    joined: list[Any] = _identities([*outputs, *tensors], input_gradients)
    return joined[:count]


def _identities(tensors: Sequence[Any], gradient: Gradient) -> Any:
    """Returns ``tf.identity_n(tensors)`` whose gradient function is ``gradient``."""
    graph = tf.get_default_graph()
    with graph.gradient_override_map({"IdentityN": _OVERRIDE}):
        joined = tf.identity_n(tensors)
    _gradients(graph)[joined[0].op.name] = gradient
    return joined


def _gradients(graph: Any) -> dict[str, Gradient]:
    """Returns the custom gradients of a graph, by the name of the ``IdentityN`` operation."""
    if not hasattr(graph, _ATTRIBUTE):
        setattr(graph, _ATTRIBUTE, {})
    gradients: dict[str, Gradient] = getattr(graph, _ATTRIBUTE)
    return gradients


@tf.RegisterGradient(_OVERRIDE)  # type: ignore[untyped-decorator]
def _dispatch(operation: Any, *d_outputs: Any) -> list[Any]:
    return list(_gradients(operation.graph)[operation.name](*d_outputs))
