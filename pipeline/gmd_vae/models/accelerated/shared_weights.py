"""Matrix products with trained weights, in fp32 or bf16, with one gradient matmul per weight matrix.

An *operand* is what a matmul reads: float32 in fp32, bfloat16 in bf16. In bf16 both operands are rounded to 8
significant bits and the sums are fp32. Newer processors and GPUs have instructions for this (AMX, AVX-512 BF16,
tensor cores). Variables and their gradients are always float32.

With ``y = x @ W``, the gradients are ``dx = dy @ W.T`` and ``dW = x.T @ dy``. A weight matrix is used at every time
step, so the operands ``x`` and ``dy`` of all steps are concatenated along the rows, and ``dW`` is one large matmul.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.custom_gradients import SharedTensor, with_custom_gradient
from gmd_vae.models.accelerated.raw_ops import cast, matmul

_CONCATENATED = "_gmd_vae_concatenated"  # attribute of a graph: the cache of `concat_rows`


class MatmulTerm(NamedTuple):
    """Operands of the weight gradient ``inputs.T @ d_outputs`` from one or more products.

    Attributes:
        inputs: Operands ``[rows, inputs]``, one per product.
        d_outputs: Operands ``[rows, outputs]``, one per product.
    """

    inputs: Sequence[Any]
    d_outputs: Sequence[Any]


class LookupTerm(NamedTuple):
    """Operands of the weight gradient of token lookups: a segment sum of ``d_rows`` by token.

    Attributes:
        tokens: Tokens, int32, one tensor of any shape per lookup.
        d_rows: Gradients of the rows, operands with the shape of the tokens plus ``[outputs]``.
    """

    tokens: Sequence[Any]
    d_rows: Sequence[Any]


class SharedWeights(SharedTensor):
    """A weight matrix, with its operands built once and its gradient computed once.

    Args:
        value: Weights, float32 ``[inputs, outputs]``.
        precision: Precision of the products, ``fp32`` or ``bf16``.

    Attributes:
        operand: The weights as an operand ``[inputs, outputs]``.
        transposed: The transposed operand ``[outputs, inputs]``, or ``None`` in bf16.
        precision: As above.
        inputs: Number of rows.
        outputs: Number of columns.
    """

    def __init__(self, value: Any, precision: str) -> None:
        super().__init__(value, self._combine_terms)
        self.operand = as_operand(tf.stop_gradient(value), precision)
        # a fp32 matmul with few rows is about twice as fast without the transpose flag; a bf16 one is not
        self.transposed = _transposed(self.operand) if precision == "fp32" else None
        self.precision = precision
        self.inputs, self.outputs = (int(size) for size in value.shape)

    def _combine_terms(self, terms: list[MatmulTerm | LookupTerm]) -> Any:
        """Returns the gradient of the weights, float32 ``[inputs, outputs]``."""
        products = [term for term in terms if isinstance(term, MatmulTerm)]
        lookups = [term for term in terms if isinstance(term, LookupTerm)]
        addends = []
        if products:
            inputs, d_outputs = (concat_rows([part for term in products for part in term[side]]) for side in (0, 1))
            addends.append(upcast(matmul(inputs, d_outputs, transpose_a=True)))
        if lookups:
            tokens = concat_rows([tf.reshape(part, [-1]) for term in lookups for part in term.tokens])
            d_rows = concat_rows([tf.reshape(part, [-1, self.outputs]) for term in lookups for part in term.d_rows])
            # a segment can have thousands of rows: sum them in float32, also in bf16
            addends.append(tf.math.unsorted_segment_sum(upcast(d_rows), tokens, self.inputs + 1)[1:])
        return addends[0] if len(addends) == 1 else tf.add(*addends)


class SharedBias(SharedTensor):
    """A bias whose gradient, the sum over all rows of all uses, is computed once.

    Args:
        value: Bias, float32 ``[outputs]``.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(value, self._combine_terms)
        self._broadcast: dict[int, Any] = {}

    def rows(self, count: int) -> Any:
        """Returns the bias repeated, float32 ``[count, outputs]``, without a gradient."""
        if count not in self._broadcast:
            self._broadcast[count] = tf.broadcast_to(tf.stop_gradient(self.value), [count, self.value.shape[0]])
        return self._broadcast[count]

    @staticmethod
    def _combine_terms(terms: list[Any]) -> Any:
        """Returns ``ones @ d_rows``, float32 ``[outputs]``, from operands ``[rows, outputs]``."""
        d_rows = concat_rows(terms)
        return tf.squeeze(upcast(matmul(tf.ones([1, d_rows.shape[0]], d_rows.dtype), d_rows)), axis=0)


