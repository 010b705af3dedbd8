"""Files of the user in output folders, and outputs at places where the user's files are."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

_FAST = ("grooves", "notes", "examples")
_NAMES = ("mine.txt", "zz.mid", ".hidden", "deep/er/project.als", "groove-000.mid", "train.tfrecord.bak", "ü.wav")


def _add(rng: random.Random, folder: Path) -> None:
    """Puts a file of the user into an output folder, or edits a file of that folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    if rng.random() < 0.3 and files:
        target = rng.choice(files)
        data = bytearray(target.read_bytes())
        place = rng.randrange(len(data)) if data else 0
        data[place : place + 1] = bytes([rng.randrange(256), 7])
        target.write_bytes(bytes(data))
        return
    target = folder / rng.choice(_NAMES)
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.write_bytes(rng.randbytes(rng.randrange(1, 2000)))


@kind()
def foreign_file_in_an_output_folder(rng: random.Random, home: Path) -> Attack:
    """Refused: the folder holds a file that its manifest does not list, or that was edited."""
    name = rng.choice(_FAST)
    _add(rng, home / name)
    return Attack(COMMANDS[name], refused=True)


@kind(slow=True)
def foreign_file_among_beats(rng: random.Random, home: Path) -> Attack:
    """Refused: an edited beat, a project file, a run trained among the beats."""
    _add(rng, home / "beats")
    if rng.random() < 0.3:
        shutil.copytree(home / "run", home / "beats" / "run")
    return Attack(COMMANDS["beats"], refused=True)


@kind()
def user_folder_as_output(rng: random.Random, home: Path) -> Attack:
    """Refused: the output folder is a folder of the user, or lies where a file is."""
    target = rng.choice(["mine", ".", "..", "letter.txt", "song.mid", "../outside", "run", "beats", "letter.txt/x"])
    command = rng.choice([
        ["fetch", "starter", "--output-dir", target],
        ["convert", "grooves", "--output-dir", target],
        ["convert", "mine", "--output-dir", target],
        ["preprocess", "notes", "--output-dir", target],
    ])  # fmt: skip
    return Attack(command, refused=True)


@kind()
def input_in_the_output_folder(rng: random.Random, home: Path) -> Attack:
    """Refused: the input would be deleted with the old output."""
    if rng.random() < 0.5:
        return Attack(["convert", "notes", "--output-dir", "notes"], refused=True)
    (home / "notes" / "in").mkdir()
    shutil.copy(home / "song.mid", home / "notes" / "in" / "song.mid")
    return Attack(["convert", "notes/in", "--output-dir", "notes"], refused=True)


@kind()
def output_over_a_file(rng: random.Random, home: Path) -> Attack:
    """Refused: a picture, sound or page in the place of a file that gmd-vae did not make."""
    shutil.copy(home / "song.mid", home / "song.wav")
    (home / "song.png").write_bytes(b"\x89PNG\r\n\x1a\n" + rng.randbytes(100))
    command = rng.choice([
        ["inspect", "song.mid", "--png", "song.mid"],
        ["inspect", "song.mid", "--png", "letter.txt"],
        ["inspect", "song.mid", "--png", "song.png"],
        ["configs", "hierdec-drum_4bar", "--plot-schedules", "letter.txt"],
        ["configs", "hierdec-drum_4bar", "--plot-schedules", "mine"],
        ["render", "song.mid", "--wav"],
        ["render", "song.mid", "--png"],
        ["report", "run", "--output", "letter.txt"],
        ["report", "run", "--output", "run/run.json"],
    ])  # fmt: skip
    return Attack(command, refused=True)


@kind(slow=True)
def train_into_a_folder_of_the_user(rng: random.Random, home: Path) -> Attack:
    """Refused: the run folder holds files and is no run."""
    target = home / "project"
    for name in ("best/weights.bin", "train/notes.txt", "metrics.jsonl", "song.mid", "checkpoint", "eval/x.json"):
        if rng.random() < 0.5:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(rng.randbytes(50))
    target.mkdir(exist_ok=True)
    (target / "song.mid").write_bytes(b"mine")
    command = [*COMMANDS["run"]]
    command[command.index("--run-dir") + 1] = "project"
    return Attack(command, refused=True, seconds=120, megabytes=3000)
