"""Attacks of every kind on the installed command; `make attack MINUTES=30` goes on with other seeds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from attacks import campaign
from attacks.home import build
from attacks.kinds import Kind, kinds

SEED = 29  # the same attacks in every run of the tests
FAST, SLOW = 1, 1  # attacks of each kind: a minute or two for all
KINDS = [pytest.param(kind, id=kind.name, marks=[pytest.mark.tensorflow] * kind.slow) for kind in kinds().values()]


@pytest.fixture(scope="session")
def template(made_once: Callable[..., Path]) -> Path:
    """A sandbox with the home of a user."""
    return made_once("attacks/template", build)


@pytest.mark.skipif(os.name != "posix", reason="pipes, signals and links of POSIX")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_holds(kind: Kind, template: Path, tmp_path: Path) -> None:
    """Nothing of the user's is lost, and every command ends within its limits, in one of its exit statuses."""
    for number in range(SLOW if kind.slow else FAST):
        outcome = campaign.attack(template, tmp_path / str(number), kind, SEED, number)
        repeat = f"tools/attack.py --kind '{kind.name}' --number {number} --seed {SEED}"
        assert not outcome.problems, (repeat, outcome.problems)
