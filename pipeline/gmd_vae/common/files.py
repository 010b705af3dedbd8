"""Output that appears complete or not at all: written under a temporary name, then renamed."""

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
    """Yields a temporary path beside ``path``; renames it to ``path`` on success, removes it on failure.

    The data is forced to the disk (fsync) before the rename: a power cut leaves the old file or the
    new one, never a mixture.

    Args:
        path: The file to write; its folder is made if needed.
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
    """Yields an empty folder beside ``path``; replaces ``path`` with it on success.

    An earlier folder stays until the new one is complete. A temporary folder of a killed run is
    removed at the next start. A link to a folder stays a link.

    Args:
        path: The folder to make. All its content is replaced: call ``manifest.check_replaceable`` first.
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
    """Returns the SHA-256 of a file as 64 hex digits; reads it in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Adds the path to disk errors: a failed write does not name its file."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def _umask() -> int:
    """Returns the process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
