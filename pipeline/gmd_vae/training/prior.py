"""Fits the prior of a trained model: chooses the training windows between whose z it draws.

``models/latent_density.py`` says why. There are at most ``prior_components`` windows; with 0 none is fitted.
"""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.families import family_of
from gmd_vae.models import checkpoints
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import OldPriorError, write_model
from gmd_vae.training.examples import Examples
from gmd_vae.training.progress import note
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import MODEL_NAME, best_model, model_of_run, validation_of

_ROWS = 256  # windows in memory as tensors at one time

Floats = npt.NDArray[np.float32]


def fit_best(run: Run, examples: Examples) -> None:
    """Fits the prior of the model in ``RUN/best`` and writes it into ``best/model.safetensors``. Starts TensorFlow.

    Does nothing where the config asks for none, where there is no best model, or where the model has its prior.

    Args:
        run: The run.
        examples: Training windows.

    Raises:
        GmdVaeError: The checkpoint or the examples cannot be read.
    """
    components, found = int(run.hparams["prior_components"]), checkpoints.complete(run.best_folder)
    if not components or not found:
        return
    checkpoint = found[-1]
    model = None
    with contextlib.suppress(OldPriorError):
        model = best_model(run, checkpoint)
    model = model or model_of_run(run, checkpoint, validation_of(run, checkpoint))
    if model.density is not None:
        return
    note("Fitting a density to the posteriors of the training windows, to sample z from ...")
    density = LatentDensity(_posterior_means(run, examples, checkpoint, components))
    if problem := density.problem():
        note(f"The model samples z from N(0, I): the density of its posteriors {problem}")
        return
    write_model(run.best_folder / MODEL_NAME, dataclasses.replace(model, density=density))


def _posterior_means(run: Run, examples: Examples, checkpoint: Path, most: int) -> Floats:
    """Returns the posterior means of at most ``most`` training windows, float32 ``[n, z_size]``.

    The windows of a recording follow each other, and are evenly spread: each recording has its share. The numbers are
    those of fp16, so that every model file holds the same ones.
    """
    family = family_of(run.config)
    windows = family.load_windows(examples.folder, "train").items
    step = -(-len(windows) // most)
    starts = range(0, len(windows), _ROWS * step)
    with family.open_scorer(run.config, run.hparams, checkpoint, run.layers) as scorer:
        parts = [scorer.encode(windows[start : start + _ROWS * step : step])[0] for start in starts]
    with np.errstate(over="ignore"):  # infinite numbers are found by LatentDensity.problem
        return np.concatenate(parts).astype(np.float16).astype(np.float32)
