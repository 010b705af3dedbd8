"""Input of the studio's scripts in Node."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gmd_vae.rendering.studio.model_data import describe_drums
from gmd_vae.rendering.studio.page import _feel


@pytest.fixture
def given(tiny_model: Any) -> dict[str, Any]:
    """Drums and feel of a small model, two random beats, and settings."""
    beats = np.random.default_rng(1).integers(0, 512, (2, 64)) & np.random.default_rng(2).integers(0, 512, (2, 64))
    playing = {"humanize": 0, "swing": 50, "tempo": 97, "seed": 3}
    return {
        "drums": describe_drums(tiny_model.config),
        "feel": _feel(tiny_model),
        "beats": beats.tolist(),
        "playing": playing,
    }
