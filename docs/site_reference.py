"""The parts of the reference that are written from the code while the site is built.

A page marks the place with a comment, ``<!-- site: NAME -->``, which a forge does not show. ``fill`` replaces it.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).resolve().parent.parent / "pipeline" / "gmd_vae"
MARK = re.compile(r"^<!-- site: ([a-z-]+) -->$", re.MULTILINE)
ERRORS = ("GmdVaeError", "UsageError", "Interrupted", "MidiError", "EngineError")
GAP = "…"  # what is filled in when the message is printed


class Message(NamedTuple):
    """An error message of the code.

    Attributes:
        problem: Problem and reason; ``GAP`` stands for names and numbers.
        action: The user's next action; empty where it depends on the case.
        module: Path of the module, from the package on.
    """

    problem: str
    action: str
    module: str


def messages() -> list[Message]:
    """Returns the messages of all places in the package that make an error with a text, in the order of the files."""
    found: dict[Message, None] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = _texts(tree)
        for call in _error_calls(tree):
            problem = _text(call.args[0], constants)
            action = _text(call.args[1], constants) if len(call.args) > 1 else ""
            if len(re.sub(r"[\s…']", "", problem)) > 8:  # more than gaps
                found[Message(problem, "" if action == GAP else action, str(path.relative_to(PACKAGE)))] = None
    return list(found)


def _error_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ERRORS:
                yield node


def _texts(tree: ast.Module) -> dict[str, str]:
    """Returns the texts that a module gives names to, such as ``NEXT_ACTION``."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    """Returns a text as it stands in the code, with gaps for what is filled in."""
    if isinstance(node, ast.Constant):
        return " ".join(str(node.value).split())
    if isinstance(node, ast.JoinedStr):
        return re.sub(f"({GAP})+", GAP, "".join(_piece(part, constants) for part in node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, constants) + _text(node.right, constants)
    if isinstance(node, ast.Name):
        return constants.get(node.id, GAP)
    return GAP


def _piece(part: ast.expr, constants: dict[str, str]) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else _text(getattr(part, "value", part), constants)


def error_tables() -> str:
    """Returns a table of messages for each room of the package."""
    rooms: dict[str, list[Message]] = {}
    for message in messages():
        room = message.module.partition("/")[0]
        rooms.setdefault("the command line" if room.endswith(".py") or room == "commands" else room, []).append(message)
    lines = []
    for room, found in rooms.items():
        heading = room if room.startswith("the") else f"`{room}`"
        lines += [f"### Messages of {heading}", "", "| message | what to do | raised in |", "| --- | --- | --- |"]
        for message in sorted(found):
            action = message.action or "as the message says: it depends on the case"
            lines.append(f"| {_cell(message.problem)} | {_cell(action)} | `{message.module}` |")
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Returns a text as the content of a table's cell, in which no character has a meaning for Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~^])", r"\\\1", text)


def config_tables() -> str:
    """Returns a table of configs for each kind of music, as ``gmd-vae configs`` prints them."""
    configs = importlib.import_module("gmd_vae.commands.configs")
    registry = importlib.import_module("gmd_vae.configuration.registry")
    music = importlib.import_module("gmd_vae.families.music").MUSIC
    facts = [configs._facts(config) for config in registry.all_configs().values()]
    lines = []
    for group in music.values():
        lines += [f"### {group.heading}", "", f"{_cell(group.data)}", ""]
        lines += ["| config | parameters | bars | z | steps of training | laptop | summary |"]
        lines += ["| --- | ---: | ---: | ---: | ---: | --- | --- |"]
        for config in (fact for fact in facts if fact["group"] == group.name):
            millions, laptop = f"{config['parameters'] / 1e6:.1f} M", "yes" if config["for_laptops"] else ""
            summary = _cell(config["summary"].removesuffix(", for a laptop")) + ("; Magenta's" * config["stock"])
            bars, size, steps = config["bars"] or "", config["hparams"]["z_size"], f"{config['num_steps']:,}"
            cells = (f"`{config['name']}`", millions, bars, size, steps, laptop, summary)
            lines.append(f"| {' | '.join(map(str, cells))} |")
        lines.append("")
    return "\n".join(lines)


PARTS = {"error-messages": error_tables, "configs": config_tables}


def fill(text: str) -> str:
    """Returns a page with its marks replaced.

    Raises:
        KeyError: A mark has a name that there is not.
    """
    return MARK.sub(lambda mark: PARTS[mark[1]](), text)
