"""Output for users: results on stdout (a table, or JSON for programs), progress and notes on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gmd_vae.common.json_text import json_text

if TYPE_CHECKING:  # rich takes a while to import: only commands that run need it, not --help
    from rich.progress import Progress

    from gmd_vae.common.plain_console import PlainConsole


_PIPE_WIDTH = 200  # characters; rich would assume 80 and cut tables


def stdout() -> PlainConsole:
    """Returns the console for results; it cuts and wraps no line when the output is a pipe."""
    return _console(sys.stdout.isatty())


def stderr() -> PlainConsole:
    """Returns the console for progress, notes and warnings."""
    return _console(sys.stderr.isatty(), stderr=True)


def _console(terminal: bool, *, stderr: bool = False) -> PlainConsole:
    from gmd_vae.common.plain_console import PlainConsole

    return PlainConsole(stderr=stderr, soft_wrap=not terminal, width=None if terminal else _PIPE_WIDTH)


@contextlib.contextmanager
def count_progress(description: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that shows progress as a bar on stderr: the count, the rate and the time left.

    Shows nothing where stderr is no terminal.

    Args:
        description: Text before the bar.
        unit: Unit of the count, in the plural: ``files``.

    Returns:
        A context manager. Its function takes the finished and the total count.
    """
    if not sys.stderr.isatty():  # saves the import of rich
        yield lambda done, total: None
        return
    with _progress(unit) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def percent_progress() -> Iterator[Callable[[str, float], None]]:
    """Yields a function that shows progress in per cent as a bar on stderr.

    Shows nothing where stderr is no terminal.

    Returns:
        A context manager. Its function takes a description and the finished share, 0 to 1.
    """
    if not sys.stderr.isatty():
        yield lambda description, share: None
        return
    with _progress("%") as bar:
        task = bar.add_task("", total=100)
        yield lambda description, share: bar.update(task, description=description, completed=round(100 * share))


def _progress(unit: str) -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(TextColumn):
        """Shows the rate per second, once there is one."""

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
    """Writes one JSON document to stdout, for programs."""
    sys.stdout.write(json_text(content, indent=2, encoding=sys.stdout.encoding or "utf-8") + "\n")
