"""Points in latent space: where to sample, and the way between two points. Plain numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def prior(count: int, z_size: int, seed: int) -> Floats:
    """Draws from the prior N(0, 1). The first rows do not depend on ``count``.

    Returns:
        float32 ``[count, z_size]``.
    """
    return np.random.default_rng(seed).standard_normal((count, z_size), dtype=np.float32)


def wander(start: Floats, steps: int, drift: float, random: np.random.Generator) -> Floats:
    """A walk that goes on for ever without leaving the prior: each point is near the one before.

    ``z' = sqrt(1 - drift²) z + drift ε``: of points that N(0, 1) draws it makes points that N(0, 1) draws.

    Args:
        start: float32 ``[z_size]``.
        steps: number of points, the start not counted.
        drift: from 0 (stays) to 1 (every point is drawn anew).
        random: draws ε.

    Returns:
        float32 ``[steps, z_size]``.
    """
    point, keep = start.astype(np.float64), np.sqrt(1 - drift**2)
    noise = random.standard_normal((steps, len(start)), dtype=np.float32)
    path = np.zeros(noise.shape, np.float32)
    for step in range(steps):
        point = keep * point + drift * noise[step]
        path[step] = point
    return path


def lerp(start: Floats, end: Floats, steps: int) -> Floats:
    """The straight way, both ends included; arguments and result as for ``slerp``.

    Between two equal points all are equal, to the bit.
    """
    along = np.linspace(0.0, 1.0, steps)[:, None]
    a = start.astype(np.float64)
    return np.asarray(a + along * (end.astype(np.float64) - a), np.float32)


def slerp(start: Floats, end: Floats, steps: int) -> Floats:
    """Spherical interpolation, both ends included (Magenta: ``TrainedModel.interpolate``).

    Where the directions are the same or opposite, the great circle is not defined (Magenta divides
    0 by 0): the way is straight there.

    Args:
        start: float32 ``[z_size]``.
        end: float32 ``[z_size]``.
        steps: number of points; 1 gives the start.

    Returns:
        float32 ``[steps, z_size]``.
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
