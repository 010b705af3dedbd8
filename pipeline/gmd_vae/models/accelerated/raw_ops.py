"""The operations that an unrolled graph has thousands of, added without TensorFlow's Python functions.

``tf.matmul`` takes 0.13 ms to add one operation, most of it to find out types that are known here;
``Graph._create_op_internal``, which it calls in the end, takes 0.03 ms. What is added is the same
(``tests/models/accelerated/test_operations.py``).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from gmd_vae.magenta.api import tf


def matmul(left: Any, right: Any, *, transpose_a: bool = False, transpose_b: bool = False) -> Any:
    """``tf.matmul`` of two matrices of one type."""
    return _add("MatMul", [left, right], transpose_a=transpose_a, transpose_b=transpose_b)


def cast(values: Any, dtype: Any) -> Any:
    """``tf.cast`` between floating-point types."""
    if values.dtype == dtype:
        return values
    [wanted] = _operation("Cast", [values], [dtype], SrcT=values.dtype, DstT=dtype, Truncate=False)
    return wanted


def add(left: Any, right: Any) -> Any:
    """``left + right``, of one type."""
    return _add("AddV2", [left, right])


def add_n(terms: Sequence[Any]) -> Any:
    """``tf.add_n``."""
    return _add("AddN", list(terms), N=len(terms))


def multiply(left: Any, right: Any) -> Any:
    """``left * right``, of one type."""
    return _add("Mul", [left, right])


def sigmoid(values: Any) -> Any:
    """``tf.sigmoid``."""
    return _add("Sigmoid", [values])


def tanh(values: Any) -> Any:
    """``tf.tanh``."""
    return _add("Tanh", [values])


def split(values: Any, axis: Any, parts: int) -> list[Any]:
    """``tf.split`` into equal parts; ``axis`` is an int32 scalar tensor, which many may share."""
    return _operation("Split", [axis, values], [values.dtype] * parts, num_split=parts, T=values.dtype)


def split_at(values: Any, sizes: Any, axis: Any) -> list[Any]:
    """``tf.split`` into two parts; their sizes and the axis are int32 tensors, which many may share."""
    return _operation(
        "SplitV", [values, sizes, axis], [values.dtype] * 2, num_split=2, T=values.dtype, Tlen=sizes.dtype
    )


def concat(parts: Sequence[Any], axis: Any) -> Any:
    """``tf.concat``; ``axis`` is an int32 scalar tensor."""
    return _add("ConcatV2", [*parts, axis], N=len(parts), Tidx=axis.dtype)


def gather(rows: Any, indices: Any, axis: Any) -> Any:
    """``tf.gather``; ``axis`` is an int32 scalar tensor, 0, which many may share."""
    [found] = _operation(
        "GatherV2",
        [rows, indices, axis],
        [rows.dtype],
        Tparams=rows.dtype,
        Tindices=indices.dtype,
        Taxis=axis.dtype,
        batch_dims=0,
    )
    return found


def lstm_gradient(inputs: Sequence[Any]) -> tuple[Any, Any]:
    """``LSTMBlockCellGrad`` without peepholes: the gradients of the cell state before, and of the gates."""
    dtype = inputs[0].dtype
    d_cell, d_gates, *_ = _operation("LSTMBlockCellGrad", list(inputs), [dtype] * 5, use_peephole=False, T=dtype)
    return d_cell, d_gates


def _add(kind: str, inputs: list[Any], **attributes: bool | int) -> Any:
    """An operation whose inputs and one output have the type ``T``; its output."""
    dtype = inputs[0].dtype
    [output] = _operation(kind, inputs, [dtype], **attributes, T=dtype)
    return output


def _operation(kind: str, inputs: list[Any], types: list[Any], **attributes: Any) -> list[Any]:
    """Adds an operation to the graph; its outputs, which have these types."""
    attrs = {name: _attribute(value) for name, value in attributes.items()}
    return list(tf.get_default_graph()._create_op_internal(kind, inputs, types, attrs=attrs).outputs)


@functools.lru_cache(maxsize=64, typed=True)
def _attribute(value: Any) -> Any:
    """A number or a type as an operation's attribute."""
    if isinstance(value, bool):
        return tf.AttrValue(b=value)
    if isinstance(value, int):
        return tf.AttrValue(i=value)
    return tf.AttrValue(type=value.as_datatype_enum)
