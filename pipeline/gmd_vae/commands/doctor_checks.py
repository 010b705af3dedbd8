"""The checks behind ``gmd-vae doctor``: versions, machine, folders, and the start of TensorFlow and Magenta.

TensorFlow and Magenta start in a child process, so that their failures can be reported.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gmd_vae.common import extras, machine
from gmd_vae.common.machine import Problem

SOURCES = Path(__file__).parents[2]  # the folder that holds the package
ROOT = SOURCES.parent  # the checkout, if the package is installed from one
SHOWN = (
    *("gmd-vae", "tensorflow", "tf-keras", "magenta", "note-seq", "tf-slim", "tensorflow-probability", "numpy"),
    *("protobuf", "pretty-midi", "mido", "google-crc32c", "click", "rich", "psutil", "requests"),
)
PROBE_SECONDS = 180  # a start takes 6 to 15 seconds; on a slow disk without byte code a minute
PROBE_MODULE = "gmd_vae.magenta.probe"


def examine(folder: Path) -> dict[str, Any]:
    """Examines this machine and the project in a folder, for ``gmd-vae doctor``.

    Args:
        folder: The folder with ``data`` and ``runs``.

    Returns:
        The report, as JSON values. ``problems`` lists the faults, errors first; ``ok`` is true if
        none is an error.
    """
    problems: list[Problem] = []
    required, training = _requirements()
    missing = [name for name in training if _version(name) is None]
    is_light = "tensorflow" in missing and "magenta" in missing
    packages = _packages(required if is_light else required | training, problems)
    gpus = machine.gpus()
    report = {
        "python": _python(problems),
        "packages": packages,
        "cpu": machine.cpu(problems),
        "memory": machine.memory(problems),
        "disk": machine.disk(folder, problems),
        "gpus": gpus,
        "folders": _folders(folder, problems),
        "training": {"installed": not missing, "missing": missing, "install": extras.install_training()},
        "tensorflow": _tensorflow(packages, gpus, problems),
    }
    problems.sort(key=lambda problem: problem.level != "error")
    ok = all(problem.level != "error" for problem in problems)
    return {"ok": ok, "problems": [asdict(problem) for problem in problems], **report}


def _python(problems: list[Problem]) -> dict[str, str]:
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        what = f"Python {platform.python_version()} is not one that TensorFlow 2.21 runs on (3.10 to 3.13)"
        by_make = f"Run '{extras.make('setup PYTHON=python3.12')}'."
        action = by_make if extras.is_made_by_make() else "Install gmd-vae in an environment of such a Python."
        problems.append(Problem("error", what, action))
    described = machine.describe()
    return {
        "version": described["python"],
        "executable": sys.executable,
        "platform": described["platform"],
        "machine": platform.machine(),
    }


# --- packages


def _packages(required: dict[str, str], problems: list[Problem]) -> dict[str, str | None]:
    """Returns the installed versions; None for missing packages.

    Args:
        required: Package → version specifier, of those that must be there.
        problems: Receives what is missing or has another version.
    """
    installed: dict[str, str | None] = {name: _version(name) for name in dict.fromkeys((*SHOWN, *required))}
    for name, specifier in required.items():
        version = installed[name]
        if version is None:
            problems.append(Problem("error", f"{name} is not installed", f"Run '{_install(name, specifier)}'."))
        elif specifier and not _satisfies(version, specifier):
            what = f"{name} {version} is installed, and {name}{specifier} is needed"
            problems.append(Problem("error", what, f"Run '{_install(name, specifier)}'."))
    if installed["gmd-vae"] is None:
        problems.append(Problem("warning", "gmd-vae itself is not installed here", _setup("Install it with pip.")))
    tested = tested_versions(ROOT / "requirements.txt")
    versions = {name: _version(name) for name in tested}
    others = [
        f"{name} {version} (tested: {tested[name]})"
        for name, version in versions.items()
        if version not in (None, tested[name])
    ]
    if others:
        listed = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if len(others) > 6 else "")
        what = f"Not the versions that were tested together: {listed}"
        problems.append(Problem("warning", what, _setup("Install these versions if something does not work.")))
    return installed


def _setup(otherwise: str) -> str:
    """Returns the next action: ``make setup`` where there is a Makefile."""
    return f"Run '{extras.make('setup')}'." if extras.is_checkout() else otherwise


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _install(name: str, specifier: str) -> str:
    """Returns the command that installs a package."""
    return extras.install_training() if name == "magenta" else extras.install(f"{name}{specifier}")


def _requirements() -> tuple[dict[str, str], dict[str, str]]:
    """Returns packages with their version specifiers: those of every command; those of training, magenta among them."""
    required: dict[str, str] = {}
    training = dict.fromkeys(extras.TRAINING.values(), "")
    try:
        from packaging.requirements import Requirement

        for line in importlib.metadata.requires("gmd-vae") or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                required[requirement.name] = str(requirement.specifier)
            elif requirement.marker.evaluate({"extra": "train"}):
                training[requirement.name] = str(requirement.specifier)
    except (ImportError, importlib.metadata.PackageNotFoundError):  # at least a package that every command needs
        required["numpy"] = ""
    return required, training


def _satisfies(version: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(specifier).contains(version, prereleases=True)


def tested_versions(lock: Path) -> dict[str, str]:
    """Returns the version of each package that a ``requirements.txt`` pins for this Python and platform.

    Args:
        lock: The file; a missing one gives an empty result (the package was installed from a wheel).
    """
    try:
        from packaging.markers import Marker

        lines = lock.read_text(encoding="utf-8").splitlines()
    except (ImportError, OSError):
        return {}
    tested = {}
    for line in lines:
        pin = re.match(r"([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)\s*(?:;\s*([^\\]+))?", line)
        if pin and (not pin[3] or Marker(pin[3].strip()).evaluate()):
            tested[pin[1]] = pin[2]
    return tested


def _folders(folder: Path, problems: list[Problem]) -> dict[str, list[str]]:
    """Returns the data and runs in the project folder: the subfolders that a stage has completed."""
    completed = {}
    for name, pattern in (
        ("data/raw", "*/manifest.json"),
        ("data/notes", "*/manifest.json"),
        ("data/examples", "*/*/manifest.json"),
        ("runs", "*/run.json"),
    ):
        subfolder = folder / name
        existing = subfolder
        while not existing.exists():
            existing = existing.parent
        if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
            action = "Check its permissions, or work in a folder that is yours."
            problems.append(Problem("error", f"'{existing}' cannot be written, and '{name}' goes there", action))
        completed[name] = sorted(str(path.parent.relative_to(subfolder)) for path in subfolder.glob(pattern))
    return completed


# --- TensorFlow and Magenta, from outside


def _tensorflow(
    packages: dict[str, str | None], gpus: list[dict[str, Any]], problems: list[Problem]
) -> dict[str, Any] | None:
    """Starts TensorFlow and Magenta in a child process; returns None where one is not installed."""
    if packages["tensorflow"] is None or packages["magenta"] is None:
        return None
    start = time.monotonic()
    answer = run_probe(PROBE_SECONDS)
    if "error" in answer:
        problems.append(
            Problem("error", f"TensorFlow and Magenta do not start: {answer['error']}", answer["next_action"])
        )
        return {"error": answer["error"]}
    gpu_devices = [device for device in answer["devices"] if device["kind"] == "GPU"]
    if gpus and not gpu_devices:
        what = f"There is a GPU ({gpus[0]['name']}), and TensorFlow does not see it"
        action = f"Run '{extras.install_gpu()}'; if that was done, check CUDA_VISIBLE_DEVICES and the driver's age."
        problems.append(Problem("warning", what, action))
    return {**answer, "start_seconds": round(time.monotonic() - start, 1)}


def run_probe(timeout: float) -> dict[str, Any]:
    """Runs ``gmd_vae.magenta.probe`` in a child process.

    Args:
        timeout: Time limit in seconds.

    Returns:
        The probe's report; on failure ``error`` and ``next_action``.
    """
    install = extras.install_training()
    paths = [str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        child = subprocess.run(
            [sys.executable, "-m", PROBE_MODULE],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        action = f"Run it again when the machine is idle; if it hangs again, run '{install}' or check the GPU driver."
        return {"error": f"no answer in {timeout:g} seconds", "next_action": action}
    if child.returncode == -signal.SIGILL:
        error = "this processor lacks instructions that TensorFlow was compiled for (SIGILL)"
        return {"error": error, "next_action": "Use another machine."}
    if child.returncode < 0:
        error = f"stopped by {signal.Signals(-child.returncode).name}"
        return {"error": error, "next_action": f"Check free memory and the GPU driver; then run '{install}'."}
    lines = child.stdout.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        messages = child.stderr.strip().splitlines()
        answer = {"error": messages[-1] if messages else f"exit code {child.returncode} and no message"}
    if "error" in answer:
        answer["next_action"] = f"Run '{install}' to install what is needed again."
    assert isinstance(answer, dict)
    return answer
