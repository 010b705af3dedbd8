"""Converts one batch of MIDI files into one file. Each worker process of ``convert`` imports this module alone."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.midi_files import MidiFile
from gmd_vae.engines.engine import EngineError
from gmd_vae.engines.resumable import Batches, check_visible
from gmd_vae.midi.drum_channels import drum_like_channels
from gmd_vae.midi.midi_io import midi_to_record
from gmd_vae.midi.near_duplicates import FINGERPRINT_BYTES, fingerprint
from gmd_vae.midi.reader.account import NO_EVENTS, Account
from gmd_vae.midi.reading import EVERY_HIT, Reading
from gmd_vae.midi.refusals import UNREADABLE, MidiError
from gmd_vae.midi.tfrecord import read_records, write_record


@dataclass(frozen=True)
class Converted:
    """Result of converting one file.

    Attributes:
        name: Name of the MIDI file.
        sha256: Hexadecimal SHA-256 of its bytes. None: the file could not be read.
        record: Serialised NoteSequence. None: the file was refused.
        notes: Number of notes.
        drum_notes: Number of drum notes.
        seconds: End of the last note in seconds.
        reason: Reason for the refusal, one of ``refusals.REASONS``; empty for a converted file.
        account: Use of the file's events.
        fingerprint: Fingerprint of the music, see ``near_duplicates``. None: it was not computed.
        drum_channel: Channel whose notes look like drums, of a file without drums. None: there is none.
    """

    name: str
    sha256: str | None
    record: bytes | None
    notes: int = 0
    drum_notes: int = 0
    seconds: float = 0.0
    reason: str = ""
    account: Account = NO_EVENTS
    fingerprint: bytes | None = None
    drum_channel: int | None = None


def convert_file(
    file: MidiFile, collection: str, reading: Reading = EVERY_HIT, *, with_fingerprint: bool = False
) -> Converted:
    """Reads and converts one file. Raises nothing for a bad file: the result holds the reason.

    Args:
        file: MIDI file of a folder or an archive.
        collection: Base name of that folder or archive.
        reading: Rules for reading.
        with_fingerprint: Computes the fingerprint of the music.
    """
    try:
        data = file.read()
    except GmdVaeError:
        return Converted(file.name, None, None, reason=UNREADABLE)
    sha256 = hashlib.sha256(data).hexdigest()
    reading = reading.for_file(file.name)
    try:
        record = midi_to_record(data, collection, file.name, reading)
    except MidiError as error:
        return Converted(file.name, sha256, None, reason=error.reason)
    music = fingerprint(record.data) if with_fingerprint else None
    elsewhere = drum_like_channels(data, reading) if record.notes and not record.drum_notes else []
    return Converted(
        file.name,
        sha256,
        *record[:4],
        account=record.account,
        fingerprint=music,
        drum_channel=elsewhere[0] if elsewhere else None,
    )


def write_batch(
    root: Path, collection: str, reading: Reading, with_fingerprint: bool, files: Sequence[MidiFile], path: Path
) -> None:
    """Converts files and writes the results as a TFRecord file.

    Each file has a record with its facts as JSON, followed by its NoteSequence if it was converted.

    Args:
        root: Folder or archive with the files.
        collection: Its base name.
        reading: Rules for reading.
        with_fingerprint: Computes the fingerprints of the music.
        files: MIDI files of the batch.
        path: TFRecord file to write.
    """
    check_visible(root)
    with path.open("wb") as stream:
        for file in files:
            item = convert_file(file, collection, reading, with_fingerprint=with_fingerprint)
            music = None if item.fingerprint is None else base64.b64encode(item.fingerprint).decode()
            counts = (item.notes, item.drum_notes, item.seconds)
            facts = [item.name, item.sha256, *counts, item.reason, item.account, music, item.drum_channel]
            write_record(stream, json.dumps(facts).encode())
            if item.record is not None:
                write_record(stream, item.record)


def read_batch(batches: Batches, number: int, files: int) -> Iterator[Converted]:
    """Yields the results that ``write_batch`` wrote.

    Args:
        batches: Batches of the conversion.
        number: Index of the batch.
        files: Number of files in the batch.

    Raises:
        EngineError: The batch is damaged. It is removed, so that the next run makes it again.
    """
    with batches.reading(number) as path:
        records = read_records(path)
        for _ in range(files):
            try:
                name, sha256, notes, drum_notes, seconds, reason, account, music, channel = json.loads(next(records))
                record = None if reason else next(records)
                parsed = Account.parse(account)
                minima = None if music is None else base64.b64decode(music)
                if minima and len(minima) != FINGERPRINT_BYTES:
                    raise ValueError
            except StopIteration:
                raise GmdVaeError(f"'{path}' is cut short") from None
            except (ValueError, TypeError, LookupError, RecursionError):
                raise GmdVaeError(f"'{path}' is damaged") from None
            yield Converted(name, sha256, record, notes, drum_notes, seconds, reason, parsed, minima, channel)


def remove_changed_batches(batches: Batches, tasks: Sequence[Sequence[MidiFile]]) -> None:
    """Removes batches of a stopped run that are damaged, or one of whose files has other bytes now.

    Names, sizes and modification times do not show every change: programs that copy files keep the time.

    Args:
        batches: Batches of the conversion.
        tasks: Files of each batch.
    """
    for number in sorted(batches.finished()):
        files = tasks[number]
        with contextlib.suppress(EngineError):  # damaged: already removed
            known = [item.sha256 for item in read_batch(batches, number, len(files))]
            if known != [digest_of(file) for file in files]:
                batches.path(number).unlink(missing_ok=True)


def digest_of(file: MidiFile) -> str | None:
    """Returns the hexadecimal SHA-256 of a file; ``None`` if it cannot be read."""
    try:
        return hashlib.sha256(file.read()).hexdigest()
    except GmdVaeError:
        return None
