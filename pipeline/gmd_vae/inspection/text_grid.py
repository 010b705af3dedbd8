"""Prints a drum window as text: a row for each voice, a column for each step, lines between bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WIDTH = 80  # columns of a terminal
_NAME = 10  # columns; 64 steps, five lines and this make 79
_SHORT = {"closed hi-hat": "closed hat", "open hi-hat": "open hat"}


class Signs(NamedTuple):
    """The characters of a grid.

    Attributes:
        hit: A step with a hit.
        beat: An empty step on a beat.
        rest: Any other empty step.
        line: The line between bars.
    """

    hit: str
    beat: str
    rest: str
    line: str


BLOCKS = Signs("■", "·", " ", "│")
ASCII = Signs("#", ".", " ", "|")  # for terminals whose encoding has no blocks


def signs_for(encoding: str | None) -> Signs:
    """Returns the signs that an encoding can represent."""
    try:
        "".join(BLOCKS).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def grid(
    labels: Sequence[int],
    voices: Sequence[str],
    *,
    steps_per_bar: int,
    steps_per_beat: int,
    first_bar: float | None = None,
    width: int = WIDTH,
    signs: Signs = BLOCKS,
) -> list[str]:
    """Returns a window as lines of text, none wider than ``width``; a long window continues below.

    Args:
        labels: Drum labels, one int for each step: bit *k* is voice *k*.
        voices: Names of the voices, cut after 10 letters. The last one is the top row, as in a score.
        steps_per_bar: Steps from one bar line to the next.
        steps_per_beat: Steps from one dot to the next.
        first_bar: Number of the first bar, printed above the grid, or ``None``.
        width: Columns, 30 or more.
        signs: Characters to draw with.
    """
    room = width - _NAME - 1  # after the names and the first line
    per_row = max(1, room // (steps_per_bar + 1)) * steps_per_bar
    if steps_per_bar + 1 > room:  # a bar that is wider than the screen
        most = room - 2  # with a line in it and the last one
        per_row = most // steps_per_beat * steps_per_beat or most
    lines: list[str] = []
    for begin in range(0, len(labels), per_row):
        end = min(begin + per_row, len(labels))
        if lines:
            lines.append("")
        if first_bar is not None:
            lines.append(_heading(begin, end, steps_per_bar, first_bar))
        for number in reversed(range(len(voices))):
            row = [
                signs.hit if labels[step] >> number & 1 else signs.rest if step % steps_per_beat else signs.beat
                for step in range(begin, end)
            ]
            name = _SHORT.get(voices[number], voices[number])[:_NAME]
            lines.append(f"{name:>{_NAME}}{signs.line}{_with_lines(row, begin, steps_per_bar, signs)}{signs.line}")
    return lines


def _with_lines(row: Sequence[str], begin: int, steps_per_bar: int, signs: Signs) -> str:
    """Joins the steps of a row, with a line before each bar except the first."""
    parts = []
    for place, cell in enumerate(row):
        if place and not (begin + place) % steps_per_bar:
            parts.append(signs.line)
        parts.append(cell)
    return "".join(parts)


def _heading(begin: int, end: int, steps_per_bar: int, first_bar: float) -> str:
    """Returns the numbers of the bars, each above its first step."""
    text = " " * (_NAME + 1)
    for step in range(begin, end):
        if step % steps_per_bar and step != begin:
            continue
        column = _NAME + 1 + (step - begin) + (step // steps_per_bar - begin // steps_per_bar)
        if len(text) <= column:  # else the number before it is too long
            text = f"{text:<{column}}{bar_number(first_bar + step // steps_per_bar)}"
    return text[: _NAME + 1 + (end - begin) + (end - begin) // steps_per_bar].rstrip()


def bar_number(bar: float) -> str:
    """Formats the place of a bar: ``3``, or ``3.5`` for the middle of bar 3."""
    return f"{bar:.2f}".rstrip("0").rstrip(".")
