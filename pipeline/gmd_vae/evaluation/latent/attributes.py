"""Attribute vectors: directions in latent space that change an attribute of the music, for example its density.

Source: Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music", section 5, "Attribute Vector Arithmetic".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from gmd_vae.configuration.window_specs import Meter
from gmd_vae.evaluation.data.arrays import Floats, Hits, Labels, to_hits
from gmd_vae.evaluation.latent.posterior import Latents
from gmd_vae.evaluation.metrics import rhythm

BUSIER = "busier"  # hits per bar of all drum classes together


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
    return (*voices, BUSIER, "syncopation", "swing")


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


def attribute_vectors(z: Latents, attributes: Mapping[str, Floats]) -> dict[str, Floats]:
    """Computes attribute vectors: mean z of the quarter of the windows with most of an attribute, minus the least.

    Windows with equal values stay together, so the result does not depend on their order, and a quarter grows where
    values repeat. If more than half of the windows share one value (most have no crash cymbal), the windows above it
    are compared with those below it, or with those at it where none are below; and the same with above and below
    exchanged.

    Args:
        z: Posterior means, ``[n, d]``.
        attributes: Finite values ``[n]`` of each attribute by its name.

    Returns:
        Vectors, float64 ``[d]``, by the attribute's name. An attribute whose values are all equal has no vector.

    Raises:
        ValueError: A value is not finite.
    """
    vectors = {}
    for name, values in attributes.items():
        if not np.isfinite(values).all():
            raise ValueError(f"attribute '{name}' has values that are not finite")
        if len(np.unique(values)) < 2:
            continue
        least, most = _extremes(values)
        vectors[name] = z[most].mean(axis=0, dtype=np.float64) - z[least].mean(axis=0, dtype=np.float64)
    return vectors


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


def _extremes(values: Floats) -> tuple[Hits, Hits]:
    """Returns disjoint, non-empty masks ``[n]`` of the windows with least and with most."""
    ordered = np.sort(values)
    quarter = max(1, len(values) // 4)
    low, high = ordered[quarter - 1], ordered[-quarter]
    if low < high:
        return values <= low, values >= high
    below, above, same = values < low, values > low, values == low
    return below if below.any() else same, above if above.any() else same


def _mean_change(before: Floats, after: Floats, scale: float) -> float:
    return float((after - before).mean() / scale) if len(before) and scale > 0 else float("nan")
