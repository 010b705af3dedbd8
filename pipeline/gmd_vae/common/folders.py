"""Output folders that appear complete or not at all."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.exchange import exchange
from gmd_vae.common.files import named
from gmd_vae.common.printable import printable
from gmd_vae.common.temporary_files import beside, temporary_folder, temporary_folders

Check = Callable[[Path, Path], None]
"""Takes an earlier folder and the new one; raises an error if the earlier folder may not be deleted."""
_PREVIOUS = ".previous"  # suffix of a complete folder that waits for its exchange, or for its removal


@contextlib.contextmanager
def whole_folder(path: Path, check: Check | None = None) -> Iterator[Path]:
    """Yields an empty folder beside ``path``; replaces ``path`` with it on success.

    An earlier folder stays until the new one is complete. Both are exchanged in one step where the file system can:
    a process that is killed at any point leaves the old or the new folder. ``mend_folder`` removes the rest at the
    next start. A link to a folder stays a link.

    Args:
        path: The folder to make.
        check: Called with the earlier folder, already moved aside, and the new one. It raises an error if the earlier
            folder may not be deleted, and that one is moved back. ``output_folder.open_output`` yields such a function.
            ``None``: only an empty folder is replaced.

    Raises:
        GmdVaeError: The earlier folder may not be deleted.
    """
    given, path = path, path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(given):
        temporary = temporary_folder(path)
    try:
        with named(given):
            yield temporary
        if path.exists():
            _replace(path, temporary, check or _check_empty)
        else:
            temporary.rename(path)
    finally:
        _remove(temporary)


def previous_of(path: Path) -> Path:
    """Returns the place of an earlier folder while a new one takes its name."""
    return beside(path.resolve(), _PREVIOUS)


def mend_folder(path: Path, check: Check, *, exclusive: bool) -> None:
    """Puts right what a killed process left of ``whole_folder``: an old folder moved aside, and temporary ones.

    Args:
        path: The output folder, locked for this process.
        check: As in ``whole_folder``; called with the folder that was moved aside and the one at ``path``.
        exclusive: True if no other process works on the folder. Otherwise temporary folders may be in use.

    Raises:
        GmdVaeError: The folder that was moved aside may not be deleted, or something else has its name.
    """
    path = path.resolve()
    previous = previous_of(path)
    if exclusive:
        for leftover in temporary_folders(path):
            _remove(leftover)
    if previous.is_symlink() or (previous.exists() and not previous.is_dir()):
        raise GmdVaeError(f"'{_shown(previous)}' is not a folder of gmd-vae", "Move it away. Nothing was changed.")
    if previous.exists():
        if path.exists():
            check(previous, path)
            _discard(previous, path)
        else:
            previous.rename(path)


def _replace(path: Path, temporary: Path, check: Check) -> None:
    """Puts a complete folder in the place of an earlier one, and deletes that one.

    At every step, ``path`` or ``.previous`` is complete. Only complete folders have the name ``.previous``.
    """
    previous = previous_of(path)
    temporary.rename(previous)
    if exchange(previous, path):
        try:
            check(previous, path)
        except BaseException:
            exchange(previous, path)
            previous.rename(temporary)
            raise
    else:
        previous.rename(temporary)
        try:
            path.rename(previous)
            check(previous, temporary)
            temporary.rename(path)
        except BaseException:
            if previous.exists() and not path.exists():
                previous.rename(path)
            raise
    _discard(previous, path)


def _discard(previous: Path, path: Path) -> None:
    """Deletes a folder under a temporary name: a folder that is deleted in part is never taken for a complete one."""
    doomed = temporary_folder(path)
    previous.rename(doomed)
    _remove(doomed)


def _check_empty(old: Path, new: Path) -> None:
    """Raises an error if the earlier folder holds anything."""
    if any(old.iterdir()):
        raise GmdVaeError(f"'{_shown(old)}' is not empty", "Move it away. Nothing was changed.")


def _remove(folder: Path) -> None:
    """Deletes a folder as far as possible; what stays is deleted at the next start."""
    shutil.rmtree(folder, ignore_errors=True)


def _shown(path: Path) -> str:
    return printable(str(path), limit=None)
