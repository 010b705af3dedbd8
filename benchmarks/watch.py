"""Runs a command and measures it with all its processes: wall time, processor time, peak memory.

``python -m benchmarks.watch COMMAND ...`` is a process of its own, because Linux counts the memory of the parent as the
child's until the child replaces it. The figures are one line of JSON, the last line of stdout.
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

INTERVAL = 0.1  # seconds between two measurements of memory


def watch(command: list[str]) -> int:
    """Runs a command and prints its report; its stderr is passed on.

    The report has ``wall`` and ``cpu`` in seconds, ``peak_bytes`` of the largest process, ``peak_bytes_in_all`` of all
    processes together (shared pages count once; ``None`` without ``/proc``), and ``stdout``.

    Args:
        command: Command line.

    Returns:
        Exit code of the command.
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
    """Samples the memory of a process and its descendants.

    Attributes:
        peak: Largest sum in bytes.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._pid, self._over = pid, threading.Event()

    def run(self) -> None:
        while not self._over.wait(INTERVAL):
            self.peak = max(self.peak, sum(map(_proportional_set_size, _family(self._pid))))

    def stop(self) -> None:
        self._over.set()
        self.join()


def _family(root: int) -> list[int]:
    """Returns the ids of a process and its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has ended
            # "PID (NAME) STATE PARENT ...", and the name may hold anything
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    family = [root]
    for member in family:  # the list grows during the loop
        family += [pid for pid, parent in parents.items() if parent == member]
    return family


def _proportional_set_size(pid: int) -> int:
    """Returns the proportional set size (PSS) of a process in bytes: shared pages are divided among processes."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii", errors="replace") as lines:
            return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
    except OSError:  # the process has ended
        return 0


if __name__ == "__main__":
    sys.exit(watch(sys.argv[1:]))
