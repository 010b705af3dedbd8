"""Each arithmetic operation of the training graph has a GPU kernel.

The installed TensorFlow lists its kernels, also without a GPU.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

# Arithmetic operations without a GPU kernel, with the reason why they do no harm.
ON_THE_HOST = {
    "ScalarSummary": "writes a number for TensorBoard every few steps; no operation depends on it",
}


@pytest.fixture(scope="module")
def kernels(magenta: Any) -> Callable[[str], list[Any]]:
    """Returns a function from an operation type to its GPU kernels; ``DEFAULT`` kernels run on every device."""
    from tensorflow.python.framework.kernels import get_registered_kernels_for_op

    @functools.cache
    def gpu_kernels(operation_type: str) -> list[Any]:
        found = get_registered_kernels_for_op(operation_type).kernel
        return [kernel for kernel in found if kernel.device_type in ("GPU", "DEFAULT")]

    if not any(kernel.device_type == "GPU" for kernel in gpu_kernels("MatMul")):
        pytest.skip("the installed TensorFlow was built without kernels for GPUs")
    return gpu_kernels


def computes(operation: Any, *dtypes: Any) -> bool:
    return any(tensor.dtype.base_dtype in dtypes for tensor in (*operation.inputs, *operation.outputs))


def fits(operation: Any, kernel: Any) -> bool:
    """Returns True if a kernel accepts the dtypes and other attributes of an operation."""
    for constraint in kernel.constraint:
        attribute, allowed = operation.node_def.attr[constraint.name], constraint.allowed_values.list
        types = attribute.list.type if attribute.HasField("list") else [attribute.type]
        if attribute.s not in allowed.s if allowed.s else not set(types) <= set(allowed.type):
            return False
    return True


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["hierdec-drum_4bar", "flat-drum_4bar_small"])  # with scheduled sampling, without
def test_all_arithmetic_of_training_has_a_kernel_for_gpus(
    name: str,
    precision: str,
    tiny: Callable[..., Config],
    training_graph: Callable[..., Any],
    kernels: Any,
    magenta: Any,
) -> None:
    tf = magenta.tf
    operations = training_graph(tiny(get_config(name)), Layers(precision=precision)).get_operations()
    assert {operation.name for operation in operations if "CPU" in operation.device.upper()} == set()
    arithmetic = [operation for operation in operations if computes(operation, tf.float32, tf.bfloat16)]
    assert len(arithmetic) > 500
    missing = {op.type for op in arithmetic if not any(fits(op, kernel) for kernel in kernels(op.type))}
    assert missing == ON_THE_HOST.keys()
    rounded = {operation.type for operation in arithmetic if computes(operation, tf.bfloat16)}
    assert ("MatMul" in rounded) is (precision == "bf16")


def test_bf16_is_used_for_products_only(
    tiny: Callable[..., Config], training_graph: Callable[..., Any], magenta: Any
) -> None:
    """Weights, Adam's moments and the gradients are fp32."""
    tf = magenta.tf
    graph = training_graph(tiny(get_config("flat-drum_4bar_small")), Layers(precision="bf16"))
    with graph.as_default():
        assert {variable.dtype.base_dtype for variable in tf.global_variables()} == {tf.float32, tf.int64}
    updates = [
        operation for operation in graph.get_operations() if operation.type in ("ApplyAdam", "ResourceApplyAdam")
    ]
    assert len(updates) == len(graph.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES))
    assert {tensor.dtype.base_dtype for update in updates for tensor in update.inputs} == {tf.float32}
