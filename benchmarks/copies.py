"""Enlarges a data set: copies of its MIDI files with small changes, so that no two copies are equal."""

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
    """Writes copies of every MIDI file, each copy into a folder of its own.

    Copy 0 is unchanged. In the others the nine drum classes are permuted, velocities are up to 9 lower or higher, and
    the tempo is up to a tenth slower. The same arguments give the same bytes.

    Args:
        source: Folder with MIDI files; other files are ignored.
        target: Folder of the copies; it may be new.
        times: Number of copies of each file.

    Returns:
        Number of written files.
    """
    files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    for path in files:
        original = np.frombuffer(path.read_bytes(), np.uint8)
        pitches, velocities = note_positions(original.tobytes())
        tempos = list(_ends_of(original.tobytes(), _TEMPO))
        for copy in range(times):
            data = original.copy()
            if copy:
                rng = random.Random(copy)
                data[pitches] = _drums(rng)[data[pitches]]
                louder = data[velocities].astype(int) + rng.randint(-9, 9)
                data[velocities] = np.where(data[velocities], louder.clip(1, 127), 0)  # 0 is a note-off
                for position in tempos:
                    value = data[position : position + 3].tobytes()
                    tempo = int.from_bytes(value, "big") * (1000 + rng.randrange(100))
                    data[position : position + 3] = list(min(tempo // 1000, 0xFFFFFF).to_bytes(3, "big"))
            written = target / f"{copy:03}" / path.relative_to(source)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(data.tobytes())
    return times * len(files)


def _drums(rng: random.Random) -> npt.NDArray[np.uint8]:
    """Returns the new pitch of each byte value, uint8 ``[256]``: a random permutation of the nine drum classes."""
    table = np.arange(256, dtype=np.uint8)
    order = rng.sample(range(len(NINE_CLASSES)), len(NINE_CLASSES))
    for pitches, other in zip(NINE_CLASSES, order, strict=True):
        for pitch in pitches:
            table[pitch] = NINE_CLASSES[other][0]
    return table


def note_positions(data: bytes) -> tuple[Positions, Positions]:
    """Returns the offsets of the pitches of all note events in a MIDI file, and of the velocities of all note-ons."""
    pitches, velocities = [], []
    start = 14
    while start + 8 <= len(data):
        end = start + 8 + int.from_bytes(data[start + 4 : start + 8], "big")
        offset, status = start + 8, 0
        while offset < min(end, len(data)):
            offset = _number(data, offset)[1]
            if data[offset] >= 0x80:
                status = data[offset]
                offset += 1
            if status in (0xFF, 0xF0, 0xF7):
                length, offset = _number(data, offset + (status == 0xFF))
                offset += length
                continue
            kind = status & 0xF0
            if kind in (0x80, 0x90):
                pitches.append(offset)
            if kind == 0x90:
                velocities.append(offset + 1)
            offset += 1 if kind in (0xC0, 0xD0) else 2
        start = end
    return np.array(pitches, np.int64), np.array(velocities, np.int64)


def _number(data: bytes, offset: int) -> tuple[int, int]:
    """Returns a variable-length number of MIDI, and the offset behind it."""
    value = 0
    while True:
        value = value << 7 | data[offset] & 0x7F
        offset += 1
        if data[offset - 1] < 0x80:
            return value, offset


def _ends_of(data: bytes, pattern: bytes) -> Iterator[int]:
    """Yields the offset behind each occurrence of a pattern."""
    offset = data.find(pattern)
    while offset >= 0:
        yield offset + len(pattern)
        offset = data.find(pattern, offset + 1)
