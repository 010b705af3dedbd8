"""Names of files and folders that are not UTF-8, too long, or mean something to somebody else."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

NAMES: tuple[bytes, ...] = (
    b"\xff\xfe", b"caf\xe9", b"run [v2]", b"moved [1]", b"a\\b", b"star*?", b"-n", b"--help", b"new\nline",
    b"tab\there",
    b"\x1b[31mred", "漢字 ü".encode(), "\u202egnp".encode(), b"x" * 200, b"a b  c", b"%s{}", b"[red]", b"a:b|c", b"'\"",
    b"=1+1", b"#hash", b"~", b"$HOME", b"..hidden", b" ", b"e\xcc\x81",
)  # fmt: skip


def _rename(home: Path, old: str, new: bytes) -> bytes:
    os.rename(os.fsencode(home / old), os.path.join(os.fsencode(home), new))  # noqa: PTH104, PTH118
    return b"./" + new


@kind()
def odd_names(rng: random.Random, home: Path) -> Attack:
    """An odd name of a MIDI file, of a folder, or of an output."""
    name = rng.choice(NAMES)
    choice = rng.randrange(7)
    arguments: list[str | bytes]
    if choice == 0:
        song = _rename(home, "song.mid", name + rng.choice([b".mid", b""]))
        arguments = ["inspect", song]
    elif choice == 1:
        song = _rename(home, "song.mid", name + b".mid")
        arguments = ["render", song, "--png"]
    elif choice == 2:
        arguments = ["convert", _rename(home, "mine", name), *rng.choice([[], ["--output-dir", "new"]])]
    elif choice == 3:
        shutil.copy(home / "song.mid", os.path.join(os.fsencode(home / "mine"), name + b".mid"))  # noqa: PTH118
        arguments = rng.choice([["convert", "mine", "--output-dir", "new"], ["inspect", "mine", "--json"]])
    elif choice == 4:
        arguments = ["preprocess", _rename(home, "notes", name), "--output-dir", rng.choice([b"new", b"new" + name])]
    elif choice == 5:
        arguments = ["convert", "mine", "--output-dir", b"new" + name]
    else:
        arguments = ["report", _rename(home, "run", name), "--output", "new.html"]
    outputs = ["*"]
    return Attack(arguments, outputs=outputs, seconds=60)


@kind(slow=True)
def odd_names_of_a_run(rng: random.Random, home: Path) -> Attack:
    """A run that was moved to an odd name: it is found, resumed and used."""
    name = rng.choice(NAMES)
    run = _rename(home, "run", name + rng.choice([b"", b"/deep"[:0]]))
    choice = rng.randrange(3)
    arguments: list[str | bytes]
    if choice == 0:
        arguments = [*COMMANDS["run"][:-1], "3"]
        arguments[arguments.index("--run-dir") + 1] = run
    elif choice == 1:
        arguments = ["generate", "--run-dir", run, "-n", "1", "--output-dir", "new"]
    else:
        arguments = ["evaluate", run, "--samples", "10", "--split", "train"]
    return Attack(arguments, outputs=["*"], replaces=["*/*"], seconds=120, megabytes=3000)


@kind()
def long_names(rng: random.Random, home: Path) -> Attack:
    """Outputs whose names are as long as a file system allows, or longer."""
    length = rng.choice([200, 240, 250, 255, 256, 1000, 5000])
    name = rng.choice(["x" * length, "y/" * (length // 2)])
    command = rng.choice([
        ["convert", "mine", "--output-dir", name],
        ["fetch", "starter", "--output-dir", name],
        ["inspect", "song.mid", "--png", name],
        ["render", "song.mid", "--png", "--output-dir", name],
        ["report", "run", "--output", name],
        ["convert", name],
        ["inspect", name],
    ])  # fmt: skip
    return Attack(command, outputs=["x*", ".x*", "y*"], seconds=60)
