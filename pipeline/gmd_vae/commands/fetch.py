"""``gmd-vae fetch``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from gmd_vae.commands.help_text import HelpGroup
from gmd_vae.commands.options import json_option
from gmd_vae.commands.paths import UserPath
from gmd_vae.common.printable import as_command


@click.group(cls=HelpGroup)
def command() -> None:
    """Get a dataset: the Groove MIDI Dataset or the built-in starter set.

    \b
    Examples:
      gmd-vae fetch groove
      gmd-vae fetch starter
    """


@command.command()
@click.option(
    "--archive",
    type=UserPath(path_type=Path),
    envvar="GMD_VAE_GROOVE_ARCHIVE",
    show_envvar=True,
    metavar="FILE",
    help="A copy of groove-v1.0.0-midionly.zip on this machine, instead of a download.",
)
@click.option(
    "--output-dir",
    type=UserPath(path_type=Path),
    metavar="DIR",
    help="Folder for the dataset.  [default: data/raw/groove]",
)
@json_option
def groove(archive: Path | None, output_dir: Path | None, as_json: bool) -> None:
    """Get the Groove MIDI Dataset: 1,150 drum recordings.

    Downloads 3.3 MB and unpacks 1,150 MIDI files with their table, info.csv. The archive's
    checksum is verified before it is unpacked. Does nothing when the dataset is there already.

    Magenta publishes the dataset under CC BY 4.0: name its authors when you use it.

    \b
    Examples:
      gmd-vae fetch groove
      # on a machine without network, with the archive copied there
      gmd-vae fetch groove --archive groove-v1.0.0-midionly.zip
    """
    from gmd_vae.common.console import print_json, print_next, stdout
    from gmd_vae.common.home import data_folder
    from gmd_vae.datasets.groove import CITATION, LICENCE, fetch_groove

    output_dir = output_dir or data_folder("raw") / "groove"
    with _byte_progress("Groove MIDI Dataset") as on_progress:
        summary = fetch_groove(output_dir, archive, on_progress=on_progress)
    if as_json:
        print_json(summary.as_json())
        return
    out = stdout()
    if summary.already_there:
        out.print(f"Already there: {summary.midi_files:,} MIDI files in {output_dir}. Nothing to do.")
    else:
        out.print(f"Groove MIDI Dataset {summary.version}: {summary.midi_files:,} MIDI files in {output_dir}")
        out.print(f"Licence: {LICENCE}. {CITATION}.")
    print_next(as_command("convert", output_dir))


@command.command()
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of velocities, timing and fills."
)
@click.option(
    "--output-dir",
    type=UserPath(path_type=Path),
    metavar="DIR",
    help="Folder for the MIDI files.  [default: data/raw/starter]",
)
@json_option
def starter(seed: int, output_dir: Path | None, as_json: bool) -> None:
    """Write the built-in starter set; needs no network.

    Drum grooves that come with gmd-vae, laid out like the Groove MIDI Dataset. The same seed gives
    the same files.

    \b
    Examples:
      gmd-vae fetch starter
      gmd-vae fetch starter --seed 7 --output-dir data/raw/starter-7
    """
    from gmd_vae.common.console import print_json, print_next, stdout
    from gmd_vae.common.home import data_folder
    from gmd_vae.datasets.starter.starter_set import write_starter

    output_dir = output_dir or data_folder("raw") / "starter"
    summary = write_starter(output_dir, seed)
    if as_json:
        print_json(summary.as_json())
        return
    out = stdout()
    splits = ", ".join(f"{split} {count}" for split, count in summary.splits.items())
    out.print(f"Starter set: {summary.midi_files:,} MIDI files in {output_dir} ({splits})")
    print_next(as_command("convert", output_dir))


@contextlib.contextmanager
def _byte_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Yields a function that shows bytes, speed and time left on stderr, from its first call on."""
    from gmd_vae.common import console

    announced = False
    with console.count_progress(name, "MB", scale=1_000_000) as progress:

        def on_progress(done: int, total: int) -> None:
            nonlocal announced
            if not announced:
                announced = True
                console.stderr().print(f"Downloading the {name} ({total / 1e6:.1f} MB)")
            progress(done, total)

        yield on_progress
