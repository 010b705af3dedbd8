"""A table of text, and its forms in Markdown and LaTeX. ``terminal.py`` has that of a terminal."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from gmd_vae.common.printable import printable
from gmd_vae.evaluation.metrics.intervals import Estimate

NOTHING = "–"  # in the place of a figure that is not there

_INTERVAL = re.compile(r" (?=\[[^\[\]]*\]$)")  # the space before "[0.470, 0.501]" at the end of a cell

_MORE_DIGITS = 4  # of a difference, at most; a bound that is nearer to 0 is 0 but for rounding

_MARKDOWN = str.maketrans({**{sign: "\\" + sign for sign in "\\`*_~$|"}, "&": "&amp;", "<": "&lt;", ">": "&gt;"})

_LATEX = str.maketrans(
    {
        **{sign: "\\" + sign for sign in "&%$#_{}"},
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # bare at the start of a row, it would be an argument of the \\ or the rule before
        "]": "{]}",
        "–": "--",
        "\N{MINUS SIGN}": "$-$",
        "∞": r"$\infty$",
        "±": r"$\pm$",
        "β": r"$\beta$",
    }
)


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of plain text, not escaped.

    Attributes:
        title: Title.
        columns: Headings. A line break is kept where the form has room for it, and is a space in Markdown. If all are
            empty, no headings are shown.
        rows: One cell for each column. A figure may carry its interval, as ``estimate`` formats it.
        notes: Sentences below the table.
        names: Number of columns, from the left, with names, flush left. The others hold figures, flush right.
        bold: Row and column, from 0, of the bold cells.
        bold_meaning: Meaning of the bold cells, as a sentence; shown where there are any and the form shows them.
        lines: Rows, from 0, below a separating line.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    names: int = 1
    bold: frozenset[tuple[int, int]] = frozenset()
    bold_meaning: str = ""
    lines: frozenset[int] = frozenset()

    def all_notes(self) -> tuple[str, ...]:
        """Returns the notes, with the meaning of the bold cells, for a form that shows them."""
        return (*self.notes, self.bold_meaning) if self.bold and self.bold_meaning else self.notes


def number(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """Formats a number: ``1,760``, ``−0.034``; a dash for ``None`` and NaN.

    Args:
        value: The number.
        digits: Digits after the decimal point.
        signed: True for a plus before positive numbers.
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    rounded = round(value, digits) + 0.0  # + 0.0 turns -0.0 into 0.0
    sign = "+" if signed and rounded else ""
    return f"{rounded:{sign},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def estimate(value: Estimate | float | None, digits: int) -> str:
    """Formats a figure with its 95 % interval, ``0.485 [0.470, 0.501]``; without an interval, the figure alone.

    Args:
        value: The figure.
        digits: Digits after the decimal point.
    """
    if not isinstance(value, Estimate):
        return number(value, digits)
    shown, low, high = (number(end, digits) for end in (value.value, value.low, value.high))
    return shown if NOTHING in (shown, low, high) else f"{shown} [{low}, {high}]"


def interval(low: float, high: float, digits: int) -> str:
    """Formats an interval, ``[0.470, 0.501]``; a dash where an end is NaN."""
    shown = number(low, digits), number(high, digits)
    return NOTHING if NOTHING in shown else f"[{', '.join(shown)}]"


def difference(value: Estimate | None, digits: int) -> str:
    """Formats a difference with its interval: with more digits where the interval is narrow or a bound is near 0.

    Half of the interval has at least two significant digits, and the sign of a bound shows.

    Args:
        value: The difference; a dash for ``None``.
        digits: Least number of digits after the decimal point.
    """
    if value is None:
        return NOTHING
    half, most = (value.high - value.low) / 2, digits + _MORE_DIGITS
    smallest = 10.0**-most
    if half > smallest:
        digits = max(digits, 1 - math.floor(math.log10(half)))
    while digits < most and any(smallest < abs(end) and not round(end, digits) for end in (value.low, value.high)):
        digits += 1
    return estimate(value, min(digits, most))


def text(name: Any) -> str:
    """Formats a name; a dash for ``None``."""
    return NOTHING if name is None else str(name)


def to_markdown(table: Table) -> str:
    """Formats a table as GitHub Markdown: bold title, pipe table, notes. Separating lines are not shown."""

    def cell(row: int, column: int, content: str) -> str:
        value, interval = cell_parts(table, column, content)
        value = f"**{_markdown(value)}**" if (row, column) in table.bold else _markdown(value)
        return f"{value} {interval}" if interval else value

    headings = [_markdown(" ".join(heading.split("\n"))) for heading in table.columns]
    rules = [":--" if column < table.names else "--:" for column in range(len(headings))]
    rows = [
        [cell(place, column, content) for column, content in enumerate(row)] for place, row in enumerate(table.rows)
    ]
    lines = [f"| {' | '.join(row)} |" for row in (headings, rules, *rows)]
    parts = [f"**{_markdown(table.title)}**", "\n".join(lines), *map(_markdown, table.all_notes())]
    return "\n\n".join(parts) + "\n"


def to_latex(table: Table) -> str:
    """Formats a table as a LaTeX ``table`` with booktabs rules; adjustbox shrinks it to the text width.

    Intervals are below their figures, in rows of their own.
    """
    align = "".join("l" if column < table.names else "r" for column in range(len(table.columns)))
    headings = [[_latex(part) for part in heading.split("\n")] for heading in table.columns]
    lines = [*_rows(headings), r"\midrule"] if any(table.columns) else []
    for place, row in enumerate(table.rows):
        if place in table.lines:
            lines.append(r"\midrule")
        cells = []
        for column, content in enumerate(row):
            value, interval = cell_parts(table, column, content)
            value = rf"\textbf{{{_latex(value)}}}" if (place, column) in table.bold else _latex(value)
            cells.append([value, rf"{{\scriptsize {_latex(interval)}}}"] if interval else [value])
        lines += _rows(cells)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs,adjustbox}",
            r"\begin{table}",
            r"\centering\small",
            rf"\caption{{{_latex(table.title)}}}",
            r"\begin{adjustbox}{max width=\textwidth}",
            rf"\begin{{tabular}}{{{align}}}",
            r"\toprule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{adjustbox}",
            *(rf"\par\smallskip{{\footnotesize {_latex(note)}\par}}" for note in table.all_notes()),
            r"\end{table}",
            "",
        ]
    )


def cell_parts(table: Table, column: int, content: str) -> tuple[str, str]:
    """Splits a cell into figure and interval, "" where it has none."""
    if column < table.names:
        return content, ""
    value, *interval = _INTERVAL.split(content)
    return value, interval[0] if interval else ""


def _rows(cells: Sequence[Sequence[str]]) -> list[str]:
    """Returns a LaTeX row for each line of the cells."""
    return [" & ".join(line) + r" \\" for line in zip_longest(*cells, fillvalue="")]


def one_line(content: str) -> str:
    """Returns a text on one line, without control codes."""
    return printable(" ".join(content.split()), limit=None)


def _markdown(content: str) -> str:
    # "](" and "][" would begin a link; the brackets of an interval need no escape
    return re.sub(r"\](?=[\[(])", r"\\]", one_line(content).translate(_MARKDOWN))


def _latex(content: str) -> str:
    return one_line(content).translate(_LATEX)
