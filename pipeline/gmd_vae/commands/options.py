"""Decorators for options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.engines.engine import Engine


class FiniteRange(click.FloatRange):
    """A range of numbers. ``nan`` and ``inf``, which click's own ranges let pass, are no numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the number; raises ``BadParameter`` for a text that is none, and for a number outside the range."""
        number = float(click.FLOAT.convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return float(super().convert(number, param, ctx))


class GroupedOption(click.Option):
    """An option under a heading of its own in ``--help``; for use with ``GroupedCommand``."""

    def __init__(self, *arguments: Any, group: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.group = group


class GroupedCommand(click.Command):
    """A command with its options grouped under headings in ``--help``; the others come last, under "Options"."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the groups, in the order of their first options."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for option in self.get_params(ctx):
            if isinstance(option, click.Option) and (record := option.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(option, "group", "Options"), []).append(record)
        rest = groups.pop("Options", [])
        for name, records in (*groups.items(), ("Options", rest)):
            with formatter.section(name):
                formatter.write_dl(records)


Command = TypeVar("Command", bound=Callable[..., Any])


def json_option(function: Command) -> Command:
    """Adds ``--json``: the result as one JSON document on stdout instead of a table."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def jobs_option(function: Command) -> Command:
    """Adds ``--jobs``: the number of processes."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=None,
        help="Number of processes; the output does not depend on it.  [default: by the size of the input]",
    )(function)


def configs_option(function: Command) -> Command:
    """Adds ``--configs``: a file with the user's own configs beside the built-in ones."""
    return click.option(
        "--configs",
        "configs_file",
        type=UserPath(path_type=Path, dir_okay=False),
        envvar="GMD_VAE_CONFIGS",
        show_envvar=True,
        help="A Python file with configs of your own (see configs.py).",
    )(function)


def engine_options(function: Command) -> Command:
    """Adds ``--jobs``, ``--engine`` and ``--scheduler``, for ``selected_engine``."""
    function = click.option(
        "--scheduler", metavar="ADDRESS", help="Address of the Dask scheduler: tcp://HOST:8786 (docs/cluster.md)."
    )(function)
    function = click.option(
        "--engine",
        "engine_name",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Run on this machine, or on the workers of a Dask scheduler.",
    )(function)
    return jobs_option(function)


def selected_engine(engine_name: str, scheduler: str | None, jobs: int | None) -> Engine:
    """Returns the engine that ``engine_options`` select.

    Args:
        engine_name: ``local`` or ``dask``.
        scheduler: Address of the Dask scheduler.
        jobs: Number of processes on this machine; None: by the size of the input.

    Raises:
        UsageError: The options contradict each other.
    """
    from gmd_vae.common.errors import UsageError

    if engine_name == "dask":
        if scheduler is None:
            raise UsageError(
                "--engine dask needs --scheduler", "Start one with 'dask scheduler'; it prints its address."
            )
        if jobs is not None:
            raise UsageError(
                "--jobs sets the processes of this machine, and --engine dask uses none",
                "Leave out --jobs: the Dask workers decide how much runs at once.",
            )
        from gmd_vae.common import console
        from gmd_vae.engines.dask import DaskEngine

        return DaskEngine(scheduler, lambda text: console.stderr().print(text, markup=False))
    if scheduler is not None:
        raise UsageError("--scheduler needs --engine dask", "Give both, or none.")
    from gmd_vae.engines.local import LocalEngine

    return LocalEngine(jobs)
