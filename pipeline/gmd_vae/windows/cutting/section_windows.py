"""The windows of one section, cut by one of Magenta's converters of melodies, trios or several instruments.

Magenta's converters decide about the windows. They give no reason for missing ones; ``section_content.py`` finds the
reasons. Missing chords are inferred by our own code, because Magenta's takes half a minute for a song.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from gmd_vae.configuration.window_specs import MagentaWindows
from gmd_vae.midi.chord_inference import has_chords, infer_chords
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.cutting.section_content import (
    ANY_PROGRAM,
    PIANO,
    REQUIREMENTS,
    Ensemble,
    Requirements,
    window_bars,
)
from gmd_vae.windows.cutting.section_meter import tempo_of
from gmd_vae.windows.extraction import Dropped, Tensors

_ROUNDING_ERROR = 1e-6  # seconds
# Reasons that also count in a section with windows
_WITH_WINDOWS = ("melodies_cut_off", "trios_cut_off", "few_instruments", "many_instruments")


class PlacedTensors(NamedTuple):
    """A window and its position.

    Attributes:
        window: The window.
        bar: First bar of the window in its section, from 0; ``None`` if it is not known.
        section: Number of the section in its NoteSequence, from 0.
    """

    window: Tensors
    bar: int | None = None
    section: int = 0


def requirements_of(kind: Ensemble, windows: MagentaWindows, converter: Any) -> Requirements:
    """Returns a converter's conditions on a section.

    Args:
        kind: ``melody``, ``trio`` or ``tracks``.
        windows: The windows that the converter cuts.
        converter: One of Magenta's converters.
    """
    programs = converter._valid_programs or ANY_PROGRAM if kind == "melody" else ANY_PROGRAM
    max_bars = REQUIREMENTS["melody"].max_bars if kind == "melody" else None
    return Requirements(kind, windows.bars, programs, max_bars, windows.controls == "chords")


def prepare_converter(converter: Any) -> None:
    """Disables a converter's removal of repeats, and caches its parsing of chord symbols.

    Magenta's melody converter collects windows in a Python set. Their order depends on hashes of text (chords), which
    differ from process to process. Without the set the windows are in the order of time.

    Args:
        converter: One of Magenta's converters that no other code uses; it is changed.
    """
    if hasattr(converter, "_dedupe_event_lists"):
        converter._dedupe_event_lists = False
    if encoding := getattr(converter, "_chord_encoding", None):
        encoding.encode_event = functools.cache(encoding.encode_event)


def convert_section(
    converter: Any, requirements: Requirements, section: NoteSequence, dropped: Dropped
) -> list[PlacedTensors]:
    """Returns the different windows of a section, each at its first position.

    Args:
        converter: Converter after ``prepare_converter``.
        requirements: Requirements of the converter.
        section: NoteSequence without changes of tempo or time signature. Missing chords are added to it.
        dropped: Receives the reasons for missing windows.
    """
    in_section = Dropped()  # which of these counts apply depends on the windows
    bars = window_bars(requirements, section, in_section)
    if in_section.reasons["too_many_trios"]:
        dropped.add(in_section)
        return []
    chords = ""
    if bars and requirements.chords:
        chords = _prepare_chords(section, requirements)
        if not chords:
            dropped.reasons["no_chords"] += 1
            return []
    windows = convert(converter, section)
    if not windows:
        if bars and chords == "given":
            in_section.reasons["bad_chords"] += 1
        elif bars and requirements.kind == "tracks":
            in_section.reasons["event_count"] += len(bars)
        elif bars:
            in_section.reasons["no_windows"] += 1
        dropped.add(in_section)
        return []
    dropped.reasons.update({reason: in_section.reasons[reason] for reason in _WITH_WINDOWS})
    if chords:
        dropped.chords[chords] += 1
    if requirements.kind == "tracks":
        dropped.reasons["event_count"] += max(0, len(bars) - len(windows))
    first_bars = bars if len(bars) == len(windows) else [None] * len(windows)
    placed = [PlacedTensors(window, bar) for window, bar in zip(windows, first_bars, strict=True)]
    # Magenta removes only repeats of melodies
    return _without_repeats(placed, dropped) if requirements.kind == "melody" else placed


def _without_repeats(placed: list[PlacedTensors], dropped: Dropped) -> list[PlacedTensors]:
    """Returns the first of equal windows, and counts the others."""
    distinct: dict[bytes, PlacedTensors] = {}
    for window in placed:
        distinct.setdefault(window.window.outputs.tobytes() + window.window.controls.tobytes(), window)
    dropped.reasons["repeated"] += len(placed) - len(distinct)
    return list(distinct.values())


def locate_bars(converter: Any, section: NoteSequence, found: list[PlacedTensors]) -> list[PlacedTensors]:
    """Finds the bars of windows of several instruments: converts each bar once more, alone.

    Args:
        converter: Converter after ``prepare_converter``.
        section: NoteSequence that the windows were cut from.
        found: Windows of ``convert_section``.

    Returns:
        The windows with their bars; unchanged if the bars give another number of windows.
    """
    whole = note_seq_module("sequences_lib").apply_sustain_control_changes(section)
    parts = note_seq_module("sequences_lib").split_note_sequence(whole, 240 / tempo_of(section))
    bars = [bar for bar, part in enumerate(parts) if part.notes and convert(converter, part)]
    if len(bars) != len(found):
        return found
    return [placed._replace(bar=bar) for placed, bar in zip(found, bars, strict=True)]


def convert(converter: Any, section: NoteSequence) -> list[Tensors]:
    """Returns the windows that a converter makes of a section.

    Args:
        converter: One of Magenta's converters.
        section: NoteSequence without changes of tempo or time signature.

    Raises:
        Exception: Any error of the converter.
    """
    tensors = converter.to_tensors(section)
    return [
        Tensors(inputs, outputs, np.asarray(controls), tuple(np.atleast_1d(length).tolist()))
        for inputs, outputs, controls, length in zip(*tensors, strict=True)
    ]


def _prepare_chords(section: NoteSequence, requirements: Requirements) -> str:
    """Adds chords to a section without chords; returns ``given``, ``inferred``, or "" if they cannot be inferred."""
    is_given = has_chords(section)
    if not is_given and not _add_chords(section, requirements):
        return ""
    if requirements.kind == "tracks":
        # Magenta cuts bar by bar, and drops a bar whose first chord lies a rounding error behind its start
        for text in section.text_annotations:
            text.time = max(0.0, text.time - _ROUNDING_ERROR)
    return "given" if is_given else "inferred"


def _add_chords(section: NoteSequence, requirements: Requirements) -> bool:
    """Adds the chords that Magenta would infer, from the same notes; returns True if chords can be inferred."""
    source, steps_per_quarter = section, 4
    if requirements.kind == "tracks":
        source, steps_per_quarter = note_seq_module("sequences_lib").apply_sustain_control_changes(section), 24
    elif any(note.pitch not in PIANO for note in section.notes):
        source = NoteSequence()
        source.CopyFrom(section)
        del source.notes[:]
        source.notes.extend(note for note in section.notes if note.pitch in PIANO)
    before = len(source.text_annotations)
    if not infer_chords(source, steps_per_quarter):
        return False
    if source is not section:
        section.text_annotations.extend(source.text_annotations[before:])
    return True
