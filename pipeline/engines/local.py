"""Runs a function over many items in the processes of this machine."""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from pipeline.engines.engine import EngineError, Item, Result

_IN_FLIGHT_PER_JOB = 4  # enough to keep every process busy; bounds memory whatever the number of items


def default_jobs() -> int:
    """The number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class LocalEngine:
    """An ``Engine``: processes of this machine.

    Attributes:
        jobs: how many; None: one for every core. Never more than items. 1: everything in this process.
    """

    jobs: int | None = None

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """See ``Engine.each``."""
        return _run(function, items, min(self.jobs or default_jobs(), len(items)), in_order=False)


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Generator[Result, None, None]:
    """Yields ``function(item)`` for each item, in order, computed in up to ``jobs`` processes.

    The results do not depend on ``jobs``. With ``jobs=1`` everything runs in this process. The
    function and the items must be picklable (a module-level function or a ``functools.partial``).

    Raises:
        EngineError: a process was killed from outside, most often for want of memory.
    """
    return _run(function, items, jobs, in_order=True)


def _run(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int, *, in_order: bool
) -> Generator[Result, None, None]:
    if jobs <= 1:
        yield from map(function, items)
        return
    # spawn, not fork: the same on Linux and macOS, and safe beside threads
    with _children_without_ctrl_c():
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    waiting: collections.deque[Future[Result]] = collections.deque()
    try:
        for item in items:
            with _children_without_ctrl_c():  # processes start when they are first needed
                waiting.append(pool.submit(function, item))
            if len(waiting) >= jobs * _IN_FLIGHT_PER_JOB:
                yield _next(waiting, in_order=in_order)
        while waiting:
            yield _next(waiting, in_order=in_order)
    except BrokenProcessPool:
        raise EngineError(
            "A worker process was killed, most often because memory ran out",
            f"Run again with fewer processes (--jobs {max(1, jobs // 2)}).",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(waiting: collections.deque[Future[Result]], *, in_order: bool) -> Result:
    """The result of the first future, or of one that is done; takes it out."""
    if in_order:
        return waiting.popleft().result()
    done = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
    waiting.remove(done)
    return done.result()


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


def _end_with_parent() -> None:
    """Runs first in each child: without it the children of a killed parent would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
