"""Archives from outside (.zip, .tar, .tar.gz): listed, read and unpacked without trusting them.

Nothing in an archive decides where a file is written, how much memory is taken or how much disk is
filled: names are checked by :mod:`gmd_vae.datasets.safe_names`, links are never made, sizes are bounded.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, NamedTuple, cast

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.safe_names import is_clutter, printable, relative_name

MAX_MEMBERS = 1_000_000
MAX_RATIO = 200  # GMD's densest file has 10; a bomb has 1,000
RATIO_COUNTS_FROM = 1 << 20  # bytes; below that a high ratio does no harm
MAX_COMPRESSED_TAR_BYTES = 4 << 30  # unpacked: reading a .tar.gz means reading through all of it
MAX_HELD_BYTES = 256 << 20  # what a .tar.gz's wanted files may take in memory
_MAX_TAR_READ = 64 << 20  # tarfile reads a header's declared size in one go, whatever it says
_BLOCK = 1 << 20

# What zipfile, tarfile and the decompressors raise when the bytes are not what they should be.
_BAD_BYTES = (
    tarfile.TarError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error,
    EOFError, ValueError, LookupError, ArithmeticError, RuntimeError,
)  # fmt: skip
_DAMAGE = (*_BAD_BYTES, OSError)  # where only reading is going on; a write's OSError is not the archive's fault
_GET_AGAIN = "Get the archive again, or unpack it yourself and give the folder instead."

Kind = Literal["zip", "tar", "tar.gz"]


class Skipped(NamedTuple):
    """A file that was not used, and why (a clause such as ``it is a link``)."""

    name: str
    reason: str


@dataclass(frozen=True)
class Member:
    """One file of an archive. Can be pickled: another process can read it."""

    archive: Path
    name: str  # the checked relative path, top folder included
    size: int
    kind: Kind
    position: int  # zip: its number in the directory; tar: the offset of its bytes
    data: bytes | None = None  # tar.gz: the bytes themselves, for they cannot be sought

    def read(self, max_bytes: int) -> bytes:
        """The file's bytes.

        Raises:
            GmdVaeError: it is larger than ``max_bytes``, damaged, encrypted, or the archive is gone.
        """
        if self.size > max_bytes:
            raise self._error(f"is larger than {max_bytes:,} bytes")
        try:
            data = self._bytes(max_bytes + 1)
        except _DAMAGE as error:
            raise self._error(f"cannot be read ({_reason(error)})") from None
        if len(data) != self.size:
            raise self._error(f"has {len(data):,} bytes, not {self.size:,}: the archive is damaged or has changed")
        return data

    def _bytes(self, at_most: int) -> bytes:
        if self.data is not None:
            return self.data
        if self.kind == "zip":
            status = self.archive.stat()
            archive = _open_zip(self.archive, status.st_mtime_ns, status.st_size)
            with archive.open(archive.infolist()[self.position]) as stream:
                return stream.read(at_most)
        with self.archive.open("rb") as file:
            file.seek(self.position)
            return file.read(self.size)

    def _error(self, problem: str) -> GmdVaeError:
        return GmdVaeError(f"'{printable(self.name)}' in '{self.archive}' {problem}", _GET_AGAIN)


@dataclass(frozen=True)
class Contents:
    """The wanted files of an archive, in the archive's order, and what stands between us and others."""

    members: tuple[Member, ...]
    skipped: tuple[Skipped, ...]
    others: int  # files nobody asked for
    top: str  # the one folder that holds every file, or ""


def kind_of(path: Path) -> Kind | None:
    """What kind of archive a file is, by its first bytes; None when it is none that we read."""
    with path.open("rb") as stream:
        head = stream.read(512)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\x1f\x8b"):
        return "tar.gz"
    return "tar" if head[257:262] == b"ustar" or path.suffix.lower() == ".tar" else None


