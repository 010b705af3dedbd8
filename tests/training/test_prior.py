"""The density of z that is fitted at the end of a training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import resolve
from gmd_vae.training.examples import open_examples
from gmd_vae.training.prior import fit_density
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan


def posteriors(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors around two places far from each other."""
    random = np.random.default_rng(seed)
    centres = np.where(random.random(count) < 0.25, -4.0, 4.0)[:, None] * np.ones(3)
    means = centres + random.normal(0, [0.5, 1, 2], (count, 3))
    return means.astype(np.float32), np.full((count, 3), [2.0, 0.5, 0.1], np.float32)


def test_the_density_is_that_of_the_posteriors() -> None:
    density = fit_density(*posteriors(4000), components=2, seed=1)
    order = np.argsort(density.weights)
    np.testing.assert_allclose(density.weights[order], [0.25, 0.75], atol=0.03)
    np.testing.assert_allclose(density.means[order], [[-4] * 3, [4] * 3], atol=0.3)
    # variances of the means and of the posteriors add up
    np.testing.assert_allclose(density.scales, [np.sqrt([4.25, 1.25, 4.01])] * 2, rtol=0.1)
    means, scales = posteriors(500, seed=5)
    held_out = means + scales * np.random.default_rng(6).standard_normal(means.shape)
    one = fit_density(*posteriors(4000), components=1, seed=1)
    assert density.log_density(held_out).mean() > one.log_density(held_out).mean() + 0.2


def test_equal_arguments_give_an_equal_density() -> None:
    means, scales = posteriors(300)
    one, same, other = (fit_density(means, scales, 3, seed).digest for seed in (1, 1, 2))
    assert one == same
    assert one != other


@pytest.mark.parametrize(("windows", "gaussians"), [(2, 1), (39, 1), (100, 5), (300, 10)])
def test_a_gaussian_is_not_the_copy_of_a_few_windows(windows: int, gaussians: int) -> None:
    density = fit_density(*posteriors(windows), components=10, seed=0)
    assert density.components == gaussians
    assert density.problem() is None


@pytest.mark.tensorflow
def test_a_training_ends_with_the_density_of_its_best_model(
    short_examples: Path, short_model: Config, tmp_path: Path
) -> None:
    from gmd_vae.generation.find_model import find_model
    from gmd_vae.models.checkpoints import find
    from gmd_vae.models.model_file import read_model, write_model
    from gmd_vae.training.loop import train
    from gmd_vae.training.run.trained_model import density_of_run

    examples = open_examples(short_examples, short_model)
    hparams = resolve(short_model, "prior_components=2")
    run = Run(tmp_path / "run", short_model, hparams, 7, examples.folder, examples.digest)
    run.folder.mkdir()
    run.describe(Plan(4))
    train(run, examples, Plan(4, validate_every=2))
    path = run.best_folder / "model.safetensors"
    model, data = read_model(path), path.read_bytes()
    assert model.density is not None
    assert model.density.z_size == 4
    with find_model(str(run.folder)) as found:
        assert found.source.density is not None
        assert found.source.density.digest == model.density.digest
    # killed between the last step and the fit: the same command fits again, to the bit
    write_model(path, dataclasses.replace(model, density=None))
    assert density_of_run(run, find(run.folder)) is None
    train(run, examples, Plan(4, validate_every=2))
    assert path.read_bytes() == data
