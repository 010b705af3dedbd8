"""A density of latent vectors fitted to the posteriors of training windows: a Gaussian mixture in place of N(0, I).

Where β is below 1 the posteriors of a VAE lie far from N(0, I), and z from N(0, I) are unlike those of music. Ghosh et
al. 2020, "From Variational to Deterministic Autoencoders", fit a density to the posteriors of a trained model and draw
from it ("ex-post density estimation"). ``training/prior.py`` fits it; here are its numbers and its draws.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import latent_points
from gmd_vae.common.counter_random import COMPONENTS, LATENTS, WALKS, integers, normals

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class LatentDensity:
    """A mixture of Gaussians with diagonal covariance matrices.

    Many small Gaussians follow the posteriors more closely than few large ones with full matrices: the four bars of a
    groove are alike, and z with independent bars lies between the grooves (docs/small-config.md has the figures).

    Attributes:
        weights: Probability of each Gaussian, float64 ``[components]``.
        means: Means, float32 ``[components, z_size]``.
        scales: Standard deviations, float32 ``[components, z_size]``.
    """

    weights: Doubles
    means: Floats
    scales: Floats

    @property
    def components(self) -> int:
        """Number of Gaussians."""
        return len(self.weights)

    @property
    def z_size(self) -> int:
        """Size of a latent vector."""
        return self.means.shape[1]

    @property
    def digest(self) -> str:
        """SHA-256 of its numbers."""
        digest = hashlib.sha256()
        for part in (self.weights, self.means, self.scales):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def problem(self) -> str | None:
        """Returns the reason why the numbers are no density, as a predicate; ``None`` if they are one."""
        if not all(np.isfinite(part).all() for part in (self.weights, self.means, self.scales)):
            return "has numbers that are not finite"
        if not (self.weights > 0).all() or abs(float(self.weights.sum()) - 1) > 1e-6:
            return "has weights that are not positive or do not add up to 1"
        if not (self.scales > 0).all():
            return "has standard deviations that are not positive"
        return None

    def draw(self, count: int, seed: int) -> Floats:
        """Draws latent vectors. The first rows do not depend on ``count``.

        The normal numbers are those of ``latent_points.prior`` with the same seed.

        Args:
            count: Number of vectors.
            seed: Seed of the draws.

        Returns:
            Latent vectors, float32 ``[count, z_size]``.
        """
        places = [(file, 0) for file in range(count)]
        fractions = (integers(seed, COMPONENTS, places, 1)[:, 0] >> np.uint64(11)) * 2.0**-53
        chosen = np.searchsorted(np.cumsum(self.weights)[:-1], fractions, side="right")
        return self._placed(chosen, normals(seed, LATENTS, places, self.z_size))

    def walk(
        self, start: Floats, drift: float, file: int, windows: int, seed: int, *, around_start: bool = False
    ) -> Floats:
        """Returns an AR(1) walk whose stationary distribution is the Gaussian to which its start most likely belongs.

        Args:
            start: Point before the first, float32 ``[z_size]``.
            drift: Step size, from 0 (constant) to 1 (independent draws).
            file: Number of the file, a place of the random numbers.
            windows: Number of points.
            seed: Seed of the draws.
            around_start: Moves the Gaussian so that the start is its mean. A start that was not drawn from the density
                lies far from all Gaussians: the walk would leave its music for that of one of them.

        Returns:
            Points, float32 ``[windows, z_size]``.
        """
        component = int(self._log_joint(start[None])[0].argmax())
        mean, scale = start.astype(np.float64) if around_start else self.means[component], self.scales[component]
        origin = (start.astype(np.float64) - mean) / scale  # in the coordinates in which this Gaussian is N(0, I)
        noise = normals(seed, WALKS, [(file, window) for window in range(windows)], self.z_size)
        path = latent_points.ar1_walk(origin, drift, noise)
        return np.asarray(mean + scale * path.astype(np.float64), np.float32)

    def log_density(self, z: npt.NDArray[np.floating[Any]]) -> Doubles:
        """Returns the natural logarithm of the density at each point, float64 ``[n]``.

        Args:
            z: Latent vectors, ``[n, z_size]``.
        """
        joint = self._log_joint(z)
        highest = joint.max(axis=1)
        return np.asarray(highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1)), np.float64)

    def _placed(self, components: npt.NDArray[np.integer[Any]], normal: npt.NDArray[np.floating[Any]]) -> Floats:
        """Returns points of N(0, I) as points of Gaussians."""
        scaled = self.scales[components] * normal.astype(np.float64)
        return np.asarray(self.means[components] + scaled, np.float32)

    def _log_joint(self, z: npt.NDArray[np.floating[Any]]) -> Doubles:
        """Returns the log density of each point and each Gaussian, its weight included, ``[n, components]``."""
        points, columns = z.astype(np.float64), []
        for weight, mean, scale in zip(self.weights, self.means, self.scales.astype(np.float64), strict=True):
            whitened = (points - mean) / scale
            constant = np.log(weight) - np.log(scale).sum() - self.z_size / 2 * np.log(2 * np.pi)
            columns.append(constant - 0.5 * (whitened**2).sum(axis=1))
        return np.stack(columns, axis=1)


def draw_latents(density: LatentDensity | None, count: int, z_size: int, seed: int) -> Floats:
    """Draws latent vectors from a fitted density, or from N(0, I). The first rows do not depend on ``count``.

    Args:
        density: The density; ``None``: N(0, I).
        count: Number of vectors.
        z_size: Size of a vector.
        seed: Seed of the draws.

    Returns:
        Latent vectors, float32 ``[count, z_size]``.
    """
    return latent_points.prior(count, z_size, seed) if density is None else density.draw(count, seed)


def describe(density: LatentDensity | None) -> str:
    """Returns a prior in words, after "z from"."""
    if density is None:
        return "N(0, I)"
    return f"{gaussians(density.components)} fitted to the training windows"


def gaussians(count: int) -> str:
    """Returns a number of Gaussians in words."""
    return "a Gaussian" if count == 1 else f"a mixture of {count} Gaussians"
