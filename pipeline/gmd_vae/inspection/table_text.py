"""Tables and lists of ``gmd-vae inspect`` as text, the long ones cut off with a count of the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from gmd_vae.common.printable import printable
from gmd_vae.inspection.text_grid import bar_number

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_ROWS = 20  # of a table
_FEW = 10  # entries of a list: they fit on two lines


def write(out: Console, *lines: str) -> None:
    """Prints lines."""
    for line in lines:
        out.print(line, emoji=False)


def new_table(*headings: str) -> Table:
    """Creates a table. A heading that begins with > aligns its column to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return table


def add_row(table: Table, *cells: str) -> None:
    """Adds a row. Cells are plain text: a bracket in a name of the user's is no markup."""
    from rich.text import Text

    table.add_row(*(Text(printable(cell, limit=None)) for cell in cells))


def print_rest(out: Console, count: int) -> None:
    """Prints the number of rows that a table of ``count`` rows leaves out, if there are any."""
    if count > MOST_ROWS:
        write(out, f"... and {count - MOST_ROWS:,} more (all with --json)")


def first_of(items: Iterable[str], count: int) -> str:
    """Joins the first of ``count`` items, and counts all where some are left out."""
    few = list(items)[:_FEW]
    return ", ".join(few) + (f", ... ({count:,} in all)" if count > len(few) else "")


def ranges(bars: Sequence[float]) -> list[str]:
    """Joins consecutive bars to ranges such as ``1-25``."""
    runs: list[list[float]] = []
    for bar in bars:
        if runs and abs(bar - runs[-1][1] - 1) < 0.005:
            runs[-1][1] = bar
        else:
            runs.append([bar, bar])
    return [bar_number(low) if low == high else f"{bar_number(low)}-{bar_number(high)}" for low, high in runs]


def pitches_in_words(counts: Mapping[str, int], names: Mapping[str, str]) -> list[str]:
    """Formats each pitch with its name, if it has one, and its number of notes."""
    return [f"{pitch} {names.get(pitch, '')}".rstrip() + f" ×{count:,}" for pitch, count in counts.items()]


def length_in_words(seconds: float) -> str:
    """Returns a length of time in seconds, minutes or hours."""
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:,.1f} hours"
