"""Attribute vectors: directions in latent space along which the music gets, say, denser.

After Roberts et al. 2018, "A Hierarchical Latent Vector Model for Learning Long-Term Structure in
Music", section 5, "Attribute Vector Arithmetic".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from gmd_vae.evaluation.data.label_data import Floats, Hits, Labels, to_hits
from gmd_vae.evaluation.latent.posterior import Latents
from gmd_vae.evaluation.metrics import rhythm

BUSIER = "busier"  # than the rest: hits per bar, all voices together


@dataclasses.dataclass(frozen=True)
class Change:
    """What an attribute vector did to one attribute, in standard deviations of that attribute.

    Attributes:
        added: mean change when the vector was added to z.
        removed: mean change when it was subtracted from z.
    """

    added: float
    removed: float


def attribute_names(voices: tuple[str, ...]) -> tuple[str, ...]:
    """What drum music can have more or less of, in the order of ``drum_attributes``."""
    return (*voices, BUSIER, "syncopation", "swing")


def drum_attributes(labels: Labels, voices: tuple[str, ...], steps_per_bar: int) -> dict[str, Floats]:
    """The attributes of windows.

    Args:
        labels: ``[n, steps]``, whole bars of sixteenths.
        voices: the names of the drum classes.
        steps_per_bar: steps in one bar.

    Returns:
        By name, ``[n]`` each: hits per bar of each voice and of all together, syncopation, swing.
    """
    hits = to_hits(labels, len(voices))
    of_voices = rhythm.voice_densities(hits, steps_per_bar)
    values = (
        *of_voices.T,
        of_voices.sum(axis=1),
        rhythm.syncopation(hits, steps_per_bar),
        rhythm.swing(hits, steps_per_bar),
    )
    return dict(zip(attribute_names(voices), values, strict=True))


def attribute_vectors(z: Latents, attributes: Mapping[str, Floats]) -> dict[str, Floats]:
    """Mean z of the quarter of the windows with most of an attribute, minus that of the quarter with least.

    Windows with the same value stay together, so the result does not depend on the windows' order,
    and a quarter is larger than a quarter where values repeat. If more than half of the windows
    share one value (most have no crash cymbal), those above it are compared with those below it, or
    with those that have it where there are none below; the same with above and below exchanged.

    Args:
        z: posterior means, ``[n, d]``.
        attributes: by name, one finite value for each window, ``[n]``.

    Returns:
        float64 ``[d]``, by name. An attribute without two different values has no vector and is not there.

    Raises:
        ValueError: a value is not finite.
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
    """What each vector does to each attribute, its own and the others (Roberts et al. 2018, section 5).

    The paper gives the change in per cent. Here its unit is the attribute's standard deviation: a
    per cent of a voice that does not play is not defined.

    Args:
        before: attribute → its values in the music decoded from the unchanged z, ``[n]``.
        after_adding: vector → attribute → values in the music decoded from z plus the vector, ``[n]``.
        after_removing: the same for z minus the vector; the same vectors.
        scale: attribute → its standard deviation among real windows; 0 makes the changes nan.

    Returns:
        vector → attribute → its change; nan where ``n`` is 0.
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
    """Masks ``[n]`` of the windows with least and with most: neither is empty, and they share no window."""
    ordered = np.sort(values)
    quarter = max(1, len(values) // 4)
    low, high = ordered[quarter - 1], ordered[-quarter]
    if low < high:
        return values <= low, values >= high
    below, above, same = values < low, values > low, values == low
    return below if below.any() else same, above if above.any() else same


def _mean_change(before: Floats, after: Floats, scale: float) -> float:
    return float((after - before).mean() / scale) if len(before) and scale > 0 else float("nan")
