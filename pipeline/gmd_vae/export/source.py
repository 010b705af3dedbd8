"""Finds the model that a user names, with all that is known about it. No TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.json_formats import read_json
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.evaluation.data.target import training_examples
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.families import family_of
from gmd_vae.generation.find_model import FoundModel, find_checkpoint_model, find_model, run_of
from gmd_vae.generation.latent.attribute_vectors import attributes_of_run, vectors_of
from gmd_vae.generation.sources import CheckpointSource, ModelFileSource
from gmd_vae.models import checkpoints
from gmd_vae.models.bundled import bundled_models
from gmd_vae.models.model_file import Card, ModelFile, is_model_file
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import model_of_checkpoint, model_of_run
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

_MODELS = ("teacher_forced", "free_running")  # predictions whose step accuracy is on the card


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
        card = Card(Path(name).name.removesuffix(".gz").removesuffix(".tar"), config.summary)
        return model_of_checkpoint(config, found.source.hparams, found.source.checkpoint, card)


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
    model = model_of_run(run, checkpoint, _validation(run, checkpoint))
    try:
        windows = read_examples_manifest(training_examples(run)).splits["train"].examples
    except (GmdVaeError, KeyError):  # the examples are gone or have changed
        windows = None
    card = dataclasses.replace(model.card, training_windows=windows, evaluation=_evaluation(run, model.checkpoint))
    vectors = _vectors(run, source) if with_vectors and has_vectors(run.config) else {}
    return dataclasses.replace(model, card=card, attribute_vectors=vectors)


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


def _validation(run: Run, checkpoint: Path) -> Validation | None:
    """Returns the figures of the best checkpoint; ``None`` for another one, or if they cannot be read."""
    if checkpoint.parent.resolve() != run.best_folder.resolve():
        return None
    try:
        validation = read_json(run.best_folder / "validation.json", Validation, "")
    except (FileNotFoundError, GmdVaeError):
        return None
    return validation if validation.step == checkpoints.step_of(checkpoint) else None


def _evaluation(run: Run, checkpoint: dict[str, str]) -> dict[str, int | float | str | None] | None:
    """Returns the main figures of an evaluation of this checkpoint, on the test split if there is one.

    Args:
        run: The run.
        checkpoint: Name and SHA-256 of each file of the checkpoint.
    """
    found = []
    for path in sorted(run.folder.glob("eval/*/result.json")):
        try:
            manifest.read(path.parent, "evaluate", "")
            result = Result.from_json(read_json(path, dict[str, Any], ""))
        except (OSError, GmdVaeError):  # damaged, or of another version
            continue
        if result.identity.checkpoint.files == checkpoint:
            found.append(result)
    if not found:
        return None
    result = min(found, key=lambda result: (result.identity.split != "test", result.identity.examples.folder))
    likelihood = result.figures.likelihood
    figures: dict[str, int | float | str | None] = {
        "split": result.identity.split,
        "windows": result.figures.windows,
        **{name: _value(getattr(likelihood, name)) for name in ("elbo", "reconstruction", "kl_bits")},
    }
    for name in _MODELS:
        accuracy = getattr(result.figures.reconstruction.get(name), "step_accuracy", None)
        if accuracy is not None:
            figures[f"step_accuracy_{name}"] = _value(accuracy)
    return figures


def _value(figure: Estimate | float | None) -> float | None:
    value = figure.value if isinstance(figure, Estimate) else figure
    return value if value is not None and math.isfinite(value) else None
