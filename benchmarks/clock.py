"""The clock of a measured process: wall time, processor time of all threads, peak memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any


class Clock:
    """Measures the time from one event to the next.

    Args:
        started: Start of the process, by ``time.monotonic()`` of the process that started it.

    Attributes:
        stages: Name of a stage → its ``wall`` and ``cpu`` time in seconds.
        steps: ``wall`` and ``cpu`` time of each training step in seconds.
        losses: Loss of each training step.
        operations: Number of nodes in the graph.
    """

    def __init__(self, started: float) -> None:
        self._wall, self._cpu = started, 0.0
        self.stages: dict[str, dict[str, float]] = {}
        self.steps: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.operations = 0

    def stage(self, name: str) -> None:
        """Ends a stage; the next one begins."""
        self.stages[name] = self._lap()

    def step(self) -> None:
        """Ends a training step; the next one begins."""
        self.steps.append(self._lap())

    def skip(self) -> None:
        """Drops the time since the last event, which the benchmark itself took."""
        self._lap()

    def report(self, **facts: Any) -> None:
        """Prints all figures as one line of JSON, the last line of the process.

        Args:
            **facts: Further entries.
        """
        content: dict[str, Any] = {"stages": self.stages, "steps": self.steps, "losses": self.losses}
        content.update(operations=self.operations, peak_bytes=peak_bytes(), **facts)
        sys.stdout.write(json.dumps(content) + "\n")

    def _lap(self) -> dict[str, float]:
        wall, cpu = time.monotonic(), cpu_seconds()
        lap = {"wall": wall - self._wall, "cpu": cpu - self._cpu}
        self._wall, self._cpu = wall, cpu
        return lap


def cpu_seconds() -> float:
    """Returns the user and system time of this process in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """Returns the peak memory of this process in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
