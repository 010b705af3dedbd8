"""What ``preprocess`` reads: a folder that ``convert`` made, or one TFRecord file of NoteSequences."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.midi.tfrecord import FRAME, file_name, is_gzip, read_records, record_sizes

STOCK_STAGE = "preprocess --stock"  # it makes NoteSequences too
_RANGE_RECORDS = 64
_RANGE_BYTES = 4 << 20
_MOST_RANGES = 4096


class Record(NamedTuple):
    """One NoteSequence as it was read.

    Attributes:
        split: the split its file belongs to; None where the split comes from ``split_of``.
        name: file name and number, for NoteSequences without an id.
        data: the NoteSequence, protobuf wire format.
    """

    split: str | None
    name: str
    data: bytes


@dataclasses.dataclass(frozen=True)
class RecordRange:
    """Neighbouring records of a file: where they are, not what they hold.

    Attributes:
        path: the file, absolute: the records may be read by another process, on another machine.
        name: of the file that the user gave.
        split: see ``Record``.
        first: number of the first record in its file.
        start: where that record begins, in bytes.
        count: how many they are.
    """

    path: Path
    name: str
    split: str | None
    first: int
    start: int
    count: int

    def read(self) -> Iterator[Record]:
        """Yields the records in order.

        Raises:
            GmdVaeError: one is damaged; names the file and the record's number.
        """
        records = itertools.islice(read_records(self.path, self.start, self.first), self.count)
        for number, data in enumerate(records, self.first):
            yield Record(self.split, f"{self.name}#{number}", data)


@dataclasses.dataclass(frozen=True)
class NotesInput:
    """The files to read, in a fixed order.

    Attributes:
        path: what the user gave.
        files: each file and its split (None: ``split_of`` decides for each record).
        identity: what the manifest of the examples says about the input.
    """

    path: Path
    files: tuple[tuple[Path, str | None], ...]
    identity: dict[str, Any]

    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path, _ in self.files)

    def ranges(self) -> list[RecordRange]:
        """The records in order, in ranges that are each small enough for one task; at most a few thousand.

        Found from the lengths of the records alone.

        Raises:
            GmdVaeError: a file is cut short, or is not a TFRecord file.
        """
        found: list[RecordRange] = []
        for path, split in self.files:
            start = first = count = begin = 0
            for size in record_sizes(path):
                start += FRAME + size
                count += 1
                if count == _RANGE_RECORDS or start - begin > _RANGE_BYTES:
                    found.append(RecordRange(path.absolute(), path.name, split, first, begin, count))
                    first, begin, count = first + count, start, 0
            if count:
                found.append(RecordRange(path.absolute(), path.name, split, first, begin, count))
        return _joined(found, -(-len(found) // _MOST_RANGES))


def decompressed(ranges: list[RecordRange], folder: Path) -> list[RecordRange]:
    """The same ranges; those of gzip files lie in copies that are not compressed, so that each can be read alone.

    Args:
        ranges: see ``NotesInput.ranges``.
        folder: for the copies.

    Raises:
        OSError: the disk is full.
    """
    copies: dict[Path, Path] = {}
    for path in dict.fromkeys(piece.path for piece in ranges):
        if is_gzip(path):
            copies[path] = folder / f"{len(copies)}.unpacked"
            with gzip.open(path, "rb") as packed, copies[path].open("wb") as copy:
                shutil.copyfileobj(packed, copy, 1 << 20)
    return [dataclasses.replace(piece, path=copies.get(piece.path, piece.path)) for piece in ranges]


def _joined(ranges: list[RecordRange], count: int) -> list[RecordRange]:
    """Each ``count`` neighbours of a file as one range."""
    found = []
    for _, group in itertools.groupby(ranges, lambda piece: piece.path):
        members = list(group)
        for number in range(0, len(members), count):
            some = members[number : number + count]
            found.append(dataclasses.replace(some[0], count=sum(piece.count for piece in some)))
    return found


def split_of(sequence_id: str, data: bytes) -> str:
    """The split of a record whose file says nothing: 80% train, 10% validation, 10% test.

    Drawn from a hash of the NoteSequence's id (of the whole record if it has none), so that the
    same performance always lands in the same split, whatever else is in the file.
    """
    tenth = hashlib.blake2b(sequence_id.encode("utf-8") or data, digest_size=8).digest()
    number = int.from_bytes(tenth, "big") * 10 >> 64
    return "train" if number < 8 else "validation" if number == 8 else "test"


def input_name(path: Path) -> str:
    """What examples made from a folder or file of NoteSequences are called."""
    return path.resolve().name.removesuffix(".gz").removesuffix(".tfrecord")


def open_notes(path: Path) -> NotesInput:
    """Finds the files to read.

    Args:
        path: a folder from ``gmd-vae convert`` or ``preprocess --stock``; a folder with
            ``train.tfrecord`` and, if you like, ``validation.tfrecord`` and ``test.tfrecord`` from
            Magenta's own scripts; or one TFRecord file of NoteSequences, whose records are split by
            ``split_of``. gzip is noticed.

    Raises:
        GmdVaeError: nothing there that holds NoteSequences, or a file changed since ``convert``.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise GmdVaeError(f"'{path}' does not exist", "Make it with 'gmd-vae convert' first.")
    with path.open("rb") as stream:
        start = stream.read(4)
    if start in (b"MThd", b"PK\3\4") or (is_gzip(path) and not _begins_with_a_record(path)):
        raise GmdVaeError(f"'{path}' holds MIDI or is an archive, not NoteSequences", f"Run 'gmd-vae convert {path}'.")
    return NotesInput(path, ((path, None),), {"name": path.name, "sha256": sha256(path), "split_by": "hash of the id"})


