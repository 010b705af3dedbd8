"""Sums of floats do not depend on timing, or a run that goes on would end with other weights.

TensorFlow's ``AddN`` adds to the first of its terms that nobody else still needs. With three terms and
more the order of the additions, and so the last bits, follow from which operation happened to be done.
On real sizes one step in fifty differed; at sizes that a test can afford none in thousands does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import STOCK, Layers
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

LAYERS = {"fp32": Layers(precision="fp32"), "bf16": Layers(precision="bf16"), "stock": STOCK}
GRAPHS = [  # each way of network, and each kind of layers
    ("hierdec-drum_4bar_small", "fp32"),
    ("hierdec-drum_4bar-no_ar", "bf16"),
    ("flat-drum_4bar_small", "fp32"),
    ("flat-drum_4bar_small", "stock"),
]


def depends_on_timing(operation: Any) -> bool:
    """Whether an operation adds three or more terms, the first of which another operation may still need."""
    return operation.type == "AddN" and len(operation.inputs) > 2 and not is_for_one(operation.inputs[0])


def is_for_one(tensor: Any) -> bool:
    """Whether a tensor has memory of its own that one operation reads."""
    return tensor.op.type in ("MatMul", "Cast") and len(tensor.consumers()) == 1


@pytest.mark.parametrize(("name", "layers"), GRAPHS)
def test_no_sum_of_training_depends_on_timing(
    name: str, layers: str, tiny: Callable[..., Config], training_graph: Callable[..., Any]
) -> None:
    operations = training_graph(tiny(get_config(name)), LAYERS[layers]).get_operations()
    assert len(operations) > 1000
    assert [operation.name for operation in operations if depends_on_timing(operation)] == []


def test_a_sum_that_does_is_found(magenta: Any) -> None:
    tf = magenta.tf
    with tf.Graph().as_default():
        terms = [tf.matmul(tf.ones([2, 2]), tf.ones([2, 2])) for _ in range(3)]
        first, second = tf.add_n(terms), tf.add_n(list(reversed(terms)))
        assert depends_on_timing(first.op)
        assert depends_on_timing(second.op)
        assert not depends_on_timing(tf.add_n([tf.matmul(first, second), first, second]).op)
