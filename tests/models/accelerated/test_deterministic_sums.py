"""The order of float additions in training graphs does not depend on timing.

Otherwise a resumed run would end with other weights. TensorFlow's ``AddN`` adds in place to the first term that no
other operation still needs. With three or more terms, the order of the additions, and so the last bits, depends on
which operation finished first. At real sizes one step in fifty differed. At the sizes of a test the difference is too
rare to observe, so the test inspects the graph.
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
GRAPHS = [  # each decoder, and each kind of layers
    ("hierdec-drum_4bar-ar_small", "fp32"),
    ("hierdec-drum_4bar-no_ar", "bf16"),
    ("flat-drum_4bar_small", "fp32"),
    ("flat-drum_4bar_small", "stock"),
]


def depends_on_timing(operation: Any) -> bool:
    """Returns True if an operation adds three or more terms and another operation may still need the first one."""
    return operation.type == "AddN" and len(operation.inputs) > 2 and not has_one_consumer(operation.inputs[0])


def has_one_consumer(tensor: Any) -> bool:
    """Returns True if a tensor has its own memory and exactly one consumer."""
    return tensor.op.type in ("MatMul", "Cast") and len(tensor.consumers()) == 1


@pytest.mark.parametrize(("name", "layers"), GRAPHS)
def test_no_sum_of_training_depends_on_timing(
    name: str, layers: str, tiny: Callable[..., Config], training_graph: Callable[..., Any]
) -> None:
    operations = training_graph(tiny(get_config(name)), LAYERS[layers]).get_operations()
    assert len(operations) > 1000
    assert [operation.name for operation in operations if depends_on_timing(operation)] == []


def test_the_inspection_finds_a_sum_that_depends_on_timing(magenta: Any) -> None:
    tf = magenta.tf
    with tf.Graph().as_default():
        terms = [tf.matmul(tf.ones([2, 2]), tf.ones([2, 2])) for _ in range(3)]
        first, second = tf.add_n(terms), tf.add_n(list(reversed(terms)))
        assert depends_on_timing(first.op)
        assert depends_on_timing(second.op)
        assert not depends_on_timing(tf.add_n([tf.matmul(first, second), first, second]).op)
