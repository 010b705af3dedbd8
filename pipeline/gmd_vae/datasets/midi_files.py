"""The MIDI files of a folder or an archive: found in a fixed order, named as GMD's catalogue names them."""

from __future__ import annotations

import collections
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets import archives
from gmd_vae.datasets.archives import Member, Skipped
from gmd_vae.datasets.catalogue import MAX_INFO_BYTES
from gmd_vae.datasets.safe_names import is_clutter, printable

SUFFIXES = (".mid", ".midi")
MAX_MIDI_BYTES = 16 << 20  # GMD's largest file has 206 kB; a song of an hour has 1 MB
INFO_NAME = "info.csv"
_GIVE = "Give a folder or an archive (.zip, .tar, .tar.gz) with .mid or .midi files, or one such file."


@dataclass(frozen=True, slots=True)  # slots: there may be a million
class MidiFile:
    """One MIDI file. Can be pickled: another process can read it.

    ``name`` is the path relative to the root with forward slashes, as ``info.csv`` has it in
    ``midi_filename``. Bytes that are not UTF-8 are escaped in it.
    """

    name: str
    size: int
    source: Path | Member  # the file itself, or the folder that it is below, one object for all its files
    below: str = ""  # the path in the folder, as the file system has it
    mtime_ns: int = 0  # of a file in a folder

    def read(self) -> bytes:
        """The file's bytes.

        Raises:
            GmdVaeError: it is larger than 16 MiB, damaged, unreadable, or no longer there.
        """
        if isinstance(self.source, Member):
            return self.source.read(MAX_MIDI_BYTES)
        source = self.source / self.below
        path = printable(str(source), limit=None)
        try:
            with source.open("rb") as stream:
                data = stream.read(MAX_MIDI_BYTES + 1)
        except OSError as error:
            raise GmdVaeError(f"'{path}' cannot be read ({error.strerror})", "Check its permissions.") from None
        if len(data) > MAX_MIDI_BYTES:
            raise GmdVaeError(f"'{path}' is larger than {MAX_MIDI_BYTES >> 20} MiB, too large for a MIDI file")
        return data


@dataclass(frozen=True)
class MidiListing:
    """What a folder or an archive holds. ``files`` is sorted by name and never empty."""

    root: Path
    collection: str  # as Magenta names it: the root folder's own name
    files: tuple[MidiFile, ...]
    skipped: tuple[Skipped, ...]  # MIDI files that are not used, and folders not looked into, by name
    others: int  # files that do not claim to be MIDI
    info_csv: bytes | None  # the catalogue at the root, unread

    def skipped_counts(self) -> dict[str, int]:
        """How many were skipped for each reason, the most frequent first."""
        return dict(collections.Counter(reason for _, reason in self.skipped).most_common())


def list_midi_files(path: Path) -> MidiListing:
    """Lists the MIDI files of a folder (with its subfolders), of an archive, or one MIDI file.

    Links are not followed. Hidden files and folders, special files, unreadable folders and files
    above 16 MiB are skipped, each with its reason. If one folder holds everything in an archive, that
    folder is the root, so that names agree with ``info.csv``.

    Raises:
        GmdVaeError: there is nothing at ``path``, nothing that can be read, or no MIDI file in it.
    """
    shown = printable(str(path), limit=None)
    try:
        if path.is_dir():
            listing = _list_folder(path.resolve())
        elif not path.exists():
            raise GmdVaeError(f"'{shown}' does not exist", _GIVE)
        elif not path.is_file():
            raise GmdVaeError(f"'{shown}' is neither a folder nor a file", _GIVE)
        elif is_midi_name(path.name):
            listing = _list_one(path.resolve())
        elif archives.kind_of(path) is None:
            raise GmdVaeError(f"'{shown}' is neither a folder, nor an archive, nor a MIDI file by its name", _GIVE)
        else:
            listing = _list_archive(path.resolve())
    except (OSError, RuntimeError) as error:  # RuntimeError: resolve() on a loop of links, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise GmdVaeError(f"'{shown}' cannot be read ({reason})", "Check its permissions.") from None
    if not listing.files:
        raise GmdVaeError(f"'{shown}' holds no MIDI file{_instead(listing)}", _GIVE)
    return listing


