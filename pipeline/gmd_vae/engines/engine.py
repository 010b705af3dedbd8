"""What a stage asks of the place where it runs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

from gmd_vae.common.errors import GmdVaeError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Protocol):
    """Runs tasks somewhere."""

    def each(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
        """Yields ``function(item)`` for each item, as they come, in no fixed order.

        An item may be worked on more than once, after a process or a machine has died. Closing the
        generator stops the work.

        Args:
            function: picklable, a module-level function or a ``functools.partial`` of one.
            items: picklable and small: where the data is, not the data.

        Raises:
            EngineError: the place where the work runs has failed.
            Exception: what the function raises.
        """
        ...


class EngineError(GmdVaeError):
    """Where the work runs has failed, not the work: what is done is kept, the same command goes on from there."""
