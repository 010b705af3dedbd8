"""Where the sections, stretches and windows of a NoteSequence begin, in seconds and bars."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.windows.cutting.drum_windows import placed_stretches, placed_windows, section_times
from gmd_vae.windows.extraction import Dropped, Labels


@dataclasses.dataclass(frozen=True)
class Section:
    """The music between two changes of tempo or time signature.

    Attributes:
        seconds: where it begins.
        bar: where it begins, counted from 1 through the whole file; 3.5 is the middle of bar 3.
        bars: how many bars it has.
        signature: such as ``4/4``.
        bpm: quarters per minute.
    """

    seconds: float
    bar: float
    bars: float
    signature: str
    bpm: float


@dataclasses.dataclass(frozen=True)
class Window:
    """One window: where it begins and its tempo (as in ``Section``), and its labels, int64 [steps]."""

    seconds: float
    bar: float
    bpm: float
    labels: Labels


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Drums without a long pause: where they begin and their tempo, and their labels, int64 [bars, steps_per_bar]."""

    bar: float
    bpm: float
    labels: Labels


def sections(sequence: Any) -> list[Section]:
    """The sections in the order of time; empty where the times are no numbers or there is no music.

    A new time signature begins a new bar; a new tempo need not.
    """
    split = section_times(sequence)
    if split is None:
        return []
    times, states = split
    found: list[Section] = []
    position = 0.0  # in bars
    before: tuple[int, int] | None = None
    for begin, end, (numerator, denominator, qpm) in zip(times, times[1:], states, strict=False):
        if before is not None and before != (numerator, denominator):
            position = math.ceil(position - 0.01)  # a hundredth: what rounding to ticks may add
        bars = (end - begin) * qpm / 60 / (4 * numerator / denominator) if numerator > 0 and denominator > 0 else 0.0
        bars = bars if math.isfinite(bars) and bars > 0 else 0.0
        found.append(Section(begin, 1 + position, bars, f"{numerator}/{denominator}", qpm))
        position += bars
        before = (numerator, denominator)
    return found


def windows(spec: DrumWindows, sequence: Any, dropped: Dropped) -> list[Window]:
    """The windows that ``extract_drum_windows`` finds, in its order, each with the place of its first occurrence.

    Args:
        spec: how to cut.
        sequence: a NoteSequence.
        dropped: the counts of what gave no window are added to it.
    """
    known = sections(sequence)
    return [
        _window(spec, known[placed.section], placed.step, placed.data)
        for placed in placed_windows(spec, sequence, dropped)
    ]


def stretches(spec: DrumWindows, sequence: Any, dropped: Dropped) -> list[Stretch]:
    """The stretches that the windows are cut from; each is at least as long as one. Arguments as for ``windows``."""
    known = sections(sequence)
    return [
        Stretch(_bar(spec, known[placed.section], placed.step), known[placed.section].bpm, placed.labels)
        for placed in placed_stretches(spec, sequence, dropped)
    ]


def _window(spec: DrumWindows, section: Section, step: int, data: bytes) -> Window:
    quarters = step / spec.steps_per_quarter
    seconds = section.seconds + (quarters * 60 / section.bpm if section.bpm > 0 else 0.0)
    return Window(seconds, _bar(spec, section, step), section.bpm, np.frombuffer(data, np.int64))


def _bar(spec: DrumWindows, section: Section, step: int) -> float:
    return section.bar + step / spec.steps_per_bar
