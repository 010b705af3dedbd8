"""What people see: progress and notes on stderr, results on stdout (a table, or JSON for programs)."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # rich takes a while to import: only commands that run need it, not --help
    from rich.console import Console
    from rich.progress import Progress


_PIPE_WIDTH = 200  # characters; rich would assume 80 and cut tables


def stdout() -> Console:
    """Where results go. Nothing is cut or wrapped when the output is a pipe."""
    from rich.console import Console

    piped = not sys.stdout.isatty()
    return Console(soft_wrap=piped, width=_PIPE_WIDTH if piped else None, highlight=False)


def stderr() -> Console:
    """Where progress, notes and warnings go."""
    from rich.console import Console

    piped = not sys.stderr.isatty()
    return Console(stderr=True, soft_wrap=piped, width=_PIPE_WIDTH if piped else None, highlight=False)


@contextlib.contextmanager
def counting(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr, as a function that is told how many are done, and how many there are in all.

    It shows the count, the rate and the time left. Silent where stderr is no terminal.
    """
    if not sys.stderr.isatty():  # and then without importing what draws
        yield lambda done, total: None
        return
    with _progress(unit) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def advancing() -> Iterator[Callable[[str, float], None]]:
    """The same in per cent, as a function that is told what is being done, and how much of it is (0 to 1)."""
    if not sys.stderr.isatty():
        yield lambda what, done: None
        return
    with _progress("%") as bar:
        task = bar.add_task("", total=100)
        yield lambda what, done: bar.update(task, description=what, completed=round(100 * done))


def _progress(unit: str) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        """How many are done in a second; nothing before it is known."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.{speed < 10:d}f} {unit}/s" if speed else "")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        *([] if unit == "%" else [Rate("")]),
        TimeRemainingColumn(),
        console=stderr(),
        transient=True,
    )


def print_json(content: Any) -> None:
    """One JSON document on stdout, for programs."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
