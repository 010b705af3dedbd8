"""Work over processes: the same results, in order, whatever the number of processes."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from gmd_vae.engines.engine import EngineError
from gmd_vae.engines.local import LocalEngine, map_in_order


def square(number: int) -> int:
    time.sleep((number % 3) * 0.01)  # later items may finish first
    return number * number


def fail_at_seven(number: int) -> int:
    if number == 7:
        raise ValueError("seven")
    return number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_results_come_in_the_order_of_the_items(jobs: int) -> None:
    assert list(map_in_order(square, range(30), jobs)) == [number * number for number in range(30)]


def test_items_are_taken_only_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    results = map_in_order(square, items(), 2)
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    results.close()  # type: ignore[attr-defined]
    assert len(taken) < 20


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_an_item_reaches_the_caller(jobs: int) -> None:
    results = map_in_order(fail_at_seven, range(20), jobs)
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(ValueError, match="seven"):
        next(results)


@pytest.mark.parametrize("jobs", [1, 2, None])
def test_the_engine_gives_each_result_once_in_any_order(jobs: int | None) -> None:
    results = list(LocalEngine(jobs).each(square, range(30)))
    assert sorted(results) == [number * number for number in range(30)]
    assert list(LocalEngine(jobs).each(square, [])) == []


def slow_first(number: int) -> int:
    time.sleep(3 * (number == 0))  # the second process may start a second later
    return number


def test_the_engine_does_not_wait_for_the_slowest() -> None:
    assert list(LocalEngine(2).each(slow_first, range(40))).index(0) > 8  # more than were in flight beside it


def process_of(number: int) -> int:
    return os.getpid()


def test_one_item_needs_no_process() -> None:
    assert list(LocalEngine(2).each(process_of, [1])) == [os.getpid()]


def test_a_killed_process_is_one_line_with_the_next_action() -> None:
    with pytest.raises(EngineError, match=r"killed.*--jobs 1"):
        list(map_in_order(die_at_three, range(10), 2))


SCRIPT = """
import time
from gmd_vae.engines.local import map_in_order

def slow(number):
    time.sleep(0.3)
    return number

if __name__ == "__main__":
    try:
        for result in map_in_order(slow, range(1000), 2):
            print(result, flush=True)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


@pytest.mark.parametrize("wait", [0.0, 1.5])
def test_ctrl_c_stops_all_processes_without_a_traceback(tmp_path, wait: float) -> None:  # type: ignore[no-untyped-def]
    """Sent to the whole group, as a terminal does; also while the workers are still starting."""
    script = tmp_path / "work.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    time.sleep(0.35 + wait)  # Python itself and our module have started by then
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out.splitlines() or ["nothing"])[-1] == "stopped"
    assert err == ""
    assert process.returncode == 0
