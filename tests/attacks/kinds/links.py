"""Links in the place of what a command reads, makes, locks or deletes."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

_WORKING = (
    ".{name}.parts",
    ".{name}.partial",
    ".{name}.previous",
    ".{name}.gmd-vae.lock",
    "{name}.lock",
    ".{name}.parts/0",
)


def _plant(rng: random.Random, home: Path, place: str) -> None:
    """Puts a link to a folder or a file of the user at a place, instead of what is there."""
    path = home / place
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    target = rng.choice(["outside", "outside/diary.txt", "home/mine", "home/letter.txt", "outside/new"])
    path.symlink_to(home.parent / target)


@kind()
def link_in_a_working_place(rng: random.Random, home: Path) -> Attack:
    """A link where a command keeps unfinished work or its lock."""
    name = rng.choice(["grooves", "notes", "examples"])
    place = rng.choice(_WORKING).format(name=name)
    _plant(rng, home, place)
    return Attack(
        COMMANDS[name], outputs=[f"{name}*", f".{name}.gmd-vae.lock"], replaces=[f"{name}/*", place, f".{name}.parts"]
    )


@kind(slow=True)
def link_in_a_run(rng: random.Random, home: Path) -> Attack:
    """A link in the place of a part of the run."""
    place = rng.choice([
        "run/best", "run/train", "run/run.json", "run/metrics.jsonl", "run/eval", "run/generated", "run/.lock",
        "run/train/checkpoint", "run/best/checkpoint", "run/progress.png", "run/validation",
        "run/attributes", "run/best/model.safetensors",
    ])  # fmt: skip
    _plant(rng, home, place)
    command = rng.choice([
        [*COMMANDS["run"][:-1], "3"],
        COMMANDS["run/eval"],
        ["generate", "--run-dir", "run", "-n", "1"],
        ["report", "run"],
        ["export", "run", "-o", "new.safetensors"],
    ])  # fmt: skip
    return Attack(command, outputs=["run/*", "new*"], replaces=["run/*"], seconds=120, megabytes=3000)


@kind()
def links_in_an_input(rng: random.Random, home: Path) -> Attack:
    """Loops of links, and links out of the folder, among the files to convert."""
    folder = home / "mine"
    for number in range(rng.randrange(1, 5)):
        target = rng.choice([".", "..", "loop0.mid", "../..", "/", "/etc", "/dev/zero", "../letter.txt", "/proc/self"])
        (folder / f"loop{number}{rng.choice(['', '.mid'])}").symlink_to(target)
    command = rng.choice(
        [["convert", "mine", "--output-dir", "new"], ["inspect", "mine"], ["inspect", "mine", "--json"]]
    )
    return Attack(command, outputs=["new*", ".new*"], seconds=60)


@kind()
def link_as_an_output(rng: random.Random, home: Path) -> Attack:
    """A link where an output goes."""
    _plant(rng, home, "new")
    command = rng.choice([
        ["convert", "mine", "--output-dir", "new"],
        ["fetch", "starter", "--output-dir", "new"],
        ["inspect", "song.mid", "--png", "new"],
        ["configs", "hierdec-drum_4bar", "--plot-schedules", "new"],
        ["render", "song.mid", "--output-dir", "new", "--png"],
        ["report", "run", "--output", "new"],
    ])  # fmt: skip
    linked = str((home / "new").readlink().relative_to(home.parent))
    outputs = ["new*", ".new*"]
    if linked == "outside/new":  # a link to nothing may be made real at its target
        return Attack(command, outputs=[*outputs, "outside/new*", "outside/.new*"], replaces=["new"])
    return Attack(command, outputs=[*outputs, "mine/song.*", "outside/song.*"], replaces=["new"])
