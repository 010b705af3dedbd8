"""Archives from outside (.zip, .tar, .tar.gz), listed and read in place without trust in their content.

``zipfile`` and ``tarfile`` parse; this module sets the limits. An archive decides neither the names nor
the memory that its files take: names pass :mod:`gmd_vae.datasets.safe_names`, links are skipped, sizes and
counts are bounded.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal, NamedTuple, cast

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular
from gmd_vae.datasets.forward_reader import ForwardReader
from gmd_vae.datasets.midi_formats import HEAD_BYTES, suffix_of
from gmd_vae.datasets.safe_names import is_clutter, relative_name
from gmd_vae.datasets.zip_files import (
    MAX_RATIO,
    NOT_A_FILE,
    RATIO_COUNTS_FROM,
    directory_bytes,
    open_zip,
    zip_infos,
    zip_problem,
)

MAX_MEMBERS = 1_000_000
MAX_OTHER_FILES = 250_000  # a disk of samples holds 100,000; a whole system holds millions, and each is opened
MAX_ZIP_FILES = 200_000  # each process that reads a zip holds its directory: about 700 bytes for each file
MAX_DIRECTORY_BYTES = 32 << 20  # of a zip: 200,000 names of 120 bytes
MAX_COMPRESSED_TAR_BYTES = 4 << 30  # unpacked: a .tar.gz is read from front to back
MAX_HELD_BYTES = 256 << 20  # memory for the wanted files of a .tar.gz
_MAX_COMMON_FIELDS = 100  # of pax headers that count for all files; tarfile copies them for each file

# Errors of zipfile, tarfile and the decompressors on damaged bytes.
_DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, gzip.BadGzipFile, zlib.error, struct.error,
    EOFError, ValueError, LookupError, ArithmeticError, RuntimeError,
)  # fmt: skip
_UNPACK = "Unpack it yourself and give the folder of one checkpoint."
GET_AGAIN = "Get the archive again, or unpack it yourself and give the folder instead."
_UNPACK_ALL = "Unpack it and give the folder instead."

Kind = Literal["zip", "tar", "tar.gz"]
Head = Callable[[], bytes]  # first bytes of a file


class Skipped(NamedTuple):
    """A file that is not used, and the reason as a clause such as ``it is a link``."""

    name: str
    reason: str


@dataclass(frozen=True)
class Member:
    """One file of an archive. Picklable: another process can read it.

    Attributes:
        archive: Path of the archive.
        name: Checked relative path, with the archive's top folder.
        size: Size in bytes.
        kind: Kind of the archive.
        position: zip: index in the directory; tar: offset of the bytes.
        data: The bytes of a tar.gz's file, since a compressed tar has no random access.
    """

    archive: Path
    name: str
    size: int
    kind: Kind
    position: int
    data: bytes | None = None

    def read(self, max_bytes: int) -> bytes:
        """Returns the file's bytes.

        Args:
            max_bytes: Size limit.

        Raises:
            GmdVaeError: The file is larger than the limit, damaged, encrypted, or the archive is gone.
        """
        if self.size > max_bytes:
            raise self._error(f"is larger than {max_bytes:,} bytes")
        try:
            data = self._read()
        except (*_DAMAGE, OSError) as error:
            raise self._error(f"cannot be read ({_reason(error)})") from None
        if len(data) != self.size:
            raise self._error(f"has {len(data):,} bytes, not {self.size:,}: the archive is damaged or has changed")
        return data

    def _read(self) -> bytes:
        if self.data is not None:
            return self.data
        if self.kind == "zip":
            status = self.archive.stat()
            archive = open_zip(self.archive, status.st_mtime_ns, status.st_size)
            return archive.read(archive.infolist()[self.position])  # never more than the size in the directory
        with open_regular(self.archive) as file:
            file.seek(self.position)
            return file.read(self.size)

    def _error(self, problem: str) -> GmdVaeError:
        return GmdVaeError(f"'{printable(self.name)}' in '{self.archive}' {problem}", GET_AGAIN)


@dataclass(frozen=True)
class Contents:
    """The listing of an archive.

    Attributes:
        members: Wanted files, in the archive's order.
        skipped: Wanted files that are not used.
        passed_over: Number of files that are not wanted, by suffix.
        top: Name of the one folder that holds every file, or "".
    """

    members: tuple[Member, ...]
    skipped: tuple[Skipped, ...]
    passed_over: Counter[str]
    top: str


def archive_kind(path: Path) -> Kind | None:
    """Returns the kind of an archive by its first bytes; None for other files."""
    with open_regular(path) as stream:
        head = stream.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "tar.gz" if path.name.lower().endswith((".tar.gz", ".tgz")) or _may_be_tar(path) else None
    return "tar" if head[257:262] == b"ustar" or path.suffix.lower() == ".tar" else None


def _may_be_tar(path: Path) -> bool:
    """Returns False for a gzip file of something else than a tar, such as TFRecords; True if it is damaged."""
    try:
        with open_regular(path) as stream, gzip.GzipFile(fileobj=stream) as unpacked:
            head = unpacked.read(tarfile.BLOCKSIZE)
    except (EOFError, OSError, zlib.error):
        return True
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return not head.strip(b"\0")  # a tar without files
    return True


def list_members(archive: Path, wanted: Callable[[str, Head], bool], max_bytes: int) -> Contents:
    """Lists the wanted files of an archive; unpacks nothing.

    Skips, with the reason: links, special files, encrypted files, files above ``max_bytes``, second
    files of one name, and names that would leave the folder.

    Args:
        archive: Path of the archive.
        wanted: Predicate on a file's checked name and its first bytes; reads them only if it calls the function.
        max_bytes: Size limit of one file.

    Raises:
        GmdVaeError: The file is damaged, is no archive, or is too large to read through.
    """
    kind = archive_kind(archive)
    if kind is None:
        raise GmdVaeError(f"'{archive}' is not a .zip, .tar or .tar.gz archive", GET_AGAIN)
    members: dict[str, Member] = {}
    skipped: list[Skipped] = []
    tops: set[str] = set()
    passed_over: Counter[str] = Counter()
    held = others = 0
    with damage_as_error(archive), contextlib.closing(_entries(archive, kind, MAX_COMPRESSED_TAR_BYTES)) as entries:
        for number, entry in enumerate(entries):
            if number >= MAX_MEMBERS:
                raise GmdVaeError(f"'{archive}' holds more than {MAX_MEMBERS:,} files", GET_AGAIN)
            try:
                name, problem = relative_name(entry.name), entry.problem
            except ValueError as error:
                name, problem = entry.name, str(error)
            else:
                if not is_clutter(name):
                    tops.add(name.split("/")[0] if "/" in name else "")
            head = _EntryHead(entry, is_readable=not problem and not is_clutter(name))
            if not wanted(name, head.read):
                passed_over[suffix_of(name)] += 1
                others += 1
                check_other_files(archive, others)
            elif problem := problem or _size_or_name_problem(name, entry.size, max_bytes, members):
                skipped.append(Skipped(printable(name), problem))
            else:
                data = head.read_whole() if kind == "tar.gz" else None
                held += len(data or b"")
                if held > MAX_HELD_BYTES:
                    raise GmdVaeError(
                        f"'{archive}' holds more than {MAX_HELD_BYTES >> 20} MiB of files to read, too much for a"
                        " compressed tar, which can only be read from front to back",
                        _UNPACK_ALL,
                    )
                members[name] = Member(archive, name, entry.size, kind, entry.position, data)
    return Contents(tuple(members.values()), tuple(skipped), passed_over, tops.pop() if len(tops) == 1 else "")


def check_other_files(root: Path, count: int) -> None:
    """Checks the number of files of a folder or an archive that are not used.

    Raises:
        GmdVaeError: There are too many.
    """
    if count > MAX_OTHER_FILES:
        raise GmdVaeError(
            f"'{printable(str(root), limit=None)}' holds more than {MAX_OTHER_FILES:,} files that are no MIDI files",
            "Give a folder or an archive that holds little else than music.",
        )


def copy_from_tar(archive: Path, folder: Path, wanted: Callable[[str], bool], max_bytes: int, max_members: int) -> None:
    """Copies files of a tar or tar.gz into a folder, without the folders that they have in the archive.

    Links, special files and files with holes are never copied.

    Args:
        archive: Path of the archive.
        folder: An empty folder; the caller removes it after an error.
        wanted: Predicate on a file's name, without its folders.
        max_bytes: Limit of the unpacked size of all files of the archive, also of those that are not copied.
        max_members: Limit of the number of files.

    Raises:
        GmdVaeError: The archive is damaged, above a limit, or holds two files of one name.
        OSError: The folder cannot be written (a full disk).
    """
    kind: Kind = "tar.gz" if archive_kind(archive) == "tar.gz" else "tar"
    total = 0
    with damage_as_error(archive), contextlib.closing(_entries(archive, kind, max_bytes)) as entries:
        for number, entry in enumerate(entries):
            total += entry.size
            if kind == "tar.gz" and total > max(RATIO_COUNTS_FROM, MAX_RATIO * archive.stat().st_size):
                raise GmdVaeError(f"'{archive}' unpacks to more than {MAX_RATIO} times its size", _UNPACK)
            if total > max_bytes or number >= max_members:
                limit = f"{max_bytes >> 30} GiB" if number < max_members else f"{max_members:,} files"
                raise GmdVaeError(f"'{archive}' unpacks to more than {limit}", _UNPACK)
            name = PurePosixPath(entry.name).name
            if entry.problem or not wanted(name):
                continue
            try:
                target = (folder / name).open("xb")
            except FileExistsError:
                raise GmdVaeError(f"'{archive}' holds two files '{printable(name)}'", _UNPACK) from None
            with target:
                for block in entry.blocks():
                    target.write(block)


class _Entry(NamedTuple):
    """One file of an archive as the archive describes it, unchecked."""

    name: str
    size: int
    position: int
    problem: str  # reason for not using it, as a clause; or ""
    blocks: Callable[[], Iterator[bytes]]  # of a zip only the first; only until the next entry


class _EntryHead:
    """The first bytes of an archive's file, read at most once: a compressed tar has no way back."""

    def __init__(self, entry: _Entry, *, is_readable: bool) -> None:
        self._blocks = entry.blocks() if is_readable else iter(())
        self._head: bytes | None = None

    def read(self) -> bytes:
        """Returns the first bytes; none for a file that is not used."""
        if self._head is None:
            self._head = next(self._blocks, b"")
        return self._head

    def read_whole(self) -> bytes:
        """Returns the whole file."""
        return self.read() + b"".join(self._blocks)


