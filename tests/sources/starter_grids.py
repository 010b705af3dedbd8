"""Grooves of the starter set, and the files made of them, on a grid of sixteenths."""

from __future__ import annotations

import random

import mido

from pipeline.examples.spec import NINE_CLASSES
from pipeline.sources import starter
from pipeline.sources.starter_notation import VOICES, Groove, Hit

CLASS_OF_PITCH = {pitch: index for index, pitches in enumerate(NINE_CLASSES) for pitch in pitches}
BAR, PHRASE = 16, 64
GROOVES = starter.load_grooves()


def labels(notes: list[tuple[int, int]], steps: int) -> tuple[int, ...]:
    """(step, pitch) pairs as Magenta's drum labels: bit i says that a drum of class i begins there."""
    grid = [0] * steps
    for step, pitch in notes:
        grid[step] |= 1 << CLASS_OF_PITCH[pitch]
    return tuple(grid)


def written(hits: list[Hit] | tuple[Hit, ...], steps: int) -> tuple[int, ...]:
    return labels([(hit.step, VOICES[hit.voice]) for hit in hits], steps)


def quantised(midi: mido.MidiFile) -> tuple[int, ...]:
    """A file's labels, each onset on the nearest sixteenth, as note_seq rounds: halves go up."""
    notes = [(int(tick / 120 + 0.5), message.note) for tick, message in onsets(midi)]
    return labels(notes, starter.REPEATS * PHRASE)


def onsets(midi: mido.MidiFile) -> list[tuple[int, mido.Message]]:
    found, tick = [], 0
    for message in midi.tracks[0]:
        tick += message.time
        if message.type == "note_on":
            found.append((tick, message))
    return found


def windows(grid: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Every four bars that begin at a bar."""
    return {grid[start : start + PHRASE] for start in range(0, len(grid) - PHRASE + 1, BAR)}


def rng(seed: int) -> random.Random:
    return random.Random(seed)


def performer(groove: Groove, seed: int) -> random.Random:
    """The generator that ``perform`` starts with: what it plays is ``arrange`` with this one."""
    return random.Random(f"{seed}/{groove.name}")
