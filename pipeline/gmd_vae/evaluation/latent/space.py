"""The latent space of a model: active dimensions, smoothness, style and attribute vectors."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import slerp
from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.arrays import Labels, Vectors
from gmd_vae.evaluation.data.evaluation_data import EvaluationData
from gmd_vae.evaluation.latent.attributes import Change, attribute_vectors, changes, drum_attributes
from gmd_vae.evaluation.latent.decodability import Decodability, decodability
from gmd_vae.evaluation.latent.interpolation import Curve, data_path, measure_curve
from gmd_vae.evaluation.latent.posterior import Activity

_PAIRS = 100  # pairs of windows that are interpolated
_POINTS = 11  # points of each interpolation, both ends included
_MOVED = 100  # windows that every attribute vector is added to and subtracted from
_VOICES = 16  # drum classes, at most, that have attribute vectors of their own: a full drum kit has 61
TRAINING = 4000  # training windows that are encoded: enough for a linear classifier on a few hundred dimensions

# Second words of the seeds of NumPy's generators, so that different draws are independent
_CHOOSES_TRAINING, _CHOOSES_PAIRS, _CHOOSES_MOVED = 11, 12, 13


@dataclasses.dataclass(frozen=True)
class Interpolation:
    """Interpolation between windows of different files.

    Attributes:
        latent: Distances along spherical interpolation in latent space; ``None`` if there is only one file.
        data: Distances along the baseline, which mixes steps; likewise.
    """

    latent: Curve | None
    data: Curve | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatentSpace:
    """Figures of a latent space.

    Attributes:
        activity: Active dimensions.
        interpolation: Smoothness.
        decodability: Accuracy of a linear classifier from z to style; ``None`` if it was not measured.
        decodability_reason: Reason why it was not measured.
        attributes: Attribute vector → attribute → change, of drum labels; ``None`` in other families.
        attributes_without: Attributes whose values are all equal, so that they have no vector.
    """

    activity: Activity
    interpolation: Interpolation
    decodability: Decodability | None
    decodability_reason: str | None
    attributes: dict[str, dict[str, Change]] | None = None
    attributes_without: tuple[str, ...] | None = None


def choose_by_file(files: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Chooses windows so that all files contribute equally, as far as they have enough windows.

    Args:
        files: Number of each window's file, ``[n]``.
        count: Number of windows to choose.
        seed: Seed of the choice.

    Returns:
        Sorted numbers of the windows; all of them if there are at most ``count``.
    """
    order = np.random.default_rng([seed, _CHOOSES_TRAINING]).permutation(len(files))
    rank = np.zeros(len(files), np.int64)  # position of each window among those of its file, in that order
    together = order[np.argsort(files[order], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(files[together]) != 0])
    rank[together] = np.arange(len(files)) - np.repeat(starts, np.diff(np.r_[starts, len(files)]))
    chosen: npt.NDArray[np.int64] = np.sort(order[np.argsort(rank[order], kind="stable")][:count])
    return chosen


def measure_interpolation(
    decode: Callable[[Vectors, npt.NDArray[np.int64]], Labels],
    labels: Labels,
    files: npt.NDArray[np.int64],
    means: Vectors,
    seed: int,
) -> Interpolation:
    """Interpolates between windows of different files, in latent space and by mixing their steps.

    Args:
        decode: Decoder of the likeliest windows. It takes latent vectors ``[k, z_size]``, and for each the number of
            the window at the start of its path, ``[k]``, whose conditioning input applies.
        labels: Windows ``[n, steps]``: labels, or codes that are equal where steps are equal.
        files: Number of each window's file, ``[n]``.
        means: Posterior mean of each window, ``[n, z_size]``.
        seed: Seed of the choice of pairs.
    """
    pairs = _choose_pairs(files, seed)
    if not len(pairs):
        return Interpolation(None, None)
    z = np.concatenate([slerp(means[first], means[last], _POINTS) for first, last in pairs])
    decoded = decode(z, np.repeat(pairs[:, 0], _POINTS)).reshape(len(pairs), _POINTS, labels.shape[1])
    mixed = data_path(labels[pairs[:, 0]], labels[pairs[:, 1]], np.linspace(0, 1, _POINTS, dtype=np.float64), seed)
    return Interpolation(measure_curve(decoded), measure_curve(mixed))


def _choose_pairs(files: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Draws pairs of windows of two different files, ``[pairs, 2]``; none if there is only one file."""
    random = np.random.default_rng([seed, _CHOOSES_PAIRS])
    drawn = random.integers(len(files), size=(_PAIRS * 20, 2))
    of_two_files: npt.NDArray[np.int64] = drawn[files[drawn[:, 0]] != files[drawn[:, 1]]]
    return of_two_files[:_PAIRS]


def measure_style(
    data: EvaluationData[Any],
    means: Vectors,
    encode_training: Callable[[npt.NDArray[np.int64]], Vectors],
    seed: int,
) -> tuple[Decodability | None, str | None]:
    """Measures the decodability of style.

    Args:
        data: Windows with the styles of their files.
        means: Posterior means of the split's windows, ``[n, z_size]``.
        encode_training: Function from numbers of training windows to their posterior means.
        seed: Seed of the choice of training windows.

    Returns:
        The scores and ``None``, or ``None`` and the reason why there are no scores.
    """
    if not data.has_styles:
        return None, "no info.csv lists the styles of these files"
    chosen = choose_by_file(data.training.files, TRAINING, seed)
    training_files = data.training.files[chosen]
    scores = decodability(
        encode_training(chosen),
        [data.training_styles[file] for file in training_files],
        training_files,
        means,
        [data.styles[file] for file in data.windows.files],
        data.windows.files,
        seed=seed,
    )
    return scores, None if scores else "fewer than two styles are in both splits"


def measure_attributes(
    decode: Callable[[Vectors], Labels],
    training: Labels,
    training_means: Vectors,
    means: Vectors,
    voices: tuple[str, ...],
    meter: Meter,
    seed: int,
) -> tuple[dict[str, dict[str, Change]], tuple[str, ...]]:
    """Measures the effect of attribute vectors on drum windows.

    Args:
        decode: Decoder of the likeliest labels ``[k, steps]`` of latent vectors ``[k, z_size]``.
        training: Training windows that the vectors are computed from, ``[m, steps]``.
        training_means: Their posterior means, ``[m, z_size]``.
        means: Posterior means of the split's windows, ``[n, z_size]``.
        voices: Names of the drum classes.
        meter: Bars and beats in steps.
        seed: Seed of the choice of windows that are changed.

    Returns:
        Vector → attribute → change, and the attributes that have no vector.
    """
    z = means[np.random.default_rng([seed, _CHOOSES_MOVED]).permutation(len(means))[:_MOVED]]
    real = drum_attributes(training, voices, meter)
    if len(voices) > _VOICES:
        real = {name: values for name, values in real.items() if name not in voices}
    vectors = attribute_vectors(training_means, real, lambda points: drum_attributes(decode(points), voices, meter))
    moved = [z, *(z + sign * vector.astype(np.float32) for vector in vectors.values() for sign in (1, -1))]
    decoded = np.split(decode(np.concatenate(moved)), len(moved))
    before, *after = (drum_attributes(labels, voices, meter) for labels in decoded)
    before = {name: before[name] for name in real}
    added, removed = (dict(zip(vectors, after[first::2], strict=True)) for first in (0, 1))
    scales = {name: float(values.std()) for name, values in real.items()}
    return changes(before, added, removed, scales), tuple(sorted(real.keys() - vectors.keys()))
