"""Runs a command and measures it with all that it starts: time, processor time, peak memory.

``python -m benchmarks.watch COMMAND ...`` is a process of its own because Linux counts the memory of
whoever starts a process as that process's own. It says what it has found as one line of JSON, the last.
"""

from __future__ import annotations

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

INTERVAL = 0.1  # seconds from one look at the memory to the next


def watch(command: list[str]) -> int:
    """Runs the command; its stdout is read, its stderr is passed on.

    The report has ``wall`` and ``cpu`` (seconds), ``peak_bytes`` of the largest process,
    ``peak_bytes_in_all`` of all processes together (pages that they share count once; ``None`` where
    there is no ``/proc``), and ``stdout``.

    Returns:
        The command's exit code.
    """
    with tempfile.TemporaryFile("w+") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=out)
        total = _Total(process.pid)
        total.start()
        code = process.wait()
        wall = time.monotonic() - started
        total.stop()
        out.seek(0)
        stdout = out.read()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    report = {
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak_bytes": peak,
        "peak_bytes_in_all": max(total.peak, peak) if total.peak else None,
        "stdout": stdout,
    }
    sys.stdout.write(json.dumps(report) + "\n")
    return code if code >= 0 else 128 - code


class _Total(threading.Thread):
    """Adds up the memory of a process and its descendants, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid, self._over = pid, threading.Event()

    def run(self) -> None:
        while not self._over.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(_shared_fairly, _family(self._pid))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended
            # "PID (NAME) STATE PARENT ...", and the name may hold anything
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [root]
    for member in family:  # it grows
        family += [pid for pid, parent in parents.items() if parent == member]
    return family


def _shared_fairly(pid: int) -> int:
    """The bytes of memory of a process; a page that others have too is divided among them."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as lines:
            return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
    except OSError:  # it has ended
        return 0


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
