"""MIDI bytes to NoteSequence: the one way in for every command that reads MIDI.

``midi_to_record`` is the way in: checks, then our reader's three steps (``gmd_vae.midi.reader``). By default every
drum hit counts. With ``STOCK`` the bytes equal those of note_seq with pretty_midi and mido, without importing them; a
file that our reader does not provably read alike is then converted by note_seq, in a child process with limits
(``gmd_vae.midi.fallback``). A file that is empty, damaged or impossibly long is refused with one of ``REASONS``.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from gmd_vae.common import extras
from gmd_vae.common.printable import printable
from gmd_vae.datasets.midi_formats import ContainerError, take_out
from gmd_vae.midi.fallback import child_process
from gmd_vae.midi.reader.account import Account
from gmd_vae.midi.reader.encoding import Record, encode, encode_names
from gmd_vae.midi.reader.events import NotProven, read_events
from gmd_vae.midi.reader.music import interpret
from gmd_vae.midi.reading import EVERY_HIT, STOCK, Reading
from gmd_vae.midi.refusals import (
    DAMAGED,
    EMPTY,
    MAX_BYTES,
    NOT_MIDI,
    PATTERNS,
    TOO_LARGE,
    TOO_MUCH_MEMORY,
    TOO_SLOW,
    MidiError,
    check_length,
)

if TYPE_CHECKING:  # it imports protobuf, which converting does not need
    from gmd_vae.midi.note_sequence import NoteSequence


def sequence_id(collection: str, filename: str) -> str:
    """Returns Magenta's id of a MIDI file's NoteSequence: ``/id/midi/COLLECTION/SHA-1 of FILENAME``."""
    return f"/id/midi/{collection}/{hashlib.sha1(filename.encode('utf-8')).hexdigest()}"


def midi_to_record(data: bytes, collection: str, filename: str, reading: Reading = EVERY_HIT) -> Record:
    """Converts one MIDI file to a NoteSequence in wire format, with an account of the file's events.

    Times are in seconds, ``ticks_per_quarter`` is the file's resolution. With ``STOCK`` the record is the one that
    Magenta's ``convert_dir_to_note_sequences`` writes.

    Args:
        data: Bytes of the file.
        collection: Base name of the file's folder or archive.
        filename: Path relative to that folder, with forward slashes. In both names, bytes that are not UTF-8 and
            control characters are escaped: a record holds valid Unicode.
        reading: Rules for reading.

    Raises:
        MidiError: The bytes are no MIDI file, or a damaged or an impossible one.
    """
    record = _unnamed_record(data, filename, reading)
    collection, filename = printable(collection, limit=None), printable(filename, limit=None)
    names = encode_names(sequence_id(collection, filename), filename, collection)
    return record._replace(data=names + record.data)


class MidiMusic(NamedTuple):
    """The content of one MIDI file.

    Attributes:
        sequence: Its NoteSequence.
        account: Use of its events.
        end: End of its longest track in seconds, as ``Record`` has it.
    """

    sequence: NoteSequence
    account: Account
    end: float


def read_midi(data: bytes, collection: str, filename: str, reading: Reading = EVERY_HIT) -> MidiMusic:
    """Reads one MIDI file. Arguments and errors are those of ``midi_to_record``."""
    from gmd_vae.midi.note_sequence import NoteSequence

    record = midi_to_record(data, collection, filename, reading)
    return MidiMusic(NoteSequence.FromString(record.data), record.account, record.end)


def midi_to_note_sequence(data: bytes, collection: str, filename: str, reading: Reading = EVERY_HIT) -> NoteSequence:
    """Converts one MIDI file to a NoteSequence message. Arguments and errors are those of ``midi_to_record``."""
    return read_midi(data, collection, filename, reading).sequence


def reads_without_note_seq(data: bytes) -> bool:
    """Returns True if our own reader gives Magenta's bytes for a file, False if note_seq has to."""
    try:
        interpret(read_events(data, STOCK), STOCK)
    except NotProven:
        return False
    return True


def _unnamed_record(data: bytes, filename: str, reading: Reading) -> Record:
    """Converts a MIDI file to a record without id, filename and collection name. ``filename`` is for errors."""
    if not data:
        raise MidiError(EMPTY, filename)
    if not reading.stock:
        data = standard_midi(data, filename)
    if len(data) > MAX_BYTES:
        raise MidiError(TOO_LARGE, filename, f"{len(data):,} bytes, the limit is {MAX_BYTES:,}")
    if not data.startswith(b"MThd"):
        raise MidiError(NOT_MIDI, filename, "it does not start with 'MThd'")
    try:
        events = read_events(data, reading)
        check_length(events.last_tick, events.resolution, filename)
        if events.format == 2 and len(events.tracks) > 1 and not reading.stock:
            raise MidiError(PATTERNS, filename, f"{len(events.tracks):,} of them, which are not played together")
        return encode(interpret(events, reading))
    except NotProven:
        return _convert_with_note_seq(data, filename)
    except MidiError as error:  # the reader's own errors name no file
        raise MidiError(error.reason, filename, error.detail) from None


def standard_midi(data: bytes, filename: str) -> bytes:
    """Returns the MIDI file in a RIFF or gzip file; other bytes as they are.

    Args:
        data: Content of a file.
        filename: Name of the file for errors.

    Raises:
        MidiError: The container is damaged, or its content too large.
    """
    try:
        return take_out(data, MAX_BYTES)
    except ContainerError as error:
        raise MidiError(TOO_LARGE if error.is_too_large else DAMAGED, filename, str(error)) from None


def _convert_with_note_seq(data: bytes, filename: str) -> Record:
    extras.require(f"Reading '{printable(filename)}' exactly as Magenta does", ("note_seq", "pretty_midi"))
    try:
        response = child_process.convert(data)
    except TimeoutError:
        raise MidiError(TOO_SLOW, filename, f"more than {child_process.SECONDS} seconds") from None
    except MemoryError:
        raise MidiError(TOO_MUCH_MEMORY, filename, f"more than {child_process.MEMORY >> 20} MiB") from None
    if isinstance(response, child_process.Refusal):
        raise MidiError(response.reason, filename, response.detail)
    return response
