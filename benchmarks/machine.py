"""Describes the measured machine: hardware, load, versions, commit."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Any

from gmd_vae.common import machine, manifest

from benchmarks.process import ROOT

_BUSY = 0.25  # load average above which other work disturbs the figures


def describe() -> dict[str, Any]:
    """Returns the description for the results file."""
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
    """Returns a warning if the machine does other work; ``None`` if it is quiet.

    Args:
        load: Load average of the last minute.
    """
    if load <= _BUSY:
        return None
    return (
        f"This machine is not quiet: its load average was {load:.2f} in the last minute before the benchmark. "
        "Wall times and processor times will be too long."
    )


def title(about: dict[str, Any]) -> str:
    """Returns the name of the device that trains.

    Args:
        about: Description from ``describe``.
    """
    name: str = about["gpus"][0]["name"] if about["gpus"] else about["cpu"]["model"]
    return name


def device(about: dict[str, Any]) -> str:
    """Returns the name of the device that trains, as part of a file name.

    Args:
        about: Description from ``describe``.
    """
    return "-".join(title(about).lower().split()) if about["gpus"] else "cpu"


def _git(*arguments: str) -> str | None:
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # not a clone
        return None
    return answer.stdout.strip()
