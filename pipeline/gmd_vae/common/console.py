"""Output for users: results on stdout (a table, or JSON for programs), progress and notes on stderr."""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from gmd_vae.common.json_text import json_text
from gmd_vae.common.line_breaks import wrap_command
from gmd_vae.common.printable import duration
from gmd_vae.common.progress_line import Part, ProgressLine, shows_progress

if TYPE_CHECKING:  # rich takes a while to import: only commands that run need it, not --help
    from gmd_vae.common.plain_console import PlainConsole


_PIPE_WIDTH = 200  # characters; rich would assume 80 and cut tables
_SECONDS_BETWEEN_LINES = 30.0


def stdout() -> PlainConsole:
    """Returns the console for results; it cuts and wraps no line when the output is a pipe."""
    return _console(sys.stdout.isatty())


def stderr() -> PlainConsole:
    """Returns the console for progress, notes and warnings."""
    return _console(sys.stderr.isatty(), stderr=True)


@functools.cache  # one console for each stream
def _console(terminal: bool, *, stderr: bool = False) -> PlainConsole:
    from gmd_vae.common.plain_console import PlainConsole

    return PlainConsole(stderr=stderr, soft_wrap=not terminal, width=None if terminal else _PIPE_WIDTH)


@contextlib.contextmanager
def progress_line() -> Iterator[ProgressLine | None]:
    """Yields a line of progress on stderr, or ``None`` where stderr is no terminal whose lines can be redrawn."""
    if not shows_progress():  # saves the import of rich
        yield None
        return
    with ProgressLine() as line:
        yield line


@contextlib.contextmanager
def count_progress(description: str, unit: str, scale: int = 1) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that shows a count on a line of progress: its share, the rate and the time left.

    In a narrow terminal the count and the time left stay longest. Where stderr is no terminal, the count is a line of
    its own every half minute.

    Args:
        description: Text at the left.
        unit: Unit of the count, in the plural: ``files``.
        scale: Number of counted things in one unit, such as 1,000,000 bytes in ``MB``.

    Returns:
        A context manager. Its function takes the finished and the total count.
    """
    with progress_line() as line:
        clock, lines, digits = _Clock(), _ProgressLines(), int(scale > 1)
        if line is not None:
            line.show(Part(0, f"{description} ..."))  # the first count can take seconds

        def show(done: int, total: int) -> None:
            whole = f"{total / scale:,.{digits}f}"
            if line is None:
                lines.show(f"{description}: {done / scale:,.{digits}f}/{whole} {unit}")
                return
            rate = clock.rate(done)
            speed = rate / scale
            line.show(
                Part(2, description),
                Part(3, share=done / total if total else 0.0),
                Part(0, f"{done / scale:>{len(whole)},.{digits}f}/{whole} {unit}"),
                Part(4, f"{speed:,.{int(speed < 10)}f} {unit}/s" if rate else ""),
                Part(1, f"{duration((total - done) / rate)} left" if rate else ""),
            )

        yield show


@contextlib.contextmanager
def percent_progress() -> Iterator[Callable[[str, float], None]]:
    """Yields a function that shows the share of a stage in per cent on a line of progress, and the time left for it.

    In a narrow terminal the share and the time left stay longest. Where stderr is no terminal, stage and share are a
    line of their own every half minute.

    Returns:
        A context manager. Its function takes the name of the stage and its finished share, 0 to 1.
    """
    with progress_line() as line:
        clock, lines = _Clock(), _ProgressLines()
        stage: str | None = None

        def show(description: str, share: float) -> None:
            nonlocal clock, stage
            if line is None:
                lines.show(f"{description}: {share:.0%}" if share else f"{description} ...")
                return
            if begins := description != stage:
                clock, stage = _Clock(), description
            rate = clock.rate(share)
            if not share:  # many stages report only that they begin
                line.show(Part(0, f"{description} ..."), at_once=begins)
                return
            line.show(
                Part(2, description),
                Part(3, share=share),
                Part(0, f"{share:4.0%}"),
                Part(1, f"{duration((1 - share) / rate)} left" if rate else ""),
                at_once=begins,
            )

        yield show


class _ProgressLines:
    """Progress of long work in notebooks and logs, where no line can be redrawn."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, text: str) -> None:
        """Prints a line if half a minute has passed since the last one."""
        now = time.monotonic()
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            stderr().print(text)


class _Clock:
    """Mean rate of a count, from its first value on."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def rate(self, done: float) -> float:
        """Returns the rate per second; 0 as long as there is none."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        seconds, finished = now - self._first[0], done - self._first[1]
        return finished / seconds if seconds > 0 and finished > 0 else 0.0


def print_next(action: str, purpose: str = "", *, to: PlainConsole | None = None) -> None:
    """Prints the last line of a command, the user's next action; a command in it can be copied from a terminal.

    Args:
        action: A command and nothing else, as ``printable.as_command`` returns it, or a sentence without a command.
        purpose: What the command is for, where that is not clear from its name: ``for a beat``.
        to: Console to print to; ``None``: stdout.
    """
    print_command(f"Next{', ' if purpose else ''}{purpose}", action, to=to)


def print_command(label: str, command: str, *, to: PlainConsole | None = None) -> None:
    """Prints a command after a label. A terminal that is too narrow gets it in lines that a shell joins again.

    Args:
        label: Text before the colon.
        command: A command, as ``printable.as_command`` returns it, or a sentence.
        to: Console to print to; ``None``: stdout.
    """
    out, text = to or stdout(), f"{label}: {command}"
    if out.soft_wrap or not command.startswith("gmd-vae "):
        out.print(text)
        return
    for line in wrap_command(text, out.width):
        out.print(line, soft_wrap=True)


def print_json(content: Any) -> None:
    """Writes one JSON document to stdout, for programs."""
    sys.stdout.write(json_text(content, indent=2, encoding=sys.stdout.encoding or "utf-8") + "\n")
