"""The lock files: complete, hashed, and made from what pyproject.toml says now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent


def _pins(lock: str) -> dict[str, list[tuple[str, int]]]:
    """Package → its pinned versions, each with its number of hashes."""
    pins: dict[str, list[tuple[str, int]]] = {}
    name, version = "", ""
    for line in (ROOT / lock).read_text().splitlines():
        if pin := re.match(r"([a-z0-9][a-z0-9._-]*)==([^\s;]+)", line):
            name, version = pin[1], pin[2]
            pins.setdefault(name, []).append((version, 0))
        elif line.startswith("    --hash=sha256:"):
            _, hashes = pins[name].pop()
            pins[name].append((version, hashes + 1))
    return pins


def _arrays(*names: str) -> list[Requirement]:
    """The requirements in these arrays of pyproject.toml (read without a TOML parser: Python 3.10 has none)."""
    text = (ROOT / "pyproject.toml").read_text()
    lines: list[str] = []
    for name in names:
        array = re.search(rf"^{name} = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
        assert array is not None, name
        lines += re.findall(r'^    "([^"]+)"', array[1], re.MULTILINE)
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-gpu.txt"])
def test_everything_is_pinned_with_hashes(lock: str) -> None:
    pins = _pins(lock)
    assert [name for name, versions in pins.items() if any(hashes == 0 for _, hashes in versions)] == []
    wanted = [*_arrays("dependencies", "train", "dev"), Requirement("magenta==2.1.4")]
    assert len(wanted) > 25
    for requirement in wanted:
        versions = [version for version, _ in pins.get(canonicalize_name(requirement.name), [])]
        assert versions, f"{requirement.name} is not in {lock}: run 'make lock'"
        wrong = [version for version in versions if version not in requirement.specifier]
        assert not wrong, f"{lock} has {requirement.name} {wrong}, not {requirement.specifier}: run 'make lock'"


def test_the_gpu_set_is_the_same_set_and_nvidias_libraries() -> None:
    plain, gpu = _pins("requirements.txt"), _pins("requirements-gpu.txt")
    assert {name: gpu[name] for name in plain} == plain
    extra = set(gpu) - set(plain)
    assert "nvidia-cudnn-cu12" in extra
    assert all(name.startswith("nvidia-") for name in extra)
