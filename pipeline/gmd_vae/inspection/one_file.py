"""Inspects one MIDI file: its tempos, instruments and drums, and the windows of a config in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from gmd_vae.common.errors import UsageError
from gmd_vae.common.printable import printable
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.datasets.midi_files import list_midi_files
from gmd_vae.inspection.fitting_drums import advice_for, grid_of
from gmd_vae.inspection.fitting_kinds import describe_kinds
from gmd_vae.inspection.instruments import describe_instruments
from gmd_vae.inspection.sequence_figures import drum_pitches, seconds_of, voices
from gmd_vae.inspection.why_no_window import why_no_window
from gmd_vae.midi.drum_channels import action_without_drums, drum_like_channels
from gmd_vae.midi.general_midi import DRUMS
from gmd_vae.midi.midi_io import MidiMusic, read_midi
from gmd_vae.midi.note_arrays import notes_of
from gmd_vae.midi.reader.account import Account
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.windows.cutting import positions
from gmd_vae.windows.cutting.beat_time import Music, at_one_tempo
from gmd_vae.windows.extraction import REASONS, Dropped, of_count
from gmd_vae.windows.fullest_window import fullest_regular
from gmd_vae.windows.repeated_loop import find_loop, known_drums, repeat_loop

# Finds the windows of a NoteSequence: section, bar in the section and parts of each.
FindWindows: TypeAlias = Callable[[Any, Dropped], list[dict[str, Any]]]

MAX_CHANGES = 1000  # maximum of tempo changes in the answer: a damaged file may have one at each tick


def inspect_midi(
    path: Path, spec: DrumWindows, number: int | None = None, reading: Reading = EVERY_HIT
) -> dict[str, Any]:
    """Inspects a MIDI file for a config of drum labels.

    Args:
        path: MIDI file.
        spec: Drum windows to cut.
        number: Number of the window to show with its labels, from 1; ``None``: the one that stands for the file, which
            ``gmd-vae generate`` takes, if there is one.
        reading: Rules for reading the file.

    Returns:
        The answer of ``gmd-vae inspect --json`` (docs/reference/json.md).

    Raises:
        GmdVaeError: The file cannot be read or is not MIDI.
        UsageError: There is no window of that number.
    """
    (sequence, account, _), data = _read(path, reading)
    dropped = Dropped()
    notes = notes_of(sequence)
    music = at_one_tempo(sequence, notes)
    found = positions.windows(spec, music, dropped)
    check_number(path, number, len(found))
    labels = np.array([window.labels for window in found], np.int64)
    taken = 1 + fullest_regular(labels.reshape(len(found), spec.slice_bars, -1)) if found else None
    number = number or taken
    pitches = drum_pitches(notes)
    figures = _config_free_figures(path, sequence, music, account)
    fitting = next(kind["config"] for kind in figures["kinds"] if kind["kind"] == "drums")
    advice = advice_for(fitting, "inspect") if fitting else ""
    return {
        **figures,
        **_drums_elsewhere(data, sequence, reading),
        "voices": voices(spec, pitches),
        "pitch_names": {str(pitch): DRUMS[pitch] for pitch in sorted(pitches) if pitch in DRUMS},
        "dropped": dropped.as_json(),
        "windows": [{"seconds": round(window.seconds, 3), "bar": round(window.bar, 2)} for window in found],
        "taken": taken,
        "shown": {"window": number, "labels": labels[number - 1].tolist()} if number else None,
        "why": [] if found else why_no_window(spec, dropped, advice, action_without_drums(data, reading)),
        "repeated_bars": None if found else _repeated_bars(spec, music),
        "hits_on": grid_of(music),
        "grid": {
            "voices": list(spec.voice_names),
            "steps_per_bar": spec.steps_per_bar,
            "steps_per_quarter": spec.steps_per_quarter,
            "steps_per_beat": spec.meter.steps_per_beat,
        },
    }


def _repeated_bars(spec: DrumWindows, music: Music) -> int | None:
    """Returns the length of a loop in bars that generate repeats to a window; ``None`` where there is none."""
    hits = known_drums(spec, music.notes)
    loop = find_loop(spec, music, hits)
    if loop is None or not loop.fills_a_window:
        return None
    return loop.bars if positions.windows(spec, repeat_loop(spec, music, hits, loop), Dropped()) else None


def inspect_parts(
    path: Path,
    find_windows: FindWindows,
    number: int | None = None,
    reading: Reading = EVERY_HIT,
    grid: DrumWindows | None = None,
) -> dict[str, Any]:
    """Inspects a MIDI file for a config of other music than drum labels.

    Args:
        path: MIDI file.
        find_windows: Finds the windows of a NoteSequence, and counts music that gave none.
        number: Number of the window to show, from 1; ``None``: all.
        reading: Rules for reading the file.
        grid: Drum classes and steps of the windows, where all notes are drums; else ``None``.

    Returns:
        The answer of ``gmd-vae inspect --json`` (docs/reference/json.md).

    Raises:
        GmdVaeError: The file cannot be read or is not MIDI.
        UsageError: There is no window of that number.
    """
    (sequence, account, _), data = _read(path, reading)
    dropped = Dropped()
    music = at_one_tempo(sequence, notes_of(sequence))
    sections = positions.sections(music)
    found = []
    for window in find_windows(sequence, dropped):
        section = sections[window["section"]] if window["section"] < len(sections) else None
        bar = None if section is None or window["bar"] is None else round(section.bar + window["bar"], 2)
        found.append({"bar": bar, "parts": window["parts"]})
    check_number(path, number, len(found))
    counts = dropped.as_json()
    loop = None if grid is None or found else find_loop(grid, music, known_drums(grid, music.notes))
    is_repeated = loop is not None and not loop.bar and loop.fills_a_window  # as the reader of GrooVAE does
    return {
        **_config_free_figures(path, sequence, music, account),
        **_drums_elsewhere(data, sequence, reading),
        "dropped": counts,
        "windows": found,
        "shown": {"window": number} if number else None,
        "why": [
            {"what": f"{count:,} {of_count(count, REASONS[reason])}", "next_action": ""}
            for reason, count in counts["reasons"].items()
            if not found
        ],
        "repeated_bars": loop.bars if loop is not None and is_repeated else None,
    }


def check_number(path: Path, number: int | None, count: int) -> None:
    """Checks that a window exists.

    Args:
        path: MIDI file, for the error.
        number: Number of the window, from 1, or ``None``.
        count: Number of windows in the file.

    Raises:
        UsageError: There is no window of that number.
    """
    if number is not None and number > count:
        raise UsageError(
            f"'{printable(path.name)}' has no window {number}: it has {count:,}",
            "Choose a smaller --window." if count else "Leave --window out: the answer then explains why.",
        )


def _read(path: Path, reading: Reading) -> tuple[MidiMusic, bytes]:
    """Reads a MIDI file; returns its bytes, too."""
    listing = list_midi_files(path)
    file = listing.files[0]
    data = file.read()
    return read_midi(data, listing.collection, file.name, reading), data


def _drums_elsewhere(data: bytes, sequence: Any, reading: Reading) -> dict[str, Any]:
    """Returns the channel whose notes look like drums, for a file without drums."""
    has_drums = any(note.is_drum for note in sequence.notes)
    channels = [] if has_drums else drum_like_channels(data, reading)
    return {"reading": reading.describe(), "drums_on_channel": channels[0] if channels else None}


def _config_free_figures(path: Path, sequence: Any, music: Music, account: Account) -> dict[str, Any]:
    """Returns the part of the answer that does not depend on a config."""
    sections = positions.sections(music)
    tempos = [(tempo.time, tempo.qpm) for tempo in sequence.tempos]
    signatures = [(change.time, f"{change.numerator}/{change.denominator}") for change in sequence.time_signatures]
    return {
        "kind": "midi",
        "path": printable(str(path), limit=None),
        "seconds": round(seconds_of(sequence), 3),
        "bars": round(sections[-1].bar - 1 + sections[-1].bars, 2) if sections else 0.0,
        "tempos": {
            "count": len(tempos),
            "assumed": account.assumes_tempo,
            "changes": [{"seconds": round(time, 3), "bpm": round(qpm, 3)} for time, qpm in tempos[:MAX_CHANGES]],
        },
        "time_signatures": {
            "count": len(signatures),
            "assumed": account.assumes_time_signature,
            "changes": [
                {"seconds": round(time, 3), "signature": signature} for time, signature in signatures[:MAX_CHANGES]
            ],
        },
        "instruments": describe_instruments(sequence, music, sections),
        "kinds": describe_kinds(sequence, music),
        "notes": len(sequence.notes),
        "drum_notes": drum_pitches(notes_of(sequence)).total(),
        **account.describe(),
    }
