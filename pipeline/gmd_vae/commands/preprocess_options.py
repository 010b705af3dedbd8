"""The options of ``gmd-vae preprocess`` that leave music out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gmd_vae.commands.options import Command, GroupedOption

_REFUSED = "Which sections to leave out (between two changes of tempo or time signature)"


def _option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    return click.option(*names, cls=GroupedOption, group=_REFUSED, **settings)


# Magenta's preprocess_tfrecord has the same names; these are off where it has a default.
_FILTERS: tuple[Callable[[Any], Any], ...] = (
    _option(
        "--max-total-time",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        help="Longer ones. Magenta's script: 1800.",
    ),
    _option("--max-num-notes", metavar="N", type=click.IntRange(min=1), help="With more notes. The script: 10000."),
    _option(
        "--min-velocities",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        help="With fewer different velocities. The script: 1.",
    ),
    _option(
        "--min-metric-positions",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        help="With notes on fewer places of a quarter, of 16. The script: 1.",
    ),
    _option(
        "--is-drum/--no-is-drum",
        default=None,
        help="For these two minimums only drum notes count, or only the others.  [default: all]",
    ),
    _option("--drums-only", is_flag=True, help="With a note that is no drum."),
    _option(
        "--max-time-splits",
        metavar="N",
        type=click.IntRange(min=1),
        help="All, of a NoteSequence with more sections. The script: 100.",
    ),
)


def filter_options(function: Command) -> Command:
    """Adds the options that are the fields of ``Filters``."""
    for option in reversed(_FILTERS):
        function = option(function)
    return function


def check_filters(filters: dict[str, Any]) -> None:
    """Refuses a condition for nothing.

    Raises:
        UsageError: see there.
    """
    from gmd_vae.common.errors import UsageError

    if filters["is_drum"] is not None and not (filters["min_velocities"] or filters["min_metric_positions"]):
        raise UsageError(
            "--is-drum and --no-is-drum say which notes count for the minimums, and there is none",
            "Add --min-velocities or --min-metric-positions.",
        )


def check_stock(given: dict[str, Any]) -> None:
    """Refuses what ``--stock`` does not take: it is Magenta's script at its defaults.

    Args:
        given: values of the other options by name; those that are None, 0 or False were not given.

    Raises:
        UsageError: one was given.
    """
    from gmd_vae.common.errors import UsageError

    for name, value in given.items():
        if value is not None and value is not False and value != 0:
            raise UsageError(
                f"--stock does not take --{name.replace('_', '-')}: it does what Magenta's script does at its defaults",
                "Leave one of them out.",
            )
