"""One process at a time: a lock on a file, which the kernel gives up when its process ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

# what locking a file fails with where the file system (Lustre, some NFS and SMB mounts) has no locks
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


class LockHeldError(Exception):
    """Another process, or another part of this one, has the lock. ``str()`` says who, as one line."""


class NoLocksError(Exception):
    """The file system has no locks. ``str()`` is its reason."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock on a file; makes it, and its folder, if need be. The file stays: only the lock counts.

    Its text says who holds it: process and host. It may be removed while the lock is held.

    Raises:
        LockHeldError: somebody else holds it.
        NoLocksError: the file system cannot lock files.
        OSError: the file cannot be written; names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _acquire(path)
    try:
        try:
            os.ftruncate(descriptor, 0)
            since = time.strftime("%Y-%m-%d %H:%M:%S")
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode())
        except OSError as error:  # a failed write does not know its file
            raise OSError(error.errno, error.strerror, str(path)) from error
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _acquire(path: Path) -> int:
    """The file, open and locked."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # no process that we start inherits it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise LockHeldError(_holder(path)) from None
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                raise NoLocksError(error.strerror) from None
            raise OSError(error.errno, error.strerror, str(path)) from error
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the file was not removed, by who held it before, between our opening and our locking it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    """The text in the file, as one line; empty for the moment between the lock and the text."""
    with contextlib.suppress(OSError):
        text = " ".join(path.read_bytes()[:300].decode(errors="replace").split())
        if text.isprintable() and text:
            return text
    return "which process is not known yet"
