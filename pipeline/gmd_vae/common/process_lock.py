"""A lock that one process holds at a time: a kernel lock (flock), with the holder's name in the lock file.

The kernel releases the lock when its process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular

# Lustre and some NFS and SMB mounts answer a request for a lock with one of these.
NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
_HOLDER = re.compile(rb"process \d+ on [^\n]*, since [-\d: ]+\n")
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
    try:
        _check_place(path)
        descriptor = _acquire(path)
        _write_holder(descriptor)
    except OSError as error:
        if error.errno in NO_LOCKS:
            raise NoLocksError(error.strerror) from None
        raise OSError(error.errno, error.strerror, str(path)) from error
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    """Opens and locks a lock file; returns its descriptor.

    Raises:
        LockHeldError: The lock is taken.
        OSError: The file cannot be made, for example because another process removes its folder at this moment; or the
            file system cannot lock files.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if time.monotonic() > deadline:
                raise LockHeldError(_read_holder(path)) from None
            time.sleep(0.02)
        except OSError:
            os.close(descriptor)
            raise
        else:
            if is_at(descriptor, path):
                return descriptor
            os.close(descriptor)  # its holder removed the file before it was locked here
            if time.monotonic() > deadline:
                raise LockHeldError("other processes take and leave it all the time")


def is_at(descriptor: int, path: Path) -> bool:
    """Returns True if a path still names an open file."""
    try:
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    own = os.fstat(descriptor)
    return (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)


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
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            with open_regular(path, follow=False) as stream:
                text = stream.read(_MAX_HOLDER_BYTES)
            if _HOLDER.fullmatch(text):
                return
            # empty before the text is written; an empty file with two names (hard links) may be the user's
            if not text and status.st_nlink == 1:
                return
    except FileNotFoundError:
        return
    name = printable(str(path), limit=None)
    raise GmdVaeError(f"'{name}' is not a lock file of gmd-vae", "Move it away. Nothing was changed.")


def _write_holder(descriptor: int) -> None:
    import socket  # takes 3 ms

    since = time.strftime("%Y-%m-%d %H:%M:%S")
    with contextlib.suppress(OSError):  # a full disk: the lock holds without the text
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode())


def _read_holder(path: Path) -> str:
    """Returns the file's text as one line; the file is empty between the lock and the text."""
    with contextlib.suppress(OSError):
        with open_regular(path, follow=False) as stream:
            text = " ".join(stream.read(300).decode(errors="replace").split())
        if text.isprintable() and text:
            return text
    return "which process is not known yet"
