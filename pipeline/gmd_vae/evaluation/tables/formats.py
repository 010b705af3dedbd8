"""A table of text, and its three forms: for a terminal, for Markdown and for LaTeX."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # rich takes a while to import
    from rich.console import RenderableType

NOTHING = "–"  # there is no such figure

_INTERVAL = re.compile(r" (?=\[[^\[\]]*\]$)")  # the space before "[0.470, 0.501]" at the end of a cell

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
        "β": r"$\beta$",
    }
)


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of plain text, not yet escaped for anything.

    Attributes:
        title: what the table shows.
        columns: headings; a line break in one is kept where the form has room for it. All empty: none is shown.
        rows: as many cells each as there are columns. A figure may carry its interval, as ``estimate`` writes it.
        notes: sentences below the table.
        names: how many columns, from the left, hold names (the others hold figures, flush right).
        bold: row and column, from 0, of the cells that stand out.
        lines: rows, from 0, that a line separates from the row before.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    names: int = 1
    bold: frozenset[tuple[int, int]] = frozenset()
    lines: frozenset[int] = frozenset()


def number(value: float | None, digits: int = 0, *, signed: bool = False) -> str:
    """A figure as people read it: ``1,760``, ``−0.034``; a dash where there is none (``None``, NaN).

    Args:
        value: the figure; infinities have a sign of their own.
        digits: after the decimal point.
        signed: with a plus where it is above 0.
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "\N{MINUS SIGN}∞"
    rounded = round(value, digits) + 0.0  # no minus before 0
    sign = "+" if signed and rounded else ""
    return f"{rounded:{sign},.{digits}f}".replace("-", "\N{MINUS SIGN}")


def estimate(value: Mapping[str, Any] | float | None, digits: int) -> str:
    """An ``Estimate`` with its 95 % interval, ``0.485 [0.470, 0.501]``.

    Args:
        value: ``{"value": …, "low": …, "high": …}``; a bare figure, or one without ends, is shown alone.
        digits: after the decimal point.
    """
    if not isinstance(value, Mapping):
        return number(value, digits)
    shown, low, high = (number(value.get(key), digits) for key in ("value", "low", "high"))
    return shown if NOTHING in (shown, low, high) else f"{shown} [{low}, {high}]"


def text(name: Any) -> str:
    """A name, or a dash where there is none."""
    return NOTHING if name is None else str(name)


def to_rich(table: Table) -> RenderableType:
    """For a terminal. Names are shown as they are: ``[red]`` in one is no markup."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    def cell(row: int, column: int, content: str) -> Text:
        value, interval = _parts(table, column, content)
        shown = Text().append(value, "bold" if (row, column) in table.bold else "")
        return shown.append("\n" + interval, "dim") if interval else shown

    # narrow gaps: with its intervals an overview of one set of windows just fits into 200 characters
    grid = RichTable(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, show_header=any(table.columns)
    )
    for column, heading in enumerate(table.columns):
        justify: Literal["left", "right"] = "left" if column < table.names else "right"
        grid.add_column(Text(heading), justify=justify, overflow="fold")  # no name is cut off
    for place, row in enumerate(table.rows):
        cells = [cell(place, column, _one_line(content)) for column, content in enumerate(row)]
        grid.add_row(*cells, end_section=place + 1 in table.lines)
    notes = [Text(note, "dim") for note in table.notes]
    return Group(Text(_one_line(table.title), "bold"), grid, *notes)


def to_markdown(table: Table) -> str:
    """For GitHub and its like: the title in bold, a pipe table, the notes. Lines between rows are lost."""

    def cell(row: int, column: int, content: str) -> str:
        value, interval = _parts(table, column, content)
        value = f"**{_markdown(value)}**" if (row, column) in table.bold else _markdown(value)
        return f"{value} {interval}" if interval else value

    headings = [_markdown(heading.replace("\n", ", ")) for heading in table.columns]
    rules = [":--" if column < table.names else "--:" for column in range(len(headings))]
    rows = [
        [cell(place, column, content) for column, content in enumerate(row)] for place, row in enumerate(table.rows)
    ]
    lines = [f"| {' | '.join(row)} |" for row in (headings, rules, *rows)]
    parts = [f"**{_markdown(table.title)}**", "\n".join(lines), *map(_markdown, table.notes)]
    return "\n\n".join(parts) + "\n"


def to_latex(table: Table) -> str:
    """For a paper: a ``table`` with booktabs' lines, shrunk to the width of the text by adjustbox where it is wider.

    Intervals stand below their figures, in a row of their own.
    """
    align = "".join("l" if column < table.names else "r" for column in range(len(table.columns)))
    headings = [[_latex(part) for part in heading.split("\n")] for heading in table.columns]
    lines = [*_rows(headings), r"\midrule"] if any(table.columns) else []
    for place, row in enumerate(table.rows):
        if place in table.lines:
            lines.append(r"\midrule")
        cells = []
        for column, content in enumerate(row):
            value, interval = _parts(table, column, content)
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
            *(rf"\par\smallskip{{\footnotesize {_latex(note)}\par}}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def _parts(table: Table, column: int, content: str) -> tuple[str, str]:
    """A figure and its interval, "" where it has none."""
    if column < table.names:
        return content, ""
    value, *interval = _INTERVAL.split(content)
    return value, interval[0] if interval else ""


def _rows(cells: Sequence[Sequence[str]]) -> list[str]:
    """A row of LaTeX for each line of the cells, which begin at the top."""
    return [" & ".join(line) + r" \\" for line in zip_longest(*cells, fillvalue="")]


def _one_line(content: str) -> str:
    return " ".join(content.split())


def _markdown(content: str) -> str:
    # a link needs one of these pairs; an interval's brackets are text as they stand
    return re.sub(r"\](?=[\[(])", r"\\]", _one_line(content).translate(_MARKDOWN))


def _latex(content: str) -> str:
    return _one_line(content).translate(_LATEX)
