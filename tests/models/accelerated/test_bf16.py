"""Results of bf16 matrix products are near those of fp32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import Layers
from gmd_vae.configuration.registry import get_config

pytestmark = pytest.mark.tensorflow

Make = Callable[..., Config]
Measure = Callable[..., Any]

BF16 = Layers(precision="bf16")


@pytest.mark.parametrize("name", ["hierdec-drum_4bar-ar_small", "flat-drum_4bar_small"])
def test_loss_and_gradients_are_near_those_of_fp32(name: str, tiny: Make, measure: Measure) -> None:
    config = tiny(get_config(name))
    rounded, exact = measure(config, BF16), measure(config)
    assert rounded.shapes == exact.shapes
    assert rounded.loss.dtype == np.float32
    assert 0 < abs(rounded.loss / exact.loss - 1) < 1e-3  # measured: about 1e-4 and less
    np.testing.assert_allclose(rounded.losses, exact.losses, rtol=3e-3)
    for variable, gradient in exact.gradients.items():
        ours = rounded.gradients[variable]
        assert ours.dtype == np.float32
        assert cosine(ours, gradient) > 0.999, variable  # measured: 0.9995 and more
        assert abs(np.linalg.norm(ours) / np.linalg.norm(gradient) - 1) < 0.03, variable  # measured: about 0.01


def cosine(one: Any, other: Any) -> float:
    one, other = one.astype(np.float64).ravel(), other.astype(np.float64).ravel()
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
