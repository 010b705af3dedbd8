"""Small files that ask for much: memory and time stay within their bounds."""

from __future__ import annotations

import gzip
import json
import random
import struct
from pathlib import Path

from note_seq.protobuf import music_pb2

from attacks.driver import Attack
from attacks.home import COMMANDS, CONFIG
from attacks.kinds import kind
from attacks.kinds.records import record, records


def _sequence(home: Path) -> music_pb2.NoteSequence:
    return music_pb2.NoteSequence.FromString(records((home / "notes" / "train.tfrecord").read_bytes())[0])


@kind()
def endless_music_in_records(rng: random.Random, home: Path) -> Attack:
    """NoteSequences whose tempo, times or steps ask for memory without end."""
    sequence = _sequence(home)
    choice = rng.randrange(5)
    if choice == 0:
        sequence.tempos[0].qpm = rng.choice([1e9, 1e7, 1e12])
    elif choice == 1:
        sequence.notes[0].end_time = sequence.total_time = rng.choice([1e15, 1e9, 1e7])
    elif choice == 2:
        sequence.notes[-1].start_time = rng.choice([1e15, 1e8])
        sequence.notes[-1].end_time = sequence.total_time = sequence.notes[-1].start_time + 0.1
    elif choice == 3:
        for number in range(20_000):
            sequence.time_signatures.add(time=number * 0.01, numerator=number % 7 + 1, denominator=4)
    else:
        for number in range(20_000):
            sequence.tempos.add(time=number * 0.01, qpm=60 + number % 90)
    (home / "big.tfrecord").write_bytes(record(sequence.SerializeToString()) * rng.choice([1, 4]))
    config = rng.choice([CONFIG, "groovae_4bar", "flat-mel_16bar", "hierdec-trio_16bar", "hier-multiperf_vel_1bar_med"])
    command = rng.choice([
        ["preprocess", "big.tfrecord", "--config", config, "--output-dir", "new"],
        ["preprocess", "big.tfrecord", "--stock", "--config", config, "--output-dir", "new"],
        ["inspect", "big.tfrecord"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=120, megabytes=1500)


@kind()
def endless_midi(rng: random.Random, home: Path) -> Attack:
    """MIDI files of a few bytes with hours of silence, or a tempo near 0 or without end."""
    tempo = rng.choice([1, 0, 0xFFFFFF, 500_000])
    delta = rng.choice([b"\xff\xff\xff\x7f", b"\x87\xff\xff\x7f", b"\x00"])
    track = b"\x00\xff\x51\x03" + tempo.to_bytes(3, "big")
    track += (delta + b"\x99\x24\x64" + b"\x60\x89\x24\x00") * rng.choice([1, 10, 200]) + b"\x00\xff\x2f\x00"
    division = rng.choice([1, 480, 32767, 0, 0xE728, 0x8000])
    data = b"MThd" + struct.pack(">LHHH", 6, 1, 1, division) + b"MTrk" + struct.pack(">L", len(track)) + track
    folder = home / "long"
    folder.mkdir()
    for number in range(rng.choice([1, 4])):
        (folder / f"{number}.mid").write_bytes(data)
    command = rng.choice([
        ["convert", "long", "--output-dir", "new"],
        ["inspect", "long"],
        ["inspect", "long/0.mid"],
        ["render", "long/0.mid", "--output-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=90, megabytes=1500)


@kind()
def bombs_of_gzip(rng: random.Random, home: Path) -> Attack:
    """Compressed files that unpack to far more than they hold."""
    name = rng.choice(["bomb.tfrecord.gz", "bomb.tfrecord", "bomb.mid.gz", "bomb.tar.gz"])
    with gzip.open(home / name, "wb", 1) as stream:
        for _ in range(400):
            stream.write(bytes(1 << 20))
    command = rng.choice([
        ["inspect", name], ["preprocess", name, "--output-dir", "new"], ["convert", name, "--output-dir", "new"],
    ])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"], seconds=60, megabytes=800)


@kind(slow=True)
def endless_model(rng: random.Random, home: Path) -> Attack:
    """A run whose hyperparameters ask for memory without end."""
    path = home / "run" / "run.json"
    content = json.loads(path.read_text())
    hparams = content.get("hparams", content)
    name = rng.choice(["max_seq_len", "z_size", "batch_size", "enc_rnn_size", "dec_rnn_size"])
    if name in hparams:
        hparams[name] = [10**9] if isinstance(hparams[name], list) else 10**9
    path.write_text(json.dumps(content))
    command = rng.choice([
        [*COMMANDS["run"][:-1], "3"],
        ["generate", "--run-dir", "run", "-n", "1"],
        COMMANDS["run/eval"],
    ])  # fmt: skip
    return Attack(command, outputs=["run/*"], replaces=["run/*"], seconds=120, megabytes=4000)


@kind()
def full_disk(rng: random.Random, home: Path) -> Attack:
    """A disk that takes no more than some bytes for each file."""
    command = rng.choice([
        ["fetch", "starter", "--output-dir", "new"],
        ["convert", "mine", "--output-dir", "new"],
        ["preprocess", "notes", "--output-dir", "new"],
        ["render", "song.mid", "--output-dir", "new"],
        ["inspect", "song.mid", "--png", "new.png"],
        ["report", "run", "--output", "new.html"],
        COMMANDS["notes"],
    ])  # fmt: skip
    limit = rng.choice([0, 10, 500, 5000, 20_000])
    return Attack(command, outputs=["new*"], replaces=["notes/*"], file_bytes=limit, seconds=60)
