"""Where in latent space the beats of each mode come from."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common import latent_points
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.evaluation.model import LIKELIEST
from gmd_vae.generation.inputs.conditioning import Originals
from gmd_vae.generation.request import ATTRIBUTE, CONTINUE, GROOVE, INTERPOLATE, RECONSTRUCT, VARY, Request

Floats = npt.NDArray[np.float32]

# so that no two draws of one seed share their numbers; a beat's number comes behind
_WANDERS, _VARIES, _SURROUNDS = 21, 22, 23

# How far variations are looked for, in multiples of the length of an average z of the prior. Denser near the
# beat, where the music changes step by step.
_RADII = np.geomspace(0.02, 2.0, 32)
_BATCH = 32  # variations that are looked for at a time


class Decoder(Protocol):
    """What is asked of a model here."""

    z_size: int

    def decode(self, z: Floats, temperature: float) -> Sequence[npt.NDArray[np.integer[Any]]]:
        """What each step of one window plays, ``[steps]``, for each latent vector."""
        ...


@dataclasses.dataclass(frozen=True)
class Points:
    """The latent vectors of some files.

    Attributes:
        z: float32 ``[rows, z_size]``.
        rows: of each file, the rows of ``z`` whose windows follow each other in it.
    """

    z: Floats
    rows: tuple[range, ...]


def points(
    request: Request,
    ends: Floats,
    given: Originals,
    vectors: Mapping[str, npt.NDArray[np.float64]],
    window_bars: int,
    model: Decoder,
) -> Points:
    """The latent vectors of what a request asks for.

    Args:
        request: what to generate.
        ends: float32 ``[n, z_size]``, what ``given.encode`` gives.
        given: what it starts from.
        vectors: of the attributes.
        window_bars: bars of a window.
        model: decodes, to look for variations.

    Raises:
        GmdVaeError: a variation at that distance cannot be found.
    """
    count = request.count
    if request.mode in (RECONSTRUCT, GROOVE):
        lengths = [1] * len(given.windows) + [len(song.pieces) for song in given.songs]
        starts = np.cumsum([0, *lengths]).tolist()
        return Points(ends, tuple(range(*pair) for pair in itertools.pairwise(starts)))
    if request.mode == INTERPOLATE:
        way = latent_points.slerp if request.path == "slerp" else latent_points.lerp
        legs = [way(first, last, count) for first, last in itertools.pairwise(ends)]
        return _alone(np.concatenate([legs[0], *(leg[1:] for leg in legs[1:])]))
    if request.mode == VARY:
        return _alone(vary(ends[0], request, model))
    if request.mode == ATTRIBUTE:
        start = ends[0] if len(ends) else latent_points.prior(1, model.z_size, request.seed)[0]
        along = np.linspace(0.0, 1.0, count) if count > 1 else np.ones(1)
        amounts = {move.attribute: move.start + along * (move.end - move.start) for move in request.moves}
        moved = sum(amount[:, None] * vectors[name] for name, amount in amounts.items())
        return _alone(np.asarray(start + moved, np.float32))
    if given.vectors is not None:
        return _alone(given.vectors)
    starts = _starts(request, ends, model.z_size)
    if request.bars is None:
        return _alone(starts)
    # a continuation does not begin with what it continues
    skip = 1 if request.mode == CONTINUE else 0
    windows = -(-request.bars // window_bars)
    paths = [
        np.concatenate([start[None], _wander(start, windows, request, number)])[skip : windows + skip]
        for number, start in enumerate(starts)
    ]
    return Points(
        np.concatenate(paths), tuple(range(number * windows, (number + 1) * windows) for number in range(count))
    )


def vary(center: Floats, request: Request, model: Decoder) -> Floats:
    """Variations of a beat at a musical distance.

    Each one goes its own way, drawn at random, and is the point on it whose likeliest music differs from that
    of the beat in the number of steps nearest to ``request.distance``; of equal ones the nearest point. What
    the beat itself became in the model is the measure, not the beat: the way there is another question
    (``reconstruct``).

    Returns:
        float32 ``[request.count, z_size]``; the first rows do not depend on the count.

    Raises:
        GmdVaeError: the music along a way does not change at all.
    """
    (before,) = model.decode(center[None], LIKELIEST)
    if not 0 < request.distance <= len(before):
        raise GmdVaeError(
            f"No variation can differ in {request.distance} of {len(before)} steps", "Choose another --distance."
        )
    size = np.sqrt(len(center))
    found = []
    for begin in range(0, request.count, _BATCH):
        numbers = range(begin, min(begin + _BATCH, request.count))
        ways = np.stack([_direction(request.seed, number, len(center)) for number in numbers])
        z = (center + size * _RADII[None, :, None] * ways[:, None]).astype(np.float32)
        music = np.array(model.decode(z.reshape(-1, len(center)), LIKELIEST)).reshape(*z.shape[:2], -1)
        differing = (music != before).sum(axis=2)
        changed = np.where(differing > 0, np.abs(differing - request.distance), len(before) + 1)
        if (changed.min(axis=1) > len(before)).any():
            raise GmdVaeError(
                "The model plays the same whatever z is: it has no variations", "Train longer, or take another run."
            )
        found.append(z[np.arange(len(z)), changed.argmin(axis=1)])
    return np.concatenate(found)


def _starts(request: Request, ends: Floats, z_size: int) -> Floats:
    """Where each file begins, ``[count, z_size]``."""
    if request.mode == CONTINUE:
        return np.repeat(ends, request.count, axis=0)
    drawn = latent_points.prior(1 if request.same_z else request.count, z_size, request.seed)
    if request.radius is not None:
        drawn = np.asarray(ends[0] + request.radius * drawn, np.float32)
    return np.repeat(drawn, request.count, axis=0) if request.same_z else drawn


def _wander(start: Floats, steps: int, request: Request, number: int) -> Floats:
    return latent_points.ar1_walk(start, steps, request.drift, np.random.default_rng([request.seed, _WANDERS, number]))


def _direction(seed: int, number: int, size: int) -> Floats:
    drawn = np.random.default_rng([seed, _VARIES, number]).standard_normal(size, dtype=np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn), np.float32)


def _alone(z: Floats) -> Points:
    """Every file one window."""
    return Points(z, tuple(range(row, row + 1) for row in range(len(z))))
