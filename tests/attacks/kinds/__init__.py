"""The kinds of attacks. Each is a function from a random generator and a home, which it may damage, to an attack."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from attacks.driver import Attack

Prepare = Callable[[random.Random, Path], Attack]
MODULES = (
    "archives", "arguments", "checkpoints", "config_files", "dense", "foreign_files", "json_files", "links",
    "midi_files", "model_commands", "models", "names", "numbers", "pipes", "races", "records", "runs", "signals",
    "sizes", "streams", "text", "together", "network",
)  # fmt: skip


class Kind(NamedTuple):
    """A kind of attack.

    Attributes:
        name: Name of the kind.
        prepare: Damages the home and returns the attack.
        slow: True if its commands start TensorFlow.
    """

    name: str
    prepare: Prepare
    slow: bool


_KINDS: dict[str, Kind] = {}


def kind(*, slow: bool = False) -> Callable[[Prepare], Prepare]:
    """Registers a function as a kind of attack, under its own name."""

    def register(prepare: Prepare) -> Prepare:
        name = prepare.__name__.replace("_", " ")
        assert name not in _KINDS, name
        _KINDS[name] = Kind(name, prepare, slow)
        return prepare

    return register


def kinds() -> dict[str, Kind]:
    """Returns all kinds by name."""
    for module in MODULES:
        importlib.import_module(f"attacks.kinds.{module}")
    return dict(_KINDS)
