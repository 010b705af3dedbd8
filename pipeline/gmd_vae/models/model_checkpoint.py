"""A model file as a checkpoint: for stock Magenta, and as the initial weights of a training."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import files
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.scratch_folder import scratch_folder
from gmd_vae.models import checkpoints
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import ModelFile, is_model_file, read_model


def write_model_checkpoint(model: ModelFile, folder: Path) -> Path:
    """Writes a checkpoint with the variables and the global step, and without the optimiser's variables.

    Args:
        model: The model.
        folder: Empty folder.

    Returns:
        The prefix of the checkpoint.
    """
    step = model.step or 0
    tensors: dict[str, npt.NDArray[Any]] = {**model.variables, "global_step": np.array(step, np.int64)}
    prefix = folder / f"model.ckpt-{step}"
    write_checkpoint(prefix, tensors)
    return prefix


def find_weights(name: str | Path) -> tuple[Path, str]:
    """Finds the weights that a user names.

    Args:
        name: As text, the name of a bundled model; else a model file, or a checkpoint as
            ``checkpoints.open_checkpoint`` takes it.

    Returns:
        The path for ``open_weights``, of a bundled model its name alone; and the SHA-256 of the files.

    Raises:
        GmdVaeError: There is no such model or checkpoint, or the model file is damaged.
    """
    path, bundled = Path(name), bundled_models()
    if isinstance(name, str) and name in bundled:
        return path, files.sha256(bundled[name])
    if is_model_file(path) and path.exists():
        read_model(path)  # refuses a damaged one before any work
        return path, files.sha256(path)
    with checkpoints.open_checkpoint(path) as prefix:
        digest = hashlib.sha256("".join(map(files.sha256, checkpoints.files_of(prefix))).encode()).hexdigest()
        return (path if checkpoints.is_archive(path) else prefix), digest


@contextlib.contextmanager
def open_weights(path: Path) -> Iterator[Path]:
    """Yields the prefix of a checkpoint with the weights; of a model file, one in a temporary folder.

    Args:
        path: From ``find_weights``.

    Raises:
        GmdVaeError: The model file is damaged, or there is no checkpoint any more.
    """
    file = bundled_models().get(str(path), path)
    if not is_model_file(file):
        with checkpoints.open_checkpoint(path) as prefix:
            yield prefix
        return
    model = read_model(file)
    with scratch_folder() as folder:
        prefix = write_model_checkpoint(model, folder)
        try:
            yield prefix
        except GmdVaeError as error:  # names the model, not the place of its copy
            error.problem = error.problem.replace(str(prefix), str(path))
            raise
