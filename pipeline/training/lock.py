"""One training at a time in a run folder. No TensorFlow here."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import filelock

from pipeline.errors import GmdVaeError

NAME = ".lock"  # in the run folder; it stays there, for what counts is the kernel's lock on it

# what locking a file fails with where the file system (Lustre, some NFS and SMB mounts) has no locks
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Holds a run folder for this process; makes the folder if need be.

    The kernel gives the lock up when the process ends, however it ends, so the file that a killed
    process leaves is in nobody's way. Its text says who holds it: process and host.

    Raises:
        GmdVaeError: another training holds it, be it in this process; or its file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    # no fallback to a lock that is the mere existence of a file: it would outlive a killed process
    lock = filelock.FileLock(path, fallback_to_soft=False, on_acquired=_sign)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise GmdVaeError(
            f"Another training runs in '{folder}': {_holder(path)}",
            "Wait for it or stop it; another --run-dir starts another run.",
        ) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise GmdVaeError(
                f"The file system of '{folder}' cannot lock files ({error.strerror}), which keeps a second training "
                "out of the folder",
                "Choose a --run-dir on another disk.",
            ) from None
        raise OSError(error.errno, error.strerror, str(path)) from error  # a failed write does not know its file
    try:
        yield
    finally:
        lock.release()


def _sign(descriptor: int) -> None:
    """Writes into the locked file, which is empty by then, who holds it."""
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, since {since}\n".encode())


def _holder(path: Path) -> str:
    """The text in the file, as one line; empty for the moment between the lock and the text."""
    with contextlib.suppress(OSError):
        text = " ".join(path.read_bytes()[:300].decode(errors="replace").split())
        if text.isprintable() and text:
            return text
    return "which process is not known yet"
