"""MIDI as note_seq, pretty_midi and mido read it: the reference for our own reader, and its fallback.

Runs in a child process with limits, which ``gmd_vae.midi.fallback.child_process`` starts. Two guards surround
Magenta's readers: a limit on the length, and a tempo map whose size does not depend on the last tick (37 bytes can
make pretty_midi allocate 67 GiB).
"""

from __future__ import annotations

import bisect
import collections
import contextlib
import io
import json
import sys
import warnings
from pathlib import Path
from typing import Any, cast

import mido
from mido.midifiles.meta import KeySignatureError

from gmd_vae.midi.fallback.child_process import COUNTS, LENGTH, MEMORY, RECORD, REFUSAL
from gmd_vae.midi.note_sequence import note_seq_module
from gmd_vae.midi.reader import account
from gmd_vae.midi.reader.encoding import Record
from gmd_vae.midi.refusals import (
    BAD_KEY_SIGNATURE,
    BAD_TEMPO,
    BAD_TIME_SIGNATURE,
    CUT_SHORT,
    DAMAGED,
    NO_EVENTS,
    TOO_MUCH_MEMORY,
    MidiError,
    check_length,
)

midi_io: Any = note_seq_module("midi_io")  # before pretty_midi, whose MAX_TICK it changes

import pretty_midi  # noqa: E402

# mido reads a variable-length quantity of any length, in quadratic time: 1 MB of 0xff takes a minute.
# Texts in non-Latin scripts also have runs of such bytes, but shorter ones.
_HIGH_BITS = bytes(byte >> 7 for byte in range(256))
_ENDLESS_NUMBER = b"\x01" * 4096  # in the bytes' high bits
_MAX_INT32 = 2**31 - 1


def serve() -> None:
    """Answers the parent's requests on standard input and output, until the input ends."""
    _limit_memory()
    requests, responses = sys.stdin.buffer, sys.stdout.buffer
    while len(head := requests.read(LENGTH.size)) == LENGTH.size:
        try:
            record = read_record(requests.read(LENGTH.unpack(head)[0]))
            account = json.dumps(record.account).encode()
            counts = COUNTS.pack(record.notes, record.drum_notes, record.seconds, len(account))
            kind, content = RECORD, counts + account + record.data
        except MidiError as error:
            kind, content = REFUSAL, json.dumps([error.reason, error.detail]).encode()
        responses.write(kind + LENGTH.pack(len(content)) + content)
        responses.flush()


def read_record(data: bytes) -> Record:
    """Converts a MIDI file with note_seq.

    Args:
        data: Bytes of the file.

    Returns:
        The record without id, filename and collection name.

    Raises:
        MidiError: note_seq refuses the file, or the file is too long. The error names no file.
    """
    midi = _read(data)
    used = _account(midi)  # before pretty_midi, which changes the times in it
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a tempo outside the first track
            sequence = midi_io.midi_to_note_sequence(_SparsePrettyMIDI(mido_object=midi))
    except MemoryError:
        raise MidiError(TOO_MUCH_MEMORY, "") from None
    except Exception as error:  # as in Magenta: damaged files raise errors of many classes
        raise MidiError(_blame(midi), "", str(error)) from None
    drums = sum(note.is_drum for note in sequence.notes)
    data = sequence.SerializeToString(deterministic=True)
    return Record(data, len(sequence.notes), drums, sequence.total_time, used)


def _limit_memory() -> None:
    """Limits the growth of this process to ``MEMORY`` bytes, on systems that support it."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _read(data: bytes) -> mido.MidiFile:
    """Parses the bytes with mido. Refuses files that are damaged, without events or too long."""
    if _ENDLESS_NUMBER in data.translate(_HIGH_BITS):
        raise MidiError(DAMAGED, "", "a number without end")
    try:
        midi = mido.MidiFile(file=io.BytesIO(data), charset="latin1")
    except EOFError:
        raise MidiError(CUT_SHORT, "", "the file ends inside an event or a track") from None
    except KeySignatureError as error:
        raise MidiError(BAD_KEY_SIGNATURE, "", str(error)) from None
    except MemoryError:
        raise MidiError(TOO_MUCH_MEMORY, "") from None
    except Exception as error:  # OSError, ValueError, LookupError, struct.error, ...
        raise MidiError(DAMAGED, "", str(error)) from None
    if not midi.tracks or not all(midi.tracks):
        raise MidiError(NO_EVENTS, "")
    if not midi.ticks_per_beat:
        raise MidiError(DAMAGED, "", "no ticks in a quarter note")
    check_length(max(sum(event.time for event in track) for track in midi.tracks), midi.ticks_per_beat, "")
    return midi


def _blame(midi: mido.MidiFile) -> str:
    """Returns the reason why note_seq refuses a file that mido parses."""
    for event in midi.tracks[0]:
        if event.type == "set_tempo" and event.tempo == 0:
            return BAD_TEMPO
        if event.type == "time_signature" and not (event.numerator and event.denominator <= _MAX_INT32):
            return BAD_TIME_SIGNATURE
    return DAMAGED


def _account(midi: mido.MidiFile) -> account.Account:
    """Returns the use of a file's events by pretty_midi's rules."""
    dropped: collections.Counter[str] = collections.Counter()
    note_ons = outside = 0
    first: dict[str, int] = {}  # tick of the first tempo and time signature
    for number, track in enumerate(midi.tracks):
        tick = 0
        open_notes: dict[tuple[int, int], list[int]] = {}  # ticks at which they begin
        for event in track:
            tick += event.time
            if event.type == "note_on" and event.velocity:
                note_ons += 1
                open_notes.setdefault((event.channel, event.note), []).append(tick)
            elif event.type in ("note_on", "note_off"):
                begun = open_notes.pop((event.channel, event.note), [])
                at_once = [start for start in begun if start == tick]
                if len(at_once) == len(begun):
                    dropped[account.NO_LENGTH] += len(at_once)
                elif at_once:
                    open_notes[event.channel, event.note] = at_once
            elif event.type in ("set_tempo", "time_signature", "key_signature"):
                if number:
                    outside += 1
                else:
                    first.setdefault(event.type, tick)
        dropped[account.NEVER_ENDS] += sum(map(len, open_notes.values()))
    return account.Account(
        note_ons,
        completed=0,
        dropped={reason: count for reason, count in dropped.items() if count},
        ignored={account.OUTSIDE_FIRST_TRACK: outside} if outside else {},
        assumed=account.assumptions(first.get("set_tempo"), first.get("time_signature")),
    )


class _TickTimes:
    """Seconds by tick, bit for bit the elements of pretty_midi's array.

    pretty_midi's array has one element for each tick of the file. This class has one for each tempo.

    Args:
        tick_scales: First tick, and seconds per tick, of each tempo.
        max_tick: Last tick of the file.
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
    """pretty_midi's reader without the array. It reads only: ``write`` fails."""

    def _update_tick_to_time(self, max_tick: int) -> None:
        scales = cast("list[tuple[int, float]]", self._tick_scales)
        self._PrettyMIDI__tick_to_time = _TickTimes(scales, max_tick)  # pretty_midi's own private name
