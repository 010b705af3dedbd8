"""Output that appears complete or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError

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
def whole_folder(path: Path, check: Callable[[Path, Path], None] | None = None) -> Iterator[Path]:
    """Yields an empty folder beside ``path``; replaces ``path`` with it on success.

    An earlier folder stays until the new one is complete. A temporary folder of a killed run is
    removed at the next start. A link to a folder stays a link.

    Args:
        path: The folder to make.
        check: Called with the earlier folder, already moved aside, and the new one. It raises an error if
            the earlier folder may not be deleted, and that one is moved back. ``manifest.check_replaceable``
            returns such a function. ``None``: only an empty folder is replaced.

    Raises:
        GmdVaeError: The earlier folder may not be deleted, or something else has the temporary names.
    """
    given, path = path, path.resolve()
    check = check or _check_empty
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{PARTIAL}")
    previous = path.with_name(f".{path.name}.previous")
    for leftover in (temporary, previous):
        if leftover.is_symlink() or (leftover.exists() and not leftover.is_dir()):
            raise GmdVaeError(f"'{leftover}' is not a folder of gmd-vae", "Move it away. Nothing was changed.")
    _remove(temporary)
    temporary.mkdir()
    try:
        if previous.exists():  # killed between the renames below
            if path.exists():
                check(previous, temporary)
                shutil.rmtree(previous)
            else:
                previous.rename(path)
        with _named(given):
            yield temporary
        try:
            if path.exists():
                path.rename(previous)
                check(previous, temporary)
            temporary.rename(path)
        except BaseException:
            if previous.exists() and not path.exists():
                previous.rename(path)
            raise
    except BaseException:
        _remove(temporary)
        raise
    if previous.exists():
        # removed under the temporary name: ``.previous`` always holds a complete folder
        previous.rename(temporary)
        _remove(temporary)


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Makes a folder that no other process has: ``path``, or ``path-2``, ``path-3`` and so on.

    Args:
        path: The preferred name.

    Yields:
        The empty folder. It is removed at the end if it is still empty, and so is a parent folder made for it.
    """
    parent_is_new = not path.parent.exists()
    for folder in numbered(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
            break
        except (FileExistsError, FileNotFoundError):  # taken; or another process removed the empty parent again
            continue
    try:
        yield folder
    finally:
        with contextlib.suppress(OSError):  # not empty: the output is there
            folder.rmdir()
            if parent_is_new:
                path.parent.rmdir()


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
    listed: dict[str, os.stat_result] = {}
    waiting = [("", folder)]
    while waiting:
        prefix, current = waiting.pop()
        with os.scandir(current) as entries:
            for entry in entries:
                name = f"{prefix}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((f"{name}/", Path(entry.path)))
                else:
                    listed[name] = entry.stat(follow_symlinks=False)
    return dict(sorted(listed.items()))


def is_regular(status: os.stat_result) -> bool:
    """Tells regular files from links, pipes and devices."""
    return stat.S_ISREG(status.st_mode)


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as 64 hex digits; reads it in blocks of up to 1 MiB."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as stream:
        # to allocate a large buffer takes longer than to read a small file
        block_bytes = min(os.fstat(stream.fileno()).st_size + 1, 1 << 20)
        while block := stream.read(block_bytes):
            digest.update(block)
    return digest.hexdigest()


def _check_empty(old: Path, new: Path) -> None:
    """Raises an error if the earlier folder holds anything."""
    if any(old.iterdir()):
        raise GmdVaeError(f"'{old}' is not empty", "Move it away. Nothing was changed.")


def _remove(folder: Path) -> None:
    """Deletes a folder as far as possible; what stays is deleted at the next start."""
    shutil.rmtree(folder, ignore_errors=True)


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
