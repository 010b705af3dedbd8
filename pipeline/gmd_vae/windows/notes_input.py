"""The input of ``preprocess``: a folder that ``convert`` wrote, or one TFRecord file of NoteSequences."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.files import sha256
from gmd_vae.common.printable import as_command
from gmd_vae.common.regular_files import open_regular
from gmd_vae.datasets.catalogue import SPLITS
from gmd_vae.datasets.fetched import DataSource
from gmd_vae.midi.notes_manifest import NotesFile, read_convert_manifest
from gmd_vae.midi.tfrecord import FRAME, create, file_name, is_gzip, read_records, record_sizes, write_record
from gmd_vae.windows.storage.records import is_example

STOCK_STAGE = "preprocess --stock"  # stage name in the manifests of such folders, which hold NoteSequences too
_RANGE_RECORDS = 64  # maximum of a range
_RANGE_BYTES = 4 << 20  # a range ends behind the record that exceeds it
_MOST_RANGES = 4096
_FEW_RECORDS = 64  # a larger file leaves training empty once in 10**45 times


class Record(NamedTuple):
    """One NoteSequence of the input.

    Attributes:
        split: Split of its file; ``None`` where ``split_of`` decides.
        name: File name and record number, for NoteSequences without an id.
        data: NoteSequence in protobuf wire format.
    """

    split: str | None
    name: str
    data: bytes


@dataclasses.dataclass(frozen=True)
class RecordRange:
    """The position of neighbouring records in a file; small enough to send to another process.

    Attributes:
        path: Absolute path of the file, which another process or machine may read.
        name: Name of the input file; ``path`` may be a decompressed copy.
        split: Split of the file; ``None`` where ``split_of`` decides for each record.
        first: Number of the first record in its file, from 0.
        start: Offset of the first record in bytes.
        count: Number of records.
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
            GmdVaeError: A record is damaged; the message names the file and the record's number.
        """
        records = itertools.islice(read_records(self.path, self.start, self.first), self.count)
        for number, data in enumerate(records, self.first):
            yield Record(self.split, f"{self.name}#{number}", data)


@dataclasses.dataclass(frozen=True)
class NotesInput:
    """The files to read, in a fixed order.

    Attributes:
        path: Folder or file that the user named.
        files: Each file and its split (``None``: ``split_of`` decides for each record).
        identity: Names and digests of the input, for the manifest of the examples.
        data_source: Fetched dataset that the notes are of; ``None``: of none, or not known.
    """

    path: Path
    files: tuple[tuple[Path, str | None], ...]
    identity: dict[str, Any]
    data_source: DataSource | None = None

    def describe_source(self) -> dict[str, Any]:
        """Returns ``data_source`` as an entry of a manifest; nothing without one."""
        return {} if self.data_source is None else {"data_source": msgspec.to_builtins(self.data_source)}

    def size(self) -> int:
        """Returns the size of all files in bytes."""
        return sum(path.stat().st_size for path, _ in self.files)

    def ranges(self) -> list[RecordRange]:
        """Returns all records in order, as ranges for one task each; at most about 4,096.

        Reads only the length of each record, not its content.

        Raises:
            GmdVaeError: A file is cut short, or is not a TFRecord file.
        """
        ranges: list[RecordRange] = []
        for path, split in self.files:
            start = first = count = begin = 0
            for size in record_sizes(path):
                start += FRAME + size
                count += 1
                if count == _RANGE_RECORDS or start - begin > _RANGE_BYTES:
                    ranges.append(RecordRange(path.absolute(), path.name, split, first, begin, count))
                    first, begin, count = first + count, start, 0
            if count:
                ranges.append(RecordRange(path.absolute(), path.name, split, first, begin, count))
        return _joined(ranges, -(-len(ranges) // _MOST_RANGES))


def decompressed(ranges: list[RecordRange], folder: Path) -> list[RecordRange]:
    """Returns the ranges with gzip files replaced by decompressed copies, which can be read from any offset.

    Args:
        ranges: Ranges from ``NotesInput.ranges``.
        folder: Folder for the copies.

    Raises:
        OSError: The disk is full.
    """
    copies: dict[Path, Path] = {}
    for path in dict.fromkeys(record_range.path for record_range in ranges):
        if is_gzip(path):
            copies[path] = folder / f"{len(copies)}.unpacked"
            with create(copies[path]) as copy:
                for record in read_records(path):
                    write_record(copy, record)
    return [dataclasses.replace(piece, path=copies.get(piece.path, piece.path)) for piece in ranges]


def _joined(ranges: list[RecordRange], count: int) -> list[RecordRange]:
    """Joins up to ``count`` neighbouring ranges of a file to one."""
    joined = []
    for _, group in itertools.groupby(ranges, lambda record_range: record_range.path):
        members = list(group)
        for number in range(0, len(members), count):
            neighbours = members[number : number + count]
            joined.append(dataclasses.replace(neighbours[0], count=sum(piece.count for piece in neighbours)))
    return joined


def split_of(sequence_id: str, data: bytes) -> str:
    """Returns the split of a record whose file belongs to no split: 80% train, 10% validation, 10% test.

    The split depends on a hash of the NoteSequence's id (of the whole record if it has none). So a performance is
    always in the same split, whatever else is in the file.

    Args:
        sequence_id: Id of the NoteSequence; may be empty.
        data: NoteSequence in wire format.
    """
    tenth = hashlib.blake2b(sequence_id.encode("utf-8") or data, digest_size=8).digest()
    number = int.from_bytes(tenth, "big") * 10 >> 64
    return "train" if number < 8 else "validation" if number == 8 else "test"


def input_name(path: Path) -> str:
    """Returns the name of an input without its suffixes, for the folder of its examples."""
    return path.resolve().name.removesuffix(".gz").removesuffix(".tfrecord")


def open_notes(path: Path) -> NotesInput:
    """Finds the files to read.

    Args:
        path: Folder from ``gmd-vae convert`` or ``preprocess --stock``; or a folder with ``train.tfrecord`` and
            optionally ``validation.tfrecord`` and ``test.tfrecord`` from Magenta's own scripts; or one TFRecord file of
            NoteSequences, whose records ``split_of`` distributes; where none of them is in train, all are. Files may be
            gzipped.

    Raises:
        GmdVaeError: The path holds no NoteSequences, or a file has changed since ``convert`` wrote it.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise GmdVaeError(f"'{path}' does not exist", "Make it with 'gmd-vae convert' first.")
    with open_regular(path) as stream:
        start = stream.read(4)
    if start in (b"MThd", b"PK\3\4") or (is_gzip(path) and not _begins_with_a_record(path)):
        raise GmdVaeError(
            f"'{path}' holds MIDI or is an archive, not NoteSequences", f"Run: {as_command('convert', path)}"
        )
    if is_example(next(read_records(path), b"")):
        is_in_folder = manifest.stage_of(path.parent) == "preprocess"
        raise GmdVaeError(
            f"'{path}' holds examples, the windows of 'gmd-vae preprocess', not NoteSequences",
            f"Give the whole folder{f', {path.parent}' if is_in_folder else ' that preprocess wrote'}.",
        )
    split, rule = ("train", "all in train") if _leaves_training_empty(path) else (None, "hash of the id")
    digest = sha256(path)
    identity = {"name": path.name, "sha256": digest, "split_by": rule}
    return NotesInput(path, ((path, split),), identity, _source_of_file(path, digest))


