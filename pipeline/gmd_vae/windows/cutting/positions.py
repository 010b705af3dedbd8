"""Positions of the sections, stretches and drum windows of a NoteSequence, in bars and seconds."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.quarter_positions import TempoMap
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.drum_windows import placed_stretches, placed_windows, section_times
from gmd_vae.windows.extraction import Dropped, Labels

Split: TypeAlias = tuple[list[float], list[tuple[int, int, float]]]  # of ``section_times``


@dataclasses.dataclass(frozen=True)
class Section:
    """The music between two changes of time signature; with an impossible tempo in the file, also of tempo.

    Attributes:
        seconds: Start in seconds.
        bar: Start in bars, counted from 1 through the whole file; 3.5 is the middle of bar 3.
        bars: Length in bars.
        signature: Time signature, for example ``4/4``.
        bpm: Tempo in quarters per minute; the median of a tempo map.
    """

    seconds: float
    bar: float
    bars: float
    signature: str
    bpm: float


@dataclasses.dataclass(frozen=True)
class Place:
    """The grid of a window or stretch in music that was moved to one tempo.

    Attributes:
        begin: Start of its section in seconds.
        end: End of its section in seconds.
        steps_per_second: Steps of the grid in a second.
        step: Its first step, counted from the start of the section.
    """

    begin: float
    end: float
    steps_per_second: float
    step: int


@dataclasses.dataclass(frozen=True)
class Window:
    """A window.

    Attributes:
        seconds: Start in seconds.
        bar: Start in bars, counted from 1 through the whole file.
        bpm: Tempo in quarters per minute; the median of a tempo map.
        labels: Drum labels, int64 ``[steps]``.
        place: Its grid.
    """

    seconds: float
    bar: float
    bpm: float
    labels: Labels
    place: Place


@dataclasses.dataclass(frozen=True)
class Stretch:
    """Drums without a long pause.

    Attributes:
        bar: Start in bars, counted from 1 through the whole file.
        bpm: Tempo in quarters per minute; the median of a tempo map.
        labels: Drum labels, int64 ``[bars, steps_per_bar]``.
        place: Its grid.
    """

    bar: float
    bpm: float
    labels: Labels
    place: Place


def main_tempo(sequence: Any) -> float | None:
    """Returns the median tempo of a NoteSequence in quarter notes per minute; ``None`` without music."""
    tempos = TempoMap.of(sequence)
    if tempos is None or not sequence.total_time > 0:
        return None
    return tempos.tempo_between(0.0, float(tempos.to_quarters(sequence.total_time)))


def bars_at(music: Music, known: Sequence[Section], seconds: Sequence[float]) -> list[float]:
    """Returns times as bars, counted from 1 through the whole file; times outside the sections are left out.

    Args:
        music: Music that was moved to one tempo.
        known: Its sections.
        seconds: Times in the music as it was given.
    """
    found = []
    for time in seconds:
        number = bisect.bisect_right(known, time, key=lambda section: section.seconds) - 1
        if number < 0 or not math.isfinite(time):
            continue
        section = known[number]
        numerator, _, denominator = section.signature.partition("/")
        begin, end = music.given_quarters(section.seconds, section.bpm), music.given_quarters(time, section.bpm)
        quarters = 4 * int(numerator) / int(denominator) if int(denominator) else math.inf
        found.append(section.bar + (end - begin) / quarters if quarters > 0 else section.bar)
    return found


def sections(music: Music) -> list[Section]:
    """Returns the sections in the order of time; none if a time is not a number or there is no music.

    A new time signature begins a new bar.

    Args:
        music: Music that was moved to one tempo.
    """
    split = section_times(music.sequence)
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
        seconds = float(music.given_seconds(begin))
        bpm = music.given_tempo(begin, end, qpm)
        all_sections.append(Section(seconds, 1 + position, bars, f"{numerator}/{denominator}", bpm))
        position += bars
        before = (numerator, denominator)
    return all_sections


def windows(spec: DrumWindows, music: Music, dropped: Dropped) -> list[Window]:
    """Returns the windows of ``extract_drum_windows`` with the positions of their first occurrences.

    Args:
        spec: Settings of the windows.
        music: Music that was moved to one tempo.
        dropped: Receives the counts of the music that gives no window.
    """
    known, times = sections(music), section_times(music.sequence)
    found = []
    for placed in placed_windows(spec, music.sequence, dropped, music.notes):
        section = known[placed.section]
        begin, bpm, place = _place(spec, music, times, placed.section, placed.step, spec.slice_bars)
        labels: Labels = np.frombuffer(placed.data, np.int64)
        found.append(Window(begin, _bar(spec, section, placed.step), bpm, labels, place))
    return found


def stretches(spec: DrumWindows, music: Music, dropped: Dropped) -> list[Stretch]:
    """Returns the stretches that the windows are cut from, each at least one window long.

    Args:
        spec: Settings of the windows.
        music: Music that was moved to one tempo.
        dropped: Receives the counts of the music that gives no window.
    """
    known, times = sections(music), section_times(music.sequence)
    found = []
    for placed in placed_stretches(spec, music.sequence, dropped, music.notes):
        _, bpm, place = _place(spec, music, times, placed.section, placed.step, len(placed.labels))
        found.append(Stretch(_bar(spec, known[placed.section], placed.step), bpm, placed.labels, place))
    return found


def _place(
    spec: DrumWindows, music: Music, split: Split | None, section: int, step: int, bars: int
) -> tuple[float, float, Place]:
    """Returns the start in seconds, the tempo and the grid of some bars.

    Args:
        spec: Settings of the windows.
        music: Music that was moved to one tempo.
        split: Its sections, from ``section_times``.
        section: Number of the section.
        step: First step in the section.
        bars: Number of bars.
    """
    assert split is not None  # otherwise nothing is placed
    times, states = split
    qpm = states[section][2]
    step_seconds = 60 / (qpm * spec.steps_per_quarter) if qpm > 0 else 0.0
    begin = times[section] + step * step_seconds
    end = begin + bars * spec.steps_per_bar * step_seconds
    place = Place(times[section], times[section + 1], spec.steps_per_quarter * qpm / 60.0, step)
    return float(music.given_seconds(begin)), music.given_tempo(begin, end, qpm), place


def _bar(spec: DrumWindows, section: Section, step: int) -> float:
    return section.bar + step / spec.steps_per_bar
