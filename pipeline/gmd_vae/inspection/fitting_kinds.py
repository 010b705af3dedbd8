"""Counts the windows that each kind of config finds in a NoteSequence. Does not import Magenta.

A kind is coarser than a family: drums, melodies, trios or tracks (several instruments), each with the shortest windows
of its configs.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.midi.sequence_limits import is_too_large, is_within_limits
from gmd_vae.windows.cutting.beat_time import at_one_tempo
from gmd_vae.windows.cutting.drum_windows import placed_windows
from gmd_vae.windows.cutting.section_content import REQUIREMENTS, window_bars
from gmd_vae.windows.extraction import REASONS, Dropped

_DRUMS = DrumWindows(slice_bars=2)  # the shortest of all configs


class FittingKind(NamedTuple):
    """The windows that one kind of config finds.

    Attributes:
        name: ``drums``, ``melody``, ``trio`` or ``tracks``.
        bars: Bars of the kind's shortest windows.
        windows: Number of windows, repeats included.
        dropped: Music that gave no window.
    """

    name: str
    bars: int
    windows: int
    dropped: Dropped


def fitting_kinds_of_record(record: bytes) -> list[FittingKind]:
    """Returns the windows of each kind in a NoteSequence in protobuf wire format; empty for other bytes."""
    if is_too_large(record):
        return []
    try:
        return fitting_kinds(NoteSequence.FromString(record))
    except DecodeError:
        return []


def fitting_kinds(sequence: Any) -> list[FittingKind]:
    """Returns the windows of each kind in a NoteSequence, also for kinds without windows."""
    dropped = Dropped()
    notes = notes_of(sequence)
    within_limits = is_within_limits(sequence, notes)
    music = at_one_tempo(sequence, notes)
    windows = sum(1 for _ in placed_windows(_DRUMS, music.sequence, dropped, music.notes))
    found = [FittingKind("drums", _DRUMS.slice_bars, windows, dropped)]
    sections = []
    if within_limits:
        # note_seq raises many kinds of errors, for example for times that are not numbers
        with contextlib.suppress(Exception):
            sections = note_seq_module("sequences_lib").split_note_sequence_on_time_changes(music.sequence)
    for name, requirements in REQUIREMENTS.items():
        dropped = Dropped()
        dropped.reasons["beyond_limits"] += not within_limits
        windows = sum(len(window_bars(requirements, section, dropped)) for section in sections if section.notes)
        found.append(FittingKind(name, requirements.bars, windows, dropped))
    return found


def describe_kinds(sequence: Any) -> list[dict[str, Any]]:
    """Returns the ``kinds`` of the JSON answer: the windows of each kind of config, and why music gave none."""
    return [
        {
            "kind": kind.name,
            "bars": kind.bars,
            "windows": kind.windows,
            "why": [
                {"count": count, "reason": REASONS[reason]}
                for reason, count in kind.dropped.as_json()["reasons"].items()
            ],
        }
        for kind in fitting_kinds(sequence)
    ]
