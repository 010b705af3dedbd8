"""The latent space of one model: what it uses, whether it is smooth, what can be read from it and moved in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.latent_points import slerp
from gmd_vae.evaluation.data.label_data import Data, Labels
from gmd_vae.evaluation.data.tensor_data import TensorData
from gmd_vae.evaluation.latent.attributes import attribute_vectors, changes, drum_attributes
from gmd_vae.evaluation.latent.decodability import decodability
from gmd_vae.evaluation.latent.interpolation import curve, data_path
from gmd_vae.evaluation.latent.posterior import activity
from gmd_vae.evaluation.model import LIKELIEST, Model, Vectors

_PAIRS = 100  # of windows, that are walked between
_POINTS = 11  # of each walk, both ends included
_MOVED = 100  # windows that every attribute vector is added to and taken from
_VOICES = 16  # that have attribute vectors of their own: not the 61 of a full drum kit
_TRAINING = 4000  # training windows that are encoded: enough for a linear classifier on some hundred numbers

# so that no two draws of one seed share their numbers
_CHOOSES_TRAINING, _CHOOSES_PAIRS, _CHOOSES_MOVED = 11, 12, 13


def describe_space(
    model: Model, data: Data, means: Vectors, scales: Vectors, seed: int, advance: Callable[[str, float], None]
) -> dict[str, Any]:
    """The latent section of a result.

    Args:
        model: what is evaluated.
        data: what it is evaluated on.
        means: of the posterior of the split's windows, ``[n, z_size]``.
        scales: its standard deviations.
        seed: of every choice of windows.
        advance: see ``evaluate.measure``.
    """
    advance("interpolation", 0)
    walks = interpolation(
        lambda z, first: model.decode(z, LIKELIEST), data.windows.labels, data.windows.files, means, seed
    )
    advance("latent space", 0)
    chosen = by_file(data.training.files, _TRAINING, seed)
    known, _ = model.encode(data.training.labels[chosen])
    moved = np.random.default_rng([seed, _CHOOSES_MOVED]).permutation(len(means))[:_MOVED]
    return {
        "activity": dataclasses.asdict(activity(means, scales)),
        "interpolation": walks,
        **_styles(data, means, known, chosen, seed),
        **_attributes(model, data, known, data.training.labels[chosen], means[moved]),
    }


def describe_posterior(
    encode: Callable[[npt.NDArray[np.int64]], Vectors],
    data: TensorData,
    means: Vectors,
    scales: Vectors,
    seed: int,
    advance: Callable[[str, float], None],
) -> dict[str, Any]:
    """What the latent section says of any model: which dimensions are used, and the style from z.

    Args:
        encode: the posterior's means of some of the training windows, by their numbers.
        data: what the model is evaluated on.
        means: of the posterior of the split's windows, ``[n, z_size]``.
        scales: its standard deviations.
        seed: of every choice of windows.
        advance: see ``evaluate.measure``.
    """
    advance("latent space", 0)
    found = {"activity": dataclasses.asdict(activity(means, scales))}
    if not all(any(styles) for styles in (data.training_styles, data.styles)):
        return {**found, **_without_styles(_NO_STYLES)}
    chosen = by_file(data.training.files, _TRAINING, seed)
    return {**found, **_styles(data, means, encode(chosen), chosen, seed)}


def by_file(files: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """Chooses windows so that each file gives as many as it can, up to the same number.

    Args:
        files: ``[n]``, the number of each window's file.
        count: how many to choose.

    Returns:
        The windows' numbers, rising; all of them if there are no more than ``count``.
    """
    order = np.random.default_rng([seed, _CHOOSES_TRAINING]).permutation(len(files))
    turn = np.zeros(len(files), np.int64)  # the how manieth of its file each window is, in that order
    together = order[np.argsort(files[order], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(files[together]) != 0])
    turn[together] = np.arange(len(files)) - np.repeat(starts, np.diff(np.r_[starts, len(files)]))
    chosen: npt.NDArray[np.int64] = np.sort(order[np.argsort(turn[order], kind="stable")][:count])
    return chosen


def interpolation(
    decode: Callable[[Vectors, npt.NDArray[np.int64]], Labels],
    labels: Labels,
    files: npt.NDArray[np.int64],
    means: Vectors,
    seed: int,
) -> dict[str, Any]:
    """Walks between windows of different files: through latent space, and by mixing the windows themselves.

    Args:
        decode: the likeliest window of each latent vector ``[k, z_size]``, and the number of the window that its
            walk begins at, ``[k]``.
        labels: of the windows, ``[n, steps]``: any numbers that are equal where steps are.
        files: the number of each window's file, ``[n]``.
        means: of the posterior of each window.
        seed: of the choice of pairs.
    """
    pairs = _pairs(files, seed)
    if not len(pairs):
        return {"latent": None, "data": None}
    z = np.concatenate([slerp(means[first], means[last], _POINTS) for first, last in pairs])
    walked = decode(z, np.repeat(pairs[:, 0], _POINTS)).reshape(len(pairs), _POINTS, labels.shape[1])
    mixed = data_path(labels[pairs[:, 0]], labels[pairs[:, 1]], np.linspace(0, 1, _POINTS, dtype=np.float64), seed)
    return {"latent": dataclasses.asdict(curve(walked)), "data": dataclasses.asdict(curve(mixed))}


def _pairs(files: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Numbers of windows of two different files, ``[pairs, 2]``; none if there is one file only."""
    random = np.random.default_rng([seed, _CHOOSES_PAIRS])
    drawn = random.integers(len(files), size=(_PAIRS * 20, 2))
    of_two: npt.NDArray[np.int64] = drawn[files[drawn[:, 0]] != files[drawn[:, 1]]]
    return of_two[:_PAIRS]


