"""What ``preprocess`` reads: a folder that ``convert`` made, or one TFRecord file of NoteSequences."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pipeline import manifest
from pipeline.errors import GmdVaeError
from pipeline.files import sha256
from pipeline.notes.tfrecord import count_records, read_records
from pipeline.sources.info import SPLITS

_CHUNK_RECORDS = 64
_CHUNK_BYTES = 4 << 20


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

    def count(self) -> int:
        """The number of records."""
        return sum(count_records(path) for path, _ in self.files)

    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path, _ in self.files)

    def chunks(self) -> Iterator[list[Record]]:
        """Yields the records in order, in lists small enough to hand to another process."""
        chunk: list[Record] = []
        size = 0
        for path, split in self.files:
            for number, data in enumerate(read_records(path)):
                chunk.append(Record(split, f"{path.name}#{number}", data))
                size += len(data)
                if len(chunk) == _CHUNK_RECORDS or size > _CHUNK_BYTES:
                    yield chunk
                    chunk, size = [], 0
        if chunk:
            yield chunk


def split_of(sequence_id: str, data: bytes) -> str:
    """The split of a record whose file says nothing: 80% train, 10% validation, 10% test.

    Drawn from a hash of the NoteSequence's id (of the whole record if it has none), so that the
    same performance always lands in the same split, whatever else is in the file.
    """
    tenth = hashlib.blake2b(sequence_id.encode("utf-8") or data, digest_size=8).digest()
    number = int.from_bytes(tenth, "big") * 10 >> 64
    return "train" if number < 8 else "validation" if number == 8 else "test"


def open_notes(path: Path) -> NotesInput:
    """Finds the files to read.

    Args:
        path: a folder from ``gmd-vae convert``; a folder with ``train.tfrecord`` and, if you like,
            ``validation.tfrecord`` and ``test.tfrecord`` from Magenta's own scripts; or one
            TFRecord file of NoteSequences, whose records are split by ``split_of``.

    Raises:
        GmdVaeError: nothing there that holds NoteSequences, or a file changed since ``convert``.
    """
    if path.is_dir():
        return _open_folder(path)
    if not path.exists():
        raise GmdVaeError(f"'{path}' does not exist", "Make it with 'gmd-vae convert' first.")
    with path.open("rb") as stream:
        start = stream.read(4)
    if start in (b"MThd", b"PK\3\4") or start[:2] == b"\x1f\x8b":
        raise GmdVaeError(f"'{path}' holds MIDI or is an archive, not NoteSequences", f"Run 'gmd-vae convert {path}'.")
    return NotesInput(path, ((path, None),), {"name": path.name, "sha256": sha256(path), "split_by": "hash of the id"})


def _open_folder(path: Path) -> NotesInput:
    files = tuple((path / f"{split}.tfrecord", split) for split in SPLITS if (path / f"{split}.tfrecord").exists())
    again = f"Run 'gmd-vae convert INPUT --output-dir {path}'."
    identity: dict[str, Any] = {"name": path.resolve().name, "split_by": "file"}
    if files and not (path / manifest.NAME).exists():
        identity["sha256"] = {file.name: sha256(file) for file, _ in files}
        return NotesInput(path, files, identity)
    content = manifest.read(path, "convert", f"Run 'gmd-vae convert {path}', and give preprocess the folder it makes.")
    if not files:
        raise GmdVaeError(f"'{path}' has none of " + ", ".join(f"{split}.tfrecord" for split in SPLITS), again)
    _check_unchanged(path, content, again)
    return NotesInput(path, files, {**identity, "manifest": manifest.digest(path)})


def _check_unchanged(path: Path, content: dict[str, Any], again: str) -> None:
    """Holds the files to the sizes and checksums in their manifest."""
    listed = content.get("files")
    for entry in listed if isinstance(listed, list) else []:
        file = path / str(entry.get("name"))
        if not file.is_file():
            raise GmdVaeError(f"'{file}' is missing, its manifest lists it", again)
        if file.stat().st_size != entry.get("bytes") or sha256(file) != entry.get("sha256"):
            raise GmdVaeError(f"'{file}' has changed since 'gmd-vae convert' wrote it", again)
