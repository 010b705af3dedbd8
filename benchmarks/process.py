"""Starts a measuring process and waits for it; what came of it, whether it worked or not."""

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
LIMIT = 3600.0  # seconds, then it hangs
_LINES = 8  # of stderr, from a process that failed


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a process came to.

    Attributes:
        wall: seconds from its start to its end.
        cpu: seconds of user and system time, of all its threads.
        error: the exit code and the last lines of stderr; ``None`` if all is well.
        report: the JSON object in the last line of stdout; empty if there is none.
    """

    wall: float
    cpu: float
    error: str | None
    report: dict[str, Any]


def run(command: Callable[[float], list[str]], limit: float = LIMIT) -> Outcome:
    """Runs a process to its end.

    Args:
        command: makes the command line from ``time.monotonic()`` at the start.
        limit: seconds after which it is killed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.monotonic()
        process = subprocess.Popen(
            command(started), stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=_environment()
        )
        killer = threading.Timer(limit, process.kill)
        killer.start()
        try:
            # not process.wait(): only this tells the time that this one process has used
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
    """The JSON object in the last line; empty where the process says something else, or nothing."""
    try:
        found = json.loads(text.rstrip().rpartition("\n")[2])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def failure(code: int, stderr: str) -> str:
    """Why a process failed, from its exit code and what it has said."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.strip()]
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    return "\n".join([how, *lines[-_LINES:]])


def _environment() -> dict[str, str]:
    """In which ``python -m benchmarks`` and ``python -m gmd_vae`` work from any folder."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'pipeline'}{os.pathsep}{ROOT}"}
