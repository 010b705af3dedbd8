"""Signals at any moment: the command ends, leaves nothing half-written, and works when it is run again."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from attacks.driver import Attack
from attacks.home import COMMANDS
from attacks.kinds import kind

_FAST = {
    "grooves": COMMANDS["grooves"],
    "notes": COMMANDS["notes"],
    "examples": COMMANDS["examples"],
    "new": ["render", "song.mid", "mine", "--output-dir", "new"],
    "new*": ["convert", "mine.zip", "--output-dir", "new"],
    "run/report.html": ["report", "run"],
}
_KINDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)


def _signals(rng: random.Random, seconds: float) -> list[tuple[int, float]]:
    first = rng.random() ** 2 * seconds
    number = rng.choice(_KINDS)
    signals = [(int(number), first)]
    if rng.random() < 0.3:  # an impatient user
        signals += [(int(number), first + rng.random() * 0.3) for _ in range(rng.randrange(1, 4))]
    return signals


@kind()
def killed(rng: random.Random, home: Path) -> Attack:
    """A signal to a command without TensorFlow; then the command runs again."""
    output, command = rng.choice(sorted(_FAST.items()))
    command = [word for word in command if word != "mine" or command[0] != "render"]
    return Attack(command, [output, f"{output}/*", "new*", ".*.lock", ".*.parts*"], [f"{output}/*", output],
                  signals=_signals(rng, 2.5), again=True, seconds=60)  # fmt: skip


@kind(slow=True)
def killed_with_a_model(rng: random.Random, home: Path) -> Attack:
    """A signal to a command that loads a model; then the command runs again."""
    command = rng.choice([
        [*COMMANDS["run"][:-1], "6"],
        COMMANDS["beats"],
        COMMANDS["run/eval"],
    ])  # fmt: skip
    return Attack(command, ["run/*", "beats/*"], ["run/*", "beats/*"], signals=_signals(rng, 15), again=True,
                  seconds=180, megabytes=3000)  # fmt: skip
