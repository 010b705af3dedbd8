"""Synthesises a drum kit from sines and noise; nothing is recorded.

No SoundFont is used: the licences of free ones (GPL, "free for non-commercial use", unknown samples) do not
fit a package under the Apache License 2.0, and the good ones are larger than the whole package.

The methods are those of analogue drum machines: a sine with falling pitch and a click for drums with a
skin; clusters of inharmonic partials and filtered noise for metal. All voices share one short reverb.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gmd_vae.rendering.drum_part import (
    CLOSED_HAT,
    CRASH,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    MID_TOM,
    OPEN_HAT,
    RIDE,
    SNARE,
    VOICES,
)

RATE = 44_100  # samples per second
LOUDNESS_EXPONENT = 1.3  # level of a stroke: force to this power
VELOCITY_STEPS = 16  # under 1.5 dB each at usual velocities; every stroke is computed once

Mono = npt.NDArray[np.float64]
Stereo = npt.NDArray[np.float32]

# Peak of each voice at full velocity before the limiter; 1.0 is full scale. Set by measured levels of real
# beats (bands, RMS, share of limited samples). Metal is clear at a third of the kick's level.
_PEAKS = (0.72, 0.66, 0.26, 0.30, 0.60, 0.58, 0.56, 0.46, 0.28)
_PANS = (0.0, 0.06, -0.34, -0.34, 0.42, 0.12, -0.22, -0.48, 0.46)  # -1 left to 1 right, as the drummer sits
_ROOM = (0.05, 0.16, 0.06, 0.06, 0.12, 0.12, 0.12, 0.08, 0.06)  # level of the reverb
_LOWEST = (24, 40, 5_000, 5_000, 24, 24, 24, 400, 500)  # Hz: corner of the high-pass filter
_ROOM_SECONDS = 0.45
_SEED = 20_180_313  # of all noise and partials


@functools.lru_cache(maxsize=len(VOICES) * VELOCITY_STEPS)
def stroke(voice: int, step: int) -> Stereo:
    """Computes one stroke with its reverb.

    Args:
        voice: Index into ``VOICES``.
        step: Velocity step, 0 to 15, as ``velocity_step`` returns it.

    Returns:
        Samples, float32 [samples, 2], read-only. They start at once, end in silence and have mean 0.
    """
    force = (step + 0.5) / VELOCITY_STEPS
    dry = _VOICES[voice](force)
    length = len(dry) + round(_ROOM_SECONDS * RATE)
    size = 1 << (length - 1).bit_length()
    room = _room_responses(size)
    s = 1j * np.fft.rfftfreq(size, 1 / RATE)
    # causal filters: no sound before the stroke; soft strokes are duller
    high_pass = (s / (_LOWEST[voice] + s)) ** 2
    low_pass = 1 / (1 + s / (5_000 + 15_000 * force**1.5))
    spectrum = np.fft.rfft(dry, size) * high_pass * low_pass
    sound = np.stack(
        [
            np.fft.irfft(spectrum * (gain + _ROOM[voice] * response), size)[:length]
            for gain, response in zip(_gains(_PANS[voice]), room, strict=True)
        ],
        axis=1,
    )
    sound *= _PEAKS[voice] * force**LOUDNESS_EXPONENT / np.abs(sound).max()
    fade = round(0.12 * RATE)
    sound[-fade:] *= np.cos(np.linspace(0, np.pi / 2, fade))[:, None] ** 2
    sound -= sound.mean(axis=0) * _hump(length)
    samples: Stereo = sound.astype(np.float32)
    samples.flags.writeable = False  # the cache shares them
    return samples


def velocity_step(velocity: int) -> int:
    """Returns the velocity step of a MIDI velocity, 0 to 15."""
    return min(max(velocity, 0), 127) * VELOCITY_STEPS // 128


# Each function below computes a dry stroke, mono float64 [samples], for a force from 0 (softest) to 1 (loudest).


def _kick(force: float) -> Mono:
    time = _time(0.5)
    sweep = 46 + (70 + 60 * force) * np.exp(-time / 0.028) + 260 * np.exp(-time / 0.004)
    body = np.sin(_phase(sweep)) * np.exp(-time / 0.13)
    click = _noise(KICK, len(time), 900, 5_000) * np.exp(-time / 0.0025) * (0.15 + 0.35 * force)
    return np.asarray(np.tanh(1.6 * body) * 0.8 + click)


def _snare(force: float) -> Mono:
    time = _time(0.42)
    bend = 1 + 0.25 * np.exp(-time / 0.008)
    body = np.sin(_phase(187 * bend)) * np.exp(-time / 0.085) + 0.6 * np.sin(_phase(334 * bend)) * np.exp(-time / 0.05)
    wires = _noise(SNARE, len(time), 1_400, 9_500)
    rattle = wires * (0.85 * np.exp(-time / 0.028) + 0.60 * np.exp(-time / 0.11))
    return np.asarray(0.36 * body + (0.60 + 0.40 * force) * rattle)


def _closed_hat(force: float) -> Mono:
    return _hat(0.22, 0.030 + 0.016 * force, tail=0.0)


def _open_hat(force: float) -> Mono:
    return _hat(1.1, 0.12, tail=0.30 + 0.06 * force)


def _hat(seconds: float, decay: float, tail: float) -> Mono:
    """Computes a hi-hat. Closed and open share their partials and their noise: they are the same two cymbals."""
    time = _time(seconds)
    envelope = np.exp(-time / decay)
    if tail:
        envelope = 0.45 * envelope + 0.55 * np.exp(-time / tail)
    metal = _metal(CLOSED_HAT, len(time), count=36, low=3_200, high=13_500)
    sizzle = _noise(CLOSED_HAT, round(1.1 * RATE), 6_500, 15_000)[: len(time)]
    tick = _noise(OPEN_HAT, len(time), 3_000, 12_000) * np.exp(-time / 0.002)
    return np.asarray((0.55 * metal + 0.65 * sizzle) * envelope + 0.5 * tick)


def _tom(pitch: float, decay: float, voice: int) -> Callable[[float], Mono]:
    def sound(force: float) -> Mono:
        time = _time(0.75)
        bend = 1 + (0.25 + 0.3 * force) * np.exp(-time / 0.035)
        body = np.sin(_phase(pitch * bend)) * np.exp(-time / decay)
        # the second mode of a round skin is 1.59 times the first
        overtone = np.sin(_phase(1.593 * pitch * bend)) * np.exp(-time / (decay / 3))
        stick = _noise(voice, len(time), 500, 4_500) * np.exp(-time / 0.006)
        skin = _noise(voice, len(time), 150, 1_200) * np.exp(-time / 0.05)
        return np.asarray(body + 0.3 * overtone + (0.10 + 0.15 * force) * stick + 0.08 * skin)

    return sound


def _crash(force: float) -> Mono:
    time = _time(2.4)
    rise = 1 - 0.6 * np.exp(-time / 0.012)  # a cymbal takes a moment to swing in full
    low = _metal(CRASH, len(time), count=50, low=320, high=4_500) * np.exp(-time / 0.75)
    high = _metal(RIDE + 1, len(time), count=60, low=4_000, high=14_000) * np.exp(-time / 0.42)
    wash = _noise(CRASH, len(time), 3_000, 14_000) * (
        0.5 * np.exp(-time / 0.10) + (0.35 + 0.2 * force) * np.exp(-time / 0.55)
    )
    return np.asarray((0.45 * low + 0.5 * high + wash) * rise)


def _ride(force: float) -> Mono:
    time = _time(1.7)
    bell = _metal(RIDE, len(time), count=14, low=900, high=6_200) * np.exp(-time / 0.42)
    wash = _metal(RIDE + 2, len(time), count=50, low=3_000, high=12_000) * np.exp(-time / 0.55)
    air = _noise(RIDE, len(time), 5_000, 13_000) * np.exp(-time / 0.30)
    stick = _noise(RIDE + 3, len(time), 2_500, 9_000) * np.exp(-time / 0.004)
    swell = 0.5 + 0.5 * force
    return np.asarray(0.55 * bell + swell * (0.30 * wash + 0.22 * air) + 0.8 * stick)


_VOICES: dict[int, Callable[[float], Mono]] = {
    KICK: _kick,
    SNARE: _snare,
    CLOSED_HAT: _closed_hat,
    OPEN_HAT: _open_hat,
    LOW_TOM: _tom(88, 0.26, LOW_TOM),
    MID_TOM: _tom(124, 0.22, MID_TOM),
    HIGH_TOM: _tom(172, 0.19, HIGH_TOM),
    CRASH: _crash,
    RIDE: _ride,
}


def _time(seconds: float) -> Mono:
    return np.arange(round(seconds * RATE)) / RATE


def _phase(frequency: Mono) -> Mono:
    """Returns the phase of a sine with changing frequency (Hz); the first phase is 0."""
    turns = np.cumsum(frequency) / RATE
    return np.asarray(2 * np.pi * (turns - turns[0]))


def _hump(length: int) -> npt.NDArray[np.float64]:
    """Returns an arch of mean 1 that removes the DC offset without a jump at either end."""
    return (1 - np.cos(2 * np.pi * np.arange(length) / length))[:, None]


@functools.lru_cache(maxsize=32)  # the same for all velocities
def _noise(seed: int, length: int, low: float, high: float) -> Mono:
    """Returns noise between two frequencies (Hz), with gentle slopes and RMS 0.3."""
    white = np.random.default_rng((_SEED, seed)).standard_normal(length)
    frequency = np.fft.rfftfreq(length, 1 / RATE)
    slopes = 1 / np.sqrt((1 + (low / np.maximum(frequency, 1)) ** 4) * (1 + (frequency / high) ** 6))
    noise = np.fft.irfft(np.fft.rfft(white) * slopes, length)
    return np.asarray(0.3 * noise / np.sqrt(np.mean(noise**2)))


@functools.lru_cache(maxsize=8)
def _metal(seed: int, length: int, *, count: int, low: float, high: float) -> Mono:
    """Returns inharmonic partials between two frequencies (Hz); high ones decay faster. RMS 0.3 at the start."""
    random = np.random.default_rng((_SEED, 1_000 + seed))
    frequencies = low * (high / low) ** np.sort(random.random(count))
    phases = 2 * np.pi * random.random(count)
    levels = 0.5 + random.random(count)
    # each partial is a power of a complex number; n = row * width + column makes all of them one product
    turns = (2j * np.pi - 1 / 9_000) * frequencies / RATE
    width = math.isqrt(length) + 1
    columns = np.exp(turns[:, None] * np.arange(width))
    rows = levels * np.exp(1j * phases + width * np.arange(width)[:, None] * turns)
    sound = (rows @ columns).imag.ravel()[:length]
    return np.asarray(0.3 * sound / np.sqrt(np.sum(levels**2) / 2))


def _gains(pan: float) -> tuple[float, float]:
    """Returns the gains of left and right for a pan from -1 to 1, with constant power."""
    angle = (pan + 1) * math.pi / 4
    return math.cos(angle), math.sin(angle)


@functools.lru_cache(maxsize=8)
def _room_responses(size: int) -> list[npt.NDArray[np.complex128]]:
    """Returns the spectra of a small room's impulse responses, one for each ear; they start after 9 ms."""
    time = _time(_ROOM_SECONDS)
    late = np.exp(-time / 0.085) * (time > 0.009)
    sides = [_noise(2_000 + side, len(time), 250, 5_000) * late for side in range(2)]
    return [np.fft.rfft(side / np.sqrt(np.sum(side**2)), size) for side in sides]
