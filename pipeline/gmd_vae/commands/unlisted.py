"""The warning of ``convert`` and ``inspect`` about MIDI files that an ``info.csv`` does not list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gmd_vae.common import console


def warn_of_unlisted(
    path: Path, tables: Iterable[str], unlisted: Mapping[str, Any], *, has_selection: bool = False
) -> None:
    """Prints on stderr how many MIDI files are left out because no table lists them, and the cure; else nothing.

    Args:
        path: The folder or the archive.
        tables: Names of the tables that are used, such as ``info.csv``.
        unlisted: The entry ``not_in_info_csv`` of the manifest of ``convert`` or of the answer of ``inspect``.
        has_selection: Files are chosen by the table, so that it cannot be deleted.
    """
    count, names = unlisted["count"], unlisted["names"]
    if not count:
        return
    table = " and ".join(tables)
    if count == 1:
        left_out, rows = f"1 MIDI file in '{path}' is left out: {table} does not list it ({names[0]})", "a row for it"
    else:
        left_out = f"{count:,} MIDI files in '{path}' are left out: {table} does not list them ({names[0]}, ...)"
        rows = "rows for them"
    other = "" if has_selection else f", or delete {table} to use all files"
    console.stderr().print(f"Warning: {left_out}. Add {rows} to {table}{other}.", style="bold yellow")
