"""A measuring process's clock: wall time, processor time of all its threads, peak memory."""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any


class Clock:
    """Takes the time from one event to the next.

    Args:
        started: when the process was started, by ``time.monotonic()`` of the one that did.
    """

    def __init__(self, started: float) -> None:
        self._wall, self._cpu = started, 0.0
        self.stages: dict[str, dict[str, float]] = {}
        self.steps: list[dict[str, float]] = []
        self.losses: list[float] = []
        self.operations = 0  # nodes of the graph

    def stage(self, name: str) -> None:
        """A stage has ended; the next begins."""
        self.stages[name] = self._lap()

    def step(self) -> None:
        """A training step has ended; the next begins."""
        self.steps.append(self._lap())

    def skip(self) -> None:
        """What was done since the last event is the harness's own, and counts nowhere."""
        self._lap()

    def report(self, **facts: Any) -> None:
        """Prints everything as one line of JSON, the last one of the process."""
        content: dict[str, Any] = {"stages": self.stages, "steps": self.steps, "losses": self.losses}
        content.update(operations=self.operations, peak_bytes=peak_bytes(), **facts)
        sys.stdout.write(json.dumps(content) + "\n")

    def _lap(self) -> dict[str, float]:
        wall, cpu = time.monotonic(), cpu_seconds()
        lap = {"wall": wall - self._wall, "cpu": cpu - self._cpu}
        self._wall, self._cpu = wall, cpu
        return lap


def cpu_seconds() -> float:
    """User and system time of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """The most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