def concat_rows(parts: Sequence[Any]) -> Any:
    """Concatenates tensors along their first axis; the same list of tensors gives the same result tensor.

    The gradients of a kernel and of its bias need the same concatenation, so results are cached on the graph.
    """
    if len(parts) == 1:
        return parts[0]
    graph = tf.get_default_graph()
    if not hasattr(graph, _CONCATENATED):
        setattr(graph, _CONCATENATED, {})
    cache, names = getattr(graph, _CONCATENATED), tuple(part.name for part in parts)
    if names not in cache:
        cache[names] = tf.concat(parts, axis=0)
    return cache[names]


def _transposed(matrix: Any) -> Any:
    """Returns a transposed copy of a matrix.

    In three dimensions: TensorFlow's graph optimiser turns a two-dimensional transpose back into a matmul flag.
    """
    return tf.squeeze(tf.transpose(matrix[None], [0, 2, 1]), axis=0)


def as_operand(values: Any, precision: str) -> Any:
    """Returns float values as a matmul operand: rounded to bfloat16 in bf16, unchanged in fp32."""
    return cast(values, tf.bfloat16) if precision == "bf16" else values


def upcast(values: Any) -> Any:
    """Returns an operand, or a product of operands, as float32."""
    return cast(values, tf.float32)


def matmul_transposed(d_outputs: Any, weights: SharedWeights) -> Any:
    """Computes ``d_outputs @ weights.T``, the gradient of the inputs of a product.

    Args:
        d_outputs: Gradient of the product, operand ``[rows, outputs]``.
        weights: Weights of the product.

    Returns:
        Operand ``[rows, inputs]``.
    """
    if weights.transposed is None:
        return matmul(d_outputs, weights.operand, transpose_b=True)
    return matmul(d_outputs, weights.transposed)


def linear(inputs: Any, weights: SharedWeights, *, keep_precision: bool = False) -> Any:
    """Computes ``inputs @ weights``, with gradients for both.

    Args:
        inputs: Left matrix, float32 or operand, ``[rows, weights.inputs]``.
        weights: Right matrix.
        keep_precision: Return the operand type, without the upcast to float32.

    Returns:
        Matrix ``[rows, weights.outputs]``, float32 or operand.
    """

    def compute() -> Any:
        operand = as_operand(inputs, weights.precision)

        def gradient(d_outputs: Any) -> list[Any]:
            d_operand = as_operand(d_outputs, weights.precision)
            d_inputs = cast(matmul_transposed(d_operand, weights), inputs.dtype)
            return [d_inputs, [MatmulTerm([operand], [d_operand])]]

        outputs = matmul(operand, weights.operand)
        return [outputs if keep_precision else upcast(outputs)], gradient

    return with_custom_gradient(compute, inputs, weights)[0]


def linear_without_gradient(inputs: Any, weights: SharedWeights) -> Any:
    """Computes ``inputs @ weights`` as float32 without a gradient, for values that are only sampled from."""
    return upcast(matmul(as_operand(inputs, weights.precision), weights.operand))


def token_table(weights: SharedWeights) -> Any:
    """Returns the weights as a lookup table by token, operand ``[inputs + 1, outputs]``: row 0 is zero (`tokens`)."""
    return tf.pad(weights.operand, [[1, 0], [0, 0]])


def lookup_tokens(weights: SharedWeights, tokens: Any) -> Any:
    """Multiplies one-hot vectors with weights by looking up rows.

    Args:
        weights: Weights with one row per class.
        tokens: Tokens, int32 of any shape: 0 is the zero vector, ``k + 1`` is class ``k``.

    Returns:
        Operand with the shape of the tokens plus ``[weights.outputs]``.
    """

    def compute() -> Any:
        return [tf.gather(token_table(weights), tokens)], lambda d_rows: [[LookupTerm([tokens], [d_rows])]]

    return with_custom_gradient(compute, weights)[0]
