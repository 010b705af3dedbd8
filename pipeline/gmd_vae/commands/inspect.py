"""``gmd-vae inspect``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import Name, configs_option, jobs_option, json_option, reading_options, selected_reading
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config
    from gmd_vae.inspection.path_kinds import PathKind
    from gmd_vae.midi.reading import DrumChannel, Reading


@click.command("inspect", cls=HelpCommand)
@click.argument("path", metavar="PATH", type=UserPath(path_type=Path))
@click.option(
    "--config",
    "config_name",
    metavar="NAME",
    type=Name(),
    help="Config whose windows to find.  [default: as for train]",
)
@click.option(
    "--window", "number", type=click.IntRange(min=1), help="Window of a MIDI file to show.  [default: that of generate]"
)
@click.option("--png", type=UserPath(path_type=Path, dir_okay=False), help="PNG file to draw the answer into.")
@reading_options
@configs_option
@jobs_option
@json_option
def command(
    path: Path,
    config_name: str | None,
    number: int | None,
    png: Path | None,
    drum_channels: tuple[DrumChannel, ...],
    drum_map: str | None,
    configs_file: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Show the contents of music, and the training windows in it.

    PATH is a MIDI file; a folder or an archive of MIDI files; NoteSequences, as `gmd-vae convert` or
    Magenta writes them; or examples from `gmd-vae preprocess`. Only --png writes
    a file; it replaces a picture of gmd-vae, and no other file.

    For a MIDI file it shows tempo, bars, instruments and drums, the kinds of config that find windows
    in it, the windows of the config (or why there are none), and one window: of drums as a grid, of other
    music as a list of its parts. For everything else it shows totals.

    \b
    Examples:
      gmd-vae inspect song.mid
      gmd-vae inspect song.mid --window 3 --png window.png
      gmd-vae inspect data/raw/groove --json
      gmd-vae inspect song.mid --config hierdec-trio_16bar_small
      gmd-vae inspect data/examples/groove/hierdec-drum_4bar_small
    """
    from gmd_vae.commands.unlisted import warn_of_unlisted
    from gmd_vae.common import console
    from gmd_vae.common.errors import UsageError
    from gmd_vae.common.own_files import check_writable
    from gmd_vae.configuration.registry import DEFAULT_CONFIG, all_configs, get_config
    from gmd_vae.families import family_of

    config = get_config(config_name or DEFAULT_CONFIG, configs_file)

    from gmd_vae.inspection.path_kinds import kind_of_path  # imports numpy and protobuf, so not at the top

    if png is not None:
        check_writable(png, inputs=[path], option="--png")
    kind = kind_of_path(path)
    if png is not None and not family_of(config).draws_grids:
        raise UsageError(f"--png draws drums, and '{config.name}' is not a drum config", "Leave --png out.")
    if number is not None and kind != "midi":
        raise click.UsageError("--window needs one MIDI file as PATH.")
    if kind == "examples" and config_name is not None:
        raise click.UsageError("--config cannot be used with examples: their manifest names the config.")
    if kind in ("notes", "examples") and (drum_channels or drum_map is not None):
        raise click.UsageError("--drum-channel and --drum-map need MIDI files as PATH.")
    reading = selected_reading(drum_channels, drum_map)
    if kind == "midi":
        reading = reading.for_files([str(path)]).for_file(str(path))
    result = _inspect(path, kind, config, number, jobs, reading)
    if png is not None and "parts" in result:
        raise UsageError(f"--png draws drums, and '{path}' holds other windows", "Leave --png out.")
    if kind != "examples":
        named = {"config": config.name, "window_bars": config.windows.bars}
        result = {"kind": result.pop("kind"), "path": result.pop("path"), **named, **result}
    if png is not None:
        from gmd_vae.inspection.picture import draw

        check_writable(png, inputs=[path], option="--png")
        draw(result, png)
        console.stderr().print(f"Drew {png}")
    from gmd_vae.common.printable import as_command
    from gmd_vae.inspection.tables import show
    from gmd_vae.inspection.text_grid import signs_for

    if as_json:
        console.print_json(result)
    else:
        show(result, console.stdout(), signs_for(sys.stdout.encoding))
    if "not_in_info_csv" in result:
        warn_of_unlisted(path, result["catalogues"], result["not_in_info_csv"])
    if as_json:
        return
    if kind == "examples" and (config_of_examples := all_configs(configs_file).get(result["config"])):
        from gmd_vae.commands.next_steps import fine_tuning_words

        counts = {name: split["windows"] for name, split in result["splits"].items()}
        if words := fine_tuning_words(config_of_examples, path, counts, configs_file):
            console.print_next(as_command(*words), "for so few windows")
            return
    # generate takes a loop that is shorter than a window, too
    has_windows = config_name is None and bool(result.get("windows") or result.get("repeated_bars"))
    fitting = result["config"] if kind == "examples" else config_name
    options: dict[str, object] = {"--drum-map": drum_map}
    if kind == "notes" and config_name is None:
        from gmd_vae.inspection.fitting_configs import config_to_name

        fitting = config_to_name(path) or None
    if kind in ("notes", "examples"):
        options = {"--configs": configs_file, "--config": fitting if fitting != DEFAULT_CONFIG else None}
    if kind == "midi" and has_windows:
        options["--window"] = number
    channels: list[object] = list(drum_channels)
    if family_of(config).drum_grid(config) is not None and (elsewhere := _channel_of_drums(result)) is not None:
        channels = [elsewhere]
    given: list[object] = [word for channel in channels for word in ("--drum-channel", channel)]
    given += [word for option, value in options.items() if value is not None for word in (option, value)]
    console.print_next(as_command(*_next_words(path, kind, has_windows=has_windows), *given))


def _channel_of_drums(result: dict[str, Any]) -> object:
    """Returns the channel that the drums of music without drums seem to be on; ``None`` for other music."""
    channels = result.get("drums_on_channel")
    if isinstance(channels, dict):  # of a folder: channel → the files
        has_drums = any(split["drum_notes"] for split in result["splits"].values())
        return max(channels, key=lambda channel: channels[channel]["count"]) if channels and not has_drums else None
    return channels


def _next_words(path: Path, kind: PathKind, *, has_windows: bool) -> tuple[object, ...]:
    """Returns the command that reads the music next, without the options that it shares with ``inspect``.

    Args:
        path: The music.
        kind: Kind of the path.
        has_windows: True for a MIDI file with windows of the default config.
    """
    if kind == "examples":
        return ("train", "--examples-path", path)
    if kind == "midi" and has_windows:
        return ("generate", "--mode", "vary", "--input-midi", path)
    return ("preprocess" if kind == "notes" else "convert", path)


def _inspect(
    path: Path, kind: PathKind, config: Config, number: int | None, jobs: int | None, reading: Reading
) -> dict[str, Any]:
    from gmd_vae.common import console
    from gmd_vae.families import family_of

    if kind == "midi":
        return family_of(config).inspect_midi(config, path, number, reading)
    if kind == "examples":
        from gmd_vae.inspection.examples_folder import inspect_examples

        return inspect_examples(path)

    with console.count_progress("Reading", "files") as progress:
        return family_of(config).inspect_collection(config, path, kind, jobs, reading, progress)
