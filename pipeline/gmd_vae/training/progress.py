"""Progress of a training run on stderr: a line that is redrawn in a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from types import TracebackType

from gmd_vae.common import console
from gmd_vae.common.printable import duration
from gmd_vae.common.progress_line import Part, ProgressLine
from gmd_vae.training.history import Measurements

_SECONDS_BETWEEN_LINES = 10.0  # if stderr is a file or a pipe

_prefix = ""


@contextlib.contextmanager
def prefix_lines(role: str) -> Iterator[None]:
    """Prefixes the lines of a training with the role of its process in a cluster, or with its seed among several."""
    global _prefix
    _prefix = f"{role}: "
    try:
        yield
    finally:
        _prefix = ""


def note(text: str) -> None:
    """Prints a permanent line, above the line of progress if there is one."""
    console.stderr().print(f"{_prefix}{text}")


class TrainingProgress:
    """Shows progress on stderr. Use as a context manager.

    Args:
        first: Step at which the run starts.
        last: Step at which it ends.
    """

    def __init__(self, first: int, last: int) -> None:
        self._first, self._last = first, last
        self._started: float | None = None
        self._shown = time.monotonic()
        self._line: ProgressLine | None = None

    def __enter__(self) -> TrainingProgress:
        self._opened = contextlib.ExitStack()
        self._line = self._opened.enter_context(console.progress_line())
        if self._line is not None:
            self._line.show(*self._parts(self._first))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Excludes the time of the block, such as a validation, from the rate."""
        before = time.monotonic()
        yield
        if self._started is not None:
            self._started += time.monotonic() - before

    def update(self, measured: Measurements) -> float:
        """Shows the figures of one step; returns the mean rate so far in steps per second."""
        if self._started is None:
            # the first step also compiles the graph, so the rate counts from its end
            self._started, self._counted_from = time.monotonic(), measured.step
        seconds = time.monotonic() - self._started
        rate = (
            (measured.step - self._counted_from) / seconds
            if measured.step > self._counted_from and seconds > 0
            else 0.0
        )
        loss, reconstruction = f"loss {measured.loss:.1f}", f"reconstruction {measured.reconstruction:.1f} nats"
        kl, speed = f"KL {measured.kl_bits:.1f} bits", f"{rate:.2f} steps/s" if rate else ""
        left = f"{duration((self._last - measured.step) / rate)} left" if rate and measured.step < self._last else ""
        if self._line is not None:
            self._line.show(*self._parts(measured.step, loss, reconstruction, kl, speed, left))
        elif self._due(measured.step):
            figures = (f"step {measured.step}/{self._last}", loss, reconstruction, kl, speed, left)
            sys.stderr.write(f"{_prefix}{'  '.join(filter(None, figures))}\n")
            sys.stderr.flush()
        return rate

    def _due(self, step: int) -> bool:
        now = time.monotonic()
        if step in (self._first + 1, self._last) or now - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = now
            return True
        return False

    def _parts(
        self, step: int, loss: str = "", reconstruction: str = "", kl: str = "", speed: str = "", left: str = ""
    ) -> tuple[Part, ...]:
        """Returns the line of a terminal; in a narrow one the step and the time left stay longest."""
        return (
            Part(2, _prefix.removesuffix(": ")),
            Part(0, f"step {step:>{len(str(self._last))}}/{self._last}"),
            Part(4, share=step / self._last),
            Part(2, loss),
            Part(5, reconstruction),
            Part(6, kl),
            Part(3, speed),
            Part(1, left),
        )
