"""Runs a function over many items in the processes of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from gmd_vae.engines.engine import Engine, Item, Result


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


def worth(processes: int, engine: Engine | None) -> Engine:
    """The engine that was asked for; if nobody said how many processes, no more than the work is worth."""
    if engine in (None, LocalEngine()):
        return LocalEngine(max(1, min(default_jobs(), processes)))
    assert engine is not None
    return engine


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
    from gmd_vae.engines.pool import run  # what starts processes takes a while to import

    yield from run(function, items, jobs, in_order=in_order)
