"""Time and memory of a command and its children."""

from __future__ import annotations

import sys
from typing import Any

from benchmarks import process


def watched(code: str) -> tuple[str | None, dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.watch", sys.executable, "-c", code]
    outcome = process.run(lambda _: command)
    return outcome.error, outcome.report


def test_time_and_output_of_the_command_alone() -> None:
    error, report = watched("import sys; print('{\"a\": 1}'); print('last'); sys.exit(3)")
    assert error is not None
    assert error.startswith("exit code 3")
    assert report["stdout"] == '{"a": 1}\nlast\n'
    assert 0 < report["cpu"] < 5
    assert report["wall"] > 0


def test_memory_is_that_of_the_command_without_its_parent() -> None:
    mine = bytearray(200 << 20)
    mine[:: 1 << 12] = b"x" * len(mine[:: 1 << 12])  # so that the pages are really there
    assert watched("pass")[1]["peak_bytes"] < 60 << 20


def test_memory_of_children_counts() -> None:
    child = "import time; a = b'x' * (80 << 20); time.sleep(1)"
    start = f"subprocess.Popen([sys.executable, '-c', {child!r}])"
    code = f"import subprocess, sys; [process.wait() for process in [{start} for _ in 'ab']]"
    report = watched(code)[1]
    assert 80 << 20 < report["peak_bytes"] < 160 << 20
    if report["peak_bytes_in_all"] is not None:  # there is /proc
        assert report["peak_bytes_in_all"] > 160 << 20
