"""A user's MIDI file, and one window of it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.safe_names import printable
from gmd_vae.midi.midi_io import MAX_BYTES, midi_to_note_sequence
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.windows.extraction import Labels


@dataclasses.dataclass(frozen=True)
class InputWindow:
    """One window of a user's MIDI file.

    Attributes:
        file: where it comes from.
        inputs: the encoder's input, ``[steps, input_depth]``.
        length: its length as the converter gives it.
        found: how many windows the file holds.
        number: which of them this is, from 1; ``None``: the last bars of all.
        labels: of a drum config, int64 ``[steps]``; else ``None``.
        tempo: quarters a minute; ``None`` where it is not known.
        controls: what steers the decoder, ``[steps, control_depth]``; ``None`` of a drum config.
        outputs: what the decoder should write, ``[steps, output_depth]``; ``None`` where it is not known, or labels.
        kept: GrooVAE: the hits that the decoder is given, float ``[steps, drums]``, NaN where it draws.
        is_silent: whether it has no notes.
    """

    file: Path
    inputs: npt.NDArray[Any]
    length: Any
    found: int
    number: int | None = 1
    labels: Labels | None = None
    tempo: float | None = None
    controls: npt.NDArray[Any] | None = None
    outputs: npt.NDArray[Any] | None = None
    kept: npt.NDArray[np.float32] | None = None
    is_silent: bool = False


def read_sequence(path: Path) -> NoteSequence:
    """A MIDI file as a NoteSequence.

    Raises:
        GmdVaeError: the file is missing, too large, or not MIDI.
    """
    if path.is_dir():
        raise GmdVaeError(f"Input MIDI '{name_of(path)}' is a folder", "Name one MIDI file in it.")
    if not path.is_file():
        raise GmdVaeError(f"Input MIDI '{name_of(path)}' does not exist", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise GmdVaeError(f"'{name_of(path)}' is larger than {MAX_BYTES >> 20} MiB", "Is it a MIDI file?")
    return midi_to_note_sequence(path.read_bytes(), path.parent.name, str(path))


def name_of(path: Path) -> str:
    """A path as it is shown."""
    return printable(str(path), limit=None)
