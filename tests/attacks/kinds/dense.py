"""MIDI files below the limit of 4 MiB that are dense with one kind of event, and records that ask for a product."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from note_seq.protobuf import music_pb2

from attacks.driver import Attack
from attacks.kinds import kind
from attacks.kinds.records import record

_BYTES = 4_000_000  # of a dense file
_SECONDS, _MEGABYTES = 60, 800
_BEAT = b"\x60\x99\x24\x64\x60\x89\x24\x00" * 64
_END = b"\x00\xff\x2f\x00"


def _file(*tracks: bytes) -> bytes:
    """Returns a MIDI file of format 1."""
    chunks = [b"MTrk" + struct.pack(">L", len(track)) + track for track in tracks]
    return b"MThd" + struct.pack(">LHHH", 6, 1, min(65_535, len(chunks)), 480) + b"".join(chunks)


def _dense(rng: random.Random, events: list[bytes], count: int | None = None) -> bytes:
    """Returns events in turn, as many as fit or ``count`` of them."""
    size = sum(map(len, events)) / len(events)
    wanted = count or int(rng.choice([0.2, 0.9, 1]) * _BYTES / size)
    turn = b"".join(events)
    return turn * max(1, wanted // len(events))


def _program(number: int) -> bytes:
    """Returns a note of one of the 2,048 programs of all channels."""
    channel = number % 16
    return bytes([0, 0xC0 | channel, number // 16, 1, 0x90 | channel, 60, 9, 1, 0x80 | channel, 60, 0])


def _attack(rng: random.Random, home: Path, data: bytes) -> Attack:
    (home / "dense.mid").write_bytes(data)
    command = rng.choice([
        ["convert", "dense.mid", "--output-dir", "new"],
        ["inspect", "dense.mid"],
        ["inspect", "dense.mid", "--json"],
        ["render", "dense.mid", "--output-dir", "new"],
        ["generate", "--model", "run/best/model.safetensors", "--input-midi", "dense.mid", "--mode", "reconstruct",
         "--output-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=_SECONDS, megabytes=_MEGABYTES)


@kind()
def dense_changes(rng: random.Random, home: Path) -> Attack:
    """A change of tempo, time signature or key at every tick, alone and together."""
    tempos = [b"\x01\xff\x51\x03" + (400_000 + number).to_bytes(3, "big") for number in range(50)]
    times = [b"\x01\xff\x58\x04" + bytes([number, 2, 24, 8]) for number in range(1, 8)]
    keys = [b"\x01\xff\x59\x02" + bytes([number, 0]) for number in range(7)]
    events = rng.choice([tempos, times, keys, [*tempos[:7], *times], [b"\x01\x99\x24\x64" + time for time in times]])
    count = rng.choice([None, 20_000, 49_000])
    return _attack(rng, home, _file(_dense(rng, events, count) + _BEAT + _END))


@kind()
def dense_notes(rng: random.Random, home: Path) -> Attack:
    """Notes without number: hits without an end, melodies, all at once, of all programs."""
    step = rng.choice([0, 1, 127])
    hits = [bytes([step, 35 + number, 100]) for number in range(40)]
    melody = [bytes([step, 36 + number, velocity]) for velocity in (100, 0) for number in range(40)]
    programs = [_program(number) for number in range(2048)]
    start, events = rng.choice([(b"\x00\x99\x24\x64", hits), (b"\x00\x90\x24\x64", melody), (b"", programs)])
    count = rng.choice([None, 240_000])
    return _attack(rng, home, _file(start + _dense(rng, events, count) + _END))


@kind()
def dense_tracks(rng: random.Random, home: Path) -> Attack:
    """Tracks without number: empty ones, ones with a hit, and a track with names without number."""
    hit = b"\x00\x99\x24\x64\x60\x89\x24\x00" + _END
    count = rng.choice([20_000, 65_000, 170_000])
    names = b"\x01\xff\x03\x01a" * 300_000
    programs = b"".join(map(_program, range(2048)))
    tracks = rng.choice([[hit] * count, [b""] * count + [hit], [names + programs * 20 + _END]])
    return _attack(rng, home, _file(*tracks))


@kind()
def dense_controls(rng: random.Random, home: Path) -> Attack:
    """Control changes without number, which all programs of a channel share."""
    controls = b"\x00\xb0\x07\x64" + b"".join(bytes([0, 7, number]) for number in range(128)) * rng.choice([10, 8000])
    programs = b"".join(_program(16 * number) for number in range(128))
    order = rng.choice([controls + programs, programs + controls])
    return _attack(rng, home, _file(order * (1 if len(controls) > 100_000 else 20) + _END))


@kind()
def records_that_multiply(rng: random.Random, home: Path) -> Attack:
    """NoteSequences whose sections, instruments, pedals or trios are few, and their product is large."""
    sequence = music_pb2.NoteSequence(id="x", ticks_per_quarter=220)
    sections = rng.choice([1, 3000, 15_000])
    for number in range(sections):
        sequence.time_signatures.add(time=number * 2.0, numerator=rng.choice([3, 4]), denominator=4)
    choice = rng.randrange(4)
    if choice == 0:
        for number in range(60_000):
            sequence.instrument_infos.add(instrument=number, name="x")
    elif choice == 1:
        for number in range(60_000):
            sequence.control_changes.add(instrument=number, control_number=64, control_value=127)
    elif choice == 2:
        sequence.filename = "x" * 10_000_000
    for number in range(120):
        program = 0 if number < 40 else 33
        sequence.notes.add(start_time=0, end_time=1900, pitch=60, velocity=90, instrument=number, program=program,
                           is_drum=number >= 80)  # fmt: skip
    sequence.total_time = max(2000.0, sections * 2.0)
    (home / "many.tfrecord").write_bytes(record(sequence.SerializeToString()))
    config = rng.choice(["hierdec-trio_16bar", "flat-mel_16bar", "hier-multiperf_vel_1bar_med", "groovae_4bar"])
    command = rng.choice([
        ["inspect", "many.tfrecord"],
        ["preprocess", "many.tfrecord", "--config", config, "--output-dir", "new"],
        ["preprocess", "many.tfrecord", "--stock", "--config", config, "--output-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=120, megabytes=1500)
