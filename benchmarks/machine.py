"""Where the figures come from: the machine, its load, the versions, the commit."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Any

from gmd_vae.common import machine, manifest

from benchmarks.process import ROOT

_BUSY = 0.25  # of a core: more than that takes from what is measured


def describe() -> dict[str, Any]:
    """All that a reader of the figures has to know."""
    return {
        "cpu": machine.cpu([]),
        "memory_bytes": machine.memory([])["total_bytes"],
        "gpus": machine.gpus(),
        "load_average_before": list(os.getloadavg()),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": manifest.versions("magenta", "tensorflow", "tf-keras", "numpy"),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
    }


def warning(load: float) -> str | None:
    """What to say about a machine that does other work, from its load average of the last minute."""
    if load <= _BUSY:
        return None
    return (
        f"This machine is not quiet: its load was {load:.2f} in the last minute, before anything was measured. "
        "Wall times will be too long, and processor times too."
    )


def title(about: dict[str, Any]) -> str:
    """The name of what trains, for people.

    Args:
        about: from `describe`.
    """
    name: str = about["gpus"][0]["name"] if about["gpus"] else about["cpu"]["model"]
    return name


def device(about: dict[str, Any]) -> str:
    """The name of what trains, fit for a file's name.

    Args:
        about: from `describe`.
    """
    return "-".join(title(about).lower().split()) if about["gpus"] else "cpu"


def _git(*arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # not a clone
        return None
    return answer.stdout.strip()
