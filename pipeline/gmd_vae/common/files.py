"""Output that appears whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PARTIAL = ".partial"  # suffix of a file or folder that is still being written


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; on success it becomes ``path``, on failure it goes.

    The data is on disk (fsync) before the rename, so that a power cut leaves the old file or the
    new one, never half of either.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        with _named(path):
            yield temporary
        with open(temporary, "rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())  # mkstemp makes files private
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside ``path``; on success it takes the place of ``path``.

    What was at ``path`` before stays until the new folder is complete. A folder left over from a
    killed run is removed at the next start. A link to a folder stays a link.

    Everything in ``path`` is replaced: ``manifest.check_replaceable`` makes sure it is ours.
    """
    given, path = path, path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PARTIAL}")
    previous = path.with_name(f".{path.name}.previous")
    if previous.exists() and not path.exists():  # killed between the two renames below
        previous.rename(path)
    for leftover in (temporary, previous):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir()
    try:
        with _named(given):
            yield temporary
        if path.exists():
            path.rename(previous)
        temporary.rename(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def sha256(path: Path) -> str:
    """The file's SHA-256 as 64 hex digits; reads it in pieces, whatever its size."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Gives an error of the disk the name of what was being written: a failed write does not know it."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
