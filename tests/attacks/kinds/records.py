"""TFRecord files with damage, lies about lengths, and values that no writer of gmd-vae writes."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path

import google_crc32c
from note_seq.protobuf import music_pb2

from attacks.driver import Attack
from attacks.home import COMMANDS, CONFIG
from attacks.kinds import kind

_TIMES = (float("nan"), float("inf"), -1.0, 1e15, 1e300, 0.0, 1e9, -1e-9)
_NUMBERS = (-1, 0, 1, 128, 2**31 - 1, -(2**31), 10**9, 255)


def _masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def record(data: bytes, length: int | None = None) -> bytes:
    """Returns one TFRecord: length, checksum, data, checksum."""
    header = struct.pack("<Q", len(data) if length is None else length)
    return header + struct.pack("<L", _masked(header)) + data + struct.pack("<L", _masked(data))


def records(data: bytes) -> list[bytes]:
    """Returns the contents of the records in a file."""
    found, place = [], 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        found.append(data[place + 12 : place + 12 + length])
        place += 16 + length
    return found


def _odd_sequence(rng: random.Random, data: bytes) -> bytes:
    """Returns a NoteSequence with odd values."""
    sequence = music_pb2.NoteSequence.FromString(data)
    for _ in range(rng.randrange(1, 4)):
        choice = rng.randrange(8)
        if choice == 0 and sequence.notes:
            rng.choice(sequence.notes).end_time = rng.choice(_TIMES)
        elif choice == 1 and sequence.notes:
            rng.choice(sequence.notes).start_time = rng.choice(_TIMES)
        elif choice == 2 and sequence.notes:
            rng.choice(sequence.notes).pitch = rng.choice(_NUMBERS)
        elif choice == 3 and sequence.notes:
            rng.choice(sequence.notes).velocity = rng.choice(_NUMBERS)
        elif choice == 4:
            sequence.tempos.add(time=rng.choice(_TIMES), qpm=rng.choice([*_TIMES, 1e-300]))
        elif choice == 5:
            sequence.time_signatures.add(
                time=rng.choice(_TIMES), numerator=rng.choice(_NUMBERS), denominator=rng.choice(_NUMBERS)
            )
        elif choice == 6:
            sequence.total_time = rng.choice(_TIMES)
        else:
            sequence.id = sequence.filename = rng.choice(["\x1b[2J", "../../x", "[red]", "", "x" * 10_000])
    return sequence.SerializeToString()


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """Returns the bytes of a file with damage: bytes changed, cut, repeated, or lengths that lie."""
    choice = rng.randrange(6)
    place = rng.randrange(len(data))
    if choice == 0:
        return data[:place]
    if choice == 1:
        return data[:place] + rng.randbytes(rng.randrange(1, 20)) + data[place + 3 :]
    if choice == 2:
        return record(b"x", rng.choice([2**63, 2**40, 2**32, 10**10])) + data
    if choice == 3:
        return data + record(rng.randbytes(50))
    if choice == 4:
        return gzip.compress(data)[: rng.randrange(20, 200)]
    return b"".join(record(one[: rng.randrange(len(one) + 1)]) for one in records(data)[:20])


@kind()
def damaged_note_sequences(rng: random.Random, home: Path) -> Attack:
    """Records of NoteSequences, damaged or with odd values."""
    path = home / "notes" / "train.tfrecord"
    data = path.read_bytes()
    if rng.random() < 0.6:
        contents = records(data)
        number = rng.randrange(len(contents))
        contents[number] = _odd_sequence(rng, contents[number])
        path.write_bytes(b"".join(record(one) for one in contents))
    else:
        path.write_bytes(_damaged(rng, data))
    (home / "alone").mkdir()
    path.rename(home / "alone" / "train.tfrecord")
    command = rng.choice([
        ["preprocess", "alone/train.tfrecord", "--config", CONFIG, "--output-dir", "new"],
        ["preprocess", "alone/train.tfrecord", "--config", "groovae_4bar", "--output-dir", "new"],
        ["preprocess", "alone/train.tfrecord", "--config", "hier-multiperf_vel_1bar_med", "--output-dir", "new"],
        ["preprocess", "alone/train.tfrecord", "--config", "cat-mel_2bar_big", "--output-dir", "new"],
        ["preprocess", "alone/train.tfrecord", "--stock", "--output-dir", "new"],
        ["inspect", "alone/train.tfrecord"],
        ["inspect", "alone/train.tfrecord", "--json"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], replaces=["notes/train.tfrecord"], seconds=120)


@kind()
def damaged_examples_shown(rng: random.Random, home: Path) -> Attack:
    """Damaged files of examples, shown by `inspect`."""
    path = rng.choice(sorted((home / "examples").glob("*.tfrecord*")))
    path.write_bytes(_damaged(rng, path.read_bytes()))
    command = ["inspect", rng.choice(["examples", str(path.relative_to(home))])]
    return Attack([*command, "--json"] if rng.random() < 0.5 else command)


@kind(slow=True)
def damaged_examples_trained(rng: random.Random, home: Path) -> Attack:
    """Damaged files of examples, and records with labels out of range, for `train` and `evaluate`."""
    path = rng.choice(sorted((home / "examples").glob("train*.tfrecord*")))
    data = path.read_bytes()
    if rng.random() < 0.5:
        place = rng.randrange(len(data))
        contents = records(data)
        number = rng.randrange(len(contents))
        one = bytearray(contents[number])
        for _ in range(rng.randrange(1, 6)):
            one[rng.randrange(len(one))] = rng.choice([0, 255, 128, place % 256])
        contents[number] = bytes(one)
        path.write_bytes(b"".join(record(one) for one in contents))
    else:
        path.write_bytes(_damaged(rng, data))
    command = rng.choice([[*COMMANDS["run"][:-1], "3"], COMMANDS["run/eval"]])
    return Attack(command, outputs=["run/*"], replaces=["run/*"], seconds=150, megabytes=4000)
