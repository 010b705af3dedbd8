"""The folders outside a run that ``generate --output-dir`` wrote with its model: a list in the run, for its report."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import check_no_link, read_regular

NAME = "elsewhere.jsonl"  # in generated/ of the run
MAX_BYTES = 1 << 20  # thousands of folders
# no link is followed, and no reader of a pipe is waited for
_NO_WAITING = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def note_folder(generated: Path, folder: Path, time: str) -> None:
    """Adds a folder of beats to the list of a run, unless it lies in ``generated`` with the others.

    A run that cannot be written stays as it is.

    Args:
        generated: The folder ``generated`` of the run.
        folder: Folder of beats.
        time: Time at which they were made, as folders in ``generated`` are named.
    """
    path = generated / NAME
    try:
        if folder.resolve().parent == generated.resolve():
            return
        noted = {"folder": str(folder.resolve()), "time": time, "manifest": manifest.digest(folder)}
        line = json.dumps(noted) + "\n"
        check_no_link(generated)  # a run can come from somebody else
        generated.mkdir(exist_ok=True)
        if path.exists() and path.stat().st_size + len(line) > MAX_BYTES:
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_WAITING, 0o666)
        try:  # one write, so that lines of two commands stay whole
            os.write(descriptor, line.encode("utf-8", "surrogatepass"))
        finally:
            os.close(descriptor)
    except (OSError, GmdVaeError):
        return  # the beats are written; only the report will not show them


def noted_folders(generated: Path) -> Iterator[tuple[Path, str]]:
    """Yields each folder of the list of a run that still holds the beats that were noted, and their time.

    Args:
        generated: The folder ``generated`` of the run.
    """
    try:
        lines = read_regular(generated / NAME, MAX_BYTES).decode("utf-8", "replace").splitlines()
    except (OSError, GmdVaeError):
        return
    noted: dict[str, tuple[str, str]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("folder", "time", "manifest")):
            noted[entry["folder"]] = entry["time"], entry["manifest"]
    for name, (time, digest) in noted.items():
        folder = Path(name)
        try:
            if folder.is_absolute() and manifest.digest(folder) == digest:
                yield folder, time
        except (OSError, ValueError, GmdVaeError):
            continue
