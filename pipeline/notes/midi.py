"""MIDI bytes to NoteSequence and back, with the result of Magenta's own scripts.

mido and pretty_midi do the reading, as in Magenta, so that the records are the same to the byte.
Around them stand three guards that Magenta lacks, for files from anywhere: a limit on the size, a
limit on the length in ticks, and a tempo map that needs no array as long as the last tick (37 bytes
can ask pretty_midi for 67 GiB). What cannot be read is refused with a reason from ``REASONS``.
"""

from __future__ import annotations

import bisect
import hashlib
import io
import warnings
from typing import Any, NamedTuple, cast

import mido
from mido.midifiles.meta import KeySignatureError

from pipeline.errors import GmdVaeError
from pipeline.notes.sequences import NoteSequence, note_seq_module

midi_io: Any = note_seq_module("midi_io")  # before pretty_midi: it changes pretty_midi's MAX_TICK

import pretty_midi  # noqa: E402

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
    UNREADABLE,
)

# mido reads a variable-length number of any length, in quadratic time: 1 MB of 0xff takes a minute.
# Texts in other scripts also have runs of such bytes, but not this long.
_HIGH_BITS = bytes(byte >> 7 for byte in range(256))
_ENDLESS_NUMBER = b"\x01" * 4096  # in the bytes' high bits
_MAX_INT32 = 2**31 - 1


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

    Arguments and errors are those of ``midi_to_note_sequence``.
    """
    sequence = midi_to_note_sequence(data, collection, filename)
    drums = sum(note.is_drum for note in sequence.notes)
    return Record(sequence.SerializeToString(deterministic=True), len(sequence.notes), drums, sequence.total_time)


def midi_to_note_sequence(data: bytes, collection: str, filename: str) -> NoteSequence:
    """One MIDI file as the NoteSequence that Magenta's ``convert_dir_to_note_sequences`` writes.

    Times are in seconds, ``ticks_per_quarter`` is the file's resolution, drums are the notes of
    MIDI channel 10. Tempo, key and time signatures are those of the first track, as in Magenta.

    Args:
        data: the bytes of the file.
        collection: the base name of the folder or archive it comes from.
        filename: its path relative to that folder, with forward slashes. Both must be valid Unicode.

    Raises:
        MidiError: the bytes are no MIDI file, or a damaged or an impossible one.
    """
    midi = _read(data, filename)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a tempo outside the first track
            sequence = midi_io.midi_to_note_sequence(_SparsePrettyMIDI(mido_object=midi))
    except Exception as error:  # as in Magenta: these libraries raise all sorts on damaged files
        raise MidiError(_blame(midi), filename, str(error)) from None
    sequence.collection_name = collection
    sequence.filename = filename
    sequence.id = sequence_id(collection, filename)
    return sequence


def note_sequence_to_midi_bytes(sequence: NoteSequence) -> bytes:
    """A NoteSequence as the bytes of a MIDI file, the same for the same sequence.

    Mirrors ``note_seq.midi_io.note_sequence_to_midi_file``; times are in seconds.
    """
    stream = io.BytesIO()
    midi_io.note_sequence_to_pretty_midi(sequence).write(stream)
    return stream.getvalue()


def _read(data: bytes, filename: str) -> mido.MidiFile:
    """Parses the bytes and refuses what would be empty, endless or impossible later on."""
    if not data:
        raise MidiError(EMPTY, filename)
    if len(data) > MAX_BYTES:
        raise MidiError(TOO_LARGE, filename, f"{len(data):,} bytes, the limit is {MAX_BYTES:,}")
    if not data.startswith(b"MThd"):
        raise MidiError(NOT_MIDI, filename, "it does not start with 'MThd'")
    if _ENDLESS_NUMBER in data.translate(_HIGH_BITS):
        raise MidiError(DAMAGED, filename, "a number without end")
    try:
        midi = mido.MidiFile(file=io.BytesIO(data), charset="latin1")
    except EOFError:
        raise MidiError(CUT_SHORT, filename, "the file ends inside an event or a track") from None
    except KeySignatureError as error:
        raise MidiError(BAD_KEY_SIGNATURE, filename, str(error)) from None
    except Exception as error:  # OSError, ValueError, LookupError, struct.error, ...
        raise MidiError(DAMAGED, filename, str(error)) from None
    if not midi.tracks or not all(midi.tracks):
        raise MidiError(NO_EVENTS, filename)
    if not midi.ticks_per_beat:
        raise MidiError(DAMAGED, filename, "no ticks in a quarter note")
    last_tick = max(sum(event.time for event in track) for track in midi.tracks)
    if last_tick > min(MAX_TICKS, MAX_QUARTERS * abs(midi.ticks_per_beat)):
        raise MidiError(TOO_LONG, filename, f"more than {MAX_TICKS:,} ticks or {MAX_QUARTERS:,} quarter notes")
    return midi


def _blame(midi: mido.MidiFile) -> str:
    """Which part of a file that parses makes no music."""
    for event in midi.tracks[0]:
        if event.type == "set_tempo" and event.tempo == 0:
            return BAD_TEMPO
        if event.type == "time_signature" and not (event.numerator and event.denominator <= _MAX_INT32):
            return BAD_TIME_SIGNATURE
    return DAMAGED


class _TickTimes:
    """Seconds of a tick, by index, as pretty_midi's array gives them, bit for bit.

    pretty_midi's array has an element for every tick of the file; this has one for every tempo.
    """

    def __init__(self, tick_scales: list[tuple[int, float]], max_tick: int) -> None:
        self._length = max(max_tick, max(tick for tick, _ in tick_scales)) + 1
        self._starts = [tick for tick, _ in tick_scales]
        self._scales = [scale for _, scale in tick_scales]
        self._seconds = [0.0]  # at the start of each tempo
        for index in range(1, len(tick_scales)):
            ticks = self._starts[index] - self._starts[index - 1]
            self._seconds.append(self._seconds[-1] + self._scales[index - 1] * ticks)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, tick: int) -> float:
        index = bisect.bisect_right(self._starts, tick) - 1
        return self._seconds[index] + self._scales[index] * (tick - self._starts[index])


class _SparsePrettyMIDI(pretty_midi.PrettyMIDI):  # type: ignore[misc]
    """pretty_midi's reader without the array; for reading only, it cannot write."""

    def _update_tick_to_time(self, max_tick: int) -> None:
        scales = cast("list[tuple[int, float]]", self._tick_scales)
        self._PrettyMIDI__tick_to_time = _TickTimes(scales, max_tick)  # pretty_midi's own private name