def _begins_with_a_record(path: Path) -> bool:
    try:
        next(read_records(path), None)
    except GmdVaeError:
        return False
    return True


def _open_folder(path: Path) -> NotesInput:
    files = split_files(path)
    again = f"Run 'gmd-vae convert INPUT --output-dir {path}'."
    identity: dict[str, Any] = {"name": path.resolve().name, "split_by": "file"}
    if files and not (path / manifest.NAME).exists():
        identity["sha256"] = {file.name: sha256(file) for file, _ in files}
        return NotesInput(path, files, identity)
    content = _read_manifest(path)
    if not files:
        raise GmdVaeError(f"'{path}' has none of " + ", ".join(f"{split}.tfrecord" for split in SPLITS), again)
    _check_unchanged(path, content, again)
    return NotesInput(path, files, {**identity, "manifest": manifest.digest(path)})


def split_files(folder: Path) -> tuple[tuple[Path, str], ...]:
    """The files of NoteSequences in a folder, with their splits."""
    places = ((folder / file_name(split, compress=compress), split) for split in SPLITS for compress in (False, True))
    return tuple((path, split) for path, split in places if path.exists())


def _read_manifest(path: Path) -> dict[str, Any]:
    """Of a folder with NoteSequences."""
    with contextlib.suppress(GmdVaeError):
        return manifest.read(path, STOCK_STAGE, "")
    return manifest.read(path, "convert", f"Run 'gmd-vae convert {path}', and give preprocess the folder it makes.")


def _check_unchanged(path: Path, content: dict[str, Any], again: str) -> None:
    """Holds the files to the sizes and checksums in their manifest."""
    listed = content.get("files")
    if content["stage"] == STOCK_STAGE:
        listed = [entry for split in content["splits"].values() for entry in split["files"]]
    for entry in listed if isinstance(listed, list) else []:
        file = path / str(entry.get("name"))
        if not file.is_file():
            raise GmdVaeError(f"'{file}' is missing, its manifest lists it", again)
        if file.stat().st_size != entry.get("bytes") or sha256(file) != entry.get("sha256"):
            raise GmdVaeError(f"'{file}' has changed since 'gmd-vae convert' wrote it", again)
