"""Temporary files and folders beside an output, each for one process.

A temporary file is locked while its process works, so that one without a lock is that of a killed process. A
temporary folder has no lock of its own: the process that holds the lock of the output may remove it.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.process_lock import is_at, lock_open

PARTIAL = ".partial"  # suffix of a file or folder that is still being written
_MOST_BYTES = 255  # in a file name
_DIGEST_LETTERS = 16
_UNIQUE = re.compile(r"[0-9a-f]{8}")  # between the name of the output and the suffix
_CLEANED = 16  # temporary files that are looked for: those of so many processes that were killed together
_MOST_NAMES = 1000  # temporary files of one output, of processes that write it at the same time
_ATTEMPTS = 20  # to lock a name that other processes remove at the same time, and to find a free random name


def beside(path: Path, suffix: str) -> Path:
    """Returns a hidden name beside a file or folder: ``.NAME`` and a suffix. A very long name is shortened.

    Args:
        path: The file or folder; it need not exist.
        suffix: End of the name.
    """
    name, room = os.fsencode(path.name), _MOST_BYTES - len(suffix) - 1
    if len(name) <= room:
        return path.with_name(f".{path.name}{suffix}")
    digest = hashlib.sha256(name).hexdigest()[:_DIGEST_LETTERS]
    start = name[: room - _DIGEST_LETTERS - 1].decode(errors="ignore")
    return path.with_name(f".{start}-{digest}{suffix}")


@contextlib.contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Makes an empty file beside ``path`` that no other process writes; removes it at the end if it is still there.

    Removes those that killed processes left. The names are numbered, so the folder need not be searched for them.

    Args:
        path: The file that will be made of it.

    Yields:
        The temporary file.

    Raises:
        OSError: The folder cannot be written.
    """
    with contextlib.ExitStack() as opened:
        descriptor, temporary, number = _first_free(path)
        opened.callback(os.close, descriptor)  # ends the lock, after the removal
        opened.callback(_remove_own, descriptor, temporary)
        for leftover in range(number + 1, number + _CLEANED):
            _remove_leftover(_numbered(path, leftover))
        yield temporary


def temporary_folder(path: Path) -> Path:
    """Makes an empty folder beside ``path`` under a name that nothing else has.

    Raises:
        OSError: The parent folder is missing, or cannot be written.
    """
    for _ in range(_ATTEMPTS):
        folder = beside(path, f".{os.urandom(4).hex()}{PARTIAL}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder))


def temporary_folders(path: Path) -> list[Path]:
    """Returns all temporary folders of ``path``, of living and of killed processes."""
    start, end = beside(path, f".{'0' * 8}{PARTIAL}").name.rsplit("0" * 8, 1)
    found = path.parent.glob(f"{glob.escape(start)}{'?' * 8}{end}")
    return [
        folder
        for folder in found
        if _UNIQUE.fullmatch(folder.name[len(start) : -len(end)]) and folder.is_dir() and not folder.is_symlink()
    ]


def _numbered(path: Path, number: int) -> Path:
    return beside(path, f".{number:08}{PARTIAL}")


def _first_free(path: Path) -> tuple[int, Path, int]:
    """Opens and locks the first temporary file that no other process has.

    Returns:
        Its descriptor, path and number.
    """
    for number in range(_MOST_NAMES):
        temporary = _numbered(path, number)
        descriptor = _lock(temporary, create=True)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            return descriptor, temporary, number
    raise FileExistsError(errno.EEXIST, "too many temporary files beside it", str(path))


def _remove_own(descriptor: int, temporary: Path) -> None:
    """Removes a temporary file that is still there. After its rename, another process may have made one of its name."""
    if is_at(descriptor, temporary):
        temporary.unlink()


def _remove_leftover(temporary: Path) -> None:
    """Removes a temporary file of a killed process."""
    with contextlib.suppress(OSError):
        descriptor = _lock(temporary, create=False)
        if descriptor is not None:
            temporary.unlink(missing_ok=True)
            os.close(descriptor)


def _lock(temporary: Path, *, create: bool) -> int | None:
    """Opens and locks a temporary file.

    On a file system without locks only a new file is returned: its name is a lock, which outlives the process.

    Args:
        temporary: The file.
        create: Make it, if it is missing.

    Returns:
        Its descriptor; ``None`` if another process has it, or it is no regular file of this user with one name, or is
        missing. A file with two (hard links) is the user's under the other one, and would be emptied there too.

    Raises:
        OSError: It cannot be made.
    """
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for _ in range(_ATTEMPTS):
        descriptor = _make(temporary, flags) if create else None
        is_new = descriptor is not None
        if descriptor is None:
            try:
                descriptor = os.open(temporary, flags)
            except FileNotFoundError:
                if create:
                    continue  # removed between the two attempts
                return None
            except OSError:
                return None  # a link, a folder, or a file of another user
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if not is_file or not lock_open(descriptor, without_locks=is_new):
            os.close(descriptor)
            return None
        if is_at(descriptor, temporary):
            if os.fstat(descriptor).st_nlink == 1:
                return descriptor
            os.close(descriptor)
            return None
        os.close(descriptor)  # renamed or removed by its process before it was locked here
    return None


def _make(temporary: Path, flags: int) -> int | None:
    """Makes a file and returns its descriptor; ``None`` if something has its name.

    Raises:
        OSError: It cannot be made: its folder is missing or cannot be written, or no folder of files, as /proc. The
            error names no file: the temporary one means nothing to the user.
    """
    try:
        return os.open(temporary, flags | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return None
    except OSError as error:
        raise OSError(error.errno, error.strerror) from error