def is_midi_name(name: str) -> bool:
    """Whether a file's name says that it is MIDI."""
    return name.lower().endswith(SUFFIXES)


def _list_folder(root: Path) -> MidiListing:
    files: list[MidiFile] = []
    skipped: list[Skipped] = []
    others = 0
    for found in _walk(root):
        if isinstance(found, Skipped):
            skipped.append(found)
        elif not is_midi_name(found.name):
            others += 1
        elif found.size > MAX_MIDI_BYTES:
            skipped.append(Skipped(found.name, f"it is larger than {MAX_MIDI_BYTES >> 20} MiB"))
        else:
            files.append(found)
    files.sort(key=lambda file: file.name)
    info = root / INFO_NAME
    return MidiListing(
        root=root,
        collection=root.name or "midi",
        files=tuple(files),
        skipped=tuple(sorted(skipped)),
        others=others,
        info_csv=_read_info(info) if info.is_file() else None,
    )


def _walk(root: Path) -> Iterator[MidiFile | Skipped]:
    """Every regular file below ``root``, in no fixed order, and what was passed over."""
    folders = [""]
    while folders:  # not recursion: a chain of a thousand folders is no reason to fail
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
                    else:
                        yield _file(entry, root, name)
        except OSError as error:
            if not folder:
                raise
            yield Skipped(printable(folder, limit=None), f"the folder cannot be read ({error.strerror})")


def _file(entry: os.DirEntry[str], root: Path, below: str) -> MidiFile | Skipped:
    name = printable(below, limit=None)
    if is_midi_name(entry.name) or entry.is_symlink():
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
    return MidiFile(below if below == name else name, status.st_size, root, below, status.st_mtime_ns)


def _list_one(path: Path) -> MidiListing:
    status = path.stat()
    file = MidiFile(printable(path.name), status.st_size, path, mtime_ns=status.st_mtime_ns)
    file.read()  # one file, named by the user: say now what is wrong with it
    return MidiListing(path.parent, path.parent.name or "midi", (file,), (), 0, None)


def _list_archive(path: Path) -> MidiListing:
    contents = archives.list_members(
        path, lambda name: is_midi_name(name) or name.rpartition("/")[2] == INFO_NAME, MAX_MIDI_BYTES
    )
    top = f"{contents.top}/" if contents.top else ""
    files: list[MidiFile] = []
    info: bytes | None = None
    others = contents.others
    for member in contents.members:
        name = member.name.removeprefix(top)
        if is_midi_name(name):
            files.append(MidiFile(printable(name, limit=None), member.size, member))
        elif name == INFO_NAME:
            info = member.read(MAX_INFO_BYTES)
        else:
            others += 1
    files.sort(key=lambda file: file.name)
    return MidiListing(
        root=path,
        collection=contents.top or _stem(path.name),
        files=tuple(files),
        skipped=tuple(sorted(contents.skipped)),
        others=others,
        info_csv=info,
    )


def _read_info(path: Path) -> bytes:
    with path.open("rb") as stream:
        data = stream.read(MAX_INFO_BYTES + 1)
    if len(data) > MAX_INFO_BYTES:
        raise GmdVaeError(f"'{path}' is larger than {MAX_INFO_BYTES >> 20} MiB, too large for a catalogue")
    return data


def _stem(name: str) -> str:
    """The archive's name without what says that it is one."""
    for suffix in (".zip", ".tar", ".tar.gz", ".tgz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or "midi"
    return name


def _instead(listing: MidiListing) -> str:
    found = [f"{count:,} skipped because {reason}" for reason, count in listing.skipped_counts().items()]
    if listing.others:
        found.insert(0, f"{listing.others:,} other file{'s' if listing.others > 1 else ''}")
    return f" ({'; '.join(found)})" if found else " (it is empty)"
