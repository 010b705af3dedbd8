"""Reads the variables of a checkpoint into NumPy arrays, without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.models.averaged_weights import stored_names
from gmd_vae.models.checkpoint_check import CUDNN_COPY, check_fits, damaged_error, without_optimizer
from gmd_vae.models.checkpoint_index import DamagedCheckpointError, Tensor, read_data, read_index

_MAX_BYTES = 4 << 30  # of all variables; those of Magenta's largest published model take 0.7 GB


def read_model_variables(prefix: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, npt.NDArray[np.float32]]:
    """Reads the variables of a model, after a check that the checkpoint has them.

    Args:
        prefix: Prefix of a checkpoint.
        shapes: Names and shapes of the variables, from ``families.parameters.variable_shapes``.

    Returns:
        The variables in the order of ``shapes``; others are left out.

    Raises:
        GmdVaeError: The checkpoint cannot be read, is damaged, or belongs to another config.
    """
    check_fits(prefix, dict(shapes))
    variables = read_variables(prefix)
    if others := [name for name in shapes if name not in variables]:
        raise damaged_error(prefix, f"'{others[0]}' does not hold floats")
    return {name: variables[name] for name in shapes}


def read_variables(prefix: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Reads the variables of a model, and verifies their checksums.

    Args:
        prefix: Prefix of a checkpoint, ours or Magenta's, from `checkpoints.open_checkpoint`.

    Returns:
        The variables by Magenta's names, sorted; the arrays are read-only. Where the checkpoint has averages of them
        (``averaged_weights.py``), these. The optimiser's variables, the global step,
        cuDNN's copies of weights and variables that are no floats are left out.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or is damaged.
    """
    try:
        tensors = read_index(prefix)
        names = [name for name in without_optimizer(tensors) if _is_weight(name, tensors[name])]
        if sum(tensors[name].size for name in names) > _MAX_BYTES:
            raise DamagedCheckpointError(f"its variables take more than {_MAX_BYTES:,} bytes")
        stored = stored_names(names, tensors)
        return {name: _float32(stored[name], tensors[stored[name]], tensors[name].shape) for name in names}
    except DamagedCheckpointError as error:
        raise damaged_error(prefix, str(error)) from None
    except OSError as error:
        raise damaged_error(prefix, f"{error.strerror}: '{error.filename}'") from None


def _is_weight(name: str, tensor: Tensor) -> bool:
    return "float" in tensor.dtype and not CUDNN_COPY.search(name)


def _float32(name: str, tensor: Tensor, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Reads one variable."""
    if tensor.shape != shape:
        raise DamagedCheckpointError(f"'{name}' has another shape than its variable")
    if tensor.dtype == "float64":
        raise DamagedCheckpointError(f"'{name}' is float64, and Magenta's variables are float32")
    data = read_data(tensor)
    if tensor.dtype == "bfloat16":  # the upper half of a float32
        values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    elif tensor.dtype == "float16":
        values = np.frombuffer(data, "<f2").astype(np.float32)
    else:
        values = np.frombuffer(data, "<f4").astype(np.float32, copy=False)
    values = values.reshape(tensor.shape)
    values.flags.writeable = False
    return values
