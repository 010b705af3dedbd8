"""Many attacks: chosen in turn from the kinds, each in a fresh copy of the home, counted by kind."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from attacks.driver import Outcome, carry_out, remove
from attacks.home import copy
from attacks.kinds import Kind


@dataclass
class Tally:
    """The attacks of one kind: their number, the failures with their numbers, and the largest time and memory."""

    attacks: int = 0
    failures: list[tuple[int, list[str]]] = field(default_factory=list)
    seconds: float = 0.0
    megabytes: float = 0.0


def attack(template: Path, sandbox: Path, kind: Kind, seed: int, number: int) -> Outcome:
    """Carries out one attack in a copy of the template, and removes the copy unless something failed.

    Args:
        template: A sandbox built by ``home.build``.
        sandbox: Folder for the copy; must not exist.
        kind: Kind of attack.
        seed: Seed of the campaign.
        number: Number of the attack within its kind.
    """
    home = copy(template, sandbox)
    outcome = carry_out(kind.prepare(random.Random(f"{seed} {kind.name} {number}"), home), sandbox)
    if not outcome.problems:
        remove(sandbox)
    return outcome


def run(
    template: Path,
    folder: Path,
    kinds: Sequence[Kind],
    seed: int,
    *,
    seconds: float,
    jobs: int,
    shown: Callable[[Kind, int, Outcome], None],
) -> dict[str, Tally]:
    """Carries out attacks of all kinds in turn until the time is over; each kind at least once.

    Args:
        template: A sandbox built by ``home.build``.
        folder: Folder for the copies. Those of failures stay in it.
        kinds: Kinds of attack.
        seed: Seed of the campaign.
        seconds: Time to start attacks in.
        jobs: Number of attacks at once.
        shown: Called after each attack with its kind, its number and its outcome.
    """
    tallies = {kind.name: Tally() for kind in kinds}
    ends = time.monotonic() + seconds

    def one(kind: Kind, number: int) -> None:
        if number and time.monotonic() > ends:
            return
        outcome = attack(template, folder / f"{kind.name} {number}".replace(" ", "-"), kind, seed, number)
        tally = tallies[kind.name]
        tally.attacks += 1
        tally.seconds = max(tally.seconds, outcome.seconds)
        tally.megabytes = max(tally.megabytes, outcome.megabytes)
        if outcome.problems:
            tally.failures.append((number, outcome.problems))
        shown(kind, number, outcome)

    with ThreadPoolExecutor(jobs) as pool:
        number = 0
        while not number or time.monotonic() < ends:
            # a slow kind has its turn in every fourth round
            turn = [kind for kind in kinds if not kind.slow or number % 4 == 0]
            numbers = [number // 4 if kind.slow else number for kind in turn]
            list(pool.map(one, turn, numbers))
            number += 1
    return tallies
