"""The state of the code that runs: version of the package, and the git commit where it is a checkout."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import subprocess
from pathlib import Path
from typing import Any

_SECONDS = 10.0  # git on a slow network file system


@dataclasses.dataclass(frozen=True)
class Code:
    """The code of a run or of an evaluation.

    Attributes:
        version: Version of gmd-vae.
        commit: Commit of the checkout; ``None``: the code was no git checkout.
        clean: True if the code is that of the commit: no tracked file differs, and no file of the package is untracked.
    """

    version: str
    commit: str | None = None
    clean: bool | None = None

    @property
    def commit_in_words(self) -> str:
        """The commit, ``commit 47e80d6 with changes``; empty where there is none."""
        if self.commit is None:
            return ""
        return f"commit {self.commit}{'' if self.clean else ' with changes'}"


@functools.cache  # asked once for each run of a process, and a checkout under work changes while it trains
def code_state() -> dict[str, Any]:
    """Returns ``version``, and where the code is a git checkout ``commit`` and ``clean``.

    ``Code`` explains them. Untracked files outside of the package do not count, such as configs of your own or exported
    models. Code in ``site-packages`` has no commit, also where that folder lies in a checkout.
    """
    return {"version": own_version(), **commit_of(Path(__file__).resolve().parents[1])}


def own_version() -> str:
    """Returns the version of gmd-vae; ``not installed`` for code that is on the path alone."""
    try:
        return importlib.metadata.version("gmd-vae")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def commit_of(package: Path) -> dict[str, Any]:
    """Returns ``commit`` and ``clean`` of the checkout that tracks a package's folder; nothing where none does."""
    if _git(package, "ls-files", "--error-unmatch", ".") is None:
        return {}
    commit = _git(package, "rev-parse", "HEAD")
    changes = _git(package, "status", "--porcelain", "--untracked-files=no")
    untracked = _git(package, "ls-files", "--others", "--exclude-standard", ".")
    if commit is None or changes is None or untracked is None:
        return {}
    return {"commit": commit, "clean": not changes and not untracked}


def _git(folder: Path, *arguments: str) -> str | None:
    """Returns what git prints; ``None`` where there is no git or it fails."""
    command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
