"""Attribute vectors: directions in latent space that change an attribute of the music, for example its density.

The idea is that of Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music", section 5, "Attribute Vector Arithmetic". They take the mean z of the windows with most of an attribute minus
that of the windows with least. Such windows differ in much else, too: those with a ride cymbal have no hi-hat and a
softer backbeat.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.arrays import Floats, Labels, to_hits
from gmd_vae.evaluation.latent.posterior import Latents
from gmd_vae.evaluation.metrics import rhythm

BUSIER = "busier"  # hits per bar of all drum classes together
SYNCOPATION, SWING = "syncopation", "swing"
_MULTIPLES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)  # lengths, in regressions; beyond them z is unlike that of music
_MEASURED = 48  # windows on which lengths are measured

Decoded = Callable[[npt.NDArray[np.float32]], Mapping[str, Floats]]


@dataclasses.dataclass(frozen=True)
class Change:
    """Effect of an attribute vector on one attribute, in standard deviations of the attribute.

    Attributes:
        added: Mean change when the vector is added to z.
        removed: Mean change when the vector is subtracted from z.
    """

    added: float
    removed: float


def attribute_names(voices: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names of the attributes of drum music, in the order of ``drum_attributes``."""
    return (*voices, BUSIER, SYNCOPATION, SWING)


def drum_attributes(labels: Labels, voices: tuple[str, ...], meter: Meter) -> dict[str, Floats]:
    """Measures the attributes of windows.

    Args:
        labels: Windows, ``[n, steps]``, whole bars.
        voices: Names of the drum classes.
        meter: Bars and beats in steps.

    Returns:
        Values ``[n]`` of each attribute by its name: hits per bar of each drum class and of all together,
        syncopation, swing. The swing of beats with three eighth notes is 0.
    """
    hits = to_hits(labels, len(voices))
    bar, beat = meter.steps_per_bar, meter.steps_per_beat
    densities = rhythm.voice_densities(hits, bar)
    values = (
        *densities.T,
        densities.sum(axis=1),
        rhythm.syncopation(hits, bar, beat),
        np.zeros(len(hits)) if meter.is_compound else rhythm.swing(hits, bar, beat),
    )
    return dict(zip(attribute_names(voices), values, strict=True))


def attribute_vectors(z: Latents, attributes: Mapping[str, Floats], decoded: Decoded) -> dict[str, Floats]:
    """Computes attribute vectors: directions by regression, lengths by what the decoder makes of them.

    The direction is the regression of z on the attribute and on those that are to stay (``_held``): the change of z
    from window to window where one has more of the attribute and the others are equal. The length is that which raises
    the attribute of the decoded music, as a mean over windows, by as much as the quarter of the windows with most of it
    has above the mean of all; it is a multiple of the regression within ``_MULTIPLES``. The regression alone is too
    short for rare drums: a decoder plays a crash cymbal only beyond some distance.

    Args:
        z: Posterior means, ``[n, d]``.
        attributes: Finite values ``[n]`` of each attribute by its name.
        decoded: Function from latent vectors, float32 ``[k, d]``, to the attributes of their likeliest music.

    Returns:
        Vectors, float64 ``[d]``, by the attribute's name. An attribute whose values are all equal has no vector.

    Raises:
        ValueError: A value is not finite.
    """
    rises = rises_to_most(attributes)
    if not rises:
        return {}
    centred = {name: attributes[name] - attributes[name].mean() for name in rises}
    points = np.asarray(z, np.float64)
    vectors = {}
    for name, rise in rises.items():
        regressors = np.stack([centred[name], *(centred[other] for other in _held(name, centred))], axis=1)
        slopes = np.linalg.lstsq(regressors, points - points.mean(axis=0), rcond=None)[0]
        vectors[name] = slopes[0] * rise
    return _with_lengths(vectors, rises, points[_spread_evenly(len(points))], decoded)


