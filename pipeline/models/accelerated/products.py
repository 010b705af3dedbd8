"""Matrix products with weights, in fp32 or in bf16.

In bf16 the two factors are rounded to 8 significant bits and multiplied with sums in fp32, for which
newer processors and GPUs have instructions (AMX, AVX-512 BF16, tensor cores). Variables and their
gradients are always fp32; the gradient of any other factor has the factor's own type.
"""

from __future__ import annotations

from typing import Any

from pipeline.models.accelerated.gradients import with_gradient
from pipeline.models.accelerated.operations import cast, matmul
from pipeline.models.magenta import tf


class Weights:
    """A weight matrix and the copy of it that is multiplied with, made once for all its products.

    Args:
        value: float32 ``[inputs, outputs]``.
        precision: ``fp32`` or ``bf16``.
    """

    def __init__(self, value: Any, precision: str) -> None:
        self.value = value
        self.factor = factor(tf.stop_gradient(value), precision)
        # fp32 products with few rows are about twice as fast where nothing is left to transpose; bf16 ones are not
        self.transposed = _transposed(self.factor) if precision == "fp32" else None
        self.precision = precision
        self.inputs, self.outputs = (int(size) for size in value.shape)


def _transposed(matrix: Any) -> Any:
    """A transposed copy; in three dimensions, or TensorFlow's optimiser makes one product's flag of it."""
    return tf.squeeze(tf.transpose(matrix[None], [0, 2, 1]), axis=0)


def factor(values: Any, precision: str) -> Any:
    """Values as a factor of a product: rounded to bf16, if that is the precision and they are not yet."""
    return cast(values, tf.bfloat16) if precision == "bf16" else values


def widened(values: Any) -> Any:
    """A factor, or a product of two, as float32."""
    return cast(values, tf.float32)


def back_through(d_results: Any, weights: Weights) -> Any:
    """The gradient of the left factor, from that of the product with the weights; both are factors."""
    if weights.transposed is None:
        return matmul(d_results, weights.factor, transpose_b=True)
    return matmul(d_results, weights.transposed)


def weights_gradient(inputs: Any, d_results: Any) -> Any:
    """The gradient of the weights, float32 ``[inputs, outputs]``; both are factors, ``[rows, ...]``."""
    return widened(matmul(inputs, d_results, transpose_a=True))


def rows_gradient(tokens: Any, d_rows: Any, weights: Weights) -> Any:
    """The gradient of a weight matrix whose rows were picked by tokens, float32 ``[inputs, outputs]``."""
    flat = widened(tf.reshape(d_rows, [-1, weights.outputs]))  # many rows are summed: not in bf16
    return tf.math.unsorted_segment_sum(flat, tf.reshape(tokens, [-1]), weights.inputs + 1)[1:]


def product(inputs: Any, weights: Weights, *, as_factor: bool = False) -> Any:
    """``inputs @ weights``.

    Args:
        inputs: float32 or a factor, ``[rows, weights.inputs]``.
        weights: the right factor.
        as_factor: gives the result as a factor: what bf16 products are anyway, without widening them.

    Returns:
        float32 or a factor, ``[rows, weights.outputs]``, with gradients of both.
    """

    def multiplied(inputs: Any, value: Any) -> Any:
        left = factor(inputs, weights.precision)

        def gradient(d_result: Any) -> list[Any]:
            right = factor(d_result, weights.precision)
            return [cast(back_through(right, weights), inputs.dtype), weights_gradient(left, right)]

        result = matmul(left, weights.factor)
        return [result if as_factor else widened(result)], gradient

    return with_gradient(multiplied, inputs, weights.value)[0]


def plain_product(inputs: Any, weights: Weights) -> Any:
    """``inputs @ weights`` without a gradient, for what is only sampled."""
    return widened(matmul(factor(inputs, weights.precision), weights.factor))


def token_rows(weights: Weights) -> Any:
    """The rows of a weight matrix by token, a factor: a row of zeros before them (``accelerated.tokens``)."""
    return tf.pad(weights.factor, [[1, 0], [0, 0]])


def gather_rows(weights: Weights, tokens: Any) -> Any:
    """Rows of a weight matrix: its product with one-hot vectors, without making them.

    Args:
        weights: one row a class.
        tokens: int32, any shape; 0 is no class, whose row is zero, ``k + 1`` is class ``k``.

    Returns:
        A factor, of the tokens' shape and ``[weights.outputs]``.
    """

    def gathered(_: Any) -> Any:
        return [tf.gather(token_rows(weights), tokens)], lambda d_rows: [rows_gradient(tokens, d_rows, weights)]

    return with_gradient(gathered, weights.value)[0]
