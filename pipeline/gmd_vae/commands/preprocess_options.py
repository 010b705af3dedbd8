"""The section filters of ``gmd-vae preprocess`` as options, and checks of options that exclude each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gmd_vae.commands.options import Command, FiniteRange, GroupedOption

_FILTERS_GROUP = "Section filters (a section lies between two changes of time signature)"


def _option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    return click.option(*names, cls=GroupedOption, group=_FILTERS_GROUP, **settings)


# The names are the flags of Magenta's preprocess_tfrecord. Here all are off by default; there most are on.
_FILTERS: tuple[Callable[[Any], Any], ...] = (
    _option(
        "--max-total-time",
        metavar="SECONDS",
        type=FiniteRange(min=0, min_open=True),
        help="Maximum length of a section. Magenta's script: 1800.",
    ),
    _option(
        "--max-num-notes",
        metavar="N",
        type=click.IntRange(min=1),
        help="Maximum number of notes in a section. The script: 10000.",
    ),
    _option(
        "--min-velocities",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        help="Minimum number of different velocities. The script: 1.",
    ),
    _option(
        "--min-metric-positions",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        help="Minimum number of different positions of notes within a quarter, out of 16. The script: 1.",
    ),
    _option(
        "--is-drum/--no-is-drum",
        default=None,
        help="Count only drum notes, or only other notes, for the two minimums.  [default: all]",
    ),
    _option("--drums-only", is_flag=True, help="Accept only sections in which every note is a drum."),
    _option(
        "--max-time-splits",
        metavar="N",
        type=click.IntRange(min=1),
        help="Maximum number of sections in a NoteSequence; with more, it is left out. The script: 100.",
    ),
)


def filter_options(function: Command) -> Command:
    """Adds an option for each field of ``Filters``."""
    for option in reversed(_FILTERS):
        function = option(function)
    return function


def check_filters(filters: dict[str, Any]) -> None:
    """Checks that the filters make sense together.

    Args:
        filters: Values of the filter options by name.

    Raises:
        UsageError: ``--is-drum`` or ``--no-is-drum`` without a minimum.
    """
    from gmd_vae.common.errors import UsageError

    if filters["is_drum"] is not None and not (filters["min_velocities"] or filters["min_metric_positions"]):
        raise UsageError(
            "--is-drum and --no-is-drum choose the notes that count for the minimums, but no minimum is given",
            "Add --min-velocities or --min-metric-positions.",
        )


def check_stock(given: dict[str, Any]) -> None:
    """Refuses options beside ``--stock``, which repeats Magenta's script at its defaults.

    Args:
        given: Values of the other options by name; ``None``, 0 and False mean that the option was not given.

    Raises:
        UsageError: An option was given.
    """
    from gmd_vae.common.errors import UsageError

    for name, value in given.items():
        if value is not None and value is not False and value != 0:
            raise UsageError(
                f"--stock cannot be combined with --{name.replace('_', '-')}, which has Magenta's defaults",
                "Leave one of them out.",
            )
