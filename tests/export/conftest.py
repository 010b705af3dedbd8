"""A run to export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fixtures.models import random_model
from gmd_vae.common import manifest
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

MODEL = random_model()
VALIDATION = {
    "step": 3, "windows": 7, "elbo": -61.5, "reconstruction": 50.25, "kl_bits": 16.0, "kl_bits_above_free": 0.0,
    "accuracy": 0.5,
}  # fmt: skip


@pytest.fixture
def folder(starter_examples: Path, tmp_path: Path) -> Path:
    """A working folder with a run at tiny sizes, as ``gmd-vae train`` leaves it, but with random weights."""
    digest = manifest.digest(starter_examples)
    trained = Run(tmp_path / "runs" / "mine", MODEL.config, MODEL.hparams, 0, starter_examples, digest)
    trained.describe(Plan(3))
    for place in (trained.train_folder, trained.best_folder):
        place.mkdir(parents=True)
        write_checkpoint(place / "model.ckpt-3", {**MODEL.variables, "global_step": np.array(3)})
    (trained.best_folder / "validation.json").write_text(json.dumps(VALIDATION))
    return tmp_path
