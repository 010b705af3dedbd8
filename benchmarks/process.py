"""Runs a measured process to its end, and returns its times, its report or its error."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LIMIT = 3600.0  # seconds until a process is killed
_LINES = 8  # last lines of stderr in an error


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a process.

    Attributes:
        wall: Time from start to end in seconds.
        cpu: User and system time of all threads in seconds.
        error: Exit code and last lines of stderr; ``None`` for exit code 0.
        report: JSON object in the last line of stdout; empty without one.
    """

    wall: float
    cpu: float
    error: str | None
    report: dict[str, Any]


def run(command: Callable[[float], list[str]], limit: float = LIMIT) -> Outcome:
    """Runs a process to its end.

    Args:
        command: Function from ``time.monotonic()`` at the start to the command line.
        limit: Time in seconds after which the process is killed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command(started), stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=_environment()
        )
        killer = threading.Timer(limit, process.kill)
        killer.start()
        try:
            # process.wait() does not return the processor time of this process alone
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            killer.cancel()
        wall = time.monotonic() - started
        process.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        report = last_report(out.read())
        error = None if code == 0 else failure(code, err.read())
    return Outcome(wall, used.ru_utime + used.ru_stime, error, report)


def last_report(text: str) -> dict[str, Any]:
    """Returns the JSON object in the last line of a text; an empty one without it."""
    try:
        report = json.loads(text.rstrip().rpartition("\n")[2])
    except ValueError:
        return {}
    return report if isinstance(report, dict) else {}


def failure(code: int, stderr: str) -> str:
    """Returns the error text of a failed process from its exit code and its stderr."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return "\n".join([how, *lines[-_LINES:]])


def _environment() -> dict[str, str]:
    """Returns environment variables for ``python -m benchmarks`` and ``python -m gmd_vae`` in any folder."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'pipeline'}{os.pathsep}{ROOT}"}
