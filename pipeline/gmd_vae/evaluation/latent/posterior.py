"""Figures of the posterior q(z|x): active dimensions, KL divergence and the importance-weighted bound."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Floats

Latents: TypeAlias = npt.NDArray[np.floating[Any]]  # [n, d], float32 from TensorFlow, or float64

ACTIVE_VARIANCE = 0.01  # Burda et al. 2016, section 5.2: a unit is active if its posterior mean has a larger variance


@dataclasses.dataclass(frozen=True)
class Activity:
    """Information that each dimension of the latent space holds.

    Attributes:
        active: Number of active units; see ``measure_activity``.
        size: Number of dimensions, ``d``.
        variance: Variance of the posterior mean over the windows, for each dimension.
        kl_bits_by_dimension: KL divergence to N(0, 1) in bits, mean over the windows, for each dimension.
        collapsed: True if no unit is active: the posterior is the same for every window, and z carries no information
            (posterior collapse: Bowman et al. 2016, "Generating Sentences from a Continuous Space"; Lucas et al. 2019,
            "Don't Blame the ELBO!").
    """

    active: int
    size: int
    variance: tuple[float, ...]
    kl_bits_by_dimension: tuple[float, ...]
    collapsed: bool


def measure_activity(means: Latents, scales: Latents) -> Activity:
    """Counts active units: Burda et al. 2016, "Importance Weighted Autoencoders", section 5.2.

    A unit is active if the variance over the windows of its posterior mean, Var_x(E[z|x]), is above 0.01.

    Args:
        means: Posterior mean of each window, ``[n, d]``.
        scales: Standard deviations of the posterior, ``[n, d]``.

    Raises:
        ValueError: There are no windows.
    """
    if not len(means):
        raise ValueError("the variance over no window is not defined")
    variance = means.astype(np.float64).var(axis=0)
    active = int((variance > ACTIVE_VARIANCE).sum())
    bits = _kl_nats(means, scales).mean(axis=0) / np.log(2)
    return Activity(active, len(variance), tuple(variance.tolist()), tuple(bits.tolist()), collapsed=not active)


def kl_bits(means: Latents, scales: Latents) -> Floats:
    """Computes the exact KL divergence from each window's posterior to N(0, 1) (Kingma & Welling 2014, appendix B).

    Args:
        means: Posterior means, ``[n, d]``.
        scales: Standard deviations of the posterior, ``[n, d]``; a 0 makes the divergence infinite.

    Returns:
        Bits per window, float64 ``[n]``.
    """
    bits: Floats = _kl_nats(means, scales).sum(axis=1) / np.log(2)
    return bits


def importance_bound(log_weights: Latents) -> Floats:
    """Computes the importance-weighted lower bound of each window's log likelihood: Burda et al. 2016, section 3.

    It is the log of the mean importance weight, log 1/K Σ p(x, z) / q(z|x). With K = 1 it is a draw of the ELBO. Its
    expectation rises with K towards log p(x).

    Args:
        log_weights: log p(x|z) + log p(z) - log q(z|x) in nats for K draws of z from q(z|x), ``[n, K]``.

    Returns:
        Nats per window, float64 ``[n]``.

    Raises:
        ValueError: K is 0.
    """
    draws = log_weights.shape[1]
    if not draws:
        raise ValueError("the bound needs at least one draw for each window")
    # log-sum-exp: the weights of whole windows are around e^-100
    bound: Floats = np.logaddexp.reduce(log_weights.astype(np.float64), axis=1) - np.log(draws)
    return bound


def _kl_nats(means: Latents, scales: Latents) -> Floats:
    """Computes the KL divergence to N(0, 1) of each window and dimension, float64 ``[n, d]``."""
    mean, scale = means.astype(np.float64), scales.astype(np.float64)
    with np.errstate(divide="ignore"):  # log 0: infinite is the right answer
        nats: Floats = 0.5 * (mean**2 + scale**2 - 1) - np.log(scale)
    return nats
