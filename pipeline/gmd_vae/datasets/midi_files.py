"""The MIDI files of a folder or an archive, in a fixed order, named as in the catalogue of GMD.

A file is a MIDI file by its suffix, or by its first bytes under any name. A file with a MIDI suffix and other content
is listed too, so that its reader names it. Everything else is counted by suffix.
"""

from __future__ import annotations

import collections
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import counted, printable
from gmd_vae.common.regular_files import NotAFileError, open_regular
from gmd_vae.datasets import archives
from gmd_vae.datasets.archives import Member, Skipped
from gmd_vae.datasets.catalogue import INFO_NAME, MAX_INFO_BYTES, is_catalogue
from gmd_vae.datasets.midi_formats import HEAD_BYTES, is_midi, is_midi_name, is_stock_name, suffix_of
from gmd_vae.datasets.safe_names import is_clutter

MAX_MIDI_BYTES = 16 << 20  # GMD's largest file has 206 kB; a song of an hour has 1 MB
_MAX_SUFFIXES = 50  # different suffixes of other files that are kept; the rest is one count
_SHOWN_SUFFIXES = 5
_GIVE = "Give a folder or an archive (.zip, .tar, .tar.gz) with MIDI files, or one MIDI file."
_TOO_LARGE = f"it is larger than {MAX_MIDI_BYTES >> 20} MiB"
_DEEP = "it lies in a folder below; give that folder to use it"
assert MAX_INFO_BYTES <= MAX_MIDI_BYTES

_Kind = Literal["MIDI", "catalogue", "other"]


@dataclass(frozen=True, slots=True)  # slots: there may be a million
class MidiFile:
    """One MIDI file, or a catalogue beside MIDI files. Picklable: another process can read it.

    Attributes:
        name: Path relative to the root with forward slashes, as ``midi_filename`` in ``info.csv``; bytes
            that are not UTF-8 are escaped.
        size: Size in bytes.
        source: A member of an archive, the file itself, or the root folder (shared by all its files).
        below: Path relative to the root folder, as in the file system.
        mtime_ns: Modification time of a file in a folder, in nanoseconds.
    """

    name: str
    size: int
    source: Path | Member
    below: str = ""
    mtime_ns: int = 0

    def read(self) -> bytes:
        """Returns the file's bytes.

        Raises:
            GmdVaeError: The file is larger than 16 MiB, damaged, unreadable, or missing.
        """
        if isinstance(self.source, Member):
            return self.source.read(MAX_MIDI_BYTES)
        source = self.source / self.below
        path = printable(str(source), limit=None)
        try:
            with open_regular(source) as stream:
                data = stream.read(MAX_MIDI_BYTES + 1)
        except NotAFileError as error:
            raise GmdVaeError(f"'{path}' cannot be read ({error.strerror})") from None
        except OSError as error:
            raise GmdVaeError(f"'{path}' cannot be read ({error.strerror})", "Check its permissions.") from None
        if len(data) > MAX_MIDI_BYTES:
            raise GmdVaeError(f"'{path}' is larger than {MAX_MIDI_BYTES >> 20} MiB, too large for a MIDI file")
        return data


@dataclass(frozen=True)
class MidiListing:
    """The MIDI files of a folder or an archive.

    Attributes:
        root: The folder or archive.
        collection: Name of the root folder, Magenta's ``collection_name``.
        files: MIDI files, sorted by name; never empty.
        skipped: MIDI files that are not used, and folders that are not searched, sorted by name.
        passed_over: Number of other files by suffix, the most frequent first.
        catalogues: Catalogues at the root, ``info.csv`` first.
        unused_catalogues: Catalogues elsewhere, those above 16 MiB, and an ``info.csv`` that is no file.
    """

    root: Path
    collection: str
    files: tuple[MidiFile, ...]
    skipped: tuple[Skipped, ...] = ()
    passed_over: dict[str, int] = field(default_factory=dict)
    catalogues: tuple[MidiFile, ...] = ()
    unused_catalogues: tuple[Skipped, ...] = ()

    def skipped_counts(self) -> dict[str, int]:
        """Returns the number of skipped files by reason, the most frequent reason first."""
        return dict(collections.Counter(reason for _, reason in self.skipped).most_common())