def _leaves_training_empty(path: Path) -> bool:
    """Returns True if ``split_of`` puts no record of a file with few records into train."""
    from google.protobuf.message import DecodeError

    from gmd_vae.midi.note_sequence import NoteSequence

    records = list(itertools.islice(read_records(path), _FEW_RECORDS + 1))
    if not 0 < len(records) <= _FEW_RECORDS:
        return False
    for data in records:
        try:
            name = NoteSequence.FromString(data).id
        except DecodeError:
            name = ""
        if split_of(name, data) == "train":
            return False
    return True


def _begins_with_a_record(path: Path) -> bool:
    try:
        next(read_records(path), None)
    except GmdVaeError:
        return False
    return True


def _open_folder(path: Path) -> NotesInput:
    files = split_files(path)
    again = f"Run: {as_command('convert', 'INPUT', '--output-dir', path)}"
    identity: dict[str, Any] = {"name": path.resolve().name, "split_by": "file"}
    if files and not (path / manifest.NAME).exists():
        identity["sha256"] = {file.name: sha256(file) for file, _ in files}
        return NotesInput(path, files, identity)
    listed, data_source = _listed_files(path)
    if not files:
        raise GmdVaeError(f"'{path}' has none of " + ", ".join(f"{split}.tfrecord" for split in SPLITS), again)
    _check_unchanged(path, listed, again)
    return NotesInput(path, files, {**identity, "manifest": manifest.digest(path)}, data_source)


def split_files(folder: Path) -> tuple[tuple[Path, str], ...]:
    """Returns the files of NoteSequences in a folder, each with its split."""
    paths = ((folder / file_name(split, compress=compress), split) for split in SPLITS for compress in (False, True))
    return tuple((path, split) for path, split in paths if path.exists())


class _StockSplit(msgspec.Struct):
    """One split in the manifest of ``preprocess --stock``."""

    files: list[NotesFile]


class _StockManifest(msgspec.Struct):
    """The fields of the manifest of ``preprocess --stock`` that are read.

    Attributes:
        splits: Name of a split → its files.
        data_source: Fetched dataset that the notes are of; ``None``: of none, or version 0.17 or earlier.
    """

    splits: dict[str, _StockSplit]
    data_source: DataSource | None = None


def _listed_files(path: Path) -> tuple[list[NotesFile], DataSource | None]:
    """Returns the files and the source in the manifest of ``preprocess --stock`` or of ``convert``."""
    if manifest.stage_of(path) == STOCK_STAGE:
        stock = manifest.read(path, STOCK_STAGE, "Run 'gmd-vae preprocess --stock' again.", _StockManifest)
        return [file for split in stock.splits.values() for file in split.files], stock.data_source
    again = f"Give the folder that this makes: {as_command('convert', path)}"
    converted = read_convert_manifest(path, again)
    return converted.files, converted.data_source


def _source_of_file(path: Path, digest: str) -> DataSource | None:
    """Returns the source that the manifest beside a file has; ``None`` without one, or if it lists no such content.

    Args:
        path: One TFRecord file.
        digest: Its SHA-256.
    """
    try:
        listed, data_source = _listed_files(path.resolve().parent)
    except GmdVaeError:
        return None  # a file can be read without a manifest
    return data_source if any(entry.sha256 == digest for entry in listed) else None


def _check_unchanged(path: Path, listed: list[NotesFile], again: str) -> None:
    """Compares the files with the sizes and checksums in their manifest."""
    for entry in listed:
        file = path / entry.name
        if not file.is_file():
            raise GmdVaeError(f"'{file}' is missing, its manifest lists it", again)
        if file.stat().st_size != entry.bytes or sha256(file) != entry.sha256:
            raise GmdVaeError(f"'{file}' has changed since 'gmd-vae convert' wrote it", again)
