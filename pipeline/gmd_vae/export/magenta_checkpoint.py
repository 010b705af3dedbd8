"""A model as a checkpoint folder, which stock Magenta loads with ``TrainedModel`` or ``music_vae_generate``."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.models.model_checkpoint import write_model_checkpoint
from gmd_vae.models.model_file import DType, ModelFile


def write(model: ModelFile, target: Path, dtype: DType) -> None:
    """Writes a checkpoint with the variables and the global step, and without the optimiser's variables.

    Args:
        model: The model.
        target: Empty folder.
        dtype: Always fp32, the type of Magenta's variables.
    """
    write_model_checkpoint(model, target)