def list_midi_files(path: Path, *, stock: bool = False) -> MidiListing:
    """Lists the MIDI files of a folder (with its subfolders), of an archive, or one MIDI file.

    Follows no links. Skips hidden files and folders, special files, unreadable folders and files above
    16 MiB, each with its reason. Of files without a MIDI suffix it reads only the first bytes. A single top folder of
    an archive is the root, so that names agree with those of a catalogue.

    Args:
        path: A folder, an archive or a MIDI file.
        stock: Takes only files with the suffixes that Magenta's scripts take.

    Raises:
        GmdVaeError: The path is missing, unreadable, or holds no MIDI file, or very many other files.
    """
    shown = printable(str(path), limit=None)
    try:
        if path.is_dir():
            listing = _list_folder(path.resolve(), stock=stock)
        elif not path.exists():
            raise GmdVaeError(f"'{shown}' does not exist", _GIVE)
        elif not path.is_file():
            raise GmdVaeError(f"'{shown}' is neither a folder nor a file", _GIVE)
        elif is_midi_file(path):
            listing = _list_one(path.resolve())
        elif archives.archive_kind(path) is None:
            raise GmdVaeError(f"'{shown}' is neither a folder, nor an archive, nor a MIDI file", _GIVE)
        else:
            listing = _list_archive(path.resolve(), stock=stock)
    except (OSError, RuntimeError) as error:  # RuntimeError: resolve() on a loop of links, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise GmdVaeError(f"'{shown}' cannot be read ({reason})", "Check its permissions.") from None
    if not listing.files:
        raise GmdVaeError(f"'{shown}' holds no MIDI file{_other_content(listing)}", _GIVE)
    return listing


def is_midi_file(path: Path) -> bool:
    """Returns True for a MIDI file: by its name, or by its first bytes.

    Raises:
        OSError: The file cannot be read.
    """
    return is_midi_name(path.name) or is_midi(read_head(path))


