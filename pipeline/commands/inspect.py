"""``gmd-vae inspect``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import configs_option, jobs_option, json_option

if TYPE_CHECKING:  # numpy: only a run needs it, not --help
    from pipeline.examples.spec import DrumWindows
    from pipeline.inspection.kinds import Kind


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

    Of a MIDI file you see its tempo, bars, instruments and drums, the windows that the config finds
    in it (or why there is none), and one of them as a grid. Of all else, the figures of a whole.

    \b
    Examples:
      gmd-vae inspect song.mid
      gmd-vae inspect song.mid --window 3 --png window.png
      gmd-vae inspect data/raw/groove --json
      gmd-vae inspect my-midi.zip --config hierdec-drum_16bar
      gmd-vae inspect data/examples/groove/hierdec-drum_4bar_small
    """
    from pipeline import console
    from pipeline.errors import UsageError
    from pipeline.models.registry import DEFAULT_CONFIG, get_config, writes_labels

    config = get_config(config_name or DEFAULT_CONFIG, configs_file)
    if config.windows is None or not writes_labels(config):
        raise UsageError(
            f"Config '{config.name}' does not write one drum label a step, and inspect shows no other windows",
            "Choose a drum config: 'gmd-vae configs' lists them.",
        )

    from pipeline.inspection.kinds import kind_of_path  # numpy and protobuf: only now

    kind = kind_of_path(path)
    if number is not None and kind != "midi":
        raise click.UsageError("--window goes with one MIDI file.")
    if kind == "examples" and config_name is not None:
        raise click.UsageError("--config has no use here: examples were cut for the config in their manifest.")
    result = _inspect(path, kind, config.windows, number, jobs)
    if kind != "examples":
        named = {"config": config.name, "window_bars": config.windows.slice_bars}
        result = {"kind": result.pop("kind"), "path": result.pop("path"), **named, **result}
    if png is not None:
        from pipeline.inspection.picture import draw

        draw(result, png)
        console.stderr().print(f"Drew {png}", markup=False)
    if as_json:
        console.print_json(result)
        return

    from pipeline.inspection.grid import signs_for
    from pipeline.inspection.tables import show

    show(result, console.stdout(), signs_for(sys.stdout.encoding))


def _inspect(path: Path, kind: Kind, windows: DrumWindows, number: int | None, jobs: int | None) -> dict[str, Any]:
    from pipeline import console

    if kind == "midi":
        from pipeline.inspection.one_file import inspect_midi

        return inspect_midi(path, windows, number)
    if kind == "examples":
        from pipeline.inspection.prepared import inspect_examples

        return inspect_examples(path)

    from pipeline.inspection.collection import inspect_midi_files, inspect_notes

    with console.counting("Reading", "files") as progress:
        return (inspect_notes if kind == "notes" else inspect_midi_files)(path, windows, jobs, progress)
