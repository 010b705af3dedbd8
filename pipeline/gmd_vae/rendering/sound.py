"""Renders a drum part as a WAV file: strokes of the kit, mixed block by block."""

from __future__ import annotations

import dataclasses
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gmd_vae.common.files import whole_file
from gmd_vae.common.own_files import add_mark
from gmd_vae.rendering.bars import find_bars, to_seconds
from gmd_vae.rendering.drum_part import CLOSED_HAT, CRASH, OPEN_HAT, RIDE, DrumPart
from gmd_vae.rendering.kit import RATE, Stereo, stroke, velocity_step

MAX_TAIL = 2.0  # seconds that the last strokes may ring on after the end of the music
_SHORTEST = 0.1  # seconds: some players fail on files without samples

_BLOCK = 1 << 18  # samples mixed at a time, 6 seconds: memory does not grow with the length
_KNEE, _CEILING = 0.70, 0.98  # soft limiter, of full scale: linear below the knee, never above the ceiling
_FADE_OUT = round(0.05 * RATE)  # samples
_LONGEST = round(3.0 * RATE)  # samples: no stroke of the kit is longer
_NOTHING: Stereo = np.zeros((0, 2), np.float32)

# Samples that a stroke rings on when its drum is hit again or its hi-hat closes: a new hit stops a skin at
# once, and a cymbal rings through it.
_CHOKE = round(0.020 * RATE)
_LET_RING = round(0.300 * RATE)


@dataclasses.dataclass(frozen=True)
class _Stroke:
    """One stroke in the mix.

    Attributes:
        start: First sample.
        voice: Index into ``VOICES``.
        step: Velocity step of the kit.
        cut: Samples until the next stroke stops it, or ``None``.
    """

    start: int
    voice: int
    step: int
    cut: int | None


def write_wav(part: DrumPart, path: Path, *, tail: bool = False) -> float:
    """Writes the part as sound: 44.1 kHz, 16 bit, stereo. The same part gives the same bytes.

    The file is a loop: exactly as long as its bars, and strokes that ring on behind the last bar sound at the
    beginning, as they do when the part is repeated.

    Args:
        part: Drum part.
        path: WAV file to write.
        tail: The file starts from silence and ends with the music, or up to 2 seconds later where its last strokes ring
            on.

    Returns:
        Length of the sound in seconds.
    """
    if tail:
        strokes = _strokes(part)
        frames = _length(part, strokes)
        blocks = _faded(_blocks(strokes, frames), frames)
    else:
        frames = _loop_length(part)
        strokes = _strokes(part, frames)
        blocks = _blocks(strokes, frames, _wrapped(strokes, frames))
    with whole_file(path) as temporary:
        with wave.open(str(temporary), "wb") as stream:
            stream.setnchannels(2)
            stream.setsampwidth(2)
            stream.setframerate(RATE)
            stream.setnframes(frames)
            for block in blocks:
                stream.writeframesraw(np.rint(_limited(block) * 32767).astype("<i2").tobytes())
        add_mark(temporary)
    return frames / RATE


def _strokes(part: DrumPart, period: int | None = None) -> list[_Stroke]:
    """Returns the strokes by time. Of hits of one voice on the same sample, only the loudest stays.

    Args:
        part: Drum part.
        period: Samples after which the part begins again, so that its first strokes stop the last ones; ``None``: it
            does not.
    """
    starts = np.rint(part.times * RATE).astype(np.int64)
    louder: dict[tuple[int, int], int] = {}
    for start, voice, velocity in zip(starts.tolist(), part.voices.tolist(), part.velocities.tolist(), strict=True):
        louder[start, voice] = max(louder.get((start, voice), 0), velocity)
    strokes: list[_Stroke] = []
    next_of: dict[int, int] = {}  # voice → start of its next stroke
    if period is not None:
        for start, voice in sorted(louder, reverse=True):
            next_of[voice] = start + period
    for (start, voice), velocity in sorted(louder.items(), reverse=True):
        ends = [next_of[voice]] if voice in next_of else []
        if voice == OPEN_HAT and next_of.get(CLOSED_HAT, start) > start:
            ends.append(next_of[CLOSED_HAT])
        strokes.append(_Stroke(start, voice, velocity_step(velocity), min(ends) - start if ends else None))
        next_of[voice] = start
    return strokes[::-1]


def _sound(played: _Stroke) -> Stereo:
    """Returns the samples of a stroke, faded out where the next one stops it."""
    sound = stroke(played.voice, played.step)
    if played.cut is None or played.cut >= len(sound):
        return sound
    fade = _LET_RING if played.voice in (CRASH, RIDE) else _CHOKE
    sound = sound[: played.cut + fade].copy()
    rest = len(sound) - played.cut
    sound[played.cut :] *= np.linspace(1, 0, fade, dtype=np.float32)[:rest, None]
    return sound


def _length(part: DrumPart, strokes: list[_Stroke]) -> int:
    """Returns the length of the file in samples."""
    music = round(max(part.seconds, _SHORTEST) * RATE)
    # the last stroke of each voice rings longest
    last = {played.voice: played for played in strokes}
    ends = [played.start + len(_sound(played)) for played in last.values()]
    return min(max([music, *ends]), music + round(MAX_TAIL * RATE))


def _loop_length(part: DrumPart) -> int:
    """Returns the length of all bars in samples."""
    end = find_bars(part, 1).end
    return round(max(float(to_seconds(part, np.array([end]))[0]), _SHORTEST) * RATE)


def _wrapped(strokes: list[_Stroke], frames: int) -> Stereo:
    """Returns the sound of strokes behind the end of a loop, at its beginning, float32 [frames or fewer, 2].

    Args:
        strokes: Strokes by time.
        frames: Length of the loop in samples.
    """
    behind: Stereo = np.zeros((0, 2), np.float32)
    for played in strokes:
        if played.start + _LONGEST <= frames:
            continue
        sound = _sound(played)[frames - played.start :]
        for begin in range(0, len(sound), frames):  # a cymbal may ring through several rounds of a short loop
            part = sound[begin : begin + frames]
            if len(behind) < len(part):
                behind = np.concatenate([behind, np.zeros((len(part) - len(behind), 2), np.float32)])
            behind[: len(part)] += part
    return behind


def _blocks(strokes: list[_Stroke], frames: int, ringing: Stereo = _NOTHING) -> Iterator[npt.NDArray[np.float32]]:
    """Yields the mix in blocks, float32 [samples, 2].

    Args:
        strokes: Strokes by time.
        frames: Number of samples.
        ringing: Sound that is there at the beginning; later the rest of strokes from earlier blocks.
    """
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
        yield block


def _faded(blocks: Iterator[npt.NDArray[np.float32]], frames: int) -> Iterator[npt.NDArray[np.float32]]:
    """Yields blocks of a mix of ``frames`` samples, faded out at the end."""
    begin = 0
    for block in blocks:
        left = np.arange(frames - begin, frames - begin - len(block), -1)  # samples until the end, at least 1
        block *= np.minimum(1, (left - 1) / _FADE_OUT).astype(np.float32)[:, None]
        begin += len(block)
        yield block


def _limited(mix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Applies a soft limiter (tanh above the knee), so that no sample clips."""
    size = np.abs(mix.astype(np.float64))
    room = _CEILING - _KNEE
    bent = np.where(size <= _KNEE, size, _KNEE + room * np.tanh((size - _KNEE) / room))
    return np.asarray(np.copysign(bent, mix))
