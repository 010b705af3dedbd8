"""One run at a time that writes an output."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import GmdVaeError

NAME = "lock"
# what locking a file fails with where the file system (Lustre, some NFS and SMB mounts) has no locks
_NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}


@contextlib.contextmanager
def one_at_a_time(folder: Path, output_dir: Path) -> Iterator[None]:
    """Makes a folder and holds it for this process; it may be removed before the end.

    The kernel gives the lock up when the process ends, however it ends. Where the file system has no
    locks, there is none: the user takes care.

    Raises:
        GmdVaeError: another process holds it; named by the ``output_dir`` that the user knows.
    """
    import filelock  # a while to import, and no worker needs it

    path = folder / NAME
    # no fallback to a lock that is the mere existence of a file: it would outlive a killed process
    lock = filelock.FileLock(path, fallback_to_soft=False, on_acquired=_sign)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        raise GmdVaeError(
            f"Another run is writing '{output_dir}': {_holder(path)}",
            "Wait for it or stop it, or choose another --output-dir.",
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise OSError(error.errno, error.strerror, str(path)) from error
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
