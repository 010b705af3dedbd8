"""Progress of a training run on stderr: a live bar in a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from gmd_vae.common import console
from gmd_vae.training.history import Measurements

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_SECONDS_BETWEEN_LINES = 10.0  # if stderr is a file or a pipe

_prefix = ""


def prefix_lines(role: str) -> None:
    """Prefixes all lines of this process with its role in a cluster, for logs that several processes share."""
    global _prefix
    _prefix = f"{role}: "


def note(text: str) -> None:
    """Prints a permanent line, above the progress bar if there is one."""
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
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> TrainingProgress:
        if sys.stderr.isatty():
            self._bar, self._task = self._new_bar()
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

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
        figures = (
            f"loss {measured.loss:.1f}  reconstruction {measured.reconstruction:.1f} nats  "
            f"KL {measured.kl_bits:.1f} bits"
        )
        if self._bar is not None:
            assert self._task is not None
            self._bar.update(self._task, completed=measured.step, figures=figures, rate=f"{rate:.2f} steps/s")
        elif self._due(measured.step):
            left = (
                f"  {_duration((self._last - measured.step) / rate)} left"
                if rate and measured.step < self._last
                else ""
            )
            speed = f"  {rate:.2f} steps/s" if rate else ""
            sys.stderr.write(f"{_prefix}step {measured.step}/{self._last}  {figures}{speed}{left}\n")
            sys.stderr.flush()
        return rate

    def _due(self, step: int) -> bool:
        now = time.monotonic()
        if step in (self._first + 1, self._last) or now - self._shown >= _SECONDS_BETWEEN_LINES:
            self._shown = now
            return True
        return False

    def _new_bar(self) -> tuple[Any, Any]:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        bar = Progress(
            TextColumn("step"),
            MofNCompleteColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[figures]}  {task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=console.stderr(),
        )
        return bar, bar.add_task("", total=self._last, completed=self._first, figures="", rate="")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
