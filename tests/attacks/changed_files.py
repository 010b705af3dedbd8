"""Finds the files that an attack changed and its command may not change."""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from gmd_vae.generation import elsewhere


def snapshot(sandbox: Path) -> dict[str, str]:
    """Returns everything below a sandbox: relative name → kind, and digest of files or target of links."""
    listed = {}
    for folder, folders, files in os.walk(sandbox, followlinks=False):
        for name in (*folders, *files):
            path = os.path.join(folder, name)  # noqa: PTH118 (names may hold bytes that are not UTF-8)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                state = "link " + os.readlink(path)  # noqa: PTH115
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as stream:
                    state = hashlib.sha256(stream.read()).hexdigest()
            else:
                state = str(stat.S_IFMT(status.st_mode))
            listed[os.path.relpath(path, sandbox)] = state
    return listed


def changed_files(
    sandbox: Path,
    before: dict[str, str],
    outputs: Sequence[str],
    replaces: Sequence[str],
    *,
    leftovers_allowed: bool = False,
) -> list[str]:
    """Returns the files that were changed, removed or written at a place where the command writes nothing.

    Args:
        sandbox: Folder of the attack.
        before: Its content before the attack, from ``snapshot``.
        outputs: Patterns (``fnmatch``, relative to the home) of what the command may make.
        replaces: Patterns of existing files that the command may replace or delete.
        leftovers_allowed: True if the command was killed.
    """
    after = snapshot(sandbox)
    problems = []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        inside = name.removeprefix("home/")
        if name.startswith("tmp/"):
            if not leftovers_allowed:
                problems.append(f"temporary file left: {name}")
        elif name.startswith("user/"):
            continue  # caches of matplotlib and the like
        elif name.endswith(f"/generated/{elsewhere.NAME}"):
            continue  # generate adds a line to this list of the run
        elif name in before and name in after:
            if not _matches(inside, replaces):
                problems.append(f"changed: {name}")
        elif name in before:
            if not _matches(inside, replaces):
                problems.append(f"removed: {name}")
        elif leftovers_allowed and re.search(r"\.(partial|parts|previous|lock)(/|$)", name):
            continue
        elif not _matches(inside, _patterns(outputs, name)):
            problems.append(f"written: {name}")
        elif not leftovers_allowed and re.search(r"\.(partial|previous)(/|$)", name):
            problems.append(f"half-written file left: {name}")
    return problems[:8]


def _patterns(outputs: Sequence[str], name: str) -> Sequence[str]:
    """Returns the patterns that may allow a name: outside the home only those that name a place there."""
    return outputs if name.startswith("home/") else [pattern for pattern in outputs if pattern.startswith("outside/")]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
