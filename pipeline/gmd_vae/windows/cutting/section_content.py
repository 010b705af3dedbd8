"""What a section holds for configs of melodies, of trios and of several instruments, without Magenta.

A section is the music between two changes of tempo or time signature. Magenta's converters say nothing
about what they leave out: this looks at the notes as they do, and says where they find windows and why not.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import defaultdict
from collections.abc import Container, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.windows.extraction import Dropped

# magenta.models.music_vae.data; a test holds them equal to the package's
MELODY_PROGRAMS = range(32)
BASS_PROGRAMS = range(32, 40)
ANY_PROGRAM = range(128)
PIANO = range(21, 109)  # pitches
MAX_TRIO_BARS = 1024
_TRIO_GAP = 2  # bars that an instrument may pause
_MIN_TRACKS, _MAX_TRACKS = 2, 8
_BAR = 16  # steps
_DEFAULT_TEMPO = 120.0
_DRUM_PITCHES = frozenset(pitch for pitches in NINE_CLASSES for pitch in pitches)

Ensemble: TypeAlias = Literal["melody", "trio", "tracks"]


@dataclasses.dataclass(frozen=True)
class Requirements:
    """What a config asks of a section.

    Attributes:
        kind: one voice; one each of melody, bass and drums; two to eight instruments.
        bars: of a window.
        programs: MIDI programs that may play a melody.
        max_bars: where a melody is cut off; ``None``: nowhere.
        chords: whether its windows come with chords.
    """

    kind: Ensemble
    bars: int
    programs: range = ANY_PROGRAM
    max_bars: int | None = None
    chords: bool = False


REQUIREMENTS = {
    "melody": Requirements("melody", 2, MELODY_PROGRAMS, 100),
    "trio": Requirements("trio", 16),
    "tracks": Requirements("tracks", 1),
}


class _Note(NamedTuple):
    start: int  # steps
    end: int
    pitch: int
    sounds: bool  # in a melody: it is no drum, and has a velocity


def window_bars(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    """The first bar (from 0) of each window that Magenta's converter cuts, in its order, repeats too.

    For several instruments only the bars with as many as a window takes: Magenta leaves out those with too
    many or too few events. Why there is nothing, or less, is added to ``dropped``.

    Args:
        requirements: what is looked for.
        section: a NoteSequence in seconds, without changes of tempo or time signature.
        dropped: the counts of what gives no window are added to it.
    """
    if not _is_in_four(section, dropped):
        return []
    steps = _steps(section)
    if requirements.kind == "tracks":
        return _bars_with_tracks(section, dropped)
    if math.ceil(steps / _BAR) < requirements.bars and requirements.kind == "trio":
        dropped.reasons["short_section"] += 1
        return []
    return (_trios if requirements.kind == "trio" else _melodies)(requirements, section, dropped)


def tempo_of(section: Any) -> float:
    """Quarters a minute."""
    return section.tempos[0].qpm if section.tempos else _DEFAULT_TEMPO


def _is_in_four(section: Any, dropped: Dropped) -> bool:
    """Whether its times are numbers and its bars have four quarters; counts it if not."""
    times = [time for note in section.notes for time in (note.start_time, note.end_time)]
    if not all(map(math.isfinite, times)) or not math.isfinite(section.total_time) or not tempo_of(section) > 0:
        dropped.reasons["bad_times"] += 1
        return False
    for signature in section.time_signatures[:1]:
        numerator, denominator = signature.numerator, signature.denominator
        possible = numerator > 0 and denominator > 0 and denominator & (denominator - 1) == 0
        if not possible or numerator != denominator:
            dropped.reasons["other_bar_length" if possible else "bad_time_signature"] += 1
            dropped.time_signatures[f"{numerator}/{denominator}"] += 1
            return False
    if times and min(times) * tempo_of(section) / 15 + 0.5 <= -1:
        dropped.reasons["negative_times"] += 1
        return False
    return True


def _melodies(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    instruments = _quantized(section, requirements.programs, PIANO)
    if not instruments:
        dropped.reasons["no_melody"] += 1
        return []
    found: list[int] = []
    for notes in instruments.values():
        for begin, bars in _voices(notes):
            if requirements.max_bars is not None and bars > requirements.max_bars:
                dropped.reasons["melodies_cut_off"] += 1
                bars = requirements.max_bars
            found += range(begin, begin + bars - requirements.bars + 1)
    if not found:
        dropped.reasons["short_melodies"] += 1
    return found


def _voices(notes: Iterable[_Note]) -> list[tuple[int, int]]:
    """First bar and number of bars of an instrument's melodies; a bar of silence is between two of them."""
    ordered = sorted(notes, key=lambda note: (note.start, -note.pitch))
    found: list[tuple[int, int]] = []
    search = place = 0
    while place < len(ordered):
        if ordered[place].start < search:
            place += 1
            continue
        begin = ordered[place].start // _BAR  # of a drum too, as in note_seq
        on = off = -1
        for note in itertools.islice(ordered, place, None):
            if not note.sounds or (off >= 0 and note.start == on):
                continue
            if off >= 0 and note.start - off >= _BAR:
                break
            on, off = note.start, note.end
        if off < 0:
            break
        bars = -(-off // _BAR) - begin
        found.append((begin, bars))
        search = (begin + bars) * _BAR
    return found


def _trios(requirements: Requirements, section: Any, dropped: Dropped) -> list[int]:
    last = max((note.end_time for note in section.notes), default=0.0)
    bars = math.ceil(max(_steps(section), _step(last, tempo_of(section))) / _BAR)
    if bars > MAX_TRIO_BARS:
        dropped.reasons["trios_cut_off"] += 1
        bars = MAX_TRIO_BARS
    parts: dict[int, str] = {}
    sounds: set[int] = set()  # instruments with a note that can be written
    coverage: Any = np.zeros((bars, 128), np.bool_)
    tempo = tempo_of(section)
    for note in section.notes:
        number = note.instrument
        if number > 127:
            continue
        part = _part_of(note)
        if parts.setdefault(number, part) != part:
            parts[number] = ""  # of two kinds: of none
        pitches: Container[int] = _DRUM_PITCHES if note.is_drum else PIANO
        if note.velocity and note.pitch in pitches:
            sounds.add(number)
        start, end = _note_steps(note, tempo)
        coverage[start // _BAR : max(start // _BAR, math.ceil(end / _BAR)), number] = True
    numbers = [[number for number in sorted(parts) if parts[number] == part] for part in ("melody", "bass", "drums")]
    for part, there in zip(("no_melody_part", "no_bass_part", "no_drum_part"), numbers, strict=True):
        dropped.reasons[part] += not there
    if not all(numbers):
        return []
    coverage[:, [number for number in range(128) if number not in sounds]] = False
    near: Any = np.zeros_like(coverage)
    for bar in range(bars):
        near[bar] = coverage[max(0, bar - _TRIO_GAP) : bar + _TRIO_GAP + 1].any(axis=0)
    found: list[int] = []
    melodies, basses, drums = numbers
    for group in ([melody, bass, drum] for melody in melodies for bass in basses for drum in drums):
        if not sounds.issuperset(group):
            continue
        all_play = near[:, group].all(axis=1)
        all_play[:_TRIO_GAP] = near[:_TRIO_GAP, group].any()
        all_play[-_TRIO_GAP:] = near[-_TRIO_GAP:, group].any()
        pauses = np.concatenate([[0], np.cumsum(~all_play)])
        found += np.flatnonzero(pauses[requirements.bars :] == pauses[: -requirements.bars]).tolist()
    if not found:
        dropped.reasons["not_together"] += 1
    return found


def _bars_with_tracks(section: Any, dropped: Dropped) -> list[int]:
    """The bars with two to eight instruments; the others are counted."""
    hop = 240 / tempo_of(section)
    cuts = np.arange(hop, section.total_time, hop)  # as note_seq.split_note_sequence has them
    bars = len(cuts) + (section.total_time > (cuts[-1] if len(cuts) else 0.0))
    starts = np.array([note.start_time for note in section.notes])
    plays = defaultdict(set)
    for bar, note in zip(np.searchsorted(cuts, starts, side="right").tolist(), section.notes, strict=True):
        plays[bar].add(note.instrument)
    counts = [len(plays[bar]) for bar in range(bars)]
    dropped.reasons["few_instruments"] += sum(count < _MIN_TRACKS for count in counts)
    dropped.reasons["many_instruments"] += sum(count > _MAX_TRACKS for count in counts)
    return [bar for bar, count in enumerate(counts) if _MIN_TRACKS <= count <= _MAX_TRACKS]


def _quantized(section: Any, programs: range, pitches: range) -> dict[int, list[_Note]]:
    """Instrument → its notes, in the order of the instruments' numbers; only those with notes of a melody."""
    tempo = tempo_of(section)
    found: dict[int, list[_Note]] = defaultdict(list)
    for note in section.notes:
        if note.program in programs and note.pitch in pitches:
            sounds = bool(note.velocity) and not note.is_drum
            found[note.instrument].append(_Note(*_note_steps(note, tempo), note.pitch, sounds))
    return {number: found[number] for number in sorted(found) if any(note.sounds for note in found[number])}


def _part_of(note: Any) -> str:
    """What a trio takes a note for."""
    if note.is_drum:
        return "drums"
    return "melody" if note.program in MELODY_PROGRAMS else "bass" if note.program in BASS_PROGRAMS else ""


def _note_steps(note: Any, tempo: float) -> tuple[int, int]:
    """Its first step and the one behind its last, in sixteenths."""
    start, end = _step(note.start_time, tempo), _step(note.end_time, tempo)
    return start, end + (end == start)


def _step(seconds: float, tempo: float) -> int:
    return int(seconds * (tempo / 60 * 4) + 0.5)


def _steps(section: Any) -> int:
    """Its length in sixteenths."""
    return _step(section.total_time, tempo_of(section))
