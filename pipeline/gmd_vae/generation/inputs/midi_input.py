"""The music of a user's MIDI file, read once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import read_regular
from gmd_vae.midi.drum_channels import action_without_drums
from gmd_vae.midi.midi_io import read_midi
from gmd_vae.midi.note_sequence import NoteSequence
from gmd_vae.midi.reader.account import Account
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.refusals import MAX_BYTES


@dataclasses.dataclass(frozen=True)
class MidiInput:
    """A MIDI file, or music from Python.

    Attributes:
        file: The file; for music from Python its name in messages.
        sequence: The music.
        data: Bytes of the file; empty for music that was never MIDI.
        account: Use of the file's events; ``None`` for music that was never MIDI.
        reading: Rules with which it was read.
    """

    file: Path
    sequence: NoteSequence
    data: bytes = b""
    account: Account | None = None
    reading: Reading = EVERY_HIT

    @property
    def name(self) -> str:
        """The file without control characters, for messages."""
        return shown_path(self.file)

    def action_without_drums(self) -> str:
        """Returns the next action for music without drums, as a sentence."""
        if not self.data:
            return "Mark its drums: is_drum is true for their notes."
        return action_without_drums(self.data, self.reading)


def read_midi_file(path: Path, reading: Reading = EVERY_HIT) -> MidiInput:
    """Reads a MIDI file.

    Args:
        path: MIDI file.
        reading: Rules for reading it.

    Raises:
        GmdVaeError: The file is missing, too large, or not MIDI.
    """
    if path.is_dir():
        raise GmdVaeError(f"Input MIDI '{shown_path(path)}' is a folder", "Name one MIDI file in it.")
    if not path.is_file():
        raise GmdVaeError(f"Input MIDI '{shown_path(path)}' does not exist", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise GmdVaeError(f"'{shown_path(path)}' is larger than {MAX_BYTES >> 20} MiB", "Is it a MIDI file?")
    return read_midi_bytes(read_regular(path, MAX_BYTES), path, reading)


def read_midi_bytes(data: bytes, file: Path, reading: Reading = EVERY_HIT) -> MidiInput:
    """Reads the bytes of a MIDI file.

    Args:
        data: The bytes.
        file: The file, or a name for messages.
        reading: Rules for reading it.

    Raises:
        GmdVaeError: They are not MIDI.
    """
    sequence, account, _ = read_midi(data, file.parent.name, str(file), reading)
    return MidiInput(file, sequence, data, account, reading)


def shown_path(path: Path) -> str:
    """Returns a path without control characters, for messages."""
    return printable(str(path), limit=None)
