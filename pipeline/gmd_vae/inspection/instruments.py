"""Describes the instruments of a NoteSequence."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from gmd_vae.common.printable import printable
from gmd_vae.midi.general_midi import instrument_name
from gmd_vae.windows.cutting import positions


def describe_instruments(sequence: Any) -> list[dict[str, Any]]:
    """Returns the ``instruments`` of the JSON answer: those with notes, in the order of the file."""
    names = {info.instrument: info.name for info in sequence.instrument_infos}
    parts: dict[tuple[int, int, bool], list[Any]] = defaultdict(list)
    for note in sequence.notes:
        parts[note.instrument, note.program, note.is_drum].append(note)
    return [
        {
            "instrument": instrument,
            "name": printable(names.get(instrument, "")),
            "program": program,
            "sound": "drums" if drums else instrument_name(program),
            "drums": drums,
            "notes": len(notes),
            "lowest": min(note.pitch for note in notes),
            "highest": max(note.pitch for note in notes),
            "bars": _bars(sequence, notes),
            "polyphonic": is_polyphonic(notes),
        }
        for (instrument, program, drums), notes in sorted(parts.items())
    ]


def is_polyphonic(notes: list[Any]) -> bool:
    """Returns True if two notes sound at the same time."""
    end = -math.inf
    for note in sorted(notes, key=lambda note: (note.start_time, note.end_time)):
        if note.start_time < end - 1e-6:
            return True
        end = max(end, note.end_time)
    return False


def _bars(sequence: Any, notes: list[Any]) -> list[float]:
    """Returns the bars, from 1, in which the first and the last note begin; empty where times are not finite."""
    ends = [min(note.start_time for note in notes), max(note.start_time for note in notes)]
    return [round(bar, 2) for bar in positions.bars_at(sequence, ends)]
