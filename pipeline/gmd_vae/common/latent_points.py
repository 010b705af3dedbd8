"""Points in latent space: draws from the prior, interpolation and random walks, in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gmd_vae.common.counter_random import LATENTS, normals

Floats = npt.NDArray[np.float32]


def prior(count: int, z_size: int, seed: int, first: int = 0) -> Floats:
    """Draws latent vectors from the prior N(0, I). A vector depends on its number and the seed alone.

    Args:
        count: Number of vectors.
        z_size: Size of a vector.
        seed: Seed of the draws.
        first: Number of the first vector.

    Returns:
        Latent vectors, float32 ``[count, z_size]``.
    """
    return normals(seed, LATENTS, [(file, 0) for file in range(first, first + count)], z_size)


def ar1_walk(start: Floats, drift: float, noise: Floats) -> Floats:
    """Returns an AR(1) walk whose stationary distribution is the prior N(0, I).

    ``z' = sqrt(1 - drift²) z + drift ε``: neighbours are close, and the walk never leaves the prior.

    Args:
        start: Point before the first, float32 ``[z_size]``.
        drift: Step size, from 0 (constant) to 1 (independent draws).
        noise: ε of each point, float32 ``[points, z_size]``.

    Returns:
        Points, float32 ``[points, z_size]``.
    """
    point, keep = start.astype(np.float64), np.sqrt(1 - drift**2)
    path = np.zeros(noise.shape, np.float32)
    for step in range(len(noise)):
        point = keep * point + drift * noise[step]
        path[step] = point
    return path


def lerp(start: Floats, end: Floats, steps: int) -> Floats:
    """Interpolates linearly, both ends included; arguments and result as for ``slerp``.

    Two equal ends give equal points, bit for bit.
    """
    along = np.linspace(0.0, 1.0, steps)[:, None]
    a = start.astype(np.float64)
    return np.asarray(a + along * (end.astype(np.float64) - a), np.float32)


def slerp(start: Floats, end: Floats, steps: int) -> Floats:
    """Interpolates spherically (slerp), both ends included, as Magenta's ``TrainedModel.interpolate``.

    Parallel and opposite vectors have no great circle, and Magenta divides 0 by 0: linear
    interpolation replaces it there.

    Args:
        start: First point, float32 ``[z_size]``.
        end: Last point, float32 ``[z_size]``.
        steps: Number of points; 1 gives the start.

    Returns:
        Points, float32 ``[steps, z_size]``.
    """
    along = np.linspace(0.0, 1.0, steps)[:, None]
    a, b = start.astype(np.float64), end.astype(np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    cosine = np.clip(a @ b / lengths, -1.0, 1.0) if lengths > 0 else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:
        return lerp(start, end, steps)
    path = (np.sin((1 - along) * angle) * a + np.sin(along * angle) * b) / np.sin(angle)
    return np.asarray(path, np.float32)
