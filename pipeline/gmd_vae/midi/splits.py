"""Selects the files to convert and assigns them to train, validation and test."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.datasets.catalogue import SPLITS, Entry, parse_catalogue
from gmd_vae.datasets.midi_files import INFO_NAME, MidiFile, MidiListing
from gmd_vae.datasets.selection import Selection

SplitBy = Literal["info", "hash"]

_VALIDATION_FROM = 0.8  # fraction of the range of the hash; 80 % train, 10 % validation, 10 % test
_TEST_FROM = 0.9


@dataclass(frozen=True)
class Plan:
    """Files to convert, and files left out. Names are relative paths, sorted.

    Attributes:
        split_by: Rule for the splits.
        files: Files to convert.
        splits: Split by file name. None: ``split_by_hash`` of the file's bytes decides.
        info_sha256: SHA-256 of the catalogue. None: no catalogue was used.
        not_selected: Number of files in the catalogue that the selection leaves out.
        not_listed: Files that are not in the catalogue.
        missing: Selected entries of the catalogue without a file.
    """

    split_by: SplitBy
    files: tuple[MidiFile, ...]
    splits: dict[str, str] | None
    info_sha256: str | None
    not_selected: int
    not_listed: tuple[str, ...]
    missing: tuple[str, ...]


def split_by_hash(content_sha256: str) -> str:
    """Returns the split of a file by its content alone: 80 % train, 10 % validation, 10 % test.

    Copies of a file share a split under any name. A file keeps its split when other files are added or removed.

    Args:
        content_sha256: Hexadecimal SHA-256 of the file's bytes.

    >>> split_by_hash("ff" * 32)
    'test'
    """
    position = int(content_sha256[:16], 16) / 2**64
    return SPLITS[(position >= _VALIDATION_FROM) + (position >= _TEST_FROM)]


def make_plan(listing: MidiListing, selection: Selection, split_by: SplitBy | None) -> Plan:
    """Returns the files to convert and their splits, without reading a MIDI file.

    Args:
        listing: Files of a folder or an archive.
        selection: Files to select. Any selection needs the catalogue ``info.csv``.
        split_by: ``info``: the split in the catalogue. ``hash``: see ``split_by_hash``. None: ``info`` with a
            catalogue, ``hash`` without one.

    Raises:
        UsageError: The selection or the split needs a catalogue and there is none, or a selected value is not in it.
        GmdVaeError: The catalogue is damaged, or none of its files exists.
    """
    chosen: SplitBy = split_by or ("info" if listing.info_csv is not None else "hash")
    if chosen == "hash" and selection.is_empty:
        return Plan("hash", listing.files, None, None, 0, (), ())
    wanted_for = "--split-by info" if selection.is_empty else "Choosing files by " + ", ".join(selection.describe())
    if listing.info_csv is None:
        action = "Leave it out" if selection.is_empty else "Leave the selection out"
        raise UsageError(f"{wanted_for} needs a catalogue, but '{listing.root.name}' has no {INFO_NAME}", f"{action}.")
    entries = _entries(listing.info_csv, listing, with_splits=chosen == "info")
    selection.check(entries)
    by_name = {entry.midi_filename: entry for entry in entries}
    listed = [file for file in listing.files if file.name in by_name]
    files = tuple(file for file in listed if selection.matches(by_name[file.name]))
    names = {file.name for file in listing.files}
    missing = sorted(name for name, entry in by_name.items() if selection.matches(entry) and name not in names)
    if not files:
        raise GmdVaeError(
            f"None of the {len(missing):,} files that {INFO_NAME} lists is in '{listing.root.name}'",
            "Get the dataset again (gmd-vae fetch groove), or use --split-by hash.",
        )
    return Plan(
        split_by=chosen,
        files=files,
        splits={file.name: by_name[file.name].split for file in files} if chosen == "info" else None,
        info_sha256=hashlib.sha256(listing.info_csv).hexdigest(),
        not_selected=len(listed) - len(files),
        not_listed=tuple(sorted(names - by_name.keys())),
        missing=tuple(missing),
    )


def _entries(info_csv: bytes, listing: MidiListing, *, with_splits: bool) -> tuple[Entry, ...]:
    try:
        return parse_catalogue(info_csv, f"{listing.root.name}/{INFO_NAME}", with_splits=with_splits)
    except GmdVaeError as error:
        raise GmdVaeError(
            error.problem, f"{error.next_action} To do without it: --split-by hash, and no selection."
        ) from None
