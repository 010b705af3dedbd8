"""The trained models of the package.

Each is a file ``NAME.safetensors`` in this folder, made by ``gmd-vae export`` from a run that its card describes.
"""

from __future__ import annotations

from pathlib import Path

from gmd_vae.models.model_file import SUFFIX

DEFAULT = "groove-4bar"  # the model of `gmd-vae generate` where there is no run
HUMANIZER = "humanize-2bar"  # a GrooVAE that plays given hits


def bundled_models() -> dict[str, Path]:
    """Returns the path of each model by its name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob(f"*{SUFFIX}"))}
