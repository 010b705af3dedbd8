"""Runs a function over many items in the processes of this machine, results in the items' order."""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pipeline.errors import GmdVaeError

Item = TypeVar("Item")
Result = TypeVar("Result")

_IN_FLIGHT_PER_JOB = 4  # enough to keep every process busy; bounds memory whatever the number of items


def default_jobs() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Generator[Result, None, None]:
    """Yields ``function(item)`` for each item, in order, computed in up to ``jobs`` processes.

    The results do not depend on ``jobs``. With ``jobs=1`` everything runs in this process. The
    function and the items must be picklable (a module-level function or a ``functools.partial``).

    Raises:
        GmdVaeError: a process was killed from outside, most often for want of memory.
    """
    if jobs <= 1:
        yield from map(function, items)
        return
    # spawn, not fork: the same on Linux and macOS, and safe beside threads
    with _children_without_ctrl_c():
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"))
    waiting: collections.deque[Future[Result]] = collections.deque()
    try:
        for item in items:
            with _children_without_ctrl_c():  # processes start when they are first needed
                waiting.append(pool.submit(function, item))
            if len(waiting) >= jobs * _IN_FLIGHT_PER_JOB:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise GmdVaeError(
            "A worker process was killed, most often because memory ran out",
            f"Run again with fewer processes (--jobs {max(1, jobs // 2)}).",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextlib.contextmanager
def _children_without_ctrl_c() -> Iterator[None]:
    """Processes that start here never see Ctrl-C, which reaches all of a terminal: the parent stops them.

    They inherit the blocked signal, so that not even their start can be interrupted.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