def list_members(archive: Path, wanted: Callable[[str], bool], max_bytes: int) -> Contents:
    """The files of an archive whose checked name ``wanted`` accepts, nothing unpacked.

    Links, special files, encrypted files, files above ``max_bytes``, second files of one name and
    names that would leave the folder are skipped, each with its reason.

    Raises:
        GmdVaeError: the archive is damaged, is none, or is too large to be read through.
    """
    kind = kind_of(archive)
    if kind is None:
        raise GmdVaeError(f"'{archive}' is not a .zip, .tar or .tar.gz archive", _GET_AGAIN)
    members: dict[str, Member] = {}
    skipped: list[Skipped] = []
    names: list[str] = []
    others = 0
    try:
        with contextlib.closing(_zip_files(archive) if kind == "zip" else _tar_files(archive, kind)) as files:
            held = 0
            for number, file in enumerate(files):
                if number >= MAX_MEMBERS:
                    raise GmdVaeError(f"'{archive}' holds more than {MAX_MEMBERS:,} files", _GET_AGAIN)
                try:
                    name = relative_name(file.name)
                except ValueError as error:
                    if not wanted(file.name):
                        others += 1
                    else:
                        skipped.append(Skipped(printable(file.name), str(error)))
                    continue
                names.append(name)
                if not wanted(name):
                    others += 1
                    continue
                if reason := file.trouble or _trouble(name, file.size, max_bytes, members):
                    skipped.append(Skipped(printable(name), reason))
                    continue
                data = file.read() if kind == "tar.gz" else None
                held += len(data or b"")
                if held > MAX_HELD_BYTES:
                    raise GmdVaeError(
                        f"'{archive}' holds more than {MAX_HELD_BYTES >> 20} MiB of files to read, too much for a"
                        " compressed tar, which can only be read from front to back",
                        "Unpack it and give the folder instead.",
                    )
                members[name] = Member(archive, name, file.size, kind, file.position, data)
    except _DAMAGE as error:
        raise GmdVaeError(f"'{archive}' is damaged or incomplete ({_reason(error)})", _GET_AGAIN) from None
    return Contents(tuple(members.values()), tuple(skipped), others, _common_top(names))


def unpack_zip(archive: Path, folder: Path, max_bytes: int, max_members: int, strip: str = "") -> list[str]:
    """Unpacks a zip archive into an empty folder; returns the names written, sorted.

    Every name is checked before the first byte is written. What macOS leaves in archives (``._x``,
    ``Icon``) is left out. Modes and times in the archive are not taken over.

    Args:
        strip: a top folder to leave away from the names of the files in it.

    Raises:
        GmdVaeError: the archive is damaged, encrypted, larger than the bounds, or holds a name or a
            kind of file that has no business there. The caller throws ``folder`` away.
        OSError: the folder cannot be written (a full disk).
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            plan = _plan(archive, opened.infolist(), max_bytes, max_members, strip)
            for name, info in sorted(plan.items(), key=lambda item: item[0]):
                target = folder / name
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    output = target.open("xb")  # x: follows no link, replaces no file
                except (FileExistsError, NotADirectoryError):
                    raise GmdVaeError(
                        f"'{archive}' holds '{name}' twice, or as a file and a folder", _GET_AGAIN
                    ) from None
                with output:
                    for block in _blocks(archive, opened, info):
                        output.write(block)
    except _BAD_BYTES as error:
        raise GmdVaeError(f"'{archive}' is damaged or incomplete ({_reason(error)})", _GET_AGAIN) from None
    return sorted(plan)


def _plan(
    archive: Path, infos: list[zipfile.ZipInfo], max_bytes: int, max_members: int, strip: str
) -> dict[str, zipfile.ZipInfo]:
    """What to unpack under which name; refuses the whole archive for one bad member."""
    if len(infos) > max_members:
        raise GmdVaeError(f"'{archive}' holds {len(infos):,} files, more than the {max_members:,} allowed", _GET_AGAIN)
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise GmdVaeError(f"'{archive}' unpacks to {total:,} bytes, more than the {max_bytes:,} allowed", _GET_AGAIN)
    plan: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if info.is_dir():
            continue
        try:
            name = relative_name(info.filename.rstrip("\r"))  # macOS's folder icons: "Icon" and a carriage return
            if is_clutter(name):
                continue
            if reason := _zip_trouble(info):
                raise ValueError(reason)
            name = name.removeprefix(f"{strip}/") if strip else name
            if name in plan:
                raise ValueError("it is there twice")
        except ValueError as error:
            shown = printable(info.filename)
            raise GmdVaeError(f"'{archive}' holds '{shown}', which is not unpacked: {error}", _GET_AGAIN) from None
        plan[name] = info
    return plan


def _blocks(archive: Path, opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """A file's bytes. Its own function, so that an OSError of a write (a full disk) is not taken for one of a read."""
    problem = f"'{printable(info.filename)}' in '{archive}' cannot be read"
    read = 0
    try:
        with opened.open(info) as stream:
            while block := stream.read(_BLOCK):
                yield block
                read += len(block)
    except _DAMAGE as error:
        raise GmdVaeError(f"{problem} ({_reason(error)})", _GET_AGAIN) from None
    if read != info.file_size:
        raise GmdVaeError(f"{problem} ({read:,} bytes instead of {info.file_size:,})", _GET_AGAIN)


