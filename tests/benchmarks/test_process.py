"""Processes that succeed, fail or hang."""

from __future__ import annotations

import sys

from benchmarks import process


def python(code: str, limit: float = 60) -> process.Outcome:
    return process.run(lambda _: [sys.executable, "-c", code], limit)


def test_the_last_line_is_the_report() -> None:
    outcome = python("print('a note'); print('{\"peak_bytes\": 7}')")
    assert outcome.error is None
    assert outcome.report == {"peak_bytes": 7}
    assert outcome.wall > 0
    assert outcome.cpu > 0


def test_a_process_without_output_has_an_empty_report() -> None:
    assert python("").report == {}


def test_a_failure_shows_the_last_lines_of_stderr() -> None:
    outcome = python("import sys; sys.exit('\\n'.join(f'line {n}' for n in range(20)))")
    assert outcome.error is not None
    assert outcome.error.splitlines() == ["exit code 1", *(f"line {number}" for number in range(12, 20))]


def test_a_process_that_hangs_is_killed() -> None:
    outcome = python("import time; time.sleep(60)", limit=0.5)
    assert outcome.error == "killed by signal 9"
    assert outcome.wall < 30


def test_processor_time_is_that_of_this_process_alone() -> None:
    python("for _ in range(20_000_000): pass")
    assert python("").cpu < 0.2


def test_the_command_receives_the_start_time() -> None:
    outcome = process.run(lambda started: [sys.executable, "-c", f"print('{{\"started\": {started}}}')"])
    assert outcome.report["started"] > 0
