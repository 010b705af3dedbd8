"""Pipes, sockets and devices where a regular file is expected: nothing waits for ever."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS, evaluation
from attacks.kinds import kind

_SECONDS = 30.0


def _replace(rng: random.Random, path: Path) -> None:
    """Puts a pipe, a socket or a link to a device at a place."""
    if path.is_file() or path.is_symlink():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    choice = rng.random()
    if choice < 0.6:
        os.mkfifo(path)
    elif choice < 0.8:
        path.symlink_to(rng.choice(["/dev/zero", "/dev/random", "/dev/tty", "/dev/null", "/dev/full"]))
    else:
        folder = os.open(path.parent, os.O_RDONLY)
        try:  # the path of a socket may have 108 bytes only
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"/proc/self/fd/{folder}/{path.name}" if Path("/proc/self").exists() else str(path))
            listener.close()
        finally:
            os.close(folder)


@kind()
def pipe_as_an_input(rng: random.Random, home: Path) -> Attack:
    """A pipe or device in the place of a file that a command without TensorFlow reads."""
    place, command = rng.choice([
        ("song.mid", ["inspect", "song.mid"]),
        ("song.mid", ["inspect", "song.mid", "--json"]),
        ("song.mid", ["render", "song.mid", "--output-dir", "new"]),
        ("song.mid", ["convert", "song.mid", "--output-dir", "new"]),
        ("mine/a.mid", ["convert", "mine", "--output-dir", "new"]),
        ("mine/info.csv", ["convert", "mine", "--output-dir", "new"]),
        ("mine.zip", ["convert", "mine.zip", "--output-dir", "new"]),
        ("mine.zip", ["inspect", "mine.zip"]),
        ("notes/manifest.json", ["preprocess", "notes", "--output-dir", "new"]),
        ("notes/train.tfrecord", ["preprocess", "notes", "--output-dir", "new"]),
        ("notes/manifest.json", ["inspect", "notes"]),
        ("notes/train.tfrecord", ["inspect", "notes"]),
        ("notes/train.tfrecord", ["inspect", "notes/train.tfrecord"]),
        ("examples/manifest.json", ["inspect", "examples"]),
        ("grooves/manifest.json", COMMANDS["grooves"]),
        ("notes/manifest.json", COMMANDS["notes"]),
        ("my_configs.py", ["configs", "--configs", "my_configs.py"]),
        ("run/run.json", ["report", "run"]),
        ("run/metrics.jsonl", ["report", "run"]),
        ("run/generated/elsewhere.jsonl", ["report", "run"]),
        (evaluation(home), ["report", "run"]),
        ("beats/manifest.json", ["report", "run"]),
    ])  # fmt: skip
    _replace(rng, home / place)
    return Attack(command, outputs=["new*", ".new*", "run/report.html", "grooves*", "notes*", ".notes*", ".grooves*"],
                  seconds=_SECONDS)  # fmt: skip


@kind()
def pipe_as_an_output(rng: random.Random, home: Path) -> Attack:
    """A pipe or device where a file is to be written."""
    place, command = rng.choice([
        ("new.png", ["inspect", "song.mid", "--png", "new.png"]),
        ("new.png", ["configs", "hierdec-drum_4bar", "--plot-schedules", "new.png"]),
        ("song.wav", ["render", "song.mid"]),
        ("new", ["render", "song.mid", "--output-dir", "new"]),
        ("new", ["convert", "mine", "--output-dir", "new"]),
        ("new", ["fetch", "starter", "--output-dir", "new"]),
        (".new.gmd-vae.lock", ["convert", "mine", "--output-dir", "new"]),
        (".new.parts", ["convert", "mine", "--output-dir", "new"]),
        ("run/report.html", ["report", "run"]),
        ("new.html", ["report", "run", "--output", "new.html"]),
    ])  # fmt: skip
    _replace(rng, home / place)
    return Attack(command, outputs=["new*", ".new*", "song.png"], seconds=_SECONDS)


@kind(slow=True)
def pipe_in_a_run(rng: random.Random, home: Path) -> Attack:
    """A pipe or device in the place of a file of the run or of the examples."""
    examples = sorted(str(path.relative_to(home)) for path in (home / "examples").glob("*.tfrecord*"))
    place = rng.choice([
        "run/run.json", "run/metrics.jsonl", "run/train/checkpoint", "run/best/checkpoint", "examples/manifest.json",
        "song.mid", rng.choice(examples), evaluation(home), "run/progress.png",
    ])  # fmt: skip
    command = rng.choice([
        [*COMMANDS["run"][:-1], "3"],
        COMMANDS["run/eval"],
        ["generate", "--run-dir", "run", "-n", "1", "--input-midi", "song.mid", "--mode", "reconstruct"],
    ])  # fmt: skip
    _replace(rng, home / place)
    return Attack(command, outputs=["run/*"], replaces=["run/*"], seconds=90, megabytes=3000)
