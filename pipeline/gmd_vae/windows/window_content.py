"""Contents of a window in musical terms: the instruments, their notes and their range. No TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.midi.general_midi import instrument_name

# note_seq.MelodyOneHotEncoding: classes 0 (no event) and 1 (note off), then the pitches from 21 (A0)
_FIRST_NOTE, _LOWEST = 2, 21
# MultiInstrumentPerformanceConverter: 128 note-on events first; 129 programs and an end token last
_PITCHES, _PROGRAMS = 128, 129
_DRUMS = 128  # program number of drums


def label_part(name: str, labels: npt.NDArray[np.integer[Any]]) -> dict[str, Any]:
    """Returns the drum part of a window.

    Args:
        name: Name of the part.
        labels: Drum labels, integers ``[steps]``.
    """
    return part(name, sum(int(label).bit_count() for label in labels))


def stream_part(name: str, classes: npt.NDArray[np.int64]) -> dict[str, Any]:
    """Returns the part that a stream plays.

    Args:
        name: Name of the stream; ``drums`` has drum labels as classes.
        classes: Class of each step, int64 ``[steps]``.
    """
    if name == "drums":
        return label_part(name, classes)
    pitches = classes[classes >= _FIRST_NOTE] - _FIRST_NOTE + _LOWEST
    return part(name, len(pitches), pitches)


def track_parts(outputs: npt.NDArray[Any], tracks: int) -> list[dict[str, Any]]:
    """Returns the parts of a window of several instruments.

    Args:
        outputs: One-hot events, bool ``[steps, depth]``, track behind track.
        tracks: Number of tracks.
    """
    parts = []
    depth = outputs.shape[1]
    for track in np.split(outputs, tracks):
        tokens = track.argmax(axis=1)[track.any(axis=1)]
        if not len(tokens) or tokens[0] == depth - 1:
            continue  # the end token: the window has no more tracks
        program = int(tokens[0]) - (depth - 1 - _PROGRAMS)
        notes = tokens[1:][tokens[1:] < _PITCHES]
        if program == _DRUMS:
            parts.append(part("drums", len(notes)))
        elif 0 <= program < _DRUMS:
            parts.append(part(instrument_name(program), len(notes), notes))
    return parts


def part(name: str, notes: int, pitches: npt.NDArray[np.int64] | None = None) -> dict[str, Any]:
    """Returns a part as ``gmd-vae inspect --json`` shows it.

    Args:
        name: Name of the part.
        notes: Number of notes.
        pitches: MIDI pitches of the notes, int64 ``[notes]``; ``None`` for drums.

    Returns:
        ``name``, ``notes``, and the ``lowest`` and ``highest`` pitch (``None`` for drums).
    """
    if pitches is None or not len(pitches):
        return {"name": name, "notes": notes, "lowest": None, "highest": None}
    return {"name": name, "notes": notes, "lowest": int(pitches.min()), "highest": int(pitches.max())}
