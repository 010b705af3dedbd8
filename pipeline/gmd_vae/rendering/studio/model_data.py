"""Packs a model for the studio: its shape, its weights in fp16, and the facts about its drums."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.families import family_of
from gmd_vae.families.parameters import count_parameters
from gmd_vae.models.forward.numpy_model import obstacle
from gmd_vae.models.latent_density import LatentDensity
from gmd_vae.models.model_file import ModelFile, check_finite

MAX_PARAMETERS = 24_000_000  # a page of 64 MB; a decoded beat takes a second there
RIDE, HI_HAT = "ride", "closed hi-hat"  # the two drums that keep time
_VOICE_OF = {pitch: voice for voice, pitches in enumerate(NINE_CLASSES) for pitch in pitches}
_OTHER_VOICE = 5  # mid tom, for percussion that is none of the nine voices


def check_playable(config: Config, hparams: dict[str, Any]) -> None:
    """Checks that the studio computes the models of a config.

    Raises:
        UsageError: It does not.
    """
    reason = None
    if not family_of(config).output(config).is_label:
        reason = f"the studio plays drum labels, and this is a model of the family '{config.family}'"
    elif (parameters := count_parameters(config, hparams)) > MAX_PARAMETERS:
        reason = f"its {parameters:,} parameters are more than {MAX_PARAMETERS:,}, too many for a page"
    reason = reason or obstacle(config, hparams)
    if reason:
        raise UsageError(
            f"Config '{config.name}' has no studio: {reason}",
            "Give a model of drum labels, such as the bundled 'groove-4bar', or use 'gmd-vae generate'.",
        )


def pack_model(model: ModelFile) -> dict[str, Any]:
    """Returns a model as JSON for ``engine/model.js`` (``PackedModel``).

    Args:
        model: A model that passed `check_playable`.

    Raises:
        GmdVaeError: A weight is not finite, or is too large for fp16.
    """
    check_finite(model)
    config, hparams = model.config, model.hparams
    windows = config.drum_windows
    with np.errstate(over="ignore"):
        halves = {name: np.ascontiguousarray(values, "<f2") for name, values in sorted(model.variables.items())}
    for name, values in halves.items():
        if not np.isfinite(values).all():
            raise GmdVaeError(
                f"'{name}' of '{model.card.name}' has numbers too large for fp16", "Choose another model."
            )
    return {
        "zSize": hparams["z_size"],
        "classes": len(windows.pitch_classes),
        "steps": windows.steps,
        "roll": windows.roll_input,
        "encoderLayers": len(hparams["enc_rnn_size"]),
        "decoder": {
            "levels": list(config.levels or (windows.steps,)),
            "layers": len(hparams["dec_rnn_size"]),
            "autoregressive": config.conductor_autoregression,
        },
        "tensors": [[name, list(values.shape)] for name, values in halves.items()],
        "weights": _base64(b"".join(values.tobytes() for values in halves.values())),
        "density": None if model.density is None else _packed_density(model.density),
    }


def _packed_density(density: LatentDensity) -> str:
    """Returns a density for ``engine/density.js``. Models keep it as fp16, so nothing is rounded."""
    return _base64(density.windows.astype("<f2").tobytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def describe_drums(config: Config) -> dict[str, Any]:
    """Returns the drums and bars of a config's windows for the page.

    Returns:
        ``names``, ``classes`` (pitches that are read), ``pitches`` (that are written) and ``voices`` (indices into the
        kit) of the drum classes; ``stepsPerQuarter``,
        ``stepsPerBar``, ``stepsPerBeat``, ``bars`` and ``signature``; and of the stretches in a file ``gapSteps`` (the
        pause that ends one) and ``mostBars``.
    """
    windows = config.drum_windows
    meter = windows.meter
    voices = [[_VOICE_OF[pitch] for pitch in pitches if pitch in _VOICE_OF] for pitches in windows.pitch_classes]
    return {
        "names": list(windows.voice_names),
        "classes": [list(pitches) for pitches in windows.pitch_classes],
        "pitches": [pitches[0] for pitches in windows.pitch_classes],
        "voices": [found[0] if found else _OTHER_VOICE for found in voices],
        "stepsPerQuarter": windows.steps_per_quarter,
        "stepsPerBar": meter.steps_per_bar,
        "stepsPerBeat": meter.steps_per_beat,
        "bars": windows.bars,
        "gapSteps": windows.gap_bars * meter.steps_per_bar,
        "mostBars": windows.max_bars,
        "signature": list(windows.signature),
    }


def attribute_vectors(model: ModelFile) -> dict[str, list[float]]:
    """Returns the attribute vectors by name, rounded to five digits, and one from the closed hi-hat to the ride."""
    vectors = dict(model.attribute_vectors)
    if RIDE in vectors and HI_HAT in vectors:
        vectors[f"{RIDE} against hi-hat"] = vectors[RIDE] - vectors[HI_HAT]
    return {name: [float(f"{number:.5g}") for number in vector] for name, vector in sorted(vectors.items())}
