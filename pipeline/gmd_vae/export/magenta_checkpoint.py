"""A model as a checkpoint folder, which stock Magenta loads with ``TrainedModel`` or ``music_vae_generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import DType, ModelFile


def write(model: ModelFile, target: Path, dtype: DType) -> None:
    """Writes a checkpoint with the variables and the global step, and without the optimiser's variables.

    Args:
        model: The model.
        target: Empty folder.
        dtype: Always fp32, the type of Magenta's variables.
    """
    step = model.step or 0
    tensors: dict[str, npt.NDArray[Any]] = {**model.variables, "global_step": np.array(step, np.int64)}
    write_checkpoint(target / f"model.ckpt-{step}", tensors)
