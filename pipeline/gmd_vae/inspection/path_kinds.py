"""Detects the kind of a path: MIDI file, folder or archive of them, NoteSequences or examples."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import as_command, printable
from gmd_vae.datasets.archives import archive_kind
from gmd_vae.datasets.midi_files import is_midi_file
from gmd_vae.midi.tfrecord import SUFFIXES, read_records
from gmd_vae.windows.notes_input import split_files

PathKind = Literal["midi", "files", "notes", "examples"]


def kind_of_path(path: Path) -> PathKind:
    """Detects the kind of a path from its name, its manifest or its first record.

    Args:
        path: File or folder.

    Returns:
        ``midi`` (one MIDI file), ``files`` (a folder or an archive of MIDI files, and every folder of unknown
        kind, whose reader then names the problem), ``notes`` (NoteSequences) or ``examples``.

    Raises:
        GmdVaeError: The path does not exist, cannot be read, or only holds output folders of gmd-vae.
    """
    shown = printable(str(path), limit=None)
    try:
        if path.is_dir():
            return _kind_of_folder(path, shown)
        if not path.exists():
            raise GmdVaeError(
                f"'{shown}' does not exist", "Give a MIDI file, a folder or an archive of them, or a folder of ours."
            )
        if not path.is_file():
            return "files"
        if is_midi_file(path):
            return "midi"
        if archive_kind(path) is not None:
            return "files"
        return "notes" if _is_tfrecord(path) else "files"
    except OSError as error:
        raise GmdVaeError(f"'{shown}' cannot be read ({error.strerror})", "Check its permissions.") from None


def _kind_of_folder(path: Path, shown: str) -> PathKind:
    stage = manifest.stage_of(path)
    if stage == "preprocess":
        return "examples"
    if stage == "convert" or split_files(path):
        return "notes"
    if stage is None:
        below = sorted(child for child in path.iterdir() if (child / manifest.NAME).is_file())
        ours = [child for child in below if manifest.stage_of(child) in ("convert", "preprocess")]
        if ours:
            names = ", ".join(printable(child.name) for child in ours[:5]) + (", ..." if len(ours) > 5 else "")
            first = as_command("inspect", ours[0])
            raise GmdVaeError(f"'{shown}' holds folders of ours: {names}", f"Name one: {first}")
    return "files"


def _is_tfrecord(path: Path) -> bool:
    """Returns True if a file is named like a TFRecord file or begins with a whole record."""
    if path.name.endswith(SUFFIXES):
        return True
    try:
        return next(read_records(path), None) is not None
    except GmdVaeError:
        return False
