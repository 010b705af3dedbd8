"""Encodes the drum kit for the players of pages: one stroke of each voice, small enough for every page."""

from __future__ import annotations

import base64
import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.rendering.drum_part import CLOSED_HAT, CRASH, HIGH_TOM, KICK, LOW_TOM, MID_TOM, OPEN_HAT, SNARE, VOICES
from gmd_vae.rendering.kit import LOUDNESS_EXPONENT, RATE, stroke, velocity_step

STEP = 12  # velocity step of the encoded strokes; the player scales them for other velocities
# samples per second, the lowest that suits each voice; hi-hats have half of their energy above 11 kHz
_RATES = {KICK: 11_025, LOW_TOM: 14_700, MID_TOM: 14_700, HIGH_TOM: 14_700, SNARE: 29_400}
_RATES |= {CLOSED_HAT: 44_100, OPEN_HAT: 36_750, CRASH: 29_400}
_DEFAULT_RATE = 22_050
_SILENT = 10 ** (-44 / 20)  # share of the peak: inaudible within a beat
_FADE = 0.15  # share of the length that fades out
_WINDOW = 1024  # samples
_MU = 255  # of the µ-law companding (ITU-T G.711) to 8 bits per sample


@functools.lru_cache(maxsize=1)
def kit() -> list[dict[str, Any]]:
    """Encodes one stroke of each voice.

    Returns:
        One dict for each voice: ``name``, ``rate`` (samples per second), ``samples`` (base64, 8-bit µ-law),
        ``gain`` (the peak) and ``pan`` (-1 to 1).
    """
    return [_voice(voice) for voice in range(len(VOICES))]


def loudness(velocity: int) -> float:
    """Returns the gain of a MIDI velocity relative to the encoded strokes, by the curve of the kit."""
    return float(((velocity_step(velocity) + 0.5) / (STEP + 0.5)) ** LOUDNESS_EXPONENT)


LOUDNESS = [round(loudness(8 * step), 4) for step in range(16)]  # of the velocities 0, 8, ... 120, for the players


def _voice(voice: int) -> dict[str, Any]:
    stereo = stroke(voice, STEP).astype(np.float64)
    left, right = np.sqrt((stereo**2).mean(axis=0)).tolist()
    mono = _trimmed(stereo.mean(axis=1))
    rate = _RATES.get(voice, _DEFAULT_RATE)
    mono = _resampled(mono, rate)
    peak = float(np.abs(mono).max())
    coded = np.rint(127 * np.sign(mono) * np.log1p(_MU * np.abs(mono) / peak) / math.log1p(_MU)) + 128
    return {
        "name": VOICES[voice],
        "rate": rate,
        "gain": round(peak * math.sqrt(2), 3),  # the player's panner lowers centred sounds by 3 dB
        "pan": round(4 / math.pi * math.atan2(right, left) - 1, 2),
        "samples": base64.b64encode(coded.astype(np.uint8).tobytes()).decode("ascii"),
    }


def _trimmed(sound: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cuts the inaudible end of a sound and fades it out."""
    loudness = np.sqrt(np.convolve(sound**2, np.full(_WINDOW, 1 / _WINDOW), "same"))
    end = int(np.flatnonzero(loudness > _SILENT * np.abs(sound).max())[-1]) + 1
    fade = round(_FADE * end)
    short = sound[:end].copy()
    short[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade)) ** 2
    return short


def _resampled(sound: npt.NDArray[np.float64], rate: int) -> npt.NDArray[np.float64]:
    """Resamples a sound by FFT to a lower rate, without aliasing."""
    padded = np.concatenate(
        [sound, np.zeros(-len(sound) % RATE)]
    )  # whole seconds: whole numbers of samples at every rate
    count = len(padded) * rate // RATE
    spectrum = np.fft.rfft(padded)[: count // 2 + 1]
    fewer = np.fft.irfft(spectrum, count) * rate / RATE
    return np.asarray(fewer[: math.ceil(len(sound) * rate / RATE)])
