"""A table on a terminal. No name and no figure is broken: a table that is too wide goes on below itself."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gmd_vae.evaluation.tables.formats import NOTHING, Table, cell_parts, one_line

if TYPE_CHECKING:  # rich is slow to import
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.text import Text

_GAP = 2  # between columns


@dataclasses.dataclass(frozen=True)
class TerminalTable:
    """A table as rich prints it: title, headings, a rule, rows with their intervals below, notes.

    Attributes:
        table: The table. Names are shown as they are: ``[red]`` is not read as markup.
    """

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yields the lines for the width of the terminal."""
        from rich.text import Text

        table, rule = self.table, "-" if options.ascii_only else "─"
        headings = [[one_line(part) for part in heading.split("\n")] for heading in table.columns]
        cells = [
            [list(filter(None, cell_parts(table, column, one_line(content)))) for column, content in enumerate(row)]
            for row in table.rows
        ]
        if table.names >= len(table.columns):
            _wrap_last(headings, cells, options.max_width)
        if table.title:
            yield Text(one_line(table.title), "bold")
        if table.names < len(table.columns):
            blocks, names = _blocks(table, headings, cells, options.max_width)
        else:
            blocks, names = [[*range(len(table.columns))]], table.names
        for number, columns in enumerate(blocks):
            if number:
                yield Text()
            yield from self._block(columns, headings, cells, names if len(blocks) > 1 else 0, rule)
        styled = console.color_system is not None  # a pipe and a terminal without styles show no bold
        yield from (Text(note, "dim") for note in (table.all_notes() if styled else table.notes))

    def _block(
        self,
        columns: Sequence[int],
        headings: Sequence[Sequence[str]],
        cells: Sequence[Sequence[Sequence[str]]],
        names: int,
        rule: str,
    ) -> Iterator[Text]:
        """Yields the lines of some columns; rows with nothing beside the first ``names`` columns are left out."""
        from rich.text import Text

        table = self.table
        widths = _widths(headings, cells)
        if any(table.columns):
            yield from self._row([headings[column] for column in columns], columns, widths, heading=True)
            width = sum(widths[column] + _GAP for column in columns) - _GAP
            yield Text(rule * width, no_wrap=True, overflow="ignore")
        for place, row in enumerate(cells):
            if names and all(row[column] in ([], [NOTHING]) for column in columns[names:]):
                continue
            if place in table.lines and place:
                yield Text()
            bold = {column for column in columns if (place, column) in table.bold}
            yield from self._row([row[column] for column in columns], columns, widths, bold)

    def _row(
        self,
        contents: Sequence[Sequence[str]],
        columns: Sequence[int],
        widths: Sequence[int],
        bold: frozenset[int] | set[int] = frozenset(),
        *,
        heading: bool = False,
    ) -> Iterator[Text]:
        """Yields the lines of a row: headings end at the rule, and intervals stand below their figures."""
        from rich.cells import cell_len
        from rich.text import Text

        height = max((len(content) for content in contents), default=0)
        for line in range(max(1, height)):
            text = Text(no_wrap=True, overflow="ignore")
            for content, column in zip(contents, columns, strict=True):
                shown = content[line] if line < len(content) else ""
                padding = " " * (widths[column] - cell_len(shown))
                style = (
                    "bold"
                    if heading or (column in bold and not line)
                    else "dim"
                    if line and column >= self.table.names
                    else ""
                )
                if column < self.table.names:
                    text.append(shown, style).append(padding + " " * _GAP)
                else:
                    text.append(padding).append(shown, style).append(" " * _GAP)
            text.rstrip()
            yield text


def to_rich(table: Table) -> TerminalTable:
    """Formats a table for a terminal."""
    return TerminalTable(table)


def _blocks(
    table: Table, headings: Sequence[Sequence[str]], cells: Sequence[Sequence[Sequence[str]]], width: int
) -> tuple[list[list[int]], int]:
    """Returns the columns of each block and the number of its first columns that all blocks have.

    These are the names; in a terminal that is too narrow for all names and a figure, the first name alone.
    """
    widths = _widths(headings, cells)
    names = min(table.names, len(widths))
    if sum(widths[:names]) + names * _GAP + max(widths[names:], default=0) > width:
        names = 1
    room = width - sum(widths[:names]) - (names - 1) * _GAP
    blocks: list[list[int]] = []
    left = 0
    for column in range(names, len(widths)):
        needed = widths[column] + _GAP
        if not blocks or needed > left:
            blocks.append([*range(names)])
            left = room
        blocks[-1].append(column)
        left -= needed
    return blocks or [[*range(names)]], names


def _wrap_last(headings: Sequence[Sequence[str]], cells: Sequence[Sequence[list[str]]], width: int) -> None:
    """Wraps the last column, which holds sentences, between words; for tables without columns of figures."""
    left = max(20, width - sum(widest + _GAP for widest in _widths(headings, cells)[:-1]))
    for row in cells:
        row[-1][:] = [
            line
            for text in row[-1]
            for line in textwrap.wrap(text, left, break_long_words=False, break_on_hyphens=False)
        ]


def _widths(headings: Sequence[Sequence[str]], cells: Sequence[Sequence[Sequence[str]]]) -> list[int]:
    """Returns the width of each column on the screen."""
    from rich.cells import cell_len

    return [
        max((cell_len(line) for part in (heading, *(row[column] for row in cells)) for line in part), default=0)
        for column, heading in enumerate(headings)
    ]
