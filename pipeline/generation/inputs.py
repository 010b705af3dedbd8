"""A MIDI file as the model's input: the windows its config finds in it.

Drum windows are found without TensorFlow; the other stock configs start it for Magenta's converters.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import GmdVaeError
from pipeline.examples.extraction import REASONS, Extraction, Labels
from pipeline.examples.spec import DrumWindows
from pipeline.models.extraction import extractor_for
from pipeline.models.registry import Config
from pipeline.notes.midi import MAX_BYTES, midi_to_note_sequence


@dataclasses.dataclass(frozen=True)
class InputWindow:
    """One window of a user's MIDI file.

    Attributes:
        file: where it comes from.
        inputs: the encoder's input, ``[steps, input_depth]``.
        length: its length as the converter gives it.
        found: how many windows the file holds; this is the first.
    """

    file: Path
    inputs: npt.NDArray[Any]
    length: Any
    found: int


def read_sequence(path: Path) -> bytes:
    """A MIDI file as a serialised NoteSequence.

    Raises:
        GmdVaeError: the file is missing, too large, or not MIDI.
    """
    if not path.is_file():
        raise GmdVaeError(f"Input MIDI '{path}' does not exist", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise GmdVaeError(f"'{path}' is larger than {MAX_BYTES >> 20} MiB", "Is it a MIDI file?")
    sequence = midi_to_note_sequence(path.read_bytes(), path.parent.name, str(path))
    data: bytes = sequence.SerializeToString()
    return data


def first_window(path: Path, config: Config) -> InputWindow:
    """The first window that a config finds in a MIDI file.

    Raises:
        GmdVaeError: the file cannot be read, or there is none; says what the converter saw.
    """
    extraction = extractor_for(config)(read_sequence(path))
    found = len(extraction.windows)
    if not found:
        raise _nothing_usable(path, extraction, config)
    window: Any = extraction.windows[0]
    if config.windows is None:
        return InputWindow(path, window.inputs, window.length, found)
    return InputWindow(path, labels_to_inputs(window, config.windows), config.windows.steps, found)


def _nothing_usable(path: Path, extraction: Extraction, config: Config) -> GmdVaeError:
    """The error for a file without a window: what the config wants and what the converter saw."""
    wanted = f"what '{config.name}' was trained on"
    if config.windows is not None:
        wanted = f"{config.windows.slice_bars} bars of {config.windows.quarters_per_bar}/4 drums"
    seen = [f"{count} {REASONS[reason]}" for reason, count in extraction.dropped.reasons.items() if count]
    signatures = ", ".join(extraction.dropped.time_signatures)
    if signatures:
        seen.append(f"time signature {signatures}")
    if extraction.dropped.pitches:
        pitches = ", ".join(str(pitch) for pitch in sorted(extraction.dropped.pitches))
        seen.append(f"drum notes that are no known drum (MIDI pitch {pitches})")
    return GmdVaeError(
        f"'{path}' holds nothing this config can use: it wants {wanted}, and the converter saw "
        f"{'; '.join(seen) or 'no notes'}",
        "Give another MIDI file.",
    )


def labels_to_inputs(labels: Labels, windows: DrumWindows) -> npt.NDArray[np.bool_]:
    """Labels of one window as the encoder's input.

    Args:
        labels: int64 ``[steps]``.
        windows: says how many drum classes there are, and whether the input is a roll.

    Returns:
        bool ``[steps, input_depth]``: the drum roll and "no hit", or the one-hot vectors.
    """
    if not windows.roll_input:
        return np.asarray(labels[:, None] == np.arange(windows.input_depth))
    hits = (labels[:, None] >> np.arange(len(windows.pitch_classes))) & 1
    return np.concatenate([hits.astype(bool), (labels == 0)[:, None]], axis=1)