def rises_to_most(attributes: Mapping[str, Floats]) -> dict[str, float]:
    """Returns for each attribute the mean of the quarter of the windows with most of it, minus the mean of all.

    Windows with equal values stay together, so the result does not depend on their order, and the quarter grows where
    values repeat. If most windows have the lowest value (no crash cymbal), it is the windows above it.

    Args:
        attributes: Finite values ``[n]`` of each attribute by its name.

    Returns:
        Differences by the attribute's name, without attributes whose values are all equal.

    Raises:
        ValueError: A value is not finite.
    """
    rises = {}
    for name, values in attributes.items():
        if not np.isfinite(values).all():
            raise ValueError(f"attribute '{name}' has values that are not finite")
        if len(values) and values.min() < values.max():
            limit = np.sort(values)[-max(1, len(values) // 4)]
            most = values >= limit if limit > values.min() else values > limit
            rises[name] = float(values[most].mean() - values.mean())
    return rises


def _held(name: str, attributes: Collection[str]) -> list[str]:
    """Returns the attributes that a vector leaves alone.

    More of a drum leaves the other drums; syncopation and swing leave all drums and move hits; a busier beat has more
    of every drum.
    """
    if name == BUSIER:
        return []
    return [other for other in attributes if other not in (name, BUSIER, SYNCOPATION, SWING)]


def _with_lengths(
    vectors: Mapping[str, Floats], rises: Mapping[str, float], z: Floats, decoded: Decoded
) -> dict[str, Floats]:
    """Returns vectors with the lengths that raise the attributes of the decoded music enough.

    Args:
        vectors: Directions.
        rises: Change that each vector is to make.
        z: Points that the vectors are added to, ``[k, d]``.
        decoded: Function from latent vectors to the attributes of their music.
    """
    before = decoded(z.astype(np.float32))
    moved = [z + multiple * vector for vector in vectors.values() for multiple in _MULTIPLES]
    after = decoded(np.concatenate(moved).astype(np.float32))
    found = {}
    for number, (name, vector) in enumerate(vectors.items()):
        values = after[name].reshape(len(vectors), len(_MULTIPLES), len(z))[number]
        found[name] = vector * _multiple_of((values - before[name]).mean(axis=1), rises[name])
    return found


def _multiple_of(changes: Floats, wanted: float) -> float:
    """Returns the smallest multiple that makes a change, linear between ``_MULTIPLES``; the largest if none does.

    Args:
        changes: Changes at ``_MULTIPLES``.
        wanted: The change that is looked for.
    """
    enough = np.flatnonzero(changes >= wanted)
    if not len(enough):
        return _MULTIPLES[-1]
    place = int(enough[0])
    if place == 0:
        return _MULTIPLES[0]
    share = (wanted - changes[place - 1]) / (changes[place] - changes[place - 1])
    return float(_MULTIPLES[place - 1] + share * (_MULTIPLES[place] - _MULTIPLES[place - 1]))


def _spread_evenly(count: int) -> npt.NDArray[np.int64]:
    """Returns the rows of the windows that lengths are measured on."""
    return np.unique(np.linspace(0, count - 1, min(count, _MEASURED)).astype(np.int64))


def changes(
    before: Mapping[str, Floats],
    after_adding: Mapping[str, Mapping[str, Floats]],
    after_removing: Mapping[str, Mapping[str, Floats]],
    scale: Mapping[str, float],
) -> dict[str, dict[str, Change]]:
    """Measures the effect of each vector on each attribute (Roberts et al. 2018, section 5).

    The paper gives changes in per cent. Here the unit is the attribute's standard deviation, because a percentage of
    a silent drum class is not defined.

    Args:
        before: Attribute → values in the music decoded from the unchanged z, ``[n]``.
        after_adding: Vector → attribute → values in the music decoded from z plus the vector, ``[n]``.
        after_removing: Vector → attribute → values in the music decoded from z minus the vector, ``[n]``.
        scale: Attribute → standard deviation among real windows; 0 makes the changes NaN.

    Returns:
        Vector → attribute → change; NaN where ``n`` is 0.
    """
    return {
        vector: {
            attribute: Change(
                _mean_change(before[attribute], added[attribute], scale[attribute]),
                _mean_change(before[attribute], after_removing[vector][attribute], scale[attribute]),
            )
            for attribute in before
        }
        for vector, added in after_adding.items()
    }


def _mean_change(before: Floats, after: Floats, scale: float) -> float:
    return float((after - before).mean() / scale) if len(before) and scale > 0 else float("nan")
