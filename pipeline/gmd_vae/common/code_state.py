"""The state of the code that runs: version of the package, and the git commit where it is a checkout."""

from __future__ import annotations

import functools
import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

_SECONDS = 10.0  # git on a slow network file system


@functools.cache  # asked once for each run of a process, and a checkout under work changes while it trains
def code_state() -> dict[str, Any]:
    """Returns ``version``, and where the code is a git checkout ``commit`` and ``clean``.

    ``clean`` is True if no tracked file differs from the commit and no file is untracked. Code in ``site-packages`` has
    no commit, also where that folder lies in a checkout.
    """
    try:
        version = importlib.metadata.version("gmd-vae")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return {"version": version, **commit_of(Path(__file__).resolve())}


def commit_of(path: Path) -> dict[str, Any]:
    """Returns ``commit`` and ``clean`` of the checkout that tracks a file; nothing where none does."""
    if _git(path.parent, "ls-files", "--error-unmatch", path.name) is None:
        return {}
    commit, changes = _git(path.parent, "rev-parse", "HEAD"), _git(path.parent, "status", "--porcelain")
    if commit is None or changes is None:
        return {}
    return {"commit": commit, "clean": not changes}


def _git(folder: Path, *arguments: str) -> str | None:
    """Returns what git prints; ``None`` where there is no git or it fails."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
