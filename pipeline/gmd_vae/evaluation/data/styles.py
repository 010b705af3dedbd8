"""Style and tempo of source files, from the catalogue (``info.csv``) of their collection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gmd_vae.common.regular_files import open_regular
from gmd_vae.datasets.catalogue import MAX_INFO_BYTES, Entry, has_column, parse_catalogue
from gmd_vae.datasets.midi_files import read_head
from gmd_vae.midi.midi_io import sequence_id

_ID = re.compile(r"/id/midi/(?P<collection>.+)/[0-9a-f]{40}")


def find_catalogues(examples: Path) -> list[Path]:
    """Finds the catalogues of the collections in the data folder of examples.

    Args:
        examples: ``DATA/examples/NAME/CONFIG``; the collections are in ``DATA/raw``.
    """
    parents = examples.resolve().parents
    tables = sorted((parents[2] / "raw").glob("*/*.csv")) if len(parents) > 2 else []
    heads = {table: read_head(table) for table in tables}
    return [table for table, head in heads.items() if has_column(head, "midi_filename") and has_column(head, "split")]


def styles_of(sources: Sequence[str], catalogues: Sequence[Path]) -> list[str | None]:
    """Returns the primary style of each file (``rock`` for ``rock/halftime``); ``None`` if no catalogue lists it.

    Args:
        sources: ``NoteSequence.id`` of each file.
        catalogues: ``info.csv`` files.

    Raises:
        GmdVaeError: A catalogue is damaged.
    """
    return [entry.primary_style if entry and entry.style else None for entry in _entries(sources, catalogues)]


def tempos_of(sources: Sequence[str], catalogues: Sequence[Path]) -> list[float | None]:
    """Returns the tempo of each file in quarter notes per minute; ``None`` if no catalogue lists it.

    Args:
        sources: ``NoteSequence.id`` of each file.
        catalogues: ``info.csv`` files.

    Raises:
        GmdVaeError: A catalogue is damaged.
    """
    return [entry.bpm if entry else None for entry in _entries(sources, catalogues)]


def _entries(sources: Sequence[str], catalogues: Sequence[Path]) -> list[Entry | None]:
    """Looks up the catalogue entry of each file; the last catalogue that lists a file wins.

    A ``NoteSequence.id`` holds the name of its collection and a hash of the file's path. The catalogue lists the
    paths, so examples need not carry styles.
    """
    collections = {match["collection"] for source in sources if (match := _ID.fullmatch(source))}
    entries: dict[str, Entry] = {}
    for catalogue in catalogues:
        with open_regular(catalogue) as stream:
            listed = parse_catalogue(stream.read(MAX_INFO_BYTES + 1), str(catalogue))
        for collection in collections:
            entries |= {sequence_id(collection, entry.midi_filename): entry for entry in listed}
    return [entries.get(source) for source in sources]
