"""A drum part as a sound file: strokes of the kit, mixed block by block, in a WAV file."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.common.files import whole_file
from gmd_vae.rendering.drum_part import CLOSED_HAT, CRASH, OPEN_HAT, RIDE, DrumPart
from gmd_vae.rendering.kit import RATE, Stereo, stroke, velocity_step

MAX_TAIL = 2.0  # seconds that the last strokes may ring on behind the end of the music
_SHORTEST = 0.1  # seconds: players stumble over files without a sample

_BLOCK = 1 << 18  # samples mixed at a time, 6 seconds: memory does not grow with the music
_KNEE, _CEILING = 0.70, 0.98  # of full scale: below the one nothing changes, above the other is nothing
_FADE_OUT = round(0.05 * RATE)  # samples

# How long a stroke still sounds when its drum is hit again, or its hi-hat closes: a skin that is hit
# moves at once to the new stroke, a cymbal rings through it.
_CHOKE = round(0.020 * RATE)
_LET_RING = round(0.300 * RATE)


@dataclasses.dataclass(frozen=True)
class _Stroke:
    """One stroke in the mix: where it begins, what it is, and its length if it is cut off, in samples."""

    start: int
    voice: int
    step: int
    cut: int | None


def write_wav(part: DrumPart, path: Path) -> float:
    """Writes the part as sound: 44.1 kHz, 16 bit, stereo. The same part gives the same bytes.

    The file is as long as the music, and up to 2 seconds longer where its last strokes ring on.

    Returns:
        Its length in seconds.
    """
    strokes = _strokes(part)
    frames = _length(part, strokes)
    with whole_file(path) as temporary, wave.open(str(temporary), "wb") as stream:
        stream.setnchannels(2)
        stream.setsampwidth(2)
        stream.setframerate(RATE)
        stream.setnframes(frames)
        for block in _blocks(strokes, frames):
            stream.writeframesraw(np.rint(_limited(block) * 32767).astype("<i2").tobytes())
    return frames / RATE


def _strokes(part: DrumPart) -> list[_Stroke]:
    """The hits by time; one that falls on another of the same voice within a sample is heard once, the louder."""
    starts = np.rint(part.times * RATE).astype(np.int64)
    louder: dict[tuple[int, int], int] = {}
    for start, voice, velocity in zip(starts.tolist(), part.voices.tolist(), part.velocities.tolist(), strict=True):
        louder[start, voice] = max(louder.get((start, voice), 0), velocity)
    strokes: list[_Stroke] = []
    next_of: dict[int, int] = {}  # voice → where it is hit next
    for (start, voice), velocity in sorted(louder.items(), reverse=True):
        ends = [next_of[voice]] if voice in next_of else []
        if voice == OPEN_HAT and next_of.get(CLOSED_HAT, start) > start:
            ends.append(next_of[CLOSED_HAT])
        strokes.append(_Stroke(start, voice, velocity_step(velocity), min(ends) - start if ends else None))
        next_of[voice] = start
    return strokes[::-1]


def _sound(played: _Stroke) -> Stereo:
    """A stroke as long as it sounds."""
    sound = stroke(played.voice, played.step)
    if played.cut is None or played.cut >= len(sound):
        return sound
    fade = _LET_RING if played.voice in (CRASH, RIDE) else _CHOKE
    sound = sound[: played.cut + fade].copy()
    rest = len(sound) - played.cut
    sound[played.cut :] *= np.linspace(1, 0, fade, dtype=np.float32)[:rest, None]
    return sound


def _length(part: DrumPart, strokes: list[_Stroke]) -> int:
    """Of the file, in samples."""
    music = round(max(part.seconds, _SHORTEST) * RATE)
    # the last stroke of each voice rings longest
    last = {played.voice: played for played in strokes}
    ends = [played.start + len(_sound(played)) for played in last.values()]
    return min(max([music, *ends]), music + round(MAX_TAIL * RATE))


def _blocks(strokes: list[_Stroke], frames: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yields the mix, ``[samples, 2]`` at a time; it fades out at the end."""
    ringing: Stereo = np.zeros((0, 2), np.float32)  # what the strokes of earlier blocks still have to say
    position = 0
    for begin in range(0, frames, _BLOCK):
        mix: Stereo = np.zeros((_BLOCK + len(ringing), 2), np.float32)
        mix[: len(ringing)] = ringing
        while position < len(strokes) and strokes[position].start < begin + _BLOCK:
            sound = _sound(strokes[position])
            start = strokes[position].start - begin
            if len(mix) < start + len(sound):
                mix = np.concatenate([mix, np.zeros((start + len(sound) - len(mix), 2), np.float32)])
            mix[start : start + len(sound)] += sound
            position += 1
        block, ringing = mix[: min(_BLOCK, frames - begin)], mix[_BLOCK:]
        left = np.arange(frames - begin, frames - begin - len(block), -1)  # samples until the end, at least 1
        block *= np.minimum(1, (left - 1) / _FADE_OUT).astype(np.float32)[:, None]
        yield block


def _limited(mix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Bends what is too loud, smoothly, so that nothing is ever cut off."""
    size = np.abs(mix.astype(np.float64))
    room = _CEILING - _KNEE
    bent = np.where(size <= _KNEE, size, _KNEE + room * np.tanh((size - _KNEE) / room))
    return np.asarray(np.copysign(bent, mix))
