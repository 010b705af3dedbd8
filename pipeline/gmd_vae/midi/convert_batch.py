"""One batch of a conversion: MIDI files read and converted into one file. Imported by each process of ``convert``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.midi_files import MidiFile
from gmd_vae.engines.resumable import Batches, check_visible
from gmd_vae.midi.midi_io import UNREADABLE, MidiError, midi_to_record
from gmd_vae.midi.tfrecord import read_records, write_record


@dataclass(frozen=True)
class Converted:
    """One file's result, as it comes back from a process."""

    name: str
    sha256: str | None  # of its bytes; None if they could not be read
    record: bytes | None  # the serialised NoteSequence; None: see reason
    notes: int = 0
    drum_notes: int = 0
    seconds: float = 0.0
    reason: str = ""


def convert_file(file: MidiFile, collection: str) -> Converted:
    """Reads and converts one file; whatever is wrong with it is in the result."""
    try:
        data = file.read()
    except GmdVaeError:
        return Converted(file.name, None, None, reason=UNREADABLE)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        record = midi_to_record(data, collection, file.name)
    except MidiError as error:
        return Converted(file.name, sha256, None, reason=error.reason)
    return Converted(file.name, sha256, record.data, record.notes, record.drum_notes, record.seconds)


def write_batch(root: Path, collection: str, files: Sequence[MidiFile], path: Path) -> None:
    """Writes, for each file, a record with what is known of it as JSON, and then its NoteSequence if it has one."""
    check_visible(root)
    with path.open("wb") as stream:
        for file in files:
            item = convert_file(file, collection)
            facts = [item.name, item.sha256, item.notes, item.drum_notes, item.seconds, item.reason]
            write_record(stream, json.dumps(facts).encode())
            if item.record is not None:
                write_record(stream, item.record)


def read_batch(batches: Batches, number: int, files: int) -> Iterator[Converted]:
    """What ``write_batch`` has written about so many files.

    Raises:
        EngineError: the batch is damaged; it is removed, so that the next run makes it again.
    """
    with batches.reading(number) as path:
        records = read_records(path)
        for _ in range(files):
            try:
                name, sha256, notes, drum_notes, seconds, reason = json.loads(next(records))
                record = None if reason else next(records)
            except StopIteration:
                raise GmdVaeError(f"'{path}' is cut short") from None
            yield Converted(name, sha256, record, notes, drum_notes, seconds, reason)
