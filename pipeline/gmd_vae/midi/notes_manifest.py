"""The manifest of a folder of ``convert``: its format, checked on reading."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.json_formats import Count, FileName

STAGE = "convert"


class NotesFile(msgspec.Struct, frozen=True):
    """One TFRecord file of NoteSequences.

    Attributes:
        name: File name.
        bytes: Size.
        sha256: SHA-256 in hexadecimal digits.
    """

    name: FileName
    bytes: Count
    sha256: str


class CountedNames(msgspec.Struct, frozen=True):
    """Names, of which only the first are listed.

    Attributes:
        count: Number of all names.
        names: The first names.
    """

    count: Count
    names: list[str]


class ConvertInput(msgspec.Struct, frozen=True):
    """The MIDI files that were converted.

    Attributes:
        collection: Name of the folder or archive.
        files: Number of files.
        sha256: SHA-256 of the list of the files' digests.
    """

    collection: str = ""
    files: Count = 0
    sha256: str = ""


class ConvertManifest(msgspec.Struct, frozen=True):
    """The fields of the manifest that commands read.

    Attributes:
        files: The TFRecord files.
        skipped: Reason → names of the MIDI files that were not converted.
        split_by: Origin of the splits.
        input: The MIDI files.
        input_sample: Shortened digests of some of the MIDI files; ``None`` until version 0.8.3.
    """

    files: list[NotesFile]
    skipped: dict[str, CountedNames] = {}
    split_by: str = ""
    input: ConvertInput = ConvertInput()
    input_sample: list[str] | None = None


def read_convert_manifest(folder: Path, next_action: str) -> ConvertManifest:
    """Returns the manifest of a folder of ``convert``.

    Args:
        folder: The folder.
        next_action: The user's way to make it, as a sentence for the error.

    Raises:
        GmdVaeError: The folder is not one that ``convert`` wrote, or its manifest has another format.
    """
    return manifest.read(folder, STAGE, next_action, ConvertManifest)
