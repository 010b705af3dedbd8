"""Recognises models for the commands that need a run. No TensorFlow."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import as_command, printable
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.checkpoints import complete, is_complete
from gmd_vae.models.model_file import is_model_file


def check_no_model(path: Path, needed: str, instead: str) -> None:
    """Checks that a path outside of runs is no model, to which the command cannot apply.

    Args:
        path: Path that a user gave in the place of a run.
        needed: What the command needs and a model does not have, for the error.
        instead: A sentence for the error: another way.

    Raises:
        GmdVaeError: It is the name of a bundled model, a model file, a checkpoint or a folder with one. The message
            has the command that shows its card.
    """
    bundled = str(path) in bundled_models()
    checkpoint = bool(complete(path)) if path.is_dir() else is_complete(path)
    if bundled or is_model_file(path) or checkpoint:
        shown = str(path) if bundled else path
        raise GmdVaeError(
            f"'{printable(str(path))}' is a model without {needed}",
            f"{instead} Its card, with the figures: {as_command('models', shown)}",
        )
