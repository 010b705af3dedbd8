"""Describes the instruments of a NoteSequence, and the kinds of config that find windows in it."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from gmd_vae.datasets.safe_names import printable
from gmd_vae.inspection.fitting_kinds import fitting_kinds
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.extraction import REASONS


def describe_instruments(sequence: Any) -> list[dict[str, Any]]:
    """Returns the ``instruments`` of the JSON answer: those with notes, in the order of the file."""
    import pretty_midi

    names = {info.instrument: info.name for info in sequence.instrument_infos}
    parts: dict[tuple[int, int, bool], list[Any]] = defaultdict(list)
    for note in sequence.notes:
        parts[note.instrument, note.program, note.is_drum].append(note)
    return [
        {
            "instrument": instrument,
            "name": printable(names.get(instrument, "")),
            "program": program,
            "sound": "drums" if drums else pretty_midi.program_to_instrument_name(program),
            "drums": drums,
            "notes": len(parts[instrument, program, drums]),
            "lowest": min(note.pitch for note in parts[instrument, program, drums]),
            "highest": max(note.pitch for note in parts[instrument, program, drums]),
            "bars": _bars(sequence, parts[instrument, program, drums]),
            "polyphonic": is_polyphonic(parts[instrument, program, drums]),
        }
        for instrument, program, drums in sorted(parts)
    ]


def is_polyphonic(notes: list[Any]) -> bool:
    """Tests if two notes sound at the same time."""
    end = -math.inf
    for note in sorted(notes, key=lambda note: (note.start_time, note.end_time)):
        if note.start_time < end - 1e-6:
            return True
        end = max(end, note.end_time)
    return False


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


def _bars(sequence: Any, notes: list[Any]) -> list[float]:
    """Returns the bars, from 1, in which the first and the last note begin; empty where times are not finite."""
    sections = positions.sections(sequence)
    found = []
    for time in (min(note.start_time for note in notes), max(note.start_time for note in notes)):
        before = [section for section in sections if section.seconds <= time]
        if before and math.isfinite(time):
            section = before[-1]
            numerator, _, denominator = section.signature.partition("/")
            bar = 240 * int(numerator) / int(denominator) / section.bpm if section.bpm > 0 else math.inf
            found.append(round(section.bar + (time - section.seconds) / bar, 2))
    return found
