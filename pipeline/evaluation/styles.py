"""The style of each source file, from the catalogue of the collection that it comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.notes.midi import sequence_id
from pipeline.sources.info import MAX_INFO_BYTES, parse
from pipeline.sources.midi_files import INFO_NAME

_ID = re.compile(r"/id/midi/(?P<collection>.+)/[0-9a-f]{40}")


def find_catalogues(examples: Path) -> list[Path]:
    """The ``info.csv`` files of the collections beside a folder of examples.

    Args:
        examples: ``DATA/examples/NAME/CONFIG``; the collections are in ``DATA/raw``.
    """
    parents = examples.resolve().parents
    return sorted((parents[2] / "raw").glob(f"*/{INFO_NAME}")) if len(parents) > 2 else []


def styles_of(sources: Sequence[str], catalogues: Sequence[Path]) -> list[str | None]:
    """The primary style of each file (``rock`` of ``rock/halftime``); ``None`` where no catalogue lists it.

    A NoteSequence's id holds the name of its collection and a hash of its file's path, which the
    catalogue lists: so examples need not carry styles.

    Args:
        sources: ids of NoteSequences.
        catalogues: ``info.csv`` files.

    Raises:
        GmdVaeError: a catalogue is damaged.
    """
    collections = {match["collection"] for source in sources if (match := _ID.fullmatch(source))}
    styles: dict[str, str] = {}
    for catalogue in catalogues:
        with catalogue.open("rb") as stream:
            entries = parse(stream.read(MAX_INFO_BYTES + 1), str(catalogue))
        for collection in collections:
            styles |= {
                sequence_id(collection, entry.midi_filename): entry.primary_style for entry in entries if entry.style
            }
    return [styles.get(source) for source in sources]
