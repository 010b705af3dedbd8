"""Positions of the windows that Magenta's converters find in a section, computed without Magenta.

Magenta's converters of melodies, trios and several instruments give no reason for missing windows. This module
repeats their search on the notes of a section (the music between two changes of time signature), and counts
the reasons.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.windows.cutting.section_meter import has_bars_of_four_quarters, tempo_of
from gmd_vae.windows.extraction import Dropped

# from magenta.models.music_vae.data; a test compares them with the package
MELODY_PROGRAMS = range(32)
BASS_PROGRAMS = range(32, 40)
ANY_PROGRAM = range(128)
PIANO = range(21, 109)  # pitches
MAX_TRIO_BARS = 1024
MAX_TRIOS = 1000  # of a melody, a bass and drums in a section: Magenta cuts windows of each
_TRIO_GAP = 2  # longest pause of an instrument in bars
_MIN_TRACKS, _MAX_TRACKS = 2, 8
_BAR = 16  # steps
_DRUM_PITCHES = frozenset(pitch for pitches in NINE_CLASSES for pitch in pitches)

Ensemble: TypeAlias = Literal["melody", "trio", "tracks"]


@dataclasses.dataclass(frozen=True)
class Requirements:
    """Requirements of a converter on a section.

    Attributes:
        kind: Instruments of a window: ``melody``: one; ``trio``: one melody, one bass and drums; ``tracks``: two to
            eight instruments.
        bars: Length of a window in bars.
        programs: MIDI programs that may play a melody.
        max_bars: Maximum length of a melody in bars, which is cut off there; ``None``: no limit.
        chords: True if the windows have chords as conditioning input.
    """

    kind: Ensemble
    bars: int
    programs: range = ANY_PROGRAM
    max_bars: int | None = None
    chords: bool = False


# The requirements of Magenta's configs with the shortest windows
REQUIREMENTS = {
    "melody": Requirements("melody", 2, MELODY_PROGRAMS, 100),
    "trio": Requirements("trio", 16),
    "tracks": Requirements("tracks", 1),
}


class _Note(NamedTuple):
    """A quantized note.

    Attributes:
        start: First step.
        end: Step behind the last one.
        pitch: MIDI pitch.
        in_melody: True if the note can belong to a melody: it is not a drum, and its velocity is above 0.
    """

    start: int
    end: int
    pitch: int
    in_melody: bool


def window_bars(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    """Returns the first bar (from 0) of each window that Magenta's converter cuts, in its order, with repeats.

    For several instruments these are all bars with two to eight instruments. Of these Magenta drops bars with too many
    or too few events.

    Args:
        requirements: Requirements of the converter.
        section: NoteSequence with times in seconds, without changes of tempo or time signature.
        dropped: Receives the reasons for missing windows.
    """
    if not _is_convertible(section, dropped):
        return []
    steps = _steps(section)
    if requirements.kind == "tracks":
        return _bars_with_tracks(section, dropped)
    if math.ceil(steps / _BAR) < requirements.bars and requirements.kind == "trio":
        dropped.reasons["short_section"] += 1
        return []
    return (_trios if requirements.kind == "trio" else _melodies)(requirements, section, dropped)


def _is_convertible(section: Any, dropped: Dropped) -> bool:
    """Returns True if times are finite and not negative, and bars have four quarters; else counts the reason."""
    times = [time for note in section.notes for time in (note.start_time, note.end_time)]
    if not all(map(math.isfinite, times)) or not math.isfinite(section.total_time) or not tempo_of(section) > 0:
        dropped.reasons["bad_times"] += 1
        return False
    if not has_bars_of_four_quarters(section.time_signatures[:1], dropped):
        return False
    if times and min(times) * tempo_of(section) / 15 + 0.5 <= -1:
        dropped.reasons["negative_times"] += 1
        return False
    return True


def _melodies(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    """Returns the first bars of melody windows: each instrument gives one at each bar of its melodies."""
    instruments = _quantized(section, requirements.programs, PIANO)
    if not instruments:
        dropped.reasons["no_melody"] += 1
        return []
    first_bars: list[int] = []
    for notes in instruments.values():
        for begin, bars in _melody_spans(notes):
            if requirements.max_bars is not None and bars > requirements.max_bars:
                dropped.reasons["melodies_cut_off"] += 1
                bars = requirements.max_bars
            first_bars += range(begin, begin + bars - requirements.bars + 1)
    if not first_bars:
        dropped.reasons["short_melodies"] += 1
    return first_bars


def _melody_spans(notes: Iterable[_Note]) -> list[tuple[int, int]]:
    """Returns first bar and number of bars of each melody of an instrument; a bar of silence ends a melody.

    As in ``note_seq``, the highest of several notes at one step belongs to the melody.
    """
    ordered = sorted(notes, key=lambda note: (note.start, -note.pitch))
    melodies: list[tuple[int, int]] = []
    search = place = 0
    while place < len(ordered):
        if ordered[place].start < search:
            place += 1
            continue
        begin = ordered[place].start // _BAR  # also for a drum note, as in note_seq
        on = off = -1
        for index in range(place, len(ordered)):
            note = ordered[index]
            if not note.in_melody or (off >= 0 and note.start == on):
                continue
            if off >= 0 and note.start - off >= _BAR:
                break
            on, off = note.start, note.end
        if off < 0:
            break
        bars = -(-off // _BAR) - begin
        melodies.append((begin, bars))
        search = (begin + bars) * _BAR
    return melodies


def _trios(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    """Returns the first bars of trio windows: those in which melody, bass and drums play without a long pause."""
    last = max((note.end_time for note in section.notes), default=0.0)
    bars = math.ceil(max(_steps(section), _step(last, tempo_of(section))) / _BAR)
    if bars > MAX_TRIO_BARS:
        dropped.reasons["trios_cut_off"] += 1
        bars = MAX_TRIO_BARS
    numbers = _trio_parts(section)
    for reason, instruments in zip(("no_melody_part", "no_bass_part", "no_drum_part"), numbers, strict=True):
        dropped.reasons[reason] += not instruments
    if not all(numbers):
        return []
    if math.prod(map(len, numbers)) > MAX_TRIOS:
        dropped.reasons["too_many_trios"] += 1
        return []
    playable: set[int] = set()  # instruments with a note that the model can represent
    coverage: Any = np.zeros((bars, 128), np.bool_)  # [bars, instruments]: True where an instrument plays
    tempo = tempo_of(section)
    for note in section.notes:
        number = note.instrument
        if number > 127:
            continue
        pitches: Container[int] = _DRUM_PITCHES if note.is_drum else PIANO
        if note.velocity and note.pitch in pitches:
            playable.add(number)
        start, end = _note_steps(note, tempo)
        coverage[start // _BAR : max(start // _BAR, math.ceil(end / _BAR)), number] = True
    coverage[:, [number for number in range(128) if number not in playable]] = False
    near: Any = np.zeros_like(coverage)  # True where an instrument plays within the longest pause
    for bar in range(bars):
        near[bar] = coverage[max(0, bar - _TRIO_GAP) : bar + _TRIO_GAP + 1].any(axis=0)
    first_bars: list[int] = []
    melodies, basses, drums = numbers
    for group in ([melody, bass, drum] for melody in melodies for bass in basses for drum in drums):
        if not playable.issuperset(group):
            continue
        all_play = near[:, group].all(axis=1)
        all_play[:_TRIO_GAP] = near[:_TRIO_GAP, group].any()
        all_play[-_TRIO_GAP:] = near[-_TRIO_GAP:, group].any()
        pauses = np.concatenate([[0], np.cumsum(~all_play)])
        first_bars += np.flatnonzero(pauses[requirements.bars :] == pauses[: -requirements.bars]).tolist()
    if not first_bars:
        dropped.reasons["not_together"] += 1
    return first_bars


def has_too_many_trios(section: Any) -> bool:
    """Returns True for more than ``MAX_TRIOS`` choices of a melody, a bass and drums."""
    return math.prod(map(len, _trio_parts(section))) > MAX_TRIOS


def _trio_parts(section: Any) -> list[list[int]]:
    """Returns the numbers of the melodies, of the basses and of the drums; an instrument with two roles has none."""
    parts: dict[int, str] = {}  # instrument -> melody, bass, drums or ""
    for note in section.notes:
        number, part = note.instrument, _part_of(note)
        if number <= 127 and parts.setdefault(number, part) != part:
            parts[number] = ""
    return [[number for number in sorted(parts) if parts[number] == part] for part in ("melody", "bass", "drums")]


def _bars_with_tracks(section: Any, dropped: Dropped) -> list[int]:
    """Returns the bars with two to eight instruments; the others are counted."""
    hop = 240 / tempo_of(section)
    cuts = np.arange(hop, section.total_time, hop)  # as in note_seq.split_note_sequence
    bars = len(cuts) + (section.total_time > (cuts[-1] if len(cuts) else 0.0))
    starts = np.array([note.start_time for note in section.notes])
    instruments = defaultdict(set)
    for bar, note in zip(np.searchsorted(cuts, starts, side="right").tolist(), section.notes, strict=True):
        instruments[bar].add(note.instrument)
    counts = [len(instruments[bar]) for bar in range(bars)]
    dropped.reasons["few_instruments"] += sum(count < _MIN_TRACKS for count in counts)
    dropped.reasons["many_instruments"] += sum(count > _MAX_TRACKS for count in counts)
    return [bar for bar, count in enumerate(counts) if _MIN_TRACKS <= count <= _MAX_TRACKS]


def _quantized(section: Any, programs: range, pitches: range) -> dict[int, list[_Note]]:
    """Returns instrument number → its notes, sorted by number; only instruments that can play a melody."""
    tempo = tempo_of(section)
    notes: dict[int, list[_Note]] = defaultdict(list)
    for note in section.notes:
        if note.program in programs and note.pitch in pitches:
            in_melody = bool(note.velocity) and not note.is_drum
            notes[note.instrument].append(_Note(*_note_steps(note, tempo), note.pitch, in_melody))
    return {number: notes[number] for number in sorted(notes) if any(note.in_melody for note in notes[number])}


def _part_of(note: Any) -> str:
    """Returns the part of a note in a trio: ``drums``, ``melody``, ``bass``, or empty for none."""
    if note.is_drum:
        return "drums"
    return "melody" if note.program in MELODY_PROGRAMS else "bass" if note.program in BASS_PROGRAMS else ""


def _note_steps(note: Any, tempo: float) -> tuple[int, int]:
    """Returns the first step of a note and the step behind its last one, in sixteenths."""
    start, end = _step(note.start_time, tempo), _step(note.end_time, tempo)
    return start, end + (end == start)


def _step(seconds: float, tempo: float) -> int:
    """Returns a time as the nearest sixteenth."""
    return int(seconds * (tempo / 60 * 4) + 0.5)


def _steps(section: Any) -> int:
    """Returns the length of a section in sixteenths."""
    return _step(section.total_time, tempo_of(section))
