"""The windows of a section by Magenta's converters of melodies, trios and several instruments, and why there are none.

The converters are the truth about windows. What they leave out they leave out in silence; ``music_parts`` looks for
the reasons. Chords that a section does not say are inferred here: Magenta takes half a minute for a song.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from gmd_vae.configuration.window_specs import MagentaWindows
from gmd_vae.midi.chord_inference import has_chords, infer_chords
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.cutting.section_content import ANY_PROGRAM, PIANO, Ensemble, Requirements, tempo_of, window_bars
from gmd_vae.windows.extraction import Dropped, Tensors

_BEFORE = 1e-6  # seconds
_WITH_WINDOWS = ("melodies_cut_off", "trios_cut_off", "few_instruments", "many_instruments")


class PlacedTensors(NamedTuple):
    """A window, its first bar in its section, from 0, or ``None`` where that is not known; and the section's number."""

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
    most = 100 if kind == "melody" else None
    return Requirements(kind, windows.bars, programs, most, windows.controls == "chords")


def prepare_converter(converter: Any) -> None:
    """Makes a converter that is ours alone give repeats too, in the order of time, and read each chord symbol once.

    Magenta's melody converter takes the windows through a set; with chords, which are text, their order
    differs from process to process.
    """
    if hasattr(converter, "_dedupe_event_lists"):
        converter._dedupe_event_lists = False
    if encoding := getattr(converter, "_chord_encoding", None):
        encoding.encode_event = functools.cache(encoding.encode_event)


def convert_section(
    converter: Any, requirements: Requirements, section: NoteSequence, dropped: Dropped
) -> list[PlacedTensors]:
    """All windows of a section, of equal ones the first; what gave none is added to ``dropped``.

    Args:
        converter: as ``prepare_converter`` leaves it.
        requirements: of the converter.
        section: music without changes of tempo or time signature; the chords are added to it.
        dropped: the counts of what gives no window are added to it.
    """
    own = Dropped()
    bars = window_bars(requirements, section, own)
    chords = ""
    if bars and requirements.chords:
        chords = "given" if has_chords(section) else "inferred"
        if chords == "inferred" and not _add_chords(section, requirements):
            dropped.reasons["no_chords"] += 1
            return []
        if requirements.kind == "tracks":
            # Magenta cuts bar by bar, and leaves out a bar whose first chord lies a rounding error behind its start
            for text in section.text_annotations:
                text.time = max(0.0, text.time - _BEFORE)
    windows = convert(converter, section)
    if not windows:
        if bars and chords == "given":
            own.reasons["bad_chords"] += 1
        elif bars:
            own.reasons.update({"event_count": len(bars)} if requirements.kind == "tracks" else {"no_windows": 1})
        dropped.add(own)
        return []
    dropped.reasons.update({reason: own.reasons[reason] for reason in _WITH_WINDOWS})
    if chords:
        dropped.chords[chords] += 1
    if requirements.kind == "tracks":
        dropped.reasons["event_count"] += max(0, len(bars) - len(windows))
    known = bars if len(bars) == len(windows) else [None] * len(windows)
    if requirements.kind != "melody":  # Magenta keeps repeats of the others
        return [PlacedTensors(window, bar) for window, bar in zip(windows, known, strict=True)]
    found: dict[bytes, PlacedTensors] = {}
    for window, bar in zip(windows, known, strict=True):
        found.setdefault(window.outputs.tobytes() + window.controls.tobytes(), PlacedTensors(window, bar))
    dropped.reasons["repeated"] += len(windows) - len(found)
    return list(found.values())


def locate_bars(converter: Any, section: NoteSequence, found: list[PlacedTensors]) -> list[PlacedTensors]:
    """The windows of several instruments with their bars: each bar is converted once more, alone."""
    whole = note_seq_module("sequences_lib").apply_sustain_control_changes(section)
    parts = note_seq_module("sequences_lib").split_note_sequence(whole, 240 / tempo_of(section))
    bars = [bar for bar, part in enumerate(parts) if part.notes and convert(converter, part)]
    if len(bars) != len(found):
        return found
    return [placed._replace(bar=bar) for placed, bar in zip(found, bars, strict=True)]


def convert(converter: Any, section: NoteSequence) -> list[Tensors]:
    """What a converter makes of a section."""
    tensors = converter.to_tensors(section)
    return [
        Tensors(inputs, outputs, np.asarray(controls), tuple(np.atleast_1d(length).tolist()))
        for inputs, outputs, controls, length in zip(*tensors, strict=True)
    ]


def _add_chords(section: NoteSequence, requirements: Requirements) -> bool:
    """Adds the chords that Magenta would infer, from the notes that it would; whether it could."""
    heard, steps_per_quarter = section, 4
    if requirements.kind == "tracks":
        heard, steps_per_quarter = note_seq_module("sequences_lib").apply_sustain_control_changes(section), 24
    elif any(note.pitch not in PIANO for note in section.notes):
        heard = NoteSequence()
        heard.CopyFrom(section)
        del heard.notes[:]
        heard.notes.extend(note for note in section.notes if note.pitch in PIANO)
    before = len(heard.text_annotations)
    if not infer_chords(heard, steps_per_quarter):
        return False
    if heard is not section:
        section.text_annotations.extend(heard.text_annotations[before:])
    return True
