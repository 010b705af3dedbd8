"""The latent vectors of samples: at two temperatures, and beside a fitted density also from N(0, I)."""

from __future__ import annotations

from typing import Any, NamedTuple

from gmd_vae.common.priors import FITTED, NORMAL
from gmd_vae.evaluation.data.arrays import Vectors
from gmd_vae.evaluation.model import Model
from gmd_vae.evaluation.settings import Settings
from gmd_vae.models.latent_density import draw_latents


class Draw(NamedTuple):
    """Latent vectors of samples.

    Attributes:
        z: Latent vectors, float32 ``[n, z_size]``.
        prior: One of ``priors.PRIORS``.
        temperature: Temperature at which they are decoded.
    """

    z: Vectors
    prior: str
    temperature: float


def draw_samples(model: Model[Any], settings: Settings, *, at_usual: bool = True) -> dict[str, Draw]:
    """Draws latent vectors of samples.

    Args:
        model: The model.
        settings: Seed, temperature and number of samples.
        at_usual: Whether the samples at the temperature of ``generate`` are drawn too.

    Returns:
        ``samples`` from the model's prior at the temperature of the settings, and ``samples_usual`` at that of
        ``generate``, unless both are the same; of a model with a fitted density also ``samples_normal`` and
        ``samples_usual_normal`` from N(0, I).
    """
    temperatures = {"samples": settings.temperature}
    if at_usual and settings.temperature != model.usual_temperature:
        temperatures["samples_usual"] = model.usual_temperature
    priors = {"": (NORMAL, None)} if model.density is None else {"": (FITTED, model.density), "_normal": (NORMAL, None)}
    drawn: dict[str, Draw] = {}
    for ending, (prior, density) in priors.items():
        z = draw_latents(density, settings.samples, model.z_size, settings.seed)
        drawn |= {f"{name}{ending}": Draw(z, prior, value) for name, value in temperatures.items()}
    return drawn
