"""Gradients written by hand, in graphs of TensorFlow 1.

``tf.custom_gradient`` would do, were it not that in a graph it looks for every variable behind what it
computes and fails at those of the input, and that it keeps every graph alive for the life of the process.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Callable, Sequence
from typing import Any

from gmd_vae.magenta.api import tf

_OVERRIDE = "GmdVaeWithGradient"
_ATTRIBUTE = "_gmd_vae_gradients"  # of a graph: its tensors are held there, and must not outlive it


class Shared:
    """A tensor of many uses, whose gradient is made once, of what all of them give to it.

    TensorFlow would have each use make a gradient, and add them up. Here each leaves a list, and in the place of its
    gradient a tensor that stands for the list; the gradient is made of the lists that the sum stands for.

    Args:
        value: the tensor.
        together: the gradient, from what the uses gave.

    Attributes:
        used: the tensor as `with_gradient` reads it.
    """

    def __init__(self, value: Any, together: Callable[[list[Any]], Any]) -> None:
        self.value = value
        self._given: dict[str, Sequence[Any]] = {}  # by the name of the tensor that stands for it
        [self.used] = _identities([value], lambda d_used: [together(self._taken(d_used))])

    def give(self, terms: Sequence[Any]) -> Any:
        """What stands for the gradient of a use."""
        stands_for = tf.placeholder_with_default(float("nan"), shape=None)  # whoever takes it for one is to notice
        self._given[stands_for.name] = terms
        return stands_for

    def _taken(self, d_used: Any) -> list[Any]:
        """What was given by the uses whose gradients TensorFlow added up to this one."""
        if d_used.name in self._given:
            return list(self._given.pop(d_used.name))
        return [term for part in d_used.op.inputs for term in self._taken(part)]


def with_gradient(compute: Callable[[], tuple[Sequence[Any], Callable[..., Sequence[Any]]]], *inputs: Any) -> Any:
    """The outputs of a computation, with a gradient of its own instead of its operations'.

    Args:
        compute: gives the outputs, and the function that makes of the outputs' gradients those of the
            inputs: a tensor, or of an input that is shared a list. Nothing else that it reads gets a gradient.
        inputs: what it reads, tensors or `Shared`.

    Returns:
        A list of tensors.
    """
    outputs, gradient = compute()
    count = len(outputs)

    def of_all(*given: Any) -> list[Any]:
        found = zip(inputs, gradient(*given[:count]), strict=True)
        return [None] * count + [read.give(d_input) if isinstance(read, Shared) else d_input for read, d_input in found]

    # the inputs go along so that TensorFlow sees what the outputs depend on
    tensors = [read.used if isinstance(read, Shared) else read for read in inputs]
    return _identities([*outputs, *tensors], of_all)[:count]


def hurry(operation: Any) -> None:
    """Notes an operation that what `can_wait` is to wait for."""
    _of_graph(operation.graph).first.append(operation)


def can_wait(product: Any) -> None:
    """Notes a ``MatMul`` whose result only the update needs (`put_off`)."""
    _of_graph(product.graph).last.append(product)


def put_off(graph: Any, processors: int) -> None:
    """Puts off what can wait until what cannot is done, and shares it out to the processors.

    TensorFlow computes first what is ready first. A large product that nothing waits for takes a processor from the
    one chain of small ones that everything waits for, and at the end that chain is alone; or the largest product
    comes last, and is alone. So each processor has a row of them, the next product always in the shortest row.

    Args:
        graph: whose gradients are made.
        processors: how many rows.
    """
    noted = _of_graph(graph)
    with graph.as_default():
        done = tf.group(*noted.first)
    rows = [(0, number, done) for number in range(processors)]  # a heap: its work, and its last operation
    for product in sorted(noted.last, key=_multiplications, reverse=True):
        work, number, before = rows[0]
        product._add_control_input(before)
        heapq.heapreplace(rows, (work + _multiplications(product), number, product))


def _multiplications(product: Any) -> int:
    """Of numbers, in a ``MatMul``."""
    rows, columns = product.outputs[0].shape
    return int(rows) * int(columns) * int(product.inputs[0].shape[0 if product.get_attr("transpose_a") else 1])


def _identities(tensors: Sequence[Any], gradient: Callable[..., Sequence[Any]]) -> Any:
    """The same tensors, with a gradient: from those of all of them to those of all of them."""
    graph = tf.get_default_graph()
    with graph.gradient_override_map({"IdentityN": _OVERRIDE}):
        joined = tf.identity_n(tensors)
    _of_graph(graph).gradients[joined[0].op.name] = gradient
    return joined


@dataclasses.dataclass(frozen=True)
class _Noted:
    """Of a graph: its gradients by the name of their operation, and what `put_off` reads."""

    gradients: dict[str, Callable[..., Sequence[Any]]] = dataclasses.field(default_factory=dict)
    first: list[Any] = dataclasses.field(default_factory=list)
    last: list[Any] = dataclasses.field(default_factory=list)


def _of_graph(graph: Any) -> _Noted:
    if not hasattr(graph, _ATTRIBUTE):
        setattr(graph, _ATTRIBUTE, _Noted())
    noted: _Noted = getattr(graph, _ATTRIBUTE)
    return noted


@tf.RegisterGradient(_OVERRIDE)  # type: ignore[untyped-decorator]
def _gradient(operation: Any, *given: Any) -> list[Any]:
    return list(_of_graph(operation.graph).gradients[operation.name](*given))
