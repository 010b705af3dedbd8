"""One line of progress at the bottom of a terminal, redrawn in place; all other output appears above it.

The cursor stays visible, in the first column of the line. So a process that is killed leaves a usable terminal, and a
terminal that wraps its lines anew after a change of its width still has the cursor where the line begins.

rich's ``Live`` keeps the cursor at the end of the line and sends whatever is written to ``sys.stdout`` to its own
console: to stderr, even where stdout is a file.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, TextIO, cast

from gmd_vae.common.printable import printable

_ERASE = "\r\x1b[J"  # from the first column to the end of the screen
_GAP = "  "
_BAR_WIDTHS = (8, 40)  # columns, the least and the most
_SECONDS_BETWEEN_DRAWS = 0.1


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of the line.

    Attributes:
        rank: Order in which parts give way in a narrow terminal: the highest rank goes first, 0 stays.
        text: Text; a part without text is left out.
        share: Finished share, 0 to 1, shown as a bar that takes the space that is left; ``None`` for text.
    """

    rank: int
    text: str = ""
    share: float | None = None


def shows_progress() -> bool:
    """Returns True if stderr is a terminal whose lines can be redrawn."""
    return sys.stderr.isatty() and os.environ.get("TERM", "").lower() not in ("dumb", "unknown")


def fitting(parts: Iterable[Part], width: int) -> list[Part]:
    """Returns the parts that fit beside each other, in their order.

    Args:
        parts: Parts from left to right.
        width: Columns for all of them.
    """
    kept = [part for part in parts if part.text or part.share is not None]
    while len(kept) > 1 and _columns(kept) > width:
        del kept[max(range(len(kept)), key=lambda index: kept[index].rank)]
    return kept


class ProgressLine:
    """Shows the parts of a line on stderr until its end, then erases it. Use as a context manager.

    Stderr must be a terminal. Meanwhile ``sys.stdout`` and ``sys.stderr`` are streams that write above the line, where
    they are terminals.
    """

    def __init__(self) -> None:
        from gmd_vae.common.plain_console import PlainConsole

        # for the width and the colours: the console of notes cannot draw a bar while it writes a note
        self._canvas = PlainConsole(stderr=True)
        self._parts: Sequence[Part] = ()
        self._drawn_at = 0.0
        self._is_visible = self._is_active = False
        self._is_in_line = False  # something else has begun a line and not ended it

    def __enter__(self) -> ProgressLine:
        self._stdout, self._stderr = sys.stdout, sys.stderr
        self._above_stdout = self._above(sys.stdout) if sys.stdout.isatty() else sys.stdout
        self._above_stderr = self._above(sys.stderr)
        sys.stdout, sys.stderr = self._above_stdout, self._above_stderr
        self._is_active = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._erase()
        self._is_active = False
        if sys.stdout is self._above_stdout:
            sys.stdout = self._stdout
        if sys.stderr is self._above_stderr:
            sys.stderr = self._stderr

    def show(self, *parts: Part, at_once: bool = False) -> None:
        """Replaces the line, at most ten times a second.

        Args:
            parts: Parts from left to right.
            at_once: Draws in any case: a stage begins, whose next report may take a while.
        """
        at_once = at_once or not self._parts
        self._parts = parts
        now = time.monotonic()
        if at_once or now - self._drawn_at >= _SECONDS_BETWEEN_DRAWS:
            self._drawn_at = now
            self._draw()

    def write_above(self, stream: TextIO, text: str) -> int:
        """Writes to a terminal above the line; returns the number of characters."""
        if not self._is_active or not text:
            return stream.write(text)
        self._erase()
        count = stream.write(text)
        stream.flush()  # before the line, which is written to another stream
        self._is_in_line = not text.endswith("\n")
        self._draw()
        return count

    def _above(self, stream: TextIO) -> TextIO:
        return cast(TextIO, _StreamAbove(stream, self))

    def _erase(self) -> None:
        if self._is_visible:
            self._is_visible = False
            self._stderr.write(_ERASE)
            self._stderr.flush()

    def _draw(self) -> None:
        if not self._parts or self._is_in_line:
            return
        text = self._line(self._canvas.width - 1)  # the last column would wrap in some terminals
        self._is_visible = True
        self._stderr.write(f"{_ERASE}{text}\r")  # one write: the terminal shows no frame without the line
        self._stderr.flush()

    def _line(self, width: int) -> str:
        from rich.cells import set_cell_size

        kept = fitting(self._parts, width)
        if len(kept) == 1 and kept[0].share is None:
            text = printable(kept[0].text, limit=None)
            return set_cell_size(text, width).rstrip()
        fewest, most = _BAR_WIDTHS
        bar = min(most, max(0, width - _columns(kept)) + fewest)
        return _GAP.join(
            printable(part.text, limit=None) if part.share is None else self._bar(part.share, bar) for part in kept
        )

    def _bar(self, share: float, width: int) -> str:
        """Returns a bar, in the colours of this terminal."""
        from rich.progress_bar import ProgressBar

        with self._canvas.capture() as captured:
            self._canvas.print(ProgressBar(1.0, share, width=width), end="")
        return captured.get()


class _StreamAbove:
    """A text stream that writes above a line of progress; everything else is that of the stream it replaces."""

    def __init__(self, stream: TextIO, line: ProgressLine) -> None:
        self._stream, self._line = stream, line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._line.write_above(self._stream, text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


def _columns(parts: Sequence[Part]) -> int:
    """Returns the columns that parts take, with the gaps between them and the least width of a bar."""
    from rich.cells import cell_len

    widths = (
        _BAR_WIDTHS[0] if part.share is not None else cell_len(printable(part.text, limit=None)) for part in parts
    )
    return sum(widths) + len(_GAP) * (len(parts) - 1)
