"""``gmd-vae inspect``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.options import configs_option, jobs_option, json_option

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config
    from gmd_vae.inspection.path_kinds import Kind


@click.command("inspect")
@click.argument("path", metavar="PATH", type=click.Path(path_type=Path))
@click.option(
    "--config", "config_name", metavar="NAME", help="The config whose windows to look for.  [default: as for train]"
)
@click.option("--window", "number", type=click.IntRange(min=1), help="Of a MIDI file: show this window.  [default: 1]")
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Draw it too, into this file.")
@configs_option
@jobs_option
@json_option
def command(
    path: Path,
    config_name: str | None,
    number: int | None,
    png: Path | None,
    configs_file: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Show what is in music, and which training windows it holds.

    PATH is a MIDI file; a folder or an archive of them; NoteSequences, as `gmd-vae convert` or
    Magenta writes them; or examples from `gmd-vae preprocess`. Nothing is written but --png.

    Of a MIDI file you see its tempo, bars, instruments and drums, which kinds of config find windows
    in it, the windows of the config (or why there is none), and one of them as a grid; of other music
    than drums, what is in each. Of all else, the figures of a whole.

    \b
    Examples:
      gmd-vae inspect song.mid
      gmd-vae inspect song.mid --window 3 --png window.png
      gmd-vae inspect data/raw/groove --json
      gmd-vae inspect song.mid --config hierdec-trio_16bar_small
      gmd-vae inspect my-midi.zip --config hierdec-drum_16bar
      gmd-vae inspect data/examples/groove/hierdec-drum_4bar_small
    """
    from gmd_vae.common import console
    from gmd_vae.common.errors import UsageError
    from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config

    config = get_config(config_name or DEFAULT_CONFIG, configs_file)

    from gmd_vae.inspection.path_kinds import kind_of_path  # numpy and protobuf: only now

    kind = kind_of_path(path)
    if png is not None and config.windows.converter:
        raise UsageError(f"--png draws drums, and '{config.name}' is no drum config", "Leave it out.")
    if number is not None and kind != "midi":
        raise click.UsageError("--window goes with one MIDI file.")
    if kind == "examples" and config_name is not None:
        raise click.UsageError("--config has no use here: examples were cut for the config in their manifest.")
    result = _inspect(path, kind, config, number, jobs)
    if png is not None and "parts" in result:
        raise UsageError(f"--png draws drums, and '{path}' holds other windows", "Leave it out.")
    if kind != "examples":
        named = {"config": config.name, "window_bars": config.windows.bars}
        result = {"kind": result.pop("kind"), "path": result.pop("path"), **named, **result}
    if png is not None:
        from gmd_vae.inspection.picture import draw

        draw(result, png)
        console.stderr().print(f"Drew {png}", markup=False)
    if as_json:
        console.print_json(result)
        return

    from gmd_vae.inspection.tables import show
    from gmd_vae.inspection.text_grid import signs_for

    show(result, console.stdout(), signs_for(sys.stdout.encoding))


def _inspect(path: Path, kind: Kind, config: Config, number: int | None, jobs: int | None) -> dict[str, Any]:
    from gmd_vae.common import console
    from gmd_vae.families import family_of

    if kind == "midi":
        return family_of(config).inspect_midi(config, path, number)
    if kind == "examples":
        from gmd_vae.inspection.prepared import inspect_examples

        return inspect_examples(path)

    with console.counting("Reading", "files") as progress:
        return family_of(config).inspect_collection(config, path, kind, jobs, progress)
