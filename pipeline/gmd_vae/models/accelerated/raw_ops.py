"""Adds the operations of unrolled graphs directly, without TensorFlow's Python functions.

An unrolled graph has thousands of operations. ``tf.matmul`` takes 0.13 ms to add one, most of it to infer types that
are known here. ``Graph._create_op_internal``, which it calls in the end, takes 0.03 ms. The operations are the same
(``tests/models/accelerated/test_raw_ops.py``). Axes and sizes are int32 tensors, so that many operations can share
one constant.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf


def matmul(left: Any, right: Any, *, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """Adds ``tf.matmul`` of two matrices of one dtype."""
    return _add("MatMul", [left, right], transpose_a=transpose_a, transpose_b=transpose_b)


def cast(values: Any, dtype: Any) -> Any:
    """Adds ``tf.cast`` between floating-point dtypes; returns the values unchanged if they have the dtype."""
    if values.dtype == dtype:
        return values
    [output] = _operation("Cast", [values], [dtype], SrcT=values.dtype, DstT=dtype, Truncate=False)
    return output


def add(left: Any, right: Any) -> Any:
    """Adds ``left + right`` of one dtype."""
    return _add("AddV2", [left, right])


def add_n(terms: Sequence[Any]) -> Any:
    """Adds ``tf.add_n``."""
    return _add("AddN", list(terms), N=len(terms))


def multiply(left: Any, right: Any) -> Any:
    """Adds ``left * right`` of one dtype."""
    return _add("Mul", [left, right])


def sigmoid(values: Any) -> Any:
    """Adds ``tf.sigmoid``."""
    return _add("Sigmoid", [values])


def tanh(values: Any) -> Any:
    """Adds ``tf.tanh``."""
    return _add("Tanh", [values])


def split(values: Any, axis: Any, parts: int) -> list[Any]:
    """Adds ``tf.split`` into equal parts; ``axis`` is an int32 scalar tensor."""
    return _operation("Split", [axis, values], [values.dtype] * parts, num_split=parts, T=values.dtype)


def split_at(values: Any, sizes: Any, axis: Any) -> list[Any]:
    """Adds ``tf.split`` into two parts; ``sizes`` ``[2]`` and the scalar ``axis`` are int32 tensors."""
    return _operation(
        "SplitV", [values, sizes, axis], [values.dtype] * 2, num_split=2, T=values.dtype, Tlen=sizes.dtype
    )


def concat(parts: Sequence[Any], axis: Any) -> Any:
    """Adds ``tf.concat``; ``axis`` is an int32 scalar tensor."""
    return _add("ConcatV2", [*parts, axis], N=len(parts), Tidx=axis.dtype)


def gather(rows: Any, indices: Any, axis: Any) -> Any:
    """Adds ``tf.gather``; ``axis`` is the int32 scalar tensor 0."""
    [output] = _operation(
        "GatherV2",
        [rows, indices, axis],
        [rows.dtype],
        Tparams=rows.dtype,
        Tindices=indices.dtype,
        Taxis=axis.dtype,
        batch_dims=0,
    )
    return output


def lstm_gradient(inputs: Sequence[Any]) -> tuple[Any, Any]:
    """Adds ``LSTMBlockCellGrad`` without peepholes.

    Args:
        inputs: The 16 inputs of the operation in its order, float32.

    Returns:
        Gradients of the previous cell state ``[rows, units]`` and of the gate pre-activations ``[rows, 4 * units]``.
    """
    dtype = inputs[0].dtype
    d_cell, d_gates, *_ = _operation("LSTMBlockCellGrad", list(inputs), [dtype] * 5, use_peephole=False, T=dtype)
    return d_cell, d_gates


def _add(kind: str, inputs: list[Any], **attributes: bool | int) -> Any:
    """Adds an operation whose inputs and only output have the dtype ``T``; returns the output."""
    dtype = inputs[0].dtype
    [output] = _operation(kind, inputs, [dtype], **attributes, T=dtype)
    return output


def _operation(kind: str, inputs: list[Any], types: list[Any], **attributes: Any) -> list[Any]:
    """Adds an operation with output dtypes ``types``; returns the outputs."""
    attrs = {name: _attribute(value) for name, value in attributes.items()}
    return list(tf.get_default_graph()._create_op_internal(kind, inputs, types, attrs=attrs).outputs)


@functools.lru_cache(maxsize=64, typed=True)
def _attribute(value: Any) -> Any:
    """Converts a bool, an int or a dtype to the value of an attribute."""
    if isinstance(value, bool):
        return tf.AttrValue(b=value)
    if isinstance(value, int):
        return tf.AttrValue(i=value)
    return tf.AttrValue(type=value.as_datatype_enum)
