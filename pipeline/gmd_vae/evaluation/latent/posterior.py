"""How much of the latent space a model uses, and the two bounds of a window's likelihood that need its posterior."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.label_data import Floats

Latents: TypeAlias = npt.NDArray[np.floating[Any]]  # [n, d], float32 as TensorFlow gives it, or float64

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2: a unit is active whose posterior mean varies more than this


@dataclasses.dataclass(frozen=True)
class Activity:
    """Which dimensions of the latent space say something about the music.

    Attributes:
        active: number of active units, see `activity`.
        size: number of dimensions, ``d``.
        variance: of the posterior mean over the windows, by dimension.
        kl_bits_by_dimension: KL divergence to N(0, 1) in bits, mean over the windows, by dimension.
        collapsed: no unit is active: the posterior is the same for every window, and the decoder
            gets nothing from z (posterior collapse: Bowman et al. 2016, "Generating Sentences from a
            Continuous Space"; Lucas et al. 2019, "Don't Blame the ELBO!").
    """

    active: int
    size: int
    variance: tuple[float, ...]
    kl_bits_by_dimension: tuple[float, ...]
    collapsed: bool


def activity(means: Latents, scales: Latents) -> Activity:
    """Active units: Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2.

    A unit is active if the variance over the windows of its posterior mean, Var_x(E[z|x]), is more than 0.01.

    Args:
        means: of the posterior of each window, ``[n, d]``.
        scales: standard deviations of the posterior, ``[n, d]``.

    Raises:
        ValueError: there is no window.
    """
    if not len(means):
        raise ValueError("the variance over no window is not defined")
    variance = means.astype(np.float64).var(axis=0)
    active = int((variance > ACTIVE_VARIANCE).sum())
    bits = _kl_nats(means, scales).mean(axis=0) / np.log(2)
    return Activity(active, len(variance), tuple(variance.tolist()), tuple(bits.tolist()), collapsed=not active)


def kl_bits(means: Latents, scales: Latents) -> Floats:
    """KL divergence from each window's posterior to the prior N(0, 1), exact (Kingma & Welling 2014, appendix B).

    Args:
        means: of the posterior, ``[n, d]``.
        scales: standard deviations of the posterior, ``[n, d]``; one of 0 makes the divergence infinite.

    Returns:
        float64 ``[n]``, bits per window.
    """
    bits: Floats = _kl_nats(means, scales).sum(axis=1) / np.log(2)
    return bits


def importance_bound(log_weights: Latents) -> Floats:
    """Lower bound of each window's log likelihood: Burda et al. 2016, section 3.

    The log of the mean importance weight, log 1/K Σ p(x, z) / q(z|x). With K = 1 it is a draw of the
    ELBO; its expectation rises with K towards log p(x).

    Args:
        log_weights: log p(x|z) + log p(z) - log q(z|x) in nats, for K draws of z from q(z|x), ``[n, K]``.

    Returns:
        float64 ``[n]``, nats per window.

    Raises:
        ValueError: K is 0.
    """
    draws = log_weights.shape[1]
    if not draws:
        raise ValueError("the bound needs at least one draw for each window")
    # logaddexp, not log(sum(exp)): the weights of whole windows are around e^-100
    bound: Floats = np.logaddexp.reduce(log_weights.astype(np.float64), axis=1) - np.log(draws)
    return bound


def _kl_nats(means: Latents, scales: Latents) -> Floats:
    """KL divergence to N(0, 1) by window and dimension, float64 ``[n, d]``."""
    mean, scale = means.astype(np.float64), scales.astype(np.float64)
    with np.errstate(divide="ignore"):  # log 0: infinite is the right answer
        nats: Floats = 0.5 * (mean**2 + scale**2 - 1) - np.log(scale)
    return nats
