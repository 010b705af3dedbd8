"""Latent vectors of each mode of ``gmd-vae generate``, in NumPy."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gmd_vae.common import latent_points
from gmd_vae.common.counter_random import VARIATIONS, WALKS, normals
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.request import (
    ATTRIBUTE,
    CONTINUE,
    GROOVE,
    INTERPOLATE,
    RECONSTRUCT,
    SAMPLE,
    VARY,
    GenerationRequest,
)
from gmd_vae.models.latent_density import LatentDensity, draw_latents

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]
LikeliestSteps = Callable[[Floats], Sequence[Steps]]
"""Decodes latent vectors ``[n, z_size]`` at temperature 0 to one number for each step, ``[steps]`` for each vector."""

# Distances of the line search for variations, in multiples of the expected norm of z under the prior. They are denser
# near the start, where the music changes step by step.
_RADII = np.geomspace(0.02, 2.0, 32)
_VARIATIONS_AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class FileLatents:
    """The latent vectors of all files.

    Attributes:
        z: Latent vectors, float32 ``[rows, z_size]``. Those of files that are not written (``GenerationRequest.only``)
            may be zeros: to draw them takes time.
        rows: For each file, the rows of ``z`` whose windows follow each other in it.
    """

    z: Floats
    rows: tuple[range, ...]


def file_latents(
    request: GenerationRequest,
    encoded: Floats,
    inputs: GenerationInputs,
    vectors: Mapping[str, npt.NDArray[np.float64]],
    window_bars: int,
    likeliest_steps: LikeliestSteps,
    density: LatentDensity | None = None,
) -> FileLatents:
    """Returns the latent vectors of a request.

    Args:
        request: Mode, counts and distances.
        encoded: Latent vectors of the inputs, float32 ``[n, z_size]``, from ``GenerationInputs.encode``.
        inputs: Inputs of the request.
        vectors: Attribute vectors by name, float64 ``[z_size]`` each.
        window_bars: Bars in a window.
        likeliest_steps: Decoder for the search of variations.
        density: Density that z is drawn from; ``None``: N(0, I).

    Raises:
        GmdVaeError: The request asks for a variation at a distance that does not exist.
    """
    count, z_size = request.count, encoded.shape[1]
    if request.mode in (RECONSTRUCT, GROOVE):
        lengths = [1] * len(inputs.windows) + [len(song.windows) for song in inputs.songs]
        starts = np.cumsum([0, *lengths]).tolist()
        return FileLatents(encoded, tuple(range(*pair) for pair in itertools.pairwise(starts)))
    if request.mode == INTERPOLATE:
        interpolate = latent_points.slerp if request.path == "slerp" else latent_points.lerp
        legs = [interpolate(first, last, count) for first, last in itertools.pairwise(encoded)]
        return _one_window_each(np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])]))
    if request.mode == VARY:
        return _one_window_each(find_variations(encoded[0], request, likeliest_steps))
    if request.mode == ATTRIBUTE:
        start = encoded[0] if len(encoded) else draw_latents(density, 1, z_size, request.seed)[0]
        along = np.linspace(0.0, 1.0, count) if count > 1 else np.ones(1)
        amounts = {move.attribute: move.start + along * (move.end - move.start) for move in request.moves}
        moved = sum(amount[:, None] * vectors[name] for name, amount in amounts.items())
        return _one_window_each(np.asarray(start + moved, np.float32))
    if request.mode == SAMPLE and inputs.vectors is not None:
        return _one_window_each(inputs.vectors)
    first_windows = _first_windows(request, encoded, density)
    if request.bars is None:
        return _one_window_each(first_windows)
    return _walks(request, first_windows, -(-request.bars // window_bars), density)


def find_variations(center: Floats, request: GenerationRequest, likeliest_steps: LikeliestSteps) -> Floats:
    """Returns variations of a beat at a musical distance, by a line search in random directions.

    Each variation lies on a ray from ``center`` in a direction of its own. It is the point of the ray whose likeliest
    music differs from that of ``center`` in the number of steps nearest to ``request.distance``; of several, the
    nearest point. The reference is the model's version of the beat, not the beat itself.

    Args:
        center: Latent vector of the beat, float32 ``[z_size]``.
        request: Seed, count and distance.
        likeliest_steps: Decoder.

    Returns:
        Latent vectors, float32 ``[request.count, z_size]``. The first rows do not depend on the count. Zeros
        for files that are neither written nor decoded together with one that is.

    Raises:
        GmdVaeError: A window has fewer steps than the distance, or the music does not change along a ray.
    """
    (reference,) = likeliest_steps(center[None])
    if not 0 < request.distance <= len(reference):
        raise GmdVaeError(
            f"No variation can differ in {request.distance} of {len(reference)} steps", "Choose a smaller distance."
        )
    expected_norm = np.sqrt(len(center))
    found = np.zeros((request.count, len(center)), np.float32)
    written = request.numbers(request.count)
    # whole batches: numbers that are decoded with others can differ in the last bits
    for begin in range(written.start - written.start % _VARIATIONS_AT_ONCE, written.stop, _VARIATIONS_AT_ONCE):
        numbers = range(begin, min(begin + _VARIATIONS_AT_ONCE, request.count))
        directions = np.stack([_direction(request.seed, number, len(center)) for number in numbers])
        z = (center + expected_norm * _RADII[None, :, None] * directions[:, None]).astype(np.float32)
        steps = np.array(likeliest_steps(z.reshape(-1, len(center)))).reshape(*z.shape[:2], -1)
        differing = (steps != reference).sum(axis=2)
        error = np.where(differing > 0, np.abs(differing - request.distance), len(reference) + 1)
        if (error.min(axis=1) > len(reference)).any():
            raise GmdVaeError(
                "The model decodes every z to the same music: it has no variations",
                "Train longer, or choose another model.",
            )
        found[numbers.start : numbers.stop] = z[np.arange(len(z)), error.argmin(axis=1)]
    return found


def _first_windows(request: GenerationRequest, encoded: Floats, density: LatentDensity | None) -> Floats:
    """Returns the latent vector at which each file begins, float32 ``[count, z_size]``."""
    if request.mode == CONTINUE:
        return np.repeat(encoded, request.count, axis=0)
    z = np.zeros((request.count, encoded.shape[1]), np.float32)
    written = request.numbers(request.count)
    drawn = range(1) if request.same_z else written
    if request.radius is None:
        found = draw_latents(density, len(drawn), z.shape[1], request.seed, drawn.start)
    else:
        found = encoded[0] + request.radius * latent_points.prior(len(drawn), z.shape[1], request.seed, drawn.start)
    z[written.start : written.stop] = found
    return z


def _walks(
    request: GenerationRequest, first_windows: Floats, windows: int, density: LatentDensity | None
) -> FileLatents:
    """Returns an AR(1) walk of ``windows`` latent vectors for each file.

    The walk stays within the prior: N(0, I), or in a fitted density the neighbourhood of its first point. That of a
    continuation is left out: it is the input that it continues.
    """
    skip = int(request.mode == CONTINUE)
    z = np.zeros((len(first_windows) * windows, first_windows.shape[1]), np.float32)
    rows = tuple(range(number * windows, (number + 1) * windows) for number in range(len(first_windows)))
    for number in request.numbers(len(rows)):
        start = first_windows[number]
        if density is not None:
            walk = density.walk(start, request.drift, number, windows, request.seed)
        else:
            noise = normals(request.seed, WALKS, [(number, window) for window in range(windows)], len(start))
            walk = latent_points.ar1_walk(start, request.drift, noise)
        z[rows[number].start : rows[number].stop] = np.concatenate([start[None], walk])[skip : windows + skip]
    return FileLatents(z, rows)


def _direction(seed: int, number: int, size: int) -> Floats:
    """Returns a unit vector with a uniformly distributed direction."""
    (normal,) = normals(seed, VARIATIONS, [(number, 0)], size)
    return np.asarray(normal / np.linalg.norm(normal), np.float32)


def _one_window_each(z: Floats) -> FileLatents:
    """Returns files of one window each."""
    return FileLatents(z, tuple(range(row, row + 1) for row in range(len(z))))
