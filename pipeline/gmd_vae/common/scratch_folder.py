"""Folders in the temporary folder of the system, each for one process. Those of killed processes are removed."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.process_lock import lock_open

_START = "gmd-vae-scratch-"
_NAME = re.compile(_START + r"[a-z0-9_]{8}")


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Makes an empty folder and removes it at the end of the context, with its content.

    The folder is locked while the process lives: an unlocked one was left by a process that was killed.

    Raises:
        OSError: The temporary folder cannot be written.
    """
    _remove_leftovers(Path(tempfile.gettempdir()))
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_START))
        descriptor = _lock(folder, without_locks=True)
        if descriptor is not None:
            break  # or another process took it for a leftover, between these two lines
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    for folder in parent.glob(f"{_START}*"):
        if not _NAME.fullmatch(folder.name):
            continue
        descriptor = _lock(folder, without_locks=False)
        if descriptor is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(descriptor)


def _lock(folder: Path, *, without_locks: bool) -> int | None:
    """Opens and locks a folder of this user.

    Args:
        folder: The folder.
        without_locks: Also return the descriptor where the file system has no locks.

    Returns:
        Its descriptor; ``None`` if another process has it or has removed it, or if it is no folder of this user.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    is_held = lock_open(descriptor, without_locks=without_locks)
    if is_held and os.fstat(descriptor).st_uid == os.getuid() and folder.is_dir():
        return descriptor
    os.close(descriptor)
    return None
