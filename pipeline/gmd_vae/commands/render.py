"""``gmd-vae render``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import json_option, reading_options, selected_reading
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.midi.reading import DrumChannel
    from gmd_vae.rendering.files import Rendered


@click.command("render", cls=HelpCommand)
@click.argument("midi_files", metavar="FILE...", type=UserPath(path_type=Path), nargs=-1, required=True)
@click.option("--wav", is_flag=True, help="Write sound files (.wav).  [default: sound and pictures]")
@click.option("--png", is_flag=True, help="Write pictures (.png).  [default: sound and pictures]")
@click.option(
    "--tail", is_flag=True, help="Let the last strokes ring on behind the last bar.  [default: the sound loops]"
)
@click.option(
    "--output-dir",
    type=UserPath(path_type=Path, file_okay=False),
    help="Folder of all outputs.  [default: beside each MIDI file]",
)
@reading_options
@json_option
def command(
    midi_files: tuple[Path, ...],
    wav: bool,
    png: bool,
    tail: bool,
    output_dir: Path | None,
    drum_channels: tuple[DrumChannel, ...],
    drum_map: str | None,
    as_json: bool,
) -> None:
    """Render the drums of MIDI files as sound and pictures.

    Beside beat.mid this writes beat.wav and beat.png. All MIDI files are read before
    anything is written. Only files that gmd-vae wrote, and nobody changed since, are replaced.

    The sound is a synthesised drum kit: kick, snare, closed and open hi-hat, three toms, crash and
    ride. Other General MIDI drums sound as the nearest of these. 44.1 kHz, 16 bit, stereo, at most 30
    minutes. It loops: it is exactly as long as its bars, and what rings on behind the last bar sounds at
    the beginning. The picture is a grid of sixteenth notes, four bars in a row, at most 64 bars: the position
    of a hit is its time, its height and darkness are its velocity. Notes of other instruments are left
    out.

    \b
    Examples:
      gmd-vae render beat.mid
      gmd-vae render runs/*/generated/*/*.mid --png
      gmd-vae render ~/my-midi/*.mid --wav --output-dir sounds
    """
    from gmd_vae.common import console
    from gmd_vae.common.printable import printable
    from gmd_vae.rendering.files import plan, render

    if tail and png and not wav:
        raise click.UsageError("--tail is for sound, and --png alone writes none: add --wav, or leave --tail out.")
    reading = selected_reading(drum_channels, drum_map)
    jobs = plan(midi_files, output_dir, wav=wav or not png, png=png or not wav)
    rendered = []
    with console.count_progress("Rendering", "files") as progress:
        for done in render(jobs, reading, tail=tail):
            rendered.append(done)
            progress(len(rendered), len(jobs))
            _print(done, as_json)
    if as_json:
        console.print_json({"files": [done.as_json() for done in rendered]})
    else:
        first = rendered[0].job
        console.print_next(
            f"open {printable(str(first.wav or first.png), limit=None)} in a player, a browser or your DAW"
        )


def _print(done: Rendered, as_json: bool) -> None:
    from gmd_vae.common import console
    from gmd_vae.common.printable import printable

    err, part = console.stderr(), done.part
    name = printable(str(done.job.midi), limit=None)
    if not part.hits:
        err.print(f"{name}: no notes, only silence")
    if part.unknown:
        pitches = ", ".join(map(str, part.unknown))
        count = sum(part.unknown.values())
        err.print(f"{name}: left out hits of drums not in the kit: {count:,} (MIDI pitch {pitches})")
    if part.others:
        err.print(f"{name}: left out notes of other instruments: {part.others:,}")
    for line in (*part.account.losses(), *(part.account.assumptions() if part.hits else ())):
        err.print(f"{name}: {line}")
    if done.bars_drawn < done.bars:
        err.print(f"{name}: the picture shows the first {done.bars_drawn} of {done.bars:,} bars")
    if as_json:
        return
    written = []
    if done.job.wav is not None:
        written.append(f"{printable(str(done.job.wav), limit=None)} ({done.seconds:,.1f} s)")
    if done.job.png is not None:
        written.append(printable(str(done.job.png), limit=None))
    console.stdout().print(f"Wrote {' and '.join(written)}")
