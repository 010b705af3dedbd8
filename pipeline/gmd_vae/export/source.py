"""Finds the model that a user names, with all that is known about it. No TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.json_formats import read_json
from gmd_vae.configuration.registry import all_configs, get_config
from gmd_vae.evaluation.data.target import training_examples
from gmd_vae.evaluation.metrics.intervals import Estimate
from gmd_vae.evaluation.result import Result
from gmd_vae.families import family_of
from gmd_vae.generation.latent.attribute_vectors import AttributeSource, folder_of_vectors, kept_vectors
from gmd_vae.models import checkpoints
from gmd_vae.models.model_file import SUFFIX, Card, ModelFile, read_model
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run, open_run
from gmd_vae.training.run.run_file import NAME
from gmd_vae.training.run.trained_model import model_of_checkpoint, model_of_run
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest

_MODELS = ("teacher_forced", "free_running")  # predictions whose step accuracy is on the card


def find_model(path: Path, config_name: str | None, configs_file: Path | None) -> ModelFile:
    """Reads a model.

    Args:
        path: A run folder, a checkpoint in a run or elsewhere, one of Magenta's archives, or a ``.safetensors`` file.
        config_name: Config of a checkpoint outside a run.
        configs_file: Python file with the user's configs.

    Raises:
        GmdVaeError: There is no model, or it cannot be read.
        UsageError: The config of a checkpoint is not known, or a run has another one.
    """
    folder = next((place for place in (path, *path.parents[:3]) if (place / NAME).is_file()), None)
    if config_name and (folder or path.suffix == SUFFIX):
        raise UsageError(
            f"--config is for a checkpoint outside a run, and '{path}' has its own config", "Leave --config out."
        )
    if path.suffix == SUFFIX:
        return read_model(path)
    if folder:
        return _model_of_run(open_run(folder), checkpoints.find(path))
    with checkpoints.open_checkpoint(path) as prefix:
        name = config_name or checkpoints.config_from_name(path, all_configs(configs_file))
        if name is None:
            raise UsageError(f"The config of '{path}' is not known", "Give the one it was trained with: --config NAME.")
        config = get_config(name, configs_file)
        card = Card(path.name.removesuffix(".gz").removesuffix(".tar"), config.summary)
        return model_of_checkpoint(config, config.hparams, prefix, card)


def _model_of_run(run: Run, checkpoint: Path) -> ModelFile:
    """Reads a model of a run, with the figures and the attribute vectors that the run keeps."""
    model = model_of_run(run, checkpoint, _validation(run, checkpoint))
    evaluation = _evaluation(run, model.checkpoint)
    try:
        windows = read_examples_manifest(training_examples(run)).splits["train"].examples
    except (GmdVaeError, KeyError):  # the examples are gone or have changed
        windows = None
    vectors = None
    if "attribute" not in family_of(run.config).unsupported_modes:
        source = AttributeSource(None, run.examples_digest, folder_of_vectors(run.folder, checkpoint))
        vectors = kept_vectors(source, model.checkpoint, run.hparams["z_size"])
    card = dataclasses.replace(model.card, training_windows=windows, evaluation=evaluation)
    return dataclasses.replace(model, card=card, attribute_vectors=dict(vectors or {}))


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
