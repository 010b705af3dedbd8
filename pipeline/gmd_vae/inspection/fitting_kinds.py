"""Counts the windows that each kind of config finds in a NoteSequence. Does not import Magenta.

A kind is coarser than a family: drums, melodies, trios or tracks (several instruments). Drums are counted with the
config that fits them best (``fitting_drums.py``), the others with the shortest windows of their configs.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from gmd_vae.families.music import MUSIC, smallest_config
from gmd_vae.inspection.fitting_drums import fitting_drums
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.sequence_limits import is_too_large, is_within_limits
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.cutting.section_content import REQUIREMENTS, window_bars
from gmd_vae.windows.cutting.time_changes import split_on_time_changes
from gmd_vae.windows.extraction import REASONS, Dropped, of_count


class FittingKind(NamedTuple):
    """The windows that one kind of config finds.

    Attributes:
        name: ``drums``, ``melody``, ``trio`` or ``tracks``.
        config: Name of a config that fits; empty without windows.
        bars: Bars of its windows; of drums at most 4, else the kind's shortest.
        windows: Number of windows, repeats included.
        dropped: Music that gave no window.
    """

    name: str
    config: str
    bars: int
    windows: int
    dropped: Dropped


def fitting_kinds_of_record(record: bytes) -> list[FittingKind]:
    """Returns the windows of each kind in a NoteSequence in protobuf wire format; empty for other bytes."""
    sequence = _sequence_of(record)
    return [] if sequence is None else fitting_kinds(sequence, at_one_tempo(sequence, notes_of(sequence)))


def music_of(record: bytes) -> Music | None:
    """Returns the music of a NoteSequence in protobuf wire format, moved to one tempo; ``None`` for other bytes."""
    sequence = _sequence_of(record)
    return None if sequence is None else at_one_tempo(sequence, notes_of(sequence))


def _sequence_of(record: bytes) -> Any | None:
    if is_too_large(record):
        return None
    try:
        return NoteSequence.FromString(record)
    except DecodeError:
        return None


def fitting_kinds(sequence: Any, music: Music) -> list[FittingKind]:
    """Returns the windows of each kind in a NoteSequence, also for kinds without windows.

    Args:
        sequence: NoteSequence as it was given.
        music: The same music moved to one tempo.
    """
    within_limits = is_within_limits(sequence, notes_of(sequence))
    drums = fitting_drums(music)
    found = [FittingKind("drums", drums.config, drums.bars, drums.windows, drums.dropped)]
    sections = []
    if within_limits:
        with contextlib.suppress(ValueError):  # quantized times
            sections = split_on_time_changes(music.sequence)
    for name, requirements in REQUIREMENTS.items():
        dropped = Dropped()
        dropped.reasons["beyond_limits"] += not within_limits
        windows = sum(len(window_bars(requirements, section, dropped)) for section in sections if section.notes)
        config = smallest_config(MUSIC[name]) if windows else ""
        found.append(FittingKind(name, config, requirements.bars, windows, dropped))
    return found


def describe_kinds(sequence: Any, music: Music) -> list[dict[str, Any]]:
    """Returns the ``kinds`` of the JSON answer: the windows of each kind of config, and why music gave none."""
    return [
        {
            "kind": kind.name,
            "config": kind.config,
            "bars": kind.bars,
            "windows": kind.windows,
            "why": [
                {"count": count, "reason": of_count(count, REASONS[reason])}
                for reason, count in kind.dropped.as_json()["reasons"].items()
            ],
        }
        for kind in fitting_kinds(sequence, music)
    ]
