"""What a training run shows while it runs: one line that renews itself, or a line now and then."""

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

_SECONDS_BETWEEN_LINES = 10.0  # where stderr is a file or a pipe


_role = ""


def speak_as(role: str) -> None:
    """Puts this process's role in a cluster before all its lines: they may end in one log with those of others."""
    global _role
    _role = f"{role}: "


def note(text: str) -> None:
    """Shows a line that stays, above the progress bar where there is one."""
    console.stderr().print(f"{_role}{text}", markup=False)


class TrainingProgress:
    """Shows progress on stderr. Use as a context manager.

    Args:
        first: the step the run starts at.
        last: the step it ends at.
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
        """While something else than training goes on, which does not count for the rate."""
        before = time.monotonic()
        yield
        if self._started is not None:
            self._started += time.monotonic() - before

    def update(self, now: Measurements) -> float:
        """Takes the figures of one step; returns the rate so far, in steps per second."""
        if self._started is None:
            # the first step also compiles the graph; the rate counts from its end
            self._started, self._counted_from = time.monotonic(), now.step
        seconds = time.monotonic() - self._started
        rate = (now.step - self._counted_from) / seconds if now.step > self._counted_from and seconds > 0 else 0.0
        figures = f"loss {now.loss:.1f}  reconstruction {now.reconstruction:.1f} nats  KL {now.kl_bits:.1f} bits"
        if self._bar is not None:
            assert self._task is not None
            self._bar.update(self._task, completed=now.step, figures=figures, rate=f"{rate:.2f} steps/s")
        elif self._due(now.step):
            left = f"  {_duration((self._last - now.step) / rate)} left" if rate and now.step < self._last else ""
            speed = f"  {rate:.2f} steps/s" if rate else ""
            sys.stderr.write(f"{_role}step {now.step}/{self._last}  {figures}{speed}{left}\n")
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
