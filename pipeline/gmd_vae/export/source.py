"""Finds the model that a user names, with all that is known about it. No TensorFlow."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.export.card import complete_card
from gmd_vae.families import family_of
from gmd_vae.generation.find_model import FoundModel, find_checkpoint_model, find_model, run_of
from gmd_vae.generation.latent.attribute_vectors import attributes_of_run, vectors_of
from gmd_vae.generation.sources import CheckpointSource, ModelFileSource
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.card import Card
from gmd_vae.models.export_manifest import read_exported_card
from gmd_vae.models.model_file import ModelFile, is_model_file
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import model_of_checkpoint, model_of_run, validation_of


def read_model_of(
    name: str, config_name: str | None, configs_file: Path | None, *, with_vectors: bool = True
) -> ModelFile:
    """Reads a model.

    Args:
        name: A run folder, a checkpoint in a run or elsewhere, one of Magenta's archives, a ``.safetensors`` file, or
            the name of a bundled model.
        config_name: Config of a checkpoint outside a run.
        configs_file: Python file with the user's configs.
        with_vectors: Also read the attribute vectors of a run, or compute them from its training windows.

    Raises:
        GmdVaeError: There is no model, or it cannot be read.
        UsageError: The config of a checkpoint is not known, or a run has another one.
    """
    with _open(name, config_name, configs_file) as found:
        if isinstance(found.source, ModelFileSource):
            return found.source.model
        assert isinstance(found.source, CheckpointSource)
        if found.run is not None:
            return _model_of_run(found.run, found.source, with_vectors=with_vectors)
        config = found.source.config
        unknown = Card(found.source.short_name, config.summary), None
        card, licence = read_exported_card(found.source.checkpoint) or unknown
        model = model_of_checkpoint(config, found.source.hparams, found.source.checkpoint, card)
        return dataclasses.replace(model, licence=licence)


def _open(name: str, config_name: str | None, configs_file: Path | None) -> AbstractContextManager[FoundModel]:
    path = Path(name)
    has_config = is_model_file(path) or name in bundled_models() or run_of(path) is not None
    if has_config and config_name:
        raise UsageError(
            f"--config is for a checkpoint outside a run, and '{name}' has its own config", "Leave --config out."
        )
    if has_config or not (config_name or configs_file):
        return find_model(name)
    return find_checkpoint_model(path, config_name, configs_file)


def _model_of_run(run: Run, source: CheckpointSource, *, with_vectors: bool) -> ModelFile:
    """Reads a model of a run, with its figures and attribute vectors."""
    checkpoint = source.checkpoint
    model = model_of_run(run, checkpoint, validation_of(run, checkpoint))
    card = complete_card(model.card, run, model.checkpoint)
    vectors = _vectors(run, source) if with_vectors and has_vectors(run.config) else {}
    return dataclasses.replace(model, card=card, attribute_vectors=vectors, density=source.density)


def has_vectors(config: Config) -> bool:
    """Returns True for a config whose models have attribute vectors."""
    return "attribute" not in family_of(config).unsupported_modes


def _vectors(run: Run, source: CheckpointSource) -> dict[str, npt.NDArray[np.float64]]:
    """Returns the attribute vectors; none if the run keeps none and its training windows are gone."""
    try:
        with source.open(0, Layers()) as opened:
            return dict(vectors_of(source, attributes_of_run(run, source.checkpoint), opened))
    except GmdVaeError:
        return {}
