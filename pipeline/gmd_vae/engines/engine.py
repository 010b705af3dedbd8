"""The interface between a stage and the place where it runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

from gmd_vae.common.errors import GmdVaeError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs a function over many items, in this process or in others."""

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """Yields ``function(item)`` for each item, as results are finished, in no fixed order.

        An item may run more than once, after a process or a machine has died. Closing the generator
        stops the work.

        Args:
            function: A picklable function: a module-level one, or a ``functools.partial`` of one.
            items: Picklable and small: paths and ranges, not the data itself.

        Raises:
            EngineError: The place where the work runs has failed.
            Exception: Errors of ``function``.
        """
        ...


class EngineError(GmdVaeError):
    """The place where the work runs has failed. Finished batches are kept; the same command continues from them."""
