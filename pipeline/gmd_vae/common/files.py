"""Output that appears complete or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gmd_vae.common.regular_files import open_regular
from gmd_vae.common.temporary_files import temporary_file

_ATTEMPTS = 20  # to make a folder in one that another process removes at the same time


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; renames it to ``path`` on success, removes it on failure.

    Several processes may write one file at once: each has a temporary file of its own, and the last one to finish
    wins. A temporary file of a killed process is removed when the same file is written again.

    The data is forced to the disk (fsync) before the rename: a power cut leaves the old file or the
    new one, never a mixture.

    Args:
        path: The file to write; its folder is made if needed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with named(path), temporary_file(path) as temporary:
        yield temporary
        with open(temporary, "rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Adds the path to disk errors: a failed write names no file, and a failed rename the temporary one first."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and (error.filename is None or error.filename2 is not None):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Makes a folder that no other process has: ``path``, or ``path-2``, ``path-3`` and so on.

    Args:
        path: The preferred name.

    Yields:
        The empty folder. It is removed at the end if it is still empty, and so is a parent folder made for it.

    Raises:
        OSError: It cannot be made.
    """
    parent_is_new = not path.parent.exists()
    folder = next(each for each in numbered(path) if _make_folder(each))
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # not empty: the output is there
            folder.rmdir()
            if parent_is_new:
                path.parent.rmdir()


def _make_folder(folder: Path) -> bool:
    """Makes a folder and its parents; returns False if its name is taken.

    Raises:
        OSError: It cannot be made.
    """
    for _ in range(_ATTEMPTS):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process removed the empty parent again
            try:
                folder.mkdir()
            except FileExistsError:
                return False
            return True
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def numbered(path: Path) -> Iterator[Path]:
    """Yields ``path``, ``path-2``, ``path-3`` and so on."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.name}-{number}")


def walk(folder: Path) -> dict[str, os.stat_result]:
    """Lists everything below a folder except folders. Links are listed and not followed.

    Returns:
        Relative name with forward slashes → status of the entry itself, sorted by name.
    """
    return dict(sorted(walk_lazily(folder)))


def walk_lazily(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yields what ``walk`` lists, the files of a folder before its subfolders; reads a folder when it is needed.

    To find one file of the user in a large folder, a home folder for example, need not read all of it. What is
    removed in the meantime is left out.
    """
    waiting = [("", folder)]
    while waiting:
        prefix, current = waiting.pop()
        try:
            with os.scandir(current) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except FileNotFoundError:
            if not prefix:
                raise
            continue
        folders = []
        for entry in entries:
            name = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                folders.append((f"{name}/", Path(entry.path)))
            else:
                with contextlib.suppress(FileNotFoundError):
                    yield name, entry.stat(follow_symlinks=False)
        waiting += reversed(folders)


def is_regular(status: os.stat_result) -> bool:
    """Tells regular files from links, pipes and devices."""
    return stat.S_ISREG(status.st_mode)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 hex digits; reads it in blocks of up to 1 MiB."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        # to allocate a large buffer takes longer than to read a small file
        block_bytes = min(os.fstat(stream.fileno()).st_size + 1, 1 << 20)
        while block := stream.read(block_bytes):
            digest.update(block)
    return digest.hexdigest()
