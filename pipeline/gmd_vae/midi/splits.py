"""Selects the files to convert and assigns them to train, validation and test."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.printable import printable
from gmd_vae.datasets.archives import Skipped
from gmd_vae.datasets.catalogue import INFO_NAME, Entry, has_column, parse_catalogue
from gmd_vae.datasets.midi_files import MidiFile, MidiListing
from gmd_vae.datasets.selection import Selection

SplitBy = Literal["info", "hash"]


class Shares(NamedTuple):
    """Shares of the files by percent; they add up to 100."""

    train: int
    validation: int
    test: int

    def __str__(self) -> str:
        """Returns the shares as ``--split`` takes them."""
        return f"{self.train}/{self.validation}/{self.test}"


DEFAULT_SHARES = Shares(80, 10, 10)


def parse_shares(text: str) -> Shares:
    """Parses the shares of an option, for example ``100/0/0``.

    Raises:
        UsageError: The text is something else.
    """
    match = re.fullmatch(r"\s*([0-9]{1,3})\s*/\s*([0-9]{1,3})\s*/\s*([0-9]{1,3})\s*", text)
    shares = Shares(*(int(part) for part in match.groups())) if match else None
    if shares is None or sum(shares) != 100 or not shares.train:
        raise UsageError(
            f"'{printable(text, 40)}' is no split: three shares that add up to 100, the first of them above 0",
            "Write train/validation/test in per cent: 80/10/10, or 100/0/0 for all files in train.",
        )
    return shares


@dataclass(frozen=True)
class Plan:
    """Files to convert, and files left out. Names are relative paths, sorted.

    Attributes:
        split_by: Rule for the splits.
        files: Files to convert.
        splits: Split by file name. None: the content of the files decides, see ``content_splits.py``.
        shares: Shares of the splits where the content decides.
        catalogues: SHA-256 of each catalogue that is used, by name.
        unused_catalogues: Catalogues that are not used, with the reason.
        entries: Entries of the catalogues by file name; empty without a catalogue.
        not_selected: Number of files in the catalogues that the selection leaves out.
        not_listed: Files that are in no catalogue.
        missing: Selected entries of the catalogues without a file.
    """

    split_by: SplitBy
    files: tuple[MidiFile, ...]
    splits: dict[str, str] | None
    shares: Shares
    catalogues: dict[str, str]
    unused_catalogues: tuple[Skipped, ...]
    entries: dict[str, Entry]
    not_selected: int
    not_listed: tuple[str, ...]
    missing: tuple[str, ...]


class _Catalogue(NamedTuple):
    name: str
    sha256: str
    entries: tuple[Entry, ...]


def make_plan(
    listing: MidiListing, selection: Selection, split_by: SplitBy | None, shares: Shares | None = None
) -> Plan:
    """Returns the files to convert and their splits, without reading a MIDI file.

    Args:
        listing: Files of a folder or an archive.
        selection: Files to select. Any selection needs a catalogue.
        split_by: ``info``: the split in the catalogue. ``hash``: the content decides. None: ``info`` with a catalogue
            and without ``shares``, else ``hash``.
        shares: Shares of the splits by content. None: 80/10/10.

    Raises:
        UsageError: The selection or the split needs a catalogue and there is none, a selected value is not in it, or
            ``shares`` were given with ``info``.
        GmdVaeError: A catalogue is damaged, contradicts another one, or lists none of the files.
    """
    if shares is not None and split_by == "info":
        raise UsageError("--split and --split-by info exclude each other", "Leave one of them out.")
    if shares is not None:
        split_by = "hash"
    unused = list(listing.unused_catalogues)
    if split_by == "hash" and selection.is_empty:
        option = "--split" if shares is not None else "--split-by hash"
        unused += [Skipped(file.name, f"{option} was given") for file in listing.catalogues]
        return _plan_by_content(listing, shares, unused)
    wanted_for = "--split-by info" if selection.is_empty else "Choosing files by " + ", ".join(selection.describe())
    catalogues = _read_catalogues(listing, unused, with_splits=split_by != "hash")
    if not catalogues:
        if split_by is None and selection.is_empty:
            return _plan_by_content(listing, shares, unused)
        raise _no_catalogue(listing, wanted_for, unused, "Leave it out" if selection.is_empty else "Leave them out")
    by_name = _merged(catalogues)
    selection.check(tuple(by_name.values()))
    listed = [file for file in listing.files if file.name in by_name]
    files = tuple(file for file in listed if selection.matches(by_name[file.name]))
    names = {file.name for file in listing.files}
    missing = sorted(name for name, entry in by_name.items() if selection.matches(entry) and name not in names)
    if not files:
        raise GmdVaeError(
            f"None of the {len(missing):,} files that {catalogues[0].name} lists is in '{listing.root.name}'",
            "Get the dataset again (gmd-vae fetch groove), or use --split-by hash.",
        )
    return Plan(
        split_by=split_by or "info",
        files=files,
        splits={file.name: by_name[file.name].split for file in files} if split_by != "hash" else None,
        shares=shares or DEFAULT_SHARES,
        catalogues={catalogue.name: catalogue.sha256 for catalogue in catalogues},
        unused_catalogues=tuple(unused),
        entries={file.name: by_name[file.name] for file in files},
        not_selected=len(listed) - len(files),
        not_listed=tuple(sorted(names - by_name.keys())),
        missing=tuple(missing),
    )


def _plan_by_content(listing: MidiListing, shares: Shares | None, unused: list[Skipped]) -> Plan:
    return Plan("hash", listing.files, None, shares or DEFAULT_SHARES, {}, tuple(unused), {}, 0, (), ())


def _no_catalogue(listing: MidiListing, wanted_for: str, unused: list[Skipped], action: str) -> UsageError:
    reasons = "; ".join(f"'{name}' is not used: {reason}" for name, reason in unused[:3])
    missing = reasons or f"'{listing.root.name}' has no {INFO_NAME} and no other table with its columns"
    return UsageError(f"{wanted_for} needs an {INFO_NAME}, but {missing}", f"{action}.")


def _read_catalogues(listing: MidiListing, unused: list[Skipped], *, with_splits: bool) -> list[_Catalogue]:
    """Returns the catalogues to use; adds the others to ``unused``.

    Raises:
        GmdVaeError: A catalogue is damaged, and no other one can be used.
    """
    read: list[_Catalogue] = []
    faults: list[GmdVaeError] = []
    for file in listing.catalogues:
        data = file.read()
        if with_splits and file.name != INFO_NAME and not has_column(data, "split"):
            unused.append(Skipped(file.name, "it has no column split"))
            continue
        try:
            entries = parse_catalogue(data, f"{listing.root.name}/{file.name}", with_splits=with_splits)
        except GmdVaeError as error:
            faults.append(error)
            unused.append(Skipped(file.name, error.problem))
        else:
            read.append(_Catalogue(file.name, hashlib.sha256(data).hexdigest(), entries))
    if faults and not read:
        to_do_without = "To do without it: --split-by hash, and no selection."
        raise GmdVaeError(faults[0].problem, f"{faults[0].next_action} {to_do_without}")
    names = {file.name for file in listing.files}
    found = [catalogue for catalogue in read if any(entry.midi_filename in names for entry in catalogue.entries)]
    if not found:
        return read[:1]
    unused += [
        Skipped(catalogue.name, f"none of its {len(catalogue.entries):,} files is here")
        for catalogue in read
        if catalogue not in found
    ]
    return found


def _merged(catalogues: list[_Catalogue]) -> dict[str, Entry]:
    """Returns the entries of all catalogues by name.

    Raises:
        GmdVaeError: A file is in different splits.
    """
    merged: dict[str, Entry] = {}
    origins: dict[str, str] = {}
    for catalogue in catalogues:
        for entry in catalogue.entries:
            name = entry.midi_filename
            if name in merged and merged[name].split != entry.split:
                raise GmdVaeError(
                    f"'{name}' is in {merged[name].split} in '{origins[name]}' and in {entry.split} in"
                    f" '{catalogue.name}'",
                    "Move one of the two tables away, or use --split-by hash.",
                )
            if name not in merged:
                merged[name], origins[name] = entry, catalogue.name
    return merged
