"""Matrix products with weights, in fp32 or in bf16.

In bf16 the two factors are rounded to 8 significant bits and multiplied with sums in fp32, for which
newer processors and GPUs have instructions (AMX, AVX-512 BF16, tensor cores). Variables and their
gradients are always fp32; the gradient of any other factor has the factor's own type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.custom_gradients import Shared, can_wait, with_gradient
from gmd_vae.models.accelerated.raw_ops import cast, matmul

_JOINED = "_gmd_vae_joined"  # of a graph: see `joined`


class Factors(NamedTuple):
    """What a product gives to the gradient of its weights, ``left.T @ right``.

    Attributes:
        left: factors ``[rows, inputs]``, one below the other.
        right: as many, ``[rows, outputs]``.
    """

    left: Sequence[Any]
    right: Sequence[Any]


class Rows(NamedTuple):
    """What picking rows by token gives to the gradient of the weights.

    Attributes:
        tokens: int32, of any shapes.
        d_rows: as many factors, of the tokens' shapes and ``[outputs]``.
    """

    tokens: Sequence[Any]
    d_rows: Sequence[Any]


class Weights(Shared):
    """A weight matrix and the copy of it that is multiplied with, made once for all its products.

    Its gradient is one product too, however often it was used.

    Args:
        value: float32 ``[inputs, outputs]``.
        precision: ``fp32`` or ``bf16``.
    """

    def __init__(self, value: Any, precision: str) -> None:
        super().__init__(value, self._gradient)
        self.factor = factor(tf.stop_gradient(value), precision)
        # fp32 products with few rows are about twice as fast where nothing is left to transpose; bf16 ones are not
        self.transposed = _transposed(self.factor) if precision == "fp32" else None
        self.precision = precision
        self.inputs, self.outputs = (int(size) for size in value.shape)

    def _gradient(self, terms: list[Factors | Rows]) -> Any:
        """Float32 ``[inputs, outputs]``."""
        factors = [term for term in terms if isinstance(term, Factors)]
        rows = [term for term in terms if isinstance(term, Rows)]
        found = []
        if factors:
            left, right = (joined([part for term in factors for part in term[side]]) for side in (0, 1))
            of_products = matmul(left, right, transpose_a=True)
            can_wait(of_products.op)
            found.append(widened(of_products))
        if rows:
            tokens, d_rows = (
                joined([tf.reshape(part, [-1, *size]) for term in rows for part in term[side]])
                for side, size in ((0, []), (1, [self.outputs]))
            )
            # many rows are summed: not in bf16
            found.append(tf.math.unsorted_segment_sum(widened(d_rows), tokens, self.inputs + 1)[1:])
        return found[0] if len(found) == 1 else tf.add(*found)


class Bias(Shared):
    """What is added to every row.

    Args:
        value: float32 ``[outputs]``.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(value, self._gradient)
        self._rows: dict[int, Any] = {}

    def rows(self, count: int) -> Any:
        """Float32 ``[count, outputs]``, without a gradient."""
        if count not in self._rows:
            self._rows[count] = tf.broadcast_to(tf.stop_gradient(self.value), [count, self.value.shape[0]])
        return self._rows[count]

    @staticmethod
    def _gradient(terms: list[Any]) -> Any:
        """Float32 ``[outputs]``, from the rows' gradients, factors ``[rows, outputs]``: it is the weights of a 1."""
        d_rows = joined(terms)
        return tf.squeeze(widened(matmul(tf.ones([1, d_rows.shape[0]], d_rows.dtype), d_rows)), axis=0)


def joined(parts: Sequence[Any]) -> Any:
    """Tensors one below the other, along their first axis; made once for all who ask for the same ones."""
    if len(parts) == 1:
        return parts[0]
    graph = tf.get_default_graph()
    if not hasattr(graph, _JOINED):
        setattr(graph, _JOINED, {})
    made, names = getattr(graph, _JOINED), tuple(part.name for part in parts)
    if names not in made:
        made[names] = tf.concat(parts, axis=0)
    return made[names]


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


def product(inputs: Any, weights: Weights, *, as_factor: bool = False) -> Any:
    """``inputs @ weights``.

    Args:
        inputs: float32 or a factor, ``[rows, weights.inputs]``.
        weights: the right factor.
        as_factor: gives the result as a factor: what bf16 products are anyway, without widening them.

    Returns:
        float32 or a factor, ``[rows, weights.outputs]``, with gradients of both.
    """

    def multiplied() -> Any:
        left = factor(inputs, weights.precision)

        def gradient(d_result: Any) -> list[Any]:
            right = factor(d_result, weights.precision)
            return [cast(back_through(right, weights), inputs.dtype), [Factors([left], [right])]]

        result = matmul(left, weights.factor)
        return [result if as_factor else widened(result)], gradient

    return with_gradient(multiplied, inputs, weights)[0]


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

    def gathered() -> Any:
        return [tf.gather(token_rows(weights), tokens)], lambda d_rows: [[Rows([tokens], [d_rows])]]

    return with_gradient(gathered, weights)[0]
