"""The manifest of a folder of ``convert``: its format, checked on reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.json_formats import Count, FileName
from gmd_vae.datasets.fetched import DataSource

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


class CountedEvents(msgspec.Struct, frozen=True):
    """Note-ons or other events.

    Attributes:
        count: Number of events.
        files: Files that have them.
    """

    count: Count
    files: CountedNames


class NoteOns(msgspec.Struct, frozen=True):
    """The note-ons of all files.

    Attributes:
        count: Number of note-ons with a velocity above 0.
        dropped: Reason → note-ons without a note.
        completed: Drum hits without an end in their file.
    """

    count: Count
    dropped: dict[str, CountedEvents]
    completed: CountedEvents


class NotesReading(msgspec.Struct, frozen=True):
    """The rules by which the MIDI files were read.

    Attributes:
        stock: True for the bytes of Magenta's stack.
    """

    stock: bool


class ConvertManifest(msgspec.Struct, frozen=True):
    """The fields of the manifest that commands read.

    Attributes:
        files: The TFRecord files.
        skipped: Reason → names of the MIDI files that were not converted.
        split_by: Origin of the splits.
        drums_on_channel: Channel → names of the MIDI files whose notes on it look like drums, but were not read so.
        input: The MIDI files.
        data_source: Fetched dataset that the MIDI files are of; ``None``: of none, or version 0.17 or earlier.
        reading: Rules for reading; ``None`` until version 0.9.0, which read as Magenta's stack.
        note_ons: The note-ons of all MIDI files; ``None`` until version 0.9.0.
        ignored_events: Reason → other events without effect.
        unmapped_drums: Pitch → drum notes of a pitch that the drum map lacks.
        assumed: Fact that files do not give → names of these files.
        input_sample: Shortened digests of some of the MIDI files; ``None`` until version 0.8.3.
    """

    files: list[NotesFile]
    skipped: dict[str, CountedNames] = {}
    split_by: str = ""
    drums_on_channel: dict[str, CountedNames] = {}
    input: ConvertInput = ConvertInput()
    data_source: DataSource | None = None
    reading: NotesReading | None = None
    note_ons: NoteOns | None = None
    ignored_events: dict[str, CountedEvents] = {}
    unmapped_drums: dict[str, CountedEvents] = {}
    assumed: dict[str, CountedNames] = {}
    input_sample: list[str] | None = None

    def account(self) -> dict[str, Any] | None:
        """Returns the fields of ``AccountSum.describe``; ``None`` for manifests until version 0.9.0."""
        if self.note_ons is None:
            return None
        fields = {
            "note_ons": self.note_ons,
            "ignored_events": self.ignored_events,
            "unmapped_drums": self.unmapped_drums,
            "assumed": self.assumed,
        }
        described: dict[str, Any] = msgspec.to_builtins(fields)
        return described


def read_convert_manifest(folder: Path, next_action: str) -> ConvertManifest:
    """Returns the manifest of a folder of ``convert``.

    Args:
        folder: The folder.
        next_action: The user's way to make it, as a sentence for the error.

    Raises:
        GmdVaeError: The folder is not one that ``convert`` wrote, or its manifest has another format.
    """
    return manifest.read(folder, STAGE, next_action, ConvertManifest)
