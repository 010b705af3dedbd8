"""MIDI bytes to NoteSequence and back, with the result of Magenta's own scripts.

Our own reader (``midi_events``, ``midi_notes``, ``wire``) gives the bytes that note_seq, pretty_midi and
mido would give, without them. What it cannot prove to read as they do goes to them, in a process of its
own with limits (``midi_child``). Files that would be empty, endless or impossible later on are refused.
What cannot be read is refused with a reason from ``REASONS``.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.fallback import child_process
from gmd_vae.midi.reader import sequence
from gmd_vae.midi.reader.events import NotProven, read_events

if TYPE_CHECKING:  # protobuf: converting needs none
    from gmd_vae.midi.note_sequence import NoteSequence

MAX_BYTES = 4 << 20  # mido makes up to 130 bytes of objects from each; GMD's largest file has 156 kB
MAX_TICKS = 100_000_000  # 14 hours at 120 quarters a minute and 960 ticks a quarter
MAX_QUARTERS = 1_000_000  # 138 hours at 120 quarters a minute: later stages make steps of quarters

EMPTY = "empty file"
TOO_LARGE = "too large"
NOT_MIDI = "not MIDI"
CUT_SHORT = "cut short"
DAMAGED = "damaged"
NO_EVENTS = "track without events"
TOO_LONG = "impossibly long"
BAD_TIME_SIGNATURE = "invalid time signature"
BAD_KEY_SIGNATURE = "invalid key signature"
BAD_TEMPO = "invalid tempo"
TOO_SLOW = "takes too long to read"
TOO_MUCH_MEMORY = "needs too much memory"
UNREADABLE = "cannot be opened"
REASONS = (
    EMPTY,
    TOO_LARGE,
    NOT_MIDI,
    CUT_SHORT,
    DAMAGED,
    NO_EVENTS,
    TOO_LONG,
    BAD_TIME_SIGNATURE,
    BAD_KEY_SIGNATURE,
    BAD_TEMPO,
    TOO_SLOW,
    TOO_MUCH_MEMORY,
    UNREADABLE,
)


class MidiError(GmdVaeError):
    """A file that cannot be read as MIDI.

    Args:
        reason: one of ``REASONS``, to count by.
        filename: the file as the user knows it.
        detail: what the reader said, for people.
    """

    def __init__(self, reason: str, filename: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"'{filename}' cannot be read as MIDI: {reason}" + (f" ({detail})" if detail else ""))
        self.args = (reason, filename, detail)  # what pickle calls the class with, in another process


def sequence_id(collection: str, filename: str) -> str:
    """The id Magenta gives the sequence of a MIDI file: ``/id/midi/COLLECTION/SHA-1 of FILENAME``."""
    return f"/id/midi/{collection}/{hashlib.sha1(filename.encode('utf-8')).hexdigest()}"


class Record(NamedTuple):
    """A NoteSequence as a TFRecord holds it, and what a summary says about it.

    Attributes:
        data: protobuf wire format.
        notes: how many it has.
        drum_notes: how many of them are drums.
        seconds: up to the end of the last note.
    """

    data: bytes
    notes: int
    drum_notes: int
    seconds: float


def midi_to_record(data: bytes, collection: str, filename: str) -> Record:
    """One MIDI file as the record that Magenta's ``convert_dir_to_note_sequences`` writes.

    Times are in seconds, ``ticks_per_quarter`` is the file's resolution, drums are the notes of
    MIDI channel 10. Tempo, key and time signatures are those of the first track, as in Magenta.

    Args:
        data: the bytes of the file.
        collection: the base name of the folder or archive it comes from.
        filename: its path relative to that folder, with forward slashes. Both must be valid Unicode.

    Raises:
        MidiError: the bytes are no MIDI file, or a damaged or an impossible one.
    """
    body = _body(data, filename)
    names = sequence.names(sequence_id(collection, filename), filename, collection)
    return Record(names + body.data, body.notes, body.drum_notes, body.seconds)


def midi_to_note_sequence(data: bytes, collection: str, filename: str) -> NoteSequence:
    """The same as a message. Arguments and errors are those of ``midi_to_record``."""
    from gmd_vae.midi.note_sequence import NoteSequence

    return NoteSequence.FromString(midi_to_record(data, collection, filename).data)


def reads_itself(data: bytes) -> bool:
    """Whether our own reader reads the bytes; otherwise note_seq is asked."""
    try:
        read_events(data)
    except NotProven:
        return False
    return True


def note_sequence_to_midi_bytes(sequence: NoteSequence) -> bytes:
    """A NoteSequence as the bytes of a MIDI file, the same for the same sequence.

    Mirrors ``note_seq.midi_io.note_sequence_to_midi_file``; times are in seconds.
    """
    from gmd_vae.midi.note_sequence import note_seq_module

    midi_io: Any = note_seq_module("midi_io")
    stream = io.BytesIO()
    midi_io.note_sequence_to_pretty_midi(sequence).write(stream)
    return stream.getvalue()


def _body(data: bytes, filename: str) -> sequence.Body:
    if not data:
        raise MidiError(EMPTY, filename)
    if len(data) > MAX_BYTES:
        raise MidiError(TOO_LARGE, filename, f"{len(data):,} bytes, the limit is {MAX_BYTES:,}")
    if not data.startswith(b"MThd"):
        raise MidiError(NOT_MIDI, filename, "it does not start with 'MThd'")
    try:
        events = read_events(data)
    except NotProven:
        return _ask_note_seq(data, filename)
    check_length(events.last_tick, events.resolution, filename)
    return sequence.body(events)


def check_length(last_tick: int, resolution: int, filename: str) -> None:
    """Refuses files that are longer than any music.

    Raises:
        MidiError: with the reason ``TOO_LONG``.
    """
    if last_tick > min(MAX_TICKS, MAX_QUARTERS * abs(resolution)):
        raise MidiError(TOO_LONG, filename, f"more than {MAX_TICKS:,} ticks or {MAX_QUARTERS:,} quarter notes")


def _ask_note_seq(data: bytes, filename: str) -> sequence.Body:
    try:
        answer = child_process.ask(data)
    except TimeoutError:
        raise MidiError(TOO_SLOW, filename, f"more than {child_process.SECONDS} seconds") from None
    except MemoryError:
        raise MidiError(TOO_MUCH_MEMORY, filename, f"more than {child_process.MEMORY >> 20} MiB") from None
    if isinstance(answer, child_process.Refusal):
        raise MidiError(answer.reason, filename, answer.detail)
    return answer
