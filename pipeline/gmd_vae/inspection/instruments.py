"""Describes the instruments of a NoteSequence."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from gmd_vae.common.printable import printable
from gmd_vae.midi.general_midi import instrument_name
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import Music


def describe_instruments(sequence: Any, music: Music, sections: list[positions.Section]) -> list[dict[str, Any]]:
    """Returns the ``instruments`` of the JSON answer: those with notes, in the order of the file.

    Args:
        sequence: NoteSequence as it was given.
        music: The same music moved to one tempo.
        sections: Its sections.
    """
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
            "bars": _bars(music, sections, notes),
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


def _bars(music: Music, sections: list[positions.Section], notes: list[Any]) -> list[float]:
    """Returns the bars, from 1, in which the first and the last note begin; empty where times are not finite."""
    starts = [note.start_time for note in notes]
    return [round(bar, 2) for bar in positions.bars_at(music, sections, [min(starts), max(starts)])]
