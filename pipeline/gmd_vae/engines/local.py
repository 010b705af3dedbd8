"""Runs a function over many items in the processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass

from gmd_vae.common.machine import usable_cores
from gmd_vae.engines.engine import Engine, Item, Result


@dataclass(frozen=True)
class LocalEngine:
    """The ``Engine`` of this machine.

    Attributes:
        jobs: Number of processes, at most one per item; 1 runs everything in this process; None
            starts one per core.
    """

    jobs: int | None = None

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """Implements ``Engine.each``."""
        return _run(function, items, min(self.jobs or usable_cores(), len(items)), in_order=False)


def engine_for(processes: int, engine: Engine | None) -> Engine:
    """Returns the chosen engine, or a local one that is no larger than the work.

    Args:
        processes: Number of processes that the work keeps busy for longer than their start takes.
        engine: The user's choice; None or ``LocalEngine()`` leave the number of processes open.
    """
    if engine is None or engine == LocalEngine():
        return LocalEngine(max(1, min(usable_cores(), processes)))
    return engine


def map_in_order(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Generator[Result, None, None]:
    """Yields ``function(item)`` for each item, in order, computed in up to ``jobs`` processes.

    The results do not depend on ``jobs``.

    Args:
        function: A picklable function: a module-level one, or a ``functools.partial`` of one.
        items: Picklable.
        jobs: Number of processes; 1 runs everything in this process.

    Raises:
        EngineError: A process was killed from outside, most often because memory ran out.
    """
    return _run(function, items, jobs, in_order=True)


def _run(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int, *, in_order: bool
) -> Generator[Result, None, None]:
    if jobs <= 1:
        yield from map(function, items)
        return
    from gmd_vae.engines.pool import run_in_pool  # concurrent.futures takes a while to import

    yield from run_in_pool(function, items, jobs, in_order=in_order)
