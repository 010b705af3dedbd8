"""A small model with random weights for the studio."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.random_models import random_variables, small
from gmd_vae.configuration.registry import get_config
from gmd_vae.models.model_file import Card, ModelFile


@pytest.fixture(scope="session")
def tiny_model() -> ModelFile:
    config = get_config("hierdec-drum_4bar_small")
    hparams = small(config)
    vectors = {"busier": np.linspace(-2.0, 3.0, hparams["z_size"])}
    variables = random_variables(config, hparams, 2)
    return ModelFile(config, hparams, variables, Card("mine", data="groove"), step=12, attribute_vectors=vectors)
