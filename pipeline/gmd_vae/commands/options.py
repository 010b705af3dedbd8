"""Decorators for options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.engines.engine import Engine
    from gmd_vae.midi.reading import DrumChannel, Reading

_CHANNELS = 16
_BPM = "bpm"


class Name(click.ParamType):  # type: ignore[type-arg]  # generic only for type checkers
    """A text that is not empty. An empty one, of a shell variable that is not set, must not mean the default."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Returns the text; raises ``BadParameter`` for an empty one."""
        if not (text := str(value)).strip():
            self.fail("it is empty. Give a name, or leave it out.", param, ctx)
        return text


class FiniteRange(click.FloatRange):
    """A range of numbers. ``nan`` and ``inf``, which click's own ranges let pass, are no numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the number; raises ``BadParameter`` for a text that is none, and for a number outside the range."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return float(super().convert(number, param, ctx))


class Tempo(FiniteRange):
    """A tempo in quarters a minute, with or without its unit: ``96``, ``96bpm``, ``174.5``, ``174,5 BPM``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Returns the tempo; raises ``BadParameter`` for a text that is none, and for a tempo outside the range."""
        text = str(value).strip()
        number = (text[: -len(_BPM)].rstrip() if text.lower().endswith(_BPM) else text).replace(",", ".")
        try:
            float(number)
        except ValueError:
            self.fail(f"{value!r} is not a tempo, such as 96 or 96bpm.", param, ctx)
        return super().convert(number, param, ctx)


class GroupedOption(click.Option):
    """An option under a heading of its own in ``--help``; for use with ``GroupedCommand``."""

    def __init__(self, *arguments: Any, group: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.group = group


class GroupedCommand(HelpCommand):
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


class DrumChannelType(click.ParamType):  # type: ignore[type-arg]  # generic only for type checkers
    """A MIDI channel from 1 to 16, or ``all``; that of one file as ``FILE=CHANNEL``."""

    name = "channel"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> DrumChannel:
        """Returns the channel; raises ``BadParameter`` for anything else."""
        from gmd_vae.midi.reading import DrumChannel

        if isinstance(value, DrumChannel):
            return value
        file, equals, channel = str(value).rpartition("=")
        text = channel.strip().lower()
        is_channel = text.isascii() and text.isdigit() and 1 <= int(text) <= _CHANNELS
        if not (is_channel or text == "all") or (equals and not file):
            self.fail(
                f"{value!r} is not a MIDI channel from 1 to {_CHANNELS}, or all; for one file: song.mid=3.", param, ctx
            )
        return DrumChannel(int(text) if is_channel else None, file.removeprefix("./"))


def reading_options(function: Command) -> Command:
    """Adds ``--drum-channel`` and ``--drum-map``, for ``selected_reading``."""
    function = click.option(
        "--drum-map",
        metavar="MAP",
        type=UserPath(),  # text: a ready map is a name
        help="Drums of another kit: a ready map (general-midi, roland-td), or a file with two columns, pitch and "
        "General MIDI pitch or name.",
    )(function)
    return click.option(
        "--drum-channel",
        "drum_channels",
        metavar="N|FILE=N",
        type=DrumChannelType(),
        multiple=True,
        help="MIDI channel of the drums, 1 to 16, or all; for one file of several: song.mid=3, repeatable.  "
        "[default: 10]",
    )(function)


def selected_reading(drum_channels: Sequence[DrumChannel], drum_map: str | None, *, stock: bool = False) -> Reading:
    """Returns the rules for reading MIDI files that ``reading_options`` select.

    Args:
        drum_channels: Channels of all files and of single ones; empty for the default.
        drum_map: Name of a ready drum map, or path of a file.
        stock: Reads as Magenta's stack does.

    Raises:
        UsageError: The options contradict each other, or there is no such map.
        GmdVaeError: The map's file is damaged.
    """
    from gmd_vae.common.errors import UsageError
    from gmd_vae.midi.drum_maps import read_drum_map
    from gmd_vae.midi.reading import EVERY_HIT, STOCK, Reading

    if stock:
        if drum_channels or drum_map is not None:
            raise UsageError(
                "--stock reads as Magenta does, without --drum-channel and --drum-map", "Leave one of them out."
            )
        return STOCK
    name, pairs = read_drum_map(drum_map) if drum_map is not None else ("", ())
    of_all = [one.channel for one in drum_channels if not one.file] or [EVERY_HIT.drum_channel]
    if len(set(of_all)) > 1:
        first, other = [channel or "all" for channel in dict.fromkeys(of_all)][:2]
        raise UsageError(
            f"--drum-channel is given twice for all files: {first} and {other}",
            f"Leave one of them out, or name the file of the other: song.mid={other}.",
        )
    own = tuple(one for one in drum_channels if one.file)
    return Reading(drum_channel=of_all[0], drum_map=pairs, drum_map_name=name, own_channels=own)


def is_given(ctx: click.Context, name: str) -> bool:
    """Returns True for a parameter with a value that is not its default."""
    return ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def given_options(ctx: click.Context, left_out: Collection[str]) -> list[object]:
    """Returns the options that a command was given, as words that give them again.

    Args:
        ctx: Context of the command.
        left_out: Names of parameters that are not repeated, arguments among them.
    """
    words: list[object] = []
    for option in ctx.command.params:
        name = option.name or ""
        if not is_given(ctx, name) or name in left_out:
            continue
        value = ctx.params[name]
        if value is True or value == getattr(option, "flag_value", None):
            words.append(option.opts[0])
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [option.opts[0], one]
    return words


def engine_options(function: Command) -> Command:
    """Adds ``--jobs``, ``--engine`` and ``--scheduler``, for ``selected_engine``."""
    function = click.option(
        "--scheduler",
        metavar="ADDRESS",
        type=Name(),
        help="Address of the Dask scheduler: tcp://HOST:8786 (docs/cluster.md).",
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

        return DaskEngine(scheduler, lambda text: console.stderr().print(text))
    if scheduler is not None:
        raise UsageError("--scheduler needs --engine dask", "Give both, or none.")
    from gmd_vae.engines.local import LocalEngine

    return LocalEngine(jobs)
