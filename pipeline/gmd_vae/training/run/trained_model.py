"""The model of a run as `ModelFile`, from a checkpoint of the run. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from gmd_vae.common import files
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import read_json
from gmd_vae.configuration.config import Config
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models import checkpoints
from gmd_vae.models.card import Card
from gmd_vae.models.checkpoint_variables import read_model_variables
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import SUFFIX, ModelFile, OldPriorError, read_model
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.initial_weights import began_with, data_of

MODEL_NAME = f"model{SUFFIX}"  # in ``RUN/best``


def best_model(run: Run, checkpoint: Path) -> ModelFile | None:
    """Reads ``RUN/best/model.safetensors``.

    Args:
        run: The run.
        checkpoint: Prefix of one of its checkpoints.

    Returns:
        The model; ``None`` if the file is missing or damaged, or is of another checkpoint.

    Raises:
        OldPriorError: It has a fitted prior of an earlier version.
    """
    try:
        model = read_model(run.best_folder / MODEL_NAME)
    except OldPriorError:
        raise
    except GmdVaeError:
        return None
    fits = model.hparams["z_size"] == run.hparams["z_size"] and model.checkpoint == _digests(checkpoint)
    return model if fits else None


def density_of_run(run: Run, checkpoint: Path) -> LatentDensity | None:
    """Returns the density of z that training fitted to a checkpoint; ``None`` if it fitted none.

    Args:
        run: The run.
        checkpoint: Prefix of one of its checkpoints.
    """
    if not run.hparams["prior_components"]:
        return None
    model = best_model(run, checkpoint)
    return None if model is None else model.density


def validation_of(run: Run, checkpoint: Path) -> Validation | None:
    """Returns the figures of the best checkpoint; ``None`` for another one, or if they cannot be read."""
    if checkpoint.parent.resolve() != run.best_folder.resolve():
        return None
    try:
        validation = read_json(run.best_folder / "validation.json", Validation, "")
    except (FileNotFoundError, GmdVaeError):
        return None
    return validation if validation.step == checkpoints.step_of(checkpoint) else None


def model_of_run(run: Run, checkpoint: Path, validation: Validation | None = None) -> ModelFile:
    """Reads the model of a run.

    Args:
        run: The run.
        checkpoint: Prefix of one of its checkpoints.
        validation: Figures of that checkpoint, for the card.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit the run.
    """
    figures = None
    if validation is not None:
        measured = dataclasses.asdict(validation)
        del measured["best_by"]  # among the hyperparameters
        if measured["objective"] is None:  # not measured by earlier versions
            del measured["objective"]
        figures = {name: value if value is None or math.isfinite(value) else None for name, value in measured.items()}
    data, description = data_of(run, checkpoint)
    card = Card(
        run.folder.resolve().name,
        run.config.summary,
        data,
        validation=figures,
        data_description=description,
        began_with=began_with(run),
    )
    model = model_of_checkpoint(run.config, run.hparams, checkpoint, card)
    return dataclasses.replace(model, examples_digest=run.examples_digest)


def model_of_checkpoint(config: Config, hparams: dict[str, Any], checkpoint: Path, card: Card) -> ModelFile:
    """Reads the model of a checkpoint.

    Args:
        config: Config of the checkpoint.
        hparams: All hyperparameters.
        checkpoint: Prefix of the checkpoint.
        card: Facts about the model.

    Raises:
        GmdVaeError: The checkpoint cannot be read, or does not fit the config.
    """
    return ModelFile(
        config=config,
        hparams=hparams,
        variables=read_model_variables(checkpoint, variable_shapes(config, hparams)),
        card=card,
        step=checkpoints.step_of(checkpoint),
        checkpoint=_digests(checkpoint),
    )


def _digests(checkpoint: Path) -> dict[str, str]:
    """Returns name and SHA-256 of each file of a checkpoint."""
    return {piece.name: files.sha256(piece) for piece in checkpoints.files_of(checkpoint)}