def read_head(path: Path) -> bytes:
    """Returns the first bytes of a regular file; none of anything else. Never waits.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        with open_regular(path) as stream:
            return stream.read(HEAD_BYTES)
    except NotAFileError:
        return b""


def _kind_of(name: str, head: Callable[[], bytes], *, stock: bool) -> _Kind:
    """Returns the kind of a file by its name, else by its first bytes."""
    if is_stock_name(name) if stock else is_midi_name(name):
        return "MIDI"
    if name.rpartition("/")[2] == INFO_NAME:
        return "catalogue"  # by its name, so that a damaged one is an error
    first = head()
    if not stock and is_midi(first):
        return "MIDI"
    return "catalogue" if is_catalogue(first) else "other"


@dataclass
class _Found:
    """The files of a folder or an archive, in no fixed order."""

    files: list[MidiFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    catalogues: list[MidiFile] = field(default_factory=list)
    unused_catalogues: list[Skipped] = field(default_factory=list)

    def add(self, file: MidiFile, kind: _Kind) -> None:
        """Adds a file of a kind."""
        if kind == "other":
            self.passed_over[suffix_of(file.name)] += 1
        elif kind == "catalogue":
            if "/" in file.name or file.size > MAX_INFO_BYTES:
                self.unused_catalogues.append(Skipped(file.name, _DEEP if "/" in file.name else _TOO_LARGE))
            else:
                self.catalogues.append(file)
        elif file.size > MAX_MIDI_BYTES:
            self.skipped.append(Skipped(file.name, _TOO_LARGE))
        else:
            self.files.append(file)

    def listing(self, root: Path, collection: str) -> MidiListing:
        """Returns the files in a fixed order."""
        counts = sorted(self.passed_over.items(), key=lambda item: (-item[1], item[0]))
        rest = sum(count for _, count in counts[_MAX_SUFFIXES:])
        return MidiListing(
            root=root,
            collection=collection,
            files=tuple(sorted(self.files, key=lambda file: file.name)),
            skipped=tuple(sorted(self.skipped)),
            passed_over=dict(counts[:_MAX_SUFFIXES]) | ({"other suffixes": rest} if rest else {}),
            catalogues=tuple(sorted(self.catalogues, key=lambda file: (file.name != INFO_NAME, file.name))),
            unused_catalogues=tuple(sorted(self.unused_catalogues)),
        )


def _list_folder(root: Path, *, stock: bool) -> MidiListing:
    found, others = _Found(), 0
    ours = manifest.NAME if manifest.stage_of(root) is not None else None  # of `gmd-vae fetch`, no file of the user
    for entry in _walk(root, stock=stock):
        if isinstance(entry, Skipped):
            is_info = entry.name.rstrip("/").rpartition("/")[2] == INFO_NAME
            (found.unused_catalogues if is_info else found.skipped).append(entry)
        elif entry[0].name != ours:
            found.add(*entry)
        others += isinstance(entry, Skipped) or entry[1] == "other"
        archives.check_other_files(root, others)
    return found.listing(root, root.name or "midi")


def _walk(root: Path, *, stock: bool) -> Iterator[tuple[MidiFile, _Kind] | Skipped]:
    """Yields every regular file below ``root``, and every entry that is skipped, in no fixed order."""
    folders = [""]
    while folders:  # no recursion: a thousand nested folders would exceed Python's limit
        folder = folders.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    name = f"{folder}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        if is_clutter(entry.name):
                            yield Skipped(f"{printable(name, limit=None)}/", "it is hidden")
                        else:
                            folders.append(f"{name}/")
                            if entry.name == INFO_NAME:
                                yield Skipped(f"{printable(name, limit=None)}/", "it is a folder")
                    else:
                        yield _file_entry(entry, root, name, stock=stock)
        except OSError as error:
            if not folder:
                raise
            yield Skipped(printable(folder, limit=None), f"the folder cannot be read ({error.strerror})")


def _file_entry(entry: os.DirEntry[str], root: Path, below: str, *, stock: bool) -> tuple[MidiFile, _Kind] | Skipped:
    """Returns an entry of a folder as a file and its kind, or with the reason for skipping it."""
    name = printable(below, limit=None)
    has_midi_name = is_stock_name(entry.name) if stock else is_midi_name(entry.name)
    if has_midi_name or entry.is_symlink() or entry.name == INFO_NAME:
        if is_clutter(entry.name):
            return Skipped(name, "it is hidden")
        if entry.is_symlink():
            return Skipped(name, "it is a link")
        if not entry.is_file(follow_symlinks=False):
            return Skipped(name, "it is not a regular file")
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return Skipped(name, f"it cannot be read ({error.strerror})")

    def head() -> bytes:
        """Returns the first bytes; none of files that are not used or cannot be read."""
        if is_clutter(entry.name) or not stat.S_ISREG(status.st_mode) or not status.st_size:
            return b""  # files of /proc have size 0
        try:
            return read_head(root / below)
        except OSError:
            return b""

    file = MidiFile(below if below == name else name, status.st_size, root, below, status.st_mtime_ns)
    return file, _kind_of(entry.name, head, stock=stock)


def _list_one(path: Path) -> MidiListing:
    """Lists one MIDI file that the user named."""
    status = path.stat()
    file = MidiFile(printable(path.name), status.st_size, path, mtime_ns=status.st_mtime_ns)
    file.read()  # raises now if it is unreadable, since no other file can be converted
    return MidiListing(path.parent, path.parent.name or "midi", (file,))


def _list_archive(path: Path, *, stock: bool) -> MidiListing:
    kinds: dict[str, _Kind] = {}

    def is_wanted(name: str, head: Callable[[], bytes]) -> bool:
        kinds[name] = kind = _kind_of(name, head, stock=stock)
        if kind == "other":
            del kinds[name]
        return kind != "other"

    contents = archives.list_members(path, is_wanted, MAX_MIDI_BYTES)
    top = f"{contents.top}/" if contents.top else ""
    found = _Found(skipped=list(contents.skipped), passed_over=contents.passed_over)
    for member in contents.members:
        name = printable(member.name.removeprefix(top), limit=None)
        found.add(MidiFile(name, member.size, member), kinds[member.name])
    return found.listing(path, contents.top or _stem(path.name))


def _stem(name: str) -> str:
    """Returns an archive's name without its suffix."""
    for suffix in (".zip", ".tar", ".tar.gz", ".tgz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or "midi"
    return name


def _other_content(listing: MidiListing) -> str:
    """Describes a folder without MIDI files, for an error."""
    content = [f"{count:,} skipped because {reason}" for reason, count in listing.skipped_counts().items()]
    if listing.passed_over:
        content.insert(0, describe_passed_over(listing.passed_over))
    return f" ({'; '.join(content)})" if content else " (it is empty)"


def describe_passed_over(counts: dict[str, int]) -> str:
    """Returns counts by suffix as text, for example ``12 other files: 10 .wav, 2 .txt``."""
    total = sum(counts.values())
    shown = [f"{count:,} {suffix}" for suffix, count in list(counts.items())[:_SHOWN_SUFFIXES]]
    more = ", ..." if len(counts) > _SHOWN_SUFFIXES else ""
    return f"{counted(total, 'other file')}: {', '.join(shown)}{more}"
