"""The rooms of the package: imports point one way, and only one room touches Magenta."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "pipeline"
ORDER = (
    *("engines", "sources", "notes", "examples", "inspection", "models"),
    *("training", "evaluation", "generation", "rendering", "commands"),
)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] in ORDER)


def imported(module: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_folder_is_a_room_with_a_place() -> None:
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(ORDER)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_from_the_rooms_before_it(module: Path) -> None:
    place = ORDER.index(module.relative_to(PACKAGE).parts[0])
    for name in imported(module):
        parts = name.split(".")
        if parts[0] == "pipeline" and parts[1] in ORDER:
            assert ORDER.index(parts[1]) <= place, f"{name} lies behind {ORDER[place]}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_models_room_imports_magenta_and_tensorflow(module: Path) -> None:
    heavy = {"magenta", "tensorflow", "tf_keras", "tf_slim", "tensorflow_probability"}
    found = {name.split(".")[0] for name in imported(module)} & heavy
    assert not found or module.is_relative_to(PACKAGE / "models")
