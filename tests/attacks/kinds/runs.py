"""Runs that lost a part: what is left of them is not destroyed."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind


@kind(slow=True)
def run_without_a_part(rng: random.Random, home: Path) -> Attack:
    """A run without `train/`, with damaged checkpoints, or without `run.json`: its best weights and its curve stay."""
    run = home / "run"
    choice = rng.randrange(6)
    if choice == 0:
        shutil.rmtree(run / "train")
    elif choice == 1:
        for path in (run / "train").iterdir():
            path.write_bytes(path.read_bytes()[: rng.randrange(10)])
    elif choice == 2:
        (run / "train" / "checkpoint").unlink()
        for path in (run / "train").glob("*.index"):
            path.unlink()
    elif choice == 3:
        (run / "train" / "checkpoint").write_bytes(rng.choice([b"", b"\xff" * 50, b'model_checkpoint_path: "../x"']))
        for path in (run / "train").glob("*.data*"):
            path.unlink()
    elif choice == 4:
        (run / "run.json").unlink()
    else:
        for path in (run / "train").glob("*.data*"):
            path.write_bytes(rng.randbytes(path.stat().st_size))
    command = [*COMMANDS["run"][:-1], "4"]
    replaces = ["run/.lock", "run/run.json"]  # the start is noted before the checkpoints are read
    return Attack(command, outputs=[], replaces=replaces, refused=True, seconds=150, megabytes=3000)
