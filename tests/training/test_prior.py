"""The density of z that is fitted at the end of a training."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from fixtures.model_files import document_of, rewrite
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import resolve
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan


@pytest.mark.tensorflow
def test_a_training_ends_with_the_density_of_its_best_model(
    short_examples: Path, short_model: Config, tmp_path: Path
) -> None:
    from gmd_vae.generation.find_model import find_model
    from gmd_vae.models.checkpoints import find
    from gmd_vae.models.model_file import OldPriorError, read_model, write_model
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
    assert 2 >= model.density.components > 0
    with find_model(str(run.folder)) as found:
        assert found.source.density is not None
        assert found.source.density.digest == model.density.digest
    # killed between the last step and the fit: the same command fits again, to the bit
    write_model(path, dataclasses.replace(model, density=None))
    assert density_of_run(run, find(run.folder)) is None
    train(run, examples, Plan(4, validate_every=2))
    assert path.read_bytes() == data
    # of a version with another prior: the command names the way on, which is to repeat the training
    old = document_of(path)
    old["prior_gaussians"] = old.pop("prior_windows")
    rewrite(path, old)
    with pytest.raises(OldPriorError, match="Repeat the train command"):
        density_of_run(run, find(run.folder))
    train(run, examples, Plan(4, validate_every=2))
    assert path.read_bytes() == data
