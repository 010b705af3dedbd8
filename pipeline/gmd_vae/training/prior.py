"""Fits the prior of a trained model: a Gaussian mixture over the posteriors of its training windows.

``models/latent_density.py`` says why. The mixture has at most ``prior_components`` Gaussians; with 0 none is fitted.
"""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.families import family_of
from gmd_vae.models import checkpoints
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import write_model
from gmd_vae.training.examples import Examples
from gmd_vae.training.progress import note
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import MODEL_NAME, best_model, model_of_run

_MOST_WINDOWS = 30_000  # training windows that are read, spread evenly: they bound time and memory
_LEAST_POINTS = 4_000  # points to fit: with fewer windows, several draws from each posterior
_ROWS = 256  # windows in memory as tensors at one time
_MOST_ITERATIONS = 10  # of expectation maximisation, which bound the time; the last step below does the rest
_LEAST_VARIANCE = 1e-3  # added to the variances: far below those of posteriors, and it keeps them above 0
# Windows for each Gaussian. A Gaussian of few windows is those windows: its samples would be copies of the music.
_WINDOWS_PER_GAUSSIAN = 20
_STREAM = 3_000_000  # second word of the seed, so that no other draws of the run are the same

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


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
    model = best_model(run, checkpoint) or model_of_run(run, checkpoint)
    if model.density is not None:
        return
    note("Fitting a density to the posteriors of the training windows, to sample z from ...")
    density = fit_density(*_posteriors(run, examples, checkpoint), components, run.seed)
    if problem := density.problem():
        note(f"The model samples z from N(0, I): the density of its posteriors {problem}")
        return
    write_model(run.best_folder / MODEL_NAME, dataclasses.replace(model, density=density))


def fit_density(means: Floats, scales: Floats, components: int, seed: int) -> LatentDensity:
    """Fits a mixture of Gaussians to posteriors, by expectation maximisation.

    A point of each posterior decides the shares of its window in the Gaussians. The last maximisation reads the
    posteriors themselves in place of the points.

    Equal arguments give an equal density. Its numbers fit into fp16, so that every model file holds the same ones.

    Args:
        means: Mean of the posterior of each window, float32 ``[n, z_size]``.
        scales: Standard deviations, float32 ``[n, z_size]``.
        components: Number of Gaussians. There are fewer where each would have fewer than 20 windows.
        seed: Seed of the points and of the initial Gaussians.
    """
    # scikit-learn takes seconds to import
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    random = np.random.default_rng([seed, _STREAM])
    draws = -(-_LEAST_POINTS // len(means)) if len(means) < _LEAST_POINTS else 1
    means, scales = np.repeat(means, draws, axis=0), np.repeat(scales, draws, axis=0)
    points = means.astype(np.float64) + scales * random.standard_normal(means.shape)
    mixture = GaussianMixture(
        min(components, max(1, len(means) // draws // _WINDOWS_PER_GAUSSIAN)),
        covariance_type="diag",
        max_iter=_MOST_ITERATIONS,
        reg_covar=_LEAST_VARIANCE,
        init_params="k-means++",
        random_state=int(random.integers(2**31)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the bound on the time, not a fault
        mixture.fit(points)
    weights, *parts = _maximise(mixture.predict_proba(points), means, scales)
    with np.errstate(over="ignore"):  # infinite numbers are found by LatentDensity.problem
        halves = [part.astype(np.float16).astype(np.float32) for part in parts]
    return LatentDensity(weights, *halves)


def _maximise(shares: Doubles, means: Floats, scales: Floats) -> tuple[Doubles, Doubles, Doubles]:
    """Returns weights, means and standard deviations of Gaussians from the shares of posteriors in them.

    Args:
        shares: Share of each posterior in each Gaussian, float64 ``[n, components]``; each row adds up to 1.
        means: Means of the posteriors, float32 ``[n, z_size]``.
        scales: Standard deviations, float32 ``[n, z_size]``.
    """
    totals = shares.sum(axis=0) + 1e-6  # no Gaussian is without weight
    centres, squares = shares.T @ means.astype(np.float64), shares.T @ (means.astype(np.float64) ** 2 + scales**2)
    centres /= totals[:, None]
    variances = np.maximum(squares / totals[:, None] - centres**2, 0) + _LEAST_VARIANCE
    return totals / totals.sum(), centres, np.sqrt(variances)


def _posteriors(run: Run, examples: Examples, checkpoint: Path) -> tuple[Floats, Floats]:
    """Returns means and standard deviations of the posteriors of training windows, float32 ``[n, z_size]``."""
    family = family_of(run.config)
    windows = family.load_windows(examples.folder, "train").items
    step = -(-len(windows) // _MOST_WINDOWS)
    starts = range(0, len(windows), _ROWS * step)
    with family.open_scorer(run.config, run.hparams, checkpoint, run.layers) as scorer:
        parts = [scorer.encode(windows[start : start + _ROWS * step : step]) for start in starts]
    means, scales = (np.concatenate(column) for column in zip(*parts, strict=True))
    return means, scales
