"""`raw_ops` adds the same operations as TensorFlow's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.tensorflow

RAW: dict[str, Callable[[Any, Any, Any], Any]] = {
    "matmul": lambda raw, tf, x: raw.matmul(x, x),
    "matmul transposed left": lambda raw, tf, x: raw.matmul(x, x, transpose_a=True),
    "matmul transposed right": lambda raw, tf, x: raw.matmul(x, x, transpose_b=True),
    "cast": lambda raw, tf, x: raw.cast(x, tf.float16),
    "add": lambda raw, tf, x: raw.add(x, x),
    "add_n": lambda raw, tf, x: raw.add_n([x, x, x]),
    "multiply": lambda raw, tf, x: raw.multiply(x, x),
    "sigmoid": lambda raw, tf, x: raw.sigmoid(x),
    "tanh": lambda raw, tf, x: raw.tanh(x),
    "split": lambda raw, tf, x: raw.split(x, tf.constant(1), 2)[1],
    "split_at": lambda raw, tf, x: raw.split_at(x, tf.constant([1, 3]), tf.constant(1))[1],
    "gather": lambda raw, tf, x: raw.gather(x, tf.constant([3, 0]), tf.constant(0)),
    "concat": lambda raw, tf, x: raw.concat([x, x], tf.constant(1)),
}
TENSORFLOW: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda tf, x: tf.matmul(x, x),
    "matmul transposed left": lambda tf, x: tf.matmul(x, x, transpose_a=True),
    "matmul transposed right": lambda tf, x: tf.matmul(x, x, transpose_b=True),
    "cast": lambda tf, x: tf.cast(x, tf.float16),
    "add": lambda tf, x: x + x,
    "add_n": lambda tf, x: tf.add_n([x, x, x]),
    "multiply": lambda tf, x: x * x,
    "sigmoid": lambda tf, x: tf.sigmoid(x),
    "tanh": lambda tf, x: tf.tanh(x),
    "split": lambda tf, x: tf.split(x, 2, axis=1)[1],
    "split_at": lambda tf, x: tf.split(x, [1, 3], axis=1)[1],
    "gather": lambda tf, x: tf.gather(x, tf.constant([3, 0])),
    "concat": lambda tf, x: tf.concat([x, x], axis=1),
}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", sorted(RAW))
def test_an_operation_equals_that_of_tensorflow(name: str, dtype: str, magenta: Any) -> None:
    from gmd_vae.models.accelerated import raw_ops

    tf = magenta.tf
    with tf.Graph().as_default():
        x = tf.zeros([4, 4], dtype)
        with tf.device("/cpu:0"), tf.name_scope("scope"), tf.control_dependencies([tf.no_op()]):
            ours = RAW[name](raw_ops, tf, x)
            theirs = TENSORFLOW[name](tf, x)
        one, other = ours.op.node_def, theirs.op.node_def
        assert (one.op, one.device) == (other.op, other.device)
        assert dict(one.attr) == dict(other.attr)
        # axes and sizes are constants of their own
        assert [name for name in one.input if "zeros" in name or "^" in name] == [
            name for name in other.input if "zeros" in name or "^" in name
        ]
        assert (ours.dtype, ours.shape, ours.value_index) == (theirs.dtype, theirs.shape, theirs.value_index)
        assert one.name.startswith("scope/")
        assert one.name != other.name


def test_the_gradient_operation_of_an_lstm_step(magenta: Any) -> None:
    from gmd_vae.models.accelerated import raw_ops

    tf = magenta.tf
    names = ("x", "cs_prev", "h_prev", "w", "wci", "wcf", "wco", "b")
    names += ("i", "cs", "f", "o", "ci", "co", "cs_grad", "h_grad")
    shapes = {"x": [2, 0], "w": [3, 12], "wci": [3], "wcf": [3], "wco": [3], "b": [12]}
    with tf.Graph().as_default():
        inputs = {name: tf.zeros(shapes.get(name, [2, 3])) for name in names}
        d_cell, d_gates = raw_ops.lstm_gradient(list(inputs.values()))
        theirs = tf.raw_ops.LSTMBlockCellGrad(**inputs, use_peephole=False)
        assert dict(d_cell.op.node_def.attr) == dict(theirs.dicfo.op.node_def.attr)
        assert list(d_cell.op.node_def.input) == list(theirs.dicfo.op.node_def.input)
        assert (d_cell.value_index, d_gates.value_index) == (theirs.cs_prev_grad.value_index, theirs.dicfo.value_index)
        assert d_gates.shape == [2, 12]


def test_a_cast_to_the_same_dtype_adds_nothing(magenta: Any) -> None:
    from gmd_vae.models.accelerated import raw_ops

    with magenta.tf.Graph().as_default():
        x = magenta.tf.zeros([2, 2])
        assert raw_ops.cast(x, magenta.tf.float32) is x
