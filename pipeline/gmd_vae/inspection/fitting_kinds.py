"""What kinds of config find windows in a NoteSequence, and why others do not. No Magenta."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.message import DecodeError

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.midi.note_sequence import NoteSequence, note_seq_module
from gmd_vae.windows.cutting.drum_windows import placed_windows
from gmd_vae.windows.cutting.section_content import FAMILIES, places
from gmd_vae.windows.extraction import Dropped

_DRUMS = DrumWindows(slice_bars=2)  # the shortest of all configs


class Family(NamedTuple):
    """What a kind of config finds.

    Attributes:
        name: ``drums``, ``melody``, ``trio`` or ``tracks``.
        bars: of its shortest windows.
        windows: how many, repeats too.
        dropped: what gave none.
    """

    name: str
    bars: int
    windows: int
    dropped: Dropped


def families_of(record: bytes) -> list[Family]:
    """What each kind finds in a NoteSequence (protobuf wire format); nothing where it is none."""
    try:
        return families_in(NoteSequence.FromString(record))
    except DecodeError:
        return []


def families_in(sequence: Any) -> list[Family]:
    """The same of a NoteSequence that was read."""
    dropped = Dropped()
    found = [Family("drums", _DRUMS.slice_bars, sum(1 for _ in placed_windows(_DRUMS, sequence, dropped)), dropped)]
    try:
        sections = note_seq_module("sequences_lib").split_note_sequence_on_time_changes(sequence)
    except Exception:  # times that are no numbers, and the like: note_seq raises what it likes
        sections = []
    for name, needs in FAMILIES.items():
        dropped = Dropped()
        windows = sum(len(places(needs, section, dropped)) for section in sections if section.notes)
        found.append(Family(name, needs.bars, windows, dropped))
    return found
