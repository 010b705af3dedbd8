"""What one MIDI file holds, and what a config finds in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError
from pipeline.examples import places
from pipeline.examples.extraction import Dropped
from pipeline.examples.spec import DrumWindows
from pipeline.inspection.facts import drum_pitches, seconds_of, voices
from pipeline.inspection.why import why_no_window
from pipeline.notes.midi import midi_to_note_sequence
from pipeline.sources.midi_files import list_midi_files
from pipeline.sources.names import printable

MAX_CHANGES = 1000  # of the tempo, in the answer: a damaged file may have one at each tick


def inspect_midi(path: Path, spec: DrumWindows, number: int | None = None) -> dict[str, Any]:
    """The figures of one MIDI file, as JSON has them (docs/folders.md).

    Args:
        path: the file.
        spec: how to cut.
        number: of the window to give with its labels, from 1; None: the first, if there is one.

    Raises:
        GmdVaeError: it cannot be read, or is no MIDI file.
        UsageError: it has no window of that number.
    """
    listing = list_midi_files(path)
    file = listing.files[0]
    sequence: Any = midi_to_note_sequence(file.read(), listing.collection, file.name)
    dropped = Dropped()
    found = places.windows(spec, sequence, dropped)
    if number is not None and number > len(found):
        raise UsageError(
            f"'{printable(path.name)}' has no window {number}: it has {len(found):,}",
            "Choose a smaller --window." if found else "Leave --window out: the answer says why there is none.",
        )
    shown = found[(number or 1) - 1] if found else None
    sections = places.sections(sequence)
    pitches = drum_pitches(sequence)
    tempos = [(tempo.time, tempo.qpm) for tempo in sequence.tempos]
    signatures = [(change.time, f"{change.numerator}/{change.denominator}") for change in sequence.time_signatures]
    return {
        "kind": "midi",
        "path": printable(str(path), limit=None),
        "seconds": round(seconds_of(sequence), 3),
        "bars": round(sections[-1].bar - 1 + sections[-1].bars, 2) if sections else 0.0,
        "tempos": {
            "count": len(tempos),
            "changes": [{"seconds": round(time, 3), "bpm": round(qpm, 3)} for time, qpm in tempos[:MAX_CHANGES]],
        },
        "time_signatures": {
            "count": len(signatures),
            "changes": [
                {"seconds": round(time, 3), "signature": signature} for time, signature in signatures[:MAX_CHANGES]
            ],
        },
        "instruments": _instruments(sequence),
        "notes": len(sequence.notes),
        "drum_notes": pitches.total(),
        "voices": voices(spec, pitches),
        "pitch_names": {str(pitch): name for pitch in sorted(pitches) if (name := _drum_name(pitch))},
        "dropped": dropped.as_json(),
        "windows": [{"seconds": round(window.seconds, 3), "bar": round(window.bar, 2)} for window in found],
        "shown": {"window": number or 1, "labels": shown.labels.tolist()} if shown else None,
        "why": why_no_window(spec, dropped) if not found else [],
        "grid": {
            "voices": list(spec.voice_names),
            "steps_per_bar": spec.steps_per_bar,
            "steps_per_quarter": spec.steps_per_quarter,
        },
    }


def _instruments(sequence: Any) -> list[dict[str, Any]]:
    """The instruments in the order of the file: those with notes."""
    import pretty_midi

    names = {info.instrument: info.name for info in sequence.instrument_infos}
    counts: Counter[tuple[int, int, bool]] = Counter()
    lowest: dict[tuple[int, int, bool], int] = {}
    highest: dict[tuple[int, int, bool], int] = {}
    for note in sequence.notes:
        key = (note.instrument, note.program, note.is_drum)
        counts[key] += 1
        lowest[key] = min(lowest.get(key, 127), note.pitch)
        highest[key] = max(highest.get(key, 0), note.pitch)
    return [
        {
            "name": printable(names.get(instrument, "")),
            "program": program,
            "sound": "drums" if drums else pretty_midi.program_to_instrument_name(program),
            "drums": drums,
            "notes": counts[instrument, program, drums],
            "lowest": lowest[instrument, program, drums],
            "highest": highest[instrument, program, drums],
        }
        for instrument, program, drums in sorted(counts)
    ]


def _drum_name(pitch: int) -> str:
    """General MIDI's name of a drum; empty for the pitches that have none."""
    import pretty_midi

    name: str = pretty_midi.note_number_to_drum_name(pitch)
    return name