_NO_STYLES = "no info.csv lists the styles of these files"


def _styles(
    data: Data | TensorData, means: Vectors, known: Vectors, chosen: npt.NDArray[np.int64], seed: int
) -> dict[str, Any]:
    """How well a linear classifier reads the style from z; or why it was not asked."""
    of_files = (data.training_styles, data.styles)
    if not all(any(styles) for styles in of_files):
        return _without_styles(_NO_STYLES)
    training, test = (
        [styles[file] for file in files]
        for styles, files in zip(of_files, (data.training.files[chosen], data.windows.files), strict=True)
    )
    found = decodability(known, training, data.training.files[chosen], means, test, data.windows.files, seed=seed)
    if found is None:
        return _without_styles("fewer than two styles are in both splits")
    return {"decodability": dataclasses.asdict(found), "decodability_reason": None}


def _without_styles(reason: str) -> dict[str, Any]:
    return {"decodability": None, "decodability_reason": reason}


def _attributes(model: Model, data: Data, known: Vectors, training: Labels, z: Vectors) -> dict[str, Any]:
    """What adding and taking each attribute's vector does to the music decoded from ``z``."""
    real = drum_attributes(training, data.voices, data.steps_per_bar)
    if data.classes > _VOICES:
        real = {name: values for name, values in real.items() if name not in data.voices}
    vectors = attribute_vectors(known, real)
    moves = [z, *(z + sign * vector.astype(np.float32) for vector in vectors.values() for sign in (1, -1))]
    decoded = np.split(model.decode(np.concatenate(moves), LIKELIEST), len(moves))
    before, *after = (drum_attributes(labels, data.voices, data.steps_per_bar) for labels in decoded)
    before = {name: before[name] for name in real}
    added, removed = (dict(zip(vectors, after[first::2], strict=True)) for first in (0, 1))
    found = changes(before, added, removed, {name: float(values.std()) for name, values in real.items()})
    return {
        "attributes": {
            vector: {name: dataclasses.asdict(change) for name, change in by_attribute.items()}
            for vector, by_attribute in found.items()
        },
        "attributes_without": sorted(real.keys() - vectors.keys()),
    }
