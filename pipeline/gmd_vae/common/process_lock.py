"""A lock that one process holds at a time: filelock's kernel lock, with the holder's name in the lock file.

The kernel releases the lock when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular

# Lustre and some NFS and SMB mounts answer a request for a lock with one of these.
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_HOLDER = re.compile(rb"(process \d+ on [^\n]*, since [-\d: ]+\n)?")  # empty before the text is written
_MAX_HOLDER_BYTES = 1000
_PATIENCE = 0.2  # seconds: covers a holder that removes the file's folder at this moment


class LockHeldError(Exception):
    """Another process, or another caller in this one, holds the lock. ``str()`` is the holder, on one line."""


class NoLocksError(Exception):
    """The file system has no locks. ``str()`` is the system's reason."""


@contextlib.contextmanager
def process_lock(path: Path) -> Iterator[None]:
    """Holds the lock on a file; makes the file and its folder if needed.

    The file stays afterwards, since only the lock counts. It may be removed while the lock is held.

    Args:
        path: The lock file. Its text becomes the process number, the host and the time.

    Raises:
        LockHeldError: The lock is taken.
        NoLocksError: The file system cannot lock files.
        GmdVaeError: Something else than a lock file is in its place.
        OSError: The file cannot be written; ``filename`` names it.
    """
    from filelock import FileLock, Timeout

    # A soft lock (a file that exists) would outlive a killed process.
    lock = FileLock(path, timeout=_PATIENCE, fallback_to_soft=False, on_acquired=_write_holder)
    try:
        _check_place(path)
        lock.acquire()
    except Timeout:
        raise LockHeldError(_read_holder(path)) from None
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise NoLocksError(error.strerror) from None
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        yield
    finally:
        lock.release()


def lock_open(descriptor: int, *, without_locks: bool) -> bool:
    """Locks an open file or folder for this process, without waiting. The lock ends when the descriptor is closed.

    Args:
        descriptor: Descriptor of the file or folder.
        without_locks: The answer where the file system has no locks.

    Returns:
        False if another process has it.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return without_locks and error.errno in NO_LOCKS
    return True


def _check_place(path: Path) -> None:
    """Checks that the place of a lock file is free or holds one, which is overwritten.

    Raises:
        GmdVaeError: It holds a link, a folder or a file of the user.
        OSError: The file cannot be read.
    """
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            with open_regular(path, follow=False) as stream:
                if _HOLDER.fullmatch(stream.read(_MAX_HOLDER_BYTES)):
                    return
    except FileNotFoundError:
        return
    name = printable(str(path), limit=None)
    raise GmdVaeError(f"'{name}' is not a lock file of gmd-vae", "Move it away. Nothing was changed.")


def _write_holder(descriptor: int) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the text
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode())


def _read_holder(path: Path) -> str:
    """Returns the file's text as one line; the file is empty between the lock and the text."""
    with contextlib.suppress(OSError):
        with open_regular(path, follow=False) as stream:
            text = " ".join(stream.read(300).decode(errors="replace").split())
        if text.isprintable() and text:
            return text
    return "which process is not known yet"
