"""A data set made larger: copies of its MIDI files with small changes, so that no two are the same music."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gmd_vae.configuration.window_specs import NINE_CLASSES

Positions = npt.NDArray[np.int64]
_TEMPO = b"\xff\x51\x03"


def write_copies(source: Path, target: Path, times: int) -> int:
    """Writes every file so many times, each copy into a folder of its own.

    In copy 0 nothing is changed. In each other one the nine drums change places, the hits are a
    little softer or louder, and the tempo is up to a tenth slower. The same arguments give the same bytes.

    Args:
        source: a folder with MIDI files; all else in it is left out.
        target: made, if it is not there.
        times: copies of each file.

    Returns:
        The number of files written.
    """
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    for path in files:
        original = np.frombuffer(path.read_bytes(), np.uint8)
        pitches, velocities = note_positions(original.tobytes())
        tempos = list(_places(original.tobytes(), _TEMPO))
        for copy in range(times):
            data = original.copy()
            if copy:
                rng = random.Random(copy)
                data[pitches] = _drums(rng)[data[pitches]]
                louder = data[velocities].astype(int) + rng.randint(-9, 9)
                data[velocities] = np.where(data[velocities], louder.clip(1, 127), 0)  # 0 is a note-off
                for place in tempos:
                    tempo = int.from_bytes(data[place : place + 3].tobytes(), "big") * (1000 + rng.randrange(100))
                    data[place : place + 3] = list(min(tempo // 1000, 0xFFFFFF).to_bytes(3, "big"))
            written = target / f"{copy:03}" / path.relative_to(source)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(data.tobytes())
    return times * len(files)


def _drums(rng: random.Random) -> npt.NDArray[np.uint8]:
    """For each pitch the one that takes its place: the drums of the nine classes change places."""
    table = np.arange(256, dtype=np.uint8)
    order = rng.sample(range(len(NINE_CLASSES)), len(NINE_CLASSES))
    for pitches, other in zip(NINE_CLASSES, order, strict=True):
        for pitch in pitches:
            table[pitch] = NINE_CLASSES[other][0]
    return table


def note_positions(data: bytes) -> tuple[Positions, Positions]:
    """Where the pitches of a file's note events are, and where the velocities of its note-ons are."""
    pitches, velocities = [], []
    start = 14
    while start + 8 <= len(data):
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
        place, status = start + 8, 0
        while place < min(end, len(data)):
            place = _number(data, place)[1]
            if data[place] >= 0x80:
                status = data[place]
                place += 1
            if status in (0xFF, 0xF0, 0xF7):
                length, place = _number(data, place + (status == 0xFF))
                place += length
                continue
            kind = status & 0xF0
            if kind in (0x80, 0x90):
                pitches.append(place)
            if kind == 0x90:
                velocities.append(place + 1)
            place += 1 if kind in (0xC0, 0xD0) else 2
        start = end
    return np.array(pitches, np.int64), np.array(velocities, np.int64)


def _number(data: bytes, place: int) -> tuple[int, int]:
    """A variable-length number, and the place behind it."""
    value = 0
    while True:
        value = value << 7 | data[place] & 0x7F
        place += 1
        if data[place - 1] < 0x80:
            return value, place


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    """Where something ends, each time that it comes."""
    place = data.find(wanted)
    while place >= 0:
        yield place + len(wanted)
        place = data.find(wanted, place + 1)
