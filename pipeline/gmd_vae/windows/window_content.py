"""What is in a window of tensors, in the words of a musician: which instruments play how many notes. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.registry import get_config
from gmd_vae.families.output_spec import Output, Stream, output_of
from gmd_vae.windows.extraction import Tensors

# note_seq: classes of a melody stream are no event, note off, and the pitches of a piano
_FIRST_NOTE, _LOWEST = 2, 21
# classes of a track's events: 128 note ons first; 129 programs and an end token last
_PITCHES, _PROGRAMS = 128, 129
_DRUMS = 128  # as a program


def parts_of(window: Tensors, output: Output) -> list[dict[str, Any]]:
    """The parts of a window, each with its ``name``, ``notes``, and ``lowest`` and ``highest`` pitch.

    The pitches are None without notes, and of drums.

    Args:
        window: as its converter made it.
        output: what the config writes; not of kind ``labels`` or ``roll``.
    """
    if output.kind == "groove":
        return [_part("drums", int((window.outputs[:, : window.outputs.shape[1] // 3] > 0).sum()))]
    if output.is_events:
        return _tracks(window.outputs, output)
    return [
        _of_stream(window.outputs[:, stream.start : stream.stop].argmax(axis=1), stream) for stream in output.streams
    ]


def parts_by_config(name: str) -> Callable[[Tensors], list[dict[str, Any]]]:
    """``parts_of`` for the windows of a config.

    Raises:
        UsageError: there is no config of that name.
    """
    output = output_of(get_config(name))
    return lambda window: parts_of(window, output)


def _of_stream(classes: npt.NDArray[np.int64], stream: Stream) -> dict[str, Any]:
    if stream.name == "drums":
        return _part("drums", sum(int(label).bit_count() for label in classes))
    pitches = classes[classes >= _FIRST_NOTE] - _FIRST_NOTE + _LOWEST
    return _part(stream.name, len(pitches), pitches)


def _tracks(outputs: npt.NDArray[Any], output: Output) -> list[dict[str, Any]]:
    import pretty_midi

    found = []
    depth = outputs.shape[1]
    for track in np.split(outputs, output.tracks):
        tokens = track.argmax(axis=1)[track.any(axis=1)]
        if not len(tokens) or tokens[0] == depth - 1:
            continue  # the end token: no more tracks
        program = int(tokens[0]) - (depth - 1 - _PROGRAMS)
        notes = tokens[1:][tokens[1:] < _PITCHES]
        if program == _DRUMS:
            found.append(_part("drums", len(notes)))
        elif 0 <= program < _DRUMS:
            found.append(_part(pretty_midi.program_to_instrument_name(program), len(notes), notes))
    return found


def _part(name: str, notes: int, pitches: npt.NDArray[np.int64] | None = None) -> dict[str, Any]:
    if pitches is None or not len(pitches):
        return {"name": name, "notes": notes, "lowest": None, "highest": None}
    return {"name": name, "notes": notes, "lowest": int(pitches.min()), "highest": int(pitches.max())}
