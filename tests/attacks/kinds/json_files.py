"""JSON files of gmd-vae with wrong types, missing keys, deep nesting and junk."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from attacks.driver import Attack
from attacks.home import COMMANDS, evaluation
from attacks.kinds import kind

_JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**400, 1e308, "", "x", "\x1b]0;evil\x07", "../../evil", [], {}, [[]], {"": {}},
    ["a", 1], float("nan"), float("inf"), -(2**63), 2**64, "[red]x[/red]", "a" * 5000, "\ud800",
)  # fmt: skip
_TEXTS = (
    b"", b"{", b"null", b"[]", b"0", b'"x"', b"\xff\xfe\x00", b"[" * 200_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}",
    b"{}\n{}\n", b"\x00" * 1000, b"1" * 100_000, b'{"format": 1e999}',
)  # fmt: skip


def _containers(value: Any) -> list[Any]:
    """Returns all lists and objects in a JSON value."""
    found, waiting = [], [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            found.append(one)
            waiting.extend(one.values() if isinstance(one, dict) else one)
    return found


def mutate(rng: random.Random, content: Any) -> Any:
    """Changes some places of a JSON value: drops a key, changes a type, a number or a name."""
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        places = [one for one in _containers(content) if one]
        if not places:
            return rng.choice(_JUNK)
        place = rng.choice(places[:3] if rng.random() < 0.4 else places)
        key = rng.choice(list(place)) if isinstance(place, dict) else rng.randrange(len(place))
        action = rng.random()
        if action < 0.25:
            del place[key]
        elif action < 0.9:
            place[key] = rng.choice(_JUNK)
        elif isinstance(place, dict):
            place[rng.choice(["", "x", "\x1b[2J", "name"])] = place.pop(key)
        else:
            place.append(rng.choice(_JUNK))
    return content


def damage(rng: random.Random, path: Path) -> None:
    """Damages a JSON file, or some lines of a file of JSON lines."""
    if rng.random() < 0.25:
        path.write_bytes(rng.choice(_TEXTS))
        return
    if path.suffix == ".jsonl":
        lines = path.read_text().splitlines()
        for _ in range(rng.randrange(1, 3)):
            number = rng.randrange(len(lines))
            lines[number] = json.dumps(mutate(rng, json.loads(lines[number])))
        path.write_text("\n".join(lines) + "\n")
    else:
        path.write_text(json.dumps(mutate(rng, json.loads(path.read_text()))))


@kind()
def damaged_manifest(rng: random.Random, home: Path) -> Attack:
    """A damaged manifest of each stage, read by the next command and by the same."""
    name, command = rng.choice([
        ("grooves", COMMANDS["grooves"]),
        ("grooves", ["convert", "grooves", "--output-dir", "new"]),
        ("grooves", ["inspect", "grooves"]),
        ("notes", COMMANDS["notes"]),
        ("notes", ["preprocess", "notes", "--output-dir", "new"]),
        ("notes", ["inspect", "notes", "--json"]),
        ("examples", COMMANDS["examples"]),
        ("examples", ["inspect", "examples"]),
        ("examples", ["inspect", "examples", "--json"]),
        ("beats", ["report", "run", "--output", "new.html"]),
    ])  # fmt: skip
    damage(rng, home / name / "manifest.json")
    return Attack(command, outputs=["new*", ".new*"], replaces=[f"{name}/*"])


@kind()
def damaged_run_file(rng: random.Random, home: Path) -> Attack:
    """A damaged file of the run, shown by `report` and passed over by `inspect`."""
    damage(rng, home / rng.choice(["run/run.json", "run/metrics.jsonl", evaluation(home)]))
    command = rng.choice([["report", "run", "--output", "new.html"],
                          ["report", "run", "--json", "--output", "new.html"],
                          ["inspect", "run"]])  # fmt: skip
    return Attack(command, outputs=["new*", ".new*"])


@kind(slow=True)
def damaged_file_for_a_model(rng: random.Random, home: Path) -> Attack:
    """A damaged file that `train`, `evaluate` and `generate` read."""
    place, command = rng.choice([
        ("run/run.json", [*COMMANDS["run"][:-1], "3"]),
        ("run/metrics.jsonl", [*COMMANDS["run"][:-1], "3"]),
        ("examples/manifest.json", [*COMMANDS["run"][:-1], "3"]),
        ("run/run.json", COMMANDS["run/eval"]),
        (evaluation(home), COMMANDS["run/eval"]),
        ("run/run.json", ["generate", "--run-dir", "run", "-n", "1", "--json"]),
    ])  # fmt: skip
    damage(rng, home / place)
    return Attack(command, outputs=["run/*"], replaces=["run/*"], seconds=150, megabytes=4000)
