"""The same command several times at once: each ends well or names the other, and the output is whole."""

from __future__ import annotations

import random
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind


@kind()
def at_once(rng: random.Random, home: Path) -> Attack:
    """Commands without TensorFlow, into one output folder; a last run finds the folder whole."""
    name, command = rng.choice([
        ("grooves", COMMANDS["grooves"]), ("notes", COMMANDS["notes"]), ("examples", COMMANDS["examples"]),
        ("new", ["convert", "mine", "--output-dir", "new"]), ("new", ["fetch", "starter", "--output-dir", "new"]),
        ("new", ["render", "song.mid", "--output-dir", "new"]), ("new", ["report", "run", "--output", "new.html"]),
        ("new", ["inspect", "song.mid", "--png", "new.png"]),
    ])  # fmt: skip
    outputs, copies = [f"{name}*", f".{name}.gmd-vae.lock"], rng.choice([2, 3, 5])
    return Attack(command, outputs, [f"{name}/*"], copies=copies, again=True, seconds=90)


@kind(slow=True)
def at_once_with_a_model(rng: random.Random, home: Path) -> Attack:
    """Commands that load a model, with one run and one output folder."""
    command = rng.choice([COMMANDS["beats"], COMMANDS["run/eval"], ["generate", "--run-dir", "run", "-n", "2"]])
    return Attack(command, ["run/*", "beats*"], ["run/*", "beats/*"], copies=2, again=True, seconds=180, megabytes=4000)