def _entries(archive: Path, kind: Kind, max_unpacked: int) -> Generator[_Entry, None, None]:
    if kind == "zip":
        if directory_bytes(archive) > MAX_DIRECTORY_BYTES:
            size = f"more than {MAX_DIRECTORY_BYTES:,} bytes of names, too much for a zip"
            raise GmdVaeError(f"'{archive}' holds {size}", _UNPACK_ALL)
        with open_regular(archive) as stream, zipfile.ZipFile(stream) as opened:
            if len(opened.filelist) > MAX_ZIP_FILES:
                raise GmdVaeError(
                    f"'{archive}' holds more than {MAX_ZIP_FILES:,} files, too many for a zip", _UNPACK_ALL
                )
            for position, info in enumerate(zip_infos(opened)):
                if not info.is_dir():
                    blocks = functools.partial(_zip_head, opened, info)
                    yield _Entry(info.filename, info.file_size, position, zip_problem(info), blocks)
        return
    with open_regular(archive) as file, contextlib.ExitStack() as stack:
        bounded = ForwardReader(file, archive.stat().st_size)
        if kind == "tar.gz":
            unpacked = stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb"))
            bounded = ForwardReader(cast("IO[bytes]", unpacked), max_unpacked)
        # "r:" on our own stream, never "r:gz": tarfile would read whatever size a header declares
        tar = stack.enter_context(tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r:"))
        while (member := tar.next()) is not None:
            tar.members = []  # type: ignore[attr-defined]  # or tarfile keeps every header
            if len(tar.pax_headers) > _MAX_COMMON_FIELDS:
                raise tarfile.ReadError("its header holds too many fields")
            if member.isdir():
                continue
            problem = "" if member.isreg() and not member.issparse() else NOT_A_FILE
            position = member.offset_data
            if not problem and (member.size < 0 or position + member.size > bounded.limit):
                beyond = f"it unpacks to more than {bounded.limit:,} bytes" if kind == "tar.gz" else "it ends too early"
                raise EOFError(beyond)
            yield _Entry(
                member.name, member.size, position, problem, functools.partial(bounded.blocks, position, member.size)
            )


def _zip_head(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yields the first bytes of a file in a zip archive; none if it is damaged, which its reader then reports."""
    with contextlib.suppress(*_DAMAGE), opened.open(info) as stream:
        yield stream.read(HEAD_BYTES)


def _size_or_name_problem(name: str, size: int, max_bytes: int, members: dict[str, Member]) -> str:
    """Returns the reason for not using a wanted file, as a clause; or ""."""
    if is_clutter(name):
        return "it is hidden"
    if size > max_bytes:
        return f"it is larger than {max_bytes >> 20} MiB"
    return "another file of the archive has the same name" if name in members else ""


@contextlib.contextmanager
def damage_as_error(archive: Path) -> Iterator[None]:
    """Turns the errors of zipfile, tarfile and the decompressors into one line."""
    try:
        yield
    except _DAMAGE as error:
        raise GmdVaeError(f"'{archive}' is damaged or incomplete ({_reason(error)})", GET_AGAIN) from None


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "it is encrypted"
    return printable(str(error)) or type(error).__name__
