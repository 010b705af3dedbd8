"""A model as one ``.safetensors`` file, which ``gmd-vae generate`` plays."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.models.model_file import DType, ModelFile, model_bytes


def write(model: ModelFile, target: Path, dtype: DType) -> None:
    """Writes a model.

    Args:
        model: The model.
        target: File to write.
        dtype: Type of the variables.
    """
    target.write_bytes(model_bytes(model, dtype))
