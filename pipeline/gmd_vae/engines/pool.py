"""The process pool behind ``LocalEngine`` and ``map_in_order``."""

from __future__ import annotations

import collections
import multiprocessing
import multiprocessing.connection
import multiprocessing.resource_tracker
import os
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from gmd_vae.common.stop_signals import held_back
from gmd_vae.engines.engine import EngineError, Item, Result

_IN_FLIGHT_PER_JOB = 4  # keeps every process busy; bounds memory whatever the number of items


def run_in_pool(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int, *, in_order: bool
) -> Generator[Result, None, None]:
    """Yields ``function(item)`` for each item, computed in ``jobs`` processes; closing it ends them.

    Args:
        function: Picklable.
        items: Picklable.
        jobs: Number of processes.
        in_order: Yields results in the order of the items, not as they are finished.

    Raises:
        EngineError: A process was killed from outside, most often because memory ran out.
    """
    # spawn, not fork: the same on Linux and macOS, and safe beside threads
    with held_back():
        # before the first worker: its start would unblock the signals in between
        multiprocessing.resource_tracker.ensure_running()
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_end_with_parent)
    waiting: collections.deque[Future[Result]] = collections.deque()
    try:
        for item in items:
            with held_back():  # processes start when they are first needed
                waiting.append(pool.submit(function, item))
            if len(waiting) >= jobs * _IN_FLIGHT_PER_JOB:
                yield _take_next(waiting, in_order=in_order)
        while waiting:
            yield _take_next(waiting, in_order=in_order)
    except BrokenProcessPool:
        raise EngineError(
            "A worker process was killed, most often because memory ran out",
            f"Run again with fewer processes (--jobs {max(1, jobs // 2)}).",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _take_next(waiting: collections.deque[Future[Result]], *, in_order: bool) -> Result:
    """Removes the first future, or one that is finished, and returns its result."""
    if in_order:
        return waiting.popleft().result()
    done = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
    waiting.remove(done)
    return done.result()


def _end_with_parent() -> None:
    """Runs first in each child; without it the children of a killed parent would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
