"""A density of latent vectors fitted to the posteriors of training windows, in place of N(0, I).

Where β is below 1 the posteriors of a VAE lie far from N(0, I), and z from N(0, I) are unlike those of music. Ghosh et
al. 2020, "From Variational to Deterministic Autoencoders", fit a density to the posteriors of a trained model and draw
from it ("ex-post density estimation"). They fit a Gaussian mixture; the one here is made of points between neighbours,
as in SMOTE (Chawla et al. 2002, "Synthetic Minority Over-sampling Technique"). ``training/prior.py`` chooses the
windows; here are the draws.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from gmd_vae.common import latent_points
from gmd_vae.common.counter_random import COMPONENTS, LATENTS, WALKS, integers, normals

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_NEIGHBOURS = 4  # that a point lies between, with one more window
_SHARE = 10  # neighbours are chosen from this part of the windows: with fewer, samples come near to the music
_LEAST_NEAREST = 20  # of few windows, a tenth would be nearly the same music
# Normal numbers for each weight. The sum of the squares of four has a gamma distribution of shape 2: the weights are
# those of a Dirichlet distribution of that concentration, and few points lie close to a window.
_NORMALS = 4
# Normal numbers for the weight of the start of a walk, which is 3/7 on average: with the weight of a window, 1/5, a
# continuation leaves the groove that it continues (docs/generation.md has the figures)
_NORMALS_OF_START = 12


@dataclasses.dataclass(frozen=True, eq=False)
class LatentDensity:
    """A distribution of points between the posterior means of training windows that are neighbours.

    A point lies between a window and four of its nearest neighbours: a weighted mean, with random weights, moved away
    from the centre of all windows until its distance is the weighted mean of theirs, for a mean alone lies nearer to
    the centre than music does. Points between neighbours keep what neighbours have in common, such as four bars that
    are alike; a Gaussian does not, for that is no plane in latent space (docs/small-config.md has the figures).

    Attributes:
        windows: Posterior means of training windows, float32 ``[components, z_size]``.
    """

    windows: Floats

    @property
    def components(self) -> int:
        """Number of windows."""
        return len(self.windows)

    @property
    def z_size(self) -> int:
        """Size of a latent vector."""
        return self.windows.shape[1]

    @property
    def digest(self) -> str:
        """SHA-256 of its numbers."""
        return hashlib.sha256(np.ascontiguousarray(self.windows).tobytes()).hexdigest()

    def problem(self) -> str | None:
        """Returns the reason why the numbers are no density, as a predicate; ``None`` if they are one."""
        return None if np.isfinite(self.windows).all() else "has numbers that are not finite"

    def draw(self, count: int, seed: int, first: int = 0) -> Floats:
        """Draws latent vectors. A vector depends on its number and the seed alone.

        Args:
            count: Number of vectors.
            seed: Seed of the draws.
            first: Number of the first vector.

        Returns:
            Latent vectors, float32 ``[count, z_size]``.
        """
        places = [(file, 0) for file in range(first, first + count)]
        numbers = integers(seed, COMPONENTS, places, 1 + _NEIGHBOURS)
        normal = normals(seed, LATENTS, places, _NORMALS * (1 + _NEIGHBOURS))
        z = np.empty((count, self.z_size), np.float32)
        for row in range(count):
            window = _below(int(numbers[row, 0]), self.components)
            corners = [window, *self._neighbours(self._windows[window], numbers[row, 1:], without=window)]
            z[row] = self._between(self._windows[corners], _gammas(normal[row])[: len(corners)])
        return z

    def walk(self, start: Floats, drift: float, file: int, windows: int, seed: int) -> Floats:
        """Returns a walk between its start and four of the windows nearest to it.

        The normal numbers that make the weights follow an AR(1) walk. It begins with all weight on the start, which
        keeps the largest weight on average.

        Args:
            start: Point before the first, float32 ``[z_size]``.
            drift: Step size, from 0 (constant) to 1 (independent draws).
            file: Number of the file, a place of the random numbers.
            windows: Number of points.
            seed: Seed of the draws.

        Returns:
            Points, float32 ``[windows, z_size]``.
        """
        first = start.astype(np.float64)
        numbers = integers(seed, COMPONENTS, [(file, 1)], _NEIGHBOURS)
        corners = np.concatenate([first[None], self._windows[self._neighbours(first, numbers[0])]])
        origin = np.zeros(_NORMALS_OF_START + _NORMALS * (len(corners) - 1), np.float32)
        origin[:_NORMALS_OF_START] = 1
        noise = normals(seed, WALKS, [(file, window) for window in range(windows)], len(origin))
        path = latent_points.ar1_walk(origin, drift, noise)
        start_gammas = _gammas(path[:, :_NORMALS_OF_START], _NORMALS_OF_START)
        gammas = np.concatenate([start_gammas, _gammas(path[:, _NORMALS_OF_START:])], axis=1)
        return np.stack([self._between(corners, of_point) for of_point in gammas])

    @functools.cached_property
    def _windows(self) -> Doubles:
        return self.windows.astype(np.float64)

    @functools.cached_property
    def _centre(self) -> Doubles:
        return np.asarray(self._windows.mean(axis=0), np.float64)

    def _neighbours(self, point: Doubles, numbers: npt.NDArray[np.uint64], without: int | None = None) -> list[int]:
        """Chooses different windows among those nearest to a point.

        Args:
            point: The point, ``[z_size]``.
            numbers: Random numbers of 64 bits, one for each window to choose.
            without: Number of a window that is not chosen.

        Returns:
            Their numbers; fewer where there are not so many.
        """
        distances = ((self._windows - point) ** 2).sum(axis=1)
        order = [number for number in np.argsort(distances, kind="stable").tolist() if number != without]
        nearest = order[: max(_LEAST_NEAREST, self.components // _SHARE)]
        return _choose(nearest, [int(number) for number in numbers])

    def _between(self, corners: Doubles, gammas: Doubles) -> Floats:
        """Returns a point between others, as far from the centre as they are.

        Args:
            corners: The other points, ``[corners, z_size]``.
            gammas: Their weights, in any unit, ``[corners]``.
        """
        weights = gammas / gammas.sum()
        spokes = corners - self._centre
        mean = weights @ spokes
        length = np.sqrt((mean**2).sum())
        if length > 0:
            mean *= (weights @ np.sqrt((spokes**2).sum(axis=1))) / length
        return np.asarray(self._centre + mean, np.float32)


def _gammas(normal: Floats, of_one: int = _NORMALS) -> Doubles:
    """Returns sums of squares of normal numbers, ``[..., count]``; each has a gamma distribution.

    Args:
        normal: Normal numbers, ``[..., count * of_one]``.
        of_one: Numbers for each sum.
    """
    grouped = normal.astype(np.float64).reshape(*normal.shape[:-1], -1, of_one)
    return np.asarray((grouped**2).sum(axis=-1), np.float64)


def _choose(items: Sequence[int], numbers: Sequence[int]) -> list[int]:
    """Chooses items without repetition, by the first steps of a Fisher-Yates shuffle.

    Args:
        items: The items.
        numbers: Random numbers of 64 bits, one for each item to choose.
    """
    left = list(items)
    chosen = []
    for number in numbers[: len(left)]:
        place = _below(number, len(left))
        left[place], left[-1] = left[-1], left[place]
        chosen.append(left.pop())
    return chosen


def _below(number: int, count: int) -> int:
    """Returns a random number of 64 bits as a number below ``count``."""
    return int((number >> 11) * 2.0**-53 * count)


def draw_latents(density: LatentDensity | None, count: int, z_size: int, seed: int, first: int = 0) -> Floats:
    """Draws latent vectors from a fitted density, or from N(0, I). A vector depends on its number and the seed alone.

    Args:
        density: The density; ``None``: N(0, I).
        count: Number of vectors.
        z_size: Size of a vector.
        seed: Seed of the draws.
        first: Number of the first vector.

    Returns:
        Latent vectors, float32 ``[count, z_size]``.
    """
    if density is None:
        return latent_points.prior(count, z_size, seed, first)
    return density.draw(count, seed, first)


def describe(density: LatentDensity | None) -> str:
    """Returns a prior in words, after "z from"."""
    return "N(0, I)" if density is None else between(density.components)


def between(count: int) -> str:
    """Returns a density in words by its number of windows, after "z from"."""
    return "the training windows" if count == 1 else f"points between neighbours among {count:,} training windows"