@dataclass(frozen=True)
class _File:
    name: str
    size: int
    position: int
    trouble: str
    read: Callable[[], bytes]


def _zip_files(archive: Path) -> Generator[_File, None, None]:
    with zipfile.ZipFile(archive) as opened:
        for position, info in enumerate(opened.infolist()):
            if not info.is_dir():
                yield _File(info.filename, info.file_size, position, _zip_trouble(info), bytes)


def _tar_files(archive: Path, kind: Kind) -> Generator[_File, None, None]:
    with contextlib.ExitStack() as stack:
        stream: IO[bytes] = stack.enter_context(cast("IO[bytes]", archive.open("rb")))
        limit = os.fstat(stream.fileno()).st_size
        if kind == "tar.gz":
            stream = stack.enter_context(cast("IO[bytes]", gzip.GzipFile(fileobj=stream, mode="rb")))
            limit = MAX_COMPRESSED_TAR_BYTES
        bounded = _Bounded(stream, archive, limit)
        # "r:" on our own stream, never "r:gz": tarfile would read whatever a header asks for
        opened = stack.enter_context(tarfile.open(fileobj=cast("IO[bytes]", bounded), mode="r:"))
        while (info := opened.next()) is not None:
            opened.members = []  # type: ignore[attr-defined]  # else it keeps every header it has seen
            if info.isdir():
                continue
            trouble = "" if info.isreg() and not info.issparse() else "it is a link or a special file"
            position = info.offset_data
            if not trouble and (info.size < 0 or position + info.size > limit):
                raise EOFError("a file reaches beyond its end")
            yield _File(
                info.name, info.size, position, trouble, functools.partial(bounded.read_at, position, info.size)
            )


class _Bounded:
    """A readable stream that refuses single reads and positions beyond its bounds, and the way back.

    A tar is read from front to back. A header with a negative size would send tarfile back to it,
    for ever (CVE-2025-8194).
    """

    def __init__(self, stream: IO[bytes], archive: Path, limit: int) -> None:
        self._stream, self._archive, self._limit = stream, archive, limit

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_TAR_READ:
            raise GmdVaeError(f"'{self._archive}' is damaged: a header asks for {size:,} bytes", _GET_AGAIN)
        data = self._stream.read(size)
        self._check(self._stream.tell())
        return data

    def read_at(self, position: int, size: int) -> bytes:
        self.seek(position)
        data = self.read(size)
        if len(data) != size:
            raise EOFError("it ends inside a file")
        return data

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        assert whence == io.SEEK_SET
        if position < self._stream.tell():
            raise EOFError("a header leads backwards")
        self._check(position)
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _check(self, position: int) -> None:
        if position > self._limit:
            raise GmdVaeError(
                f"'{self._archive}' is damaged, or unpacks to more than {self._limit:,} bytes", _GET_AGAIN
            )


@functools.lru_cache(maxsize=2)
def _open_zip(archive: Path, _mtime_ns: int, _size: int) -> zipfile.ZipFile:
    """Reading the directory takes longer than reading a file: each process does it once."""
    return zipfile.ZipFile(archive)


def _zip_trouble(info: zipfile.ZipInfo) -> str:
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return "it is a link or a special file"
    if info.flag_bits & 0x1:
        return "it is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is compressed in an unusual way"  # some of them take the memory that a header asks for
    if info.file_size > RATIO_COUNTS_FROM and info.file_size > MAX_RATIO * info.compress_size:
        return f"it unpacks to more than {MAX_RATIO} times its size"
    return ""


def _trouble(name: str, size: int, max_bytes: int, known: dict[str, Member]) -> str:
    if is_clutter(name):
        return "it is hidden"
    if size > max_bytes:
        return f"it is larger than {max_bytes >> 20} MiB"
    return "another file of the archive has the same name" if name in known else ""


def _common_top(names: list[str]) -> str:
    tops = {name.split("/")[0] if "/" in name else "" for name in names if not is_clutter(name)}
    return tops.pop() if len(tops) == 1 else ""


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "it is encrypted"
    return printable(str(error)) or type(error).__name__
