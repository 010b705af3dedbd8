"""The style and the tempo of each source file, from the catalogue of the collection that it comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gmd_vae.datasets.catalogue import MAX_INFO_BYTES, Entry, parse
from gmd_vae.datasets.midi_files import INFO_NAME
from gmd_vae.midi.midi_io import sequence_id

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

    Args:
        sources: ids of NoteSequences.
        catalogues: ``info.csv`` files.

    Raises:
        GmdVaeError: a catalogue is damaged.
    """
    return [entry.primary_style if entry and entry.style else None for entry in _entries(sources, catalogues)]


def tempos_of(sources: Sequence[str], catalogues: Sequence[Path]) -> list[float | None]:
    """The tempo of each file in quarters a minute; arguments and errors as of ``styles_of``."""
    return [entry.bpm if entry else None for entry in _entries(sources, catalogues)]


def _entries(sources: Sequence[str], catalogues: Sequence[Path]) -> list[Entry | None]:
    """What a catalogue says of each file; the last one that lists it counts.

    A NoteSequence's id holds the name of its collection and a hash of its file's path, which the
    catalogue lists: so examples need not carry styles.
    """
    collections = {match["collection"] for source in sources if (match := _ID.fullmatch(source))}
    found: dict[str, Entry] = {}
    for catalogue in catalogues:
        with catalogue.open("rb") as stream:
            entries = parse(stream.read(MAX_INFO_BYTES + 1), str(catalogue))
        for collection in collections:
            found |= {sequence_id(collection, entry.midi_filename): entry for entry in entries}
    return [found.get(source) for source in sources]
