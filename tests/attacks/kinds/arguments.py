"""Arguments that nobody means: empty, endless, of other commands, in any combination."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import click
from gmd_vae.cli import COMMANDS, cli

from attacks.driver import Attack
from attacks.kinds import kind

WORDS: tuple[str | bytes, ...] = (
    "", " ", ".", "..", "/", "~", "~/x", "~nobody/x", "-", "--", "a" * 300, "x/" * 2000, "\n", "a\nb", "\x1b[31m",
    "[red]", "[/]", "{}", "%s", "*", "?", "a\\b", "run [v2]", "éß漢", "\u202egnp.mid", b"\xff\xfe.mid", "nul", "CON",
    "notes", "examples", "run", "song.mid", "mine", "mine.zip", "letter.txt", "/dev/null", "/proc/self/mem", "missing",
    "0", "-1", "1e9", "nan", "inf", "99999999999999999999", "0x10", "true", "../outside", "http://127.0.0.1:9/",
)  # fmt: skip
_SLOW = {"train", "evaluate", "generate"}


def parameters(name: str) -> list[click.Parameter]:
    """Returns the parameters of a command, or of its first subcommand."""
    command = cli.get_command(click.Context(cli), name)
    if isinstance(command, click.Group):
        command = next(iter(command.commands.values()))
    assert command is not None
    return list(command.params)


def _value(rng: random.Random, parameter: click.Parameter) -> str | bytes:
    """Returns a value for a parameter: a valid one of a choice, a number near the limits, or any word."""
    kind_: Any = parameter.type
    if isinstance(kind_, click.Choice) and rng.random() < 0.7:
        return str(rng.choice(list(kind_.choices)))
    if isinstance(kind_, click.types.IntParamType | click.types.FloatParamType) and rng.random() < 0.7:
        return rng.choice(["0", "1", "2", "3", "-1", "0.5", "1e-300", "nan", "-inf", "1e400", "12345678901234567890"])
    return rng.choice(WORDS)


def random_arguments(rng: random.Random, name: str) -> list[str | bytes]:
    """Returns a command line of some options with odd values."""
    arguments: list[str | bytes] = [name]
    if name == "fetch":
        arguments.append("starter")
    options = parameters(name)
    for parameter in rng.sample(options, min(len(options), rng.randrange(0, 4))):
        if isinstance(parameter, click.Option):
            if parameter.name in ("engine", "scheduler", "master", "jobs", "help"):
                continue  # addresses where nobody answers have a kind of their own
            arguments.append(parameter.opts[-1])
            if not parameter.is_flag:
                arguments.append(_value(rng, parameter))
        else:
            arguments.append(rng.choice(WORDS))
    return arguments


@kind()
def odd_arguments(rng: random.Random, home: Path) -> Attack:
    """Random options with odd values, for the commands that need no TensorFlow."""
    name = rng.choice([name for name in COMMANDS if name not in _SLOW and name != "doctor"])
    return Attack(random_arguments(rng, name), outputs=["*"], seconds=60)


@kind(slow=True)
def odd_arguments_for_a_model(rng: random.Random, home: Path) -> Attack:
    """Random options with odd values, for the commands that load a model."""
    name = rng.choice(["evaluate", "generate"])
    arguments = random_arguments(rng, name)
    if rng.random() < 0.7:
        arguments[1:1] = ["run"] if name == "evaluate" else ["--run-dir", "run"]
    return Attack(arguments, outputs=["*"], replaces=["run/eval/*", "run/attributes*"], seconds=150, megabytes=4000)


@kind()
def wrong_usage(rng: random.Random, home: Path) -> Attack:
    """Unknown commands and options."""
    arguments = [rng.choice(WORDS) for _ in range(rng.randrange(1, 4))]
    if arguments[0] in COMMANDS:
        arguments[0] = "generat"
    return Attack(arguments, seconds=20)


@kind()
def missing_working_folder(rng: random.Random, home: Path) -> Attack:
    """A working folder that does not exist any more."""
    (home / "gone").mkdir()
    command = rng.choice([["fetch", "starter"], ["convert", "."], ["inspect", "."], ["configs"], ["report"]])
    return Attack(command, folder="gone", remove_folder=True, replaces=["gone"], seconds=30)
