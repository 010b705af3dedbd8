"""Gradients written by hand, in graphs of TensorFlow 1.

``tf.custom_gradient`` would do, were it not that in a graph it looks for every variable behind what it
computes and fails at those of the input, and that it keeps every graph alive for the life of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipeline.models.magenta import tf

_OVERRIDE = "GmdVaeWithGradient"
_ATTRIBUTE = "_gmd_vae_gradients"  # of a graph: they hold its tensors, and must not outlive it


def with_gradient(compute: Callable[..., tuple[Sequence[Any], Callable[..., Sequence[Any]]]], *inputs: Any) -> Any:
    """The outputs of a computation, with a gradient of its own instead of its operations'.

    Args:
        compute: from the inputs to the outputs, and to the function that makes of the outputs'
            gradients those of the inputs. Nothing else that it reads gets a gradient.
        inputs: tensors.

    Returns:
        A list of tensors.
    """
    outputs, gradient = compute(*inputs)
    count, graph = len(outputs), tf.get_default_graph()
    with graph.gradient_override_map({"IdentityN": _OVERRIDE}):
        # the inputs go along so that TensorFlow sees what the outputs depend on
        joined = tf.identity_n([*outputs, *inputs])
    if not hasattr(graph, _ATTRIBUTE):
        setattr(graph, _ATTRIBUTE, {})
    getattr(graph, _ATTRIBUTE)[joined[0].op.name] = lambda *given: gradient(*given[:count])
    return joined[:count]


@tf.RegisterGradient(_OVERRIDE)  # type: ignore[untyped-decorator]
def _gradient(operation: Any, *given: Any) -> list[Any]:
    gradients = getattr(operation.graph, _ATTRIBUTE)[operation.name](*given)
    return [None] * (len(given) - len(gradients)) + list(gradients)
