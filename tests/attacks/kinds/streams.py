"""Streams that are closed, end early, or take few characters."""

from __future__ import annotations

import random
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

_FAST = (
    ["configs"], ["configs", "hierdec-drum_4bar"], ["configs", "--json"], ["inspect", "song.mid"], ["inspect", "mine"],
    ["inspect", "notes"], ["inspect", "examples"], ["convert", "mine", "--output-dir", "new"],
    ["preprocess", "notes", "--output-dir", "new"], ["fetch", "starter", "--output-dir", "new"],
    ["render", "song.mid", "--output-dir", "new"], ["report", "run", "--output", "new.html"], ["--help"],
    ["convert", "--help"], ["convert", "missing"], ["nonsense"], ["--version"],
)  # fmt: skip
_SLOW = (
    [*COMMANDS["run"][:-1], "4"], [*COMMANDS["run"][:-1], "4", "--json"], COMMANDS["run/eval"],
    [*COMMANDS["run/eval"], "--json"], ["generate", "--run-dir", "run", "-n", "2"],
)  # fmt: skip


def _attack(rng: random.Random, command: list[str], seconds: float) -> Attack:
    outputs, replaces = ["new*", "run/*"], ["run/*"]
    choice = rng.randrange(4)
    if choice == 0:
        closed = rng.choice([(0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)])
        return Attack(command, outputs, replaces, closed=closed, seconds=seconds, megabytes=3000)
    if choice == 1:
        return Attack(command, outputs, replaces, lines=rng.choice([0, 1, 2]), seconds=seconds, megabytes=3000)
    environment = rng.choice([
        {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "cp1252"}, {"TERM": "dumb"}, {"NO_COLOR": "1"}, {"COLUMNS": "1"}, {"COLUMNS": "40"},
        {"FORCE_COLOR": ""}, {"LANG": "tlh_KX"}, {"PYTHONIOENCODING": "utf-16"}, {"HOME": "/nonexistent"}, {"TZ": "x"},
        {"TMPDIR": "/nonexistent"}, {"PYTHONWARNINGS": "error"}, {"PYTHONOPTIMIZE": "2"},
    ])  # fmt: skip
    return Attack(command, outputs, replaces, environment=environment, seconds=seconds, megabytes=3000)


@kind()
def odd_streams(rng: random.Random, home: Path) -> Attack:
    """Odd streams and environments for the commands that need no TensorFlow."""
    return _attack(rng, rng.choice(_FAST), 60)


@kind(slow=True)
def odd_streams_for_a_model(rng: random.Random, home: Path) -> Attack:
    """Odd streams and environments for the commands that load a model."""
    return _attack(rng, rng.choice(_SLOW), 150)
