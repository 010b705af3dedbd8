"""Positions of the sections, stretches and drum windows of a NoteSequence, in bars and seconds."""

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
        seconds: Start in seconds.
        bar: Start in bars, counted from 1 through the whole file; 3.5 is the middle of bar 3.
        bars: Length in bars.
        signature: Time signature, for example ``4/4``.
        bpm: Tempo in quarters per minute.
    """

    seconds: float
    bar: float
    bars: float
    signature: str
    bpm: float


@dataclasses.dataclass(frozen=True)
class Window:
    """A window.

    Attributes:
        seconds: Start in seconds.
        bar: Start in bars, counted from 1 through the whole file.
        bpm: Tempo in quarters per minute.
        labels: Drum labels, int64 ``[steps]``.
    """

    seconds: float
    bar: float
    bpm: float
    labels: Labels


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Drums without a long pause.

    Attributes:
        bar: Start in bars, counted from 1 through the whole file.
        bpm: Tempo in quarters per minute.
        labels: Drum labels, int64 ``[bars, steps_per_bar]``.
    """

    bar: float
    bpm: float
    labels: Labels


def sections(sequence: Any) -> list[Section]:
    """Returns the sections in the order of time; none if a time is not a number or there is no music.

    A new time signature begins a new bar; a new tempo may lie within a bar.

    Args:
        sequence: NoteSequence.
    """
    split = section_times(sequence)
    if split is None:
        return []
    times, states = split
    all_sections: list[Section] = []
    position = 0.0  # in bars
    before: tuple[int, int] | None = None
    for begin, end, (numerator, denominator, qpm) in zip(times, times[1:], states, strict=False):
        if before is not None and before != (numerator, denominator):
            position = math.ceil(position - 0.01)  # tolerance for times rounded to MIDI ticks
        bars = (end - begin) * qpm / 60 / (4 * numerator / denominator) if numerator > 0 and denominator > 0 else 0.0
        bars = bars if math.isfinite(bars) and bars > 0 else 0.0
        all_sections.append(Section(begin, 1 + position, bars, f"{numerator}/{denominator}", qpm))
        position += bars
        before = (numerator, denominator)
    return all_sections


def windows(spec: DrumWindows, sequence: Any, dropped: Dropped) -> list[Window]:
    """Returns the windows of ``extract_drum_windows`` with the positions of their first occurrences.

    Args:
        spec: Settings of the windows.
        sequence: NoteSequence.
        dropped: Receives the counts of the music that gives no window.
    """
    known = sections(sequence)
    return [
        _window(spec, known[placed.section], placed.step, placed.data)
        for placed in placed_windows(spec, sequence, dropped)
    ]


def stretches(spec: DrumWindows, sequence: Any, dropped: Dropped) -> list[Stretch]:
    """Returns the stretches that the windows are cut from, each at least one window long.

    Args:
        spec: Settings of the windows.
        sequence: NoteSequence.
        dropped: Receives the counts of the music that gives no window.
    """
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
