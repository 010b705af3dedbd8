"""The MIDI files of a folder or an archive, in a fixed order, named as in the catalogue of GMD."""

from __future__ import annotations

import collections
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.common.regular_files import open_regular
from gmd_vae.datasets import archives
from gmd_vae.datasets.archives import Member, Skipped
from gmd_vae.datasets.catalogue import MAX_INFO_BYTES
from gmd_vae.datasets.safe_names import is_clutter

SUFFIXES = (".mid", ".midi")
MAX_MIDI_BYTES = 16 << 20  # GMD's largest file has 206 kB; a song of an hour has 1 MB
INFO_NAME = "info.csv"
_GIVE = "Give a folder or an archive (.zip, .tar, .tar.gz) with .mid or .midi files, or one such file."


@dataclass(frozen=True, slots=True)  # slots: there may be a million
class MidiFile:
    """One MIDI file. Picklable: another process can read it.

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
        others: Number of files without a MIDI suffix.
        info_csv: Bytes of the catalogue at the root; None without one.
    """

    root: Path
    collection: str
    files: tuple[MidiFile, ...]
    skipped: tuple[Skipped, ...]
    others: int
    info_csv: bytes | None

    def skipped_counts(self) -> dict[str, int]:
        """Returns the number of skipped files by reason, the most frequent reason first."""
        return dict(collections.Counter(reason for _, reason in self.skipped).most_common())


def list_midi_files(path: Path) -> MidiListing:
    """Lists the MIDI files of a folder (with its subfolders), of an archive, or one MIDI file.

    Follows no links. Skips hidden files and folders, special files, unreadable folders and files above
    16 MiB, each with its reason. A single top folder of an archive is the root, so that names agree
    with ``info.csv``.

    Args:
        path: A folder, an archive or a MIDI file.

    Raises:
        GmdVaeError: The path is missing, unreadable, or holds no MIDI file.
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
        elif archives.archive_kind(path) is None:
            raise GmdVaeError(f"'{shown}' is neither a folder, nor an archive, nor a MIDI file by its name", _GIVE)
        else:
            listing = _list_archive(path.resolve())
    except (OSError, RuntimeError) as error:  # RuntimeError: resolve() on a loop of links, before Python 3.13
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise GmdVaeError(f"'{shown}' cannot be read ({reason})", "Check its permissions.") from None
    if not listing.files:
        raise GmdVaeError(f"'{shown}' holds no MIDI file{_other_content(listing)}", _GIVE)
    return listing


def is_midi_name(name: str) -> bool:
    """Returns True for the name of a MIDI file: one that ends in ``.mid`` or ``.midi``."""
    return name.lower().endswith(SUFFIXES)


def _list_folder(root: Path) -> MidiListing:
    files: list[MidiFile] = []
    skipped: list[Skipped] = []
    others = 0
    for entry in _walk(root):
        if isinstance(entry, Skipped):
            skipped.append(entry)
        elif not is_midi_name(entry.name):
            others += 1
        elif entry.size > MAX_MIDI_BYTES:
            skipped.append(Skipped(entry.name, f"it is larger than {MAX_MIDI_BYTES >> 20} MiB"))
        else:
            files.append(entry)
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
                    else:
                        yield _file_entry(entry, root, name)
        except OSError as error:
            if not folder:
                raise
            yield Skipped(printable(folder, limit=None), f"the folder cannot be read ({error.strerror})")


def _file_entry(entry: os.DirEntry[str], root: Path, below: str) -> MidiFile | Skipped:
    """Returns an entry of a folder as a file, whatever its suffix, or with the reason for skipping it."""
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
    """Lists one MIDI file that the user named."""
    status = path.stat()
    file = MidiFile(printable(path.name), status.st_size, path, mtime_ns=status.st_mtime_ns)
    file.read()  # raises now if it is unreadable, since no other file can be converted
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
    with open_regular(path) as stream:
        data = stream.read(MAX_INFO_BYTES + 1)
    if len(data) > MAX_INFO_BYTES:
        raise GmdVaeError(f"'{path}' is larger than {MAX_INFO_BYTES >> 20} MiB, too large for a catalogue")
    return data


def _stem(name: str) -> str:
    """Returns an archive's name without its suffix."""
    for suffix in (".zip", ".tar", ".tar.gz", ".tgz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] or "midi"
    return name


def _other_content(listing: MidiListing) -> str:
    """Describes a folder without MIDI files, for an error."""
    content = [f"{count:,} skipped because {reason}" for reason, count in listing.skipped_counts().items()]
    if listing.others:
        content.insert(0, f"{listing.others:,} other file{'s' if listing.others > 1 else ''}")
    return f" ({'; '.join(content)})" if content else " (it is empty)"
