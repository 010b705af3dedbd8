"""``gmd-vae studio``."""

from __future__ import annotations

from pathlib import Path

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import json_option
from gmd_vae.commands.paths import UserPath


@click.command(cls=HelpCommand)
@click.argument("model_name", metavar="[RUN|NAME|FILE]", required=False, type=UserPath())  # "./x" is no bundled model
@click.option(
    "-o",
    "--output",
    type=UserPath(path_type=Path),
    help="HTML file to write.  [default: studio.html in the run folder, or here]",
)
@json_option
def command(model_name: str | None, output: Path | None, as_json: bool) -> None:
    """Write a page with a model inside, to play with in a browser.

    RUN is a run folder or a checkpoint in it, NAME a model of the package (`gmd-vae models`), FILE a
    .safetensors file; by default the newest run in runs/ whose model writes drum labels, or without
    one the model of the package.

    The page is one HTML file of a few megabytes that needs no network, no server and no installation.
    It plays four beats of the model and everything between them, reads the hits that you set in its
    grid, and saves what you hear as MIDI and WAV files.

    \b
    Examples:
      gmd-vae studio
      gmd-vae studio runs/small
      gmd-vae studio groove-4bar --output groove.html
    """
    from gmd_vae.common import console
    from gmd_vae.common.home import runs_folder
    from gmd_vae.common.own_files import check_writable
    from gmd_vae.export.source import read_model_of
    from gmd_vae.models.bundled import DEFAULT, bundled_models
    from gmd_vae.rendering.studio.model_data import check_playable
    from gmd_vae.rendering.studio.page import NAME, write_studio
    from gmd_vae.training.run.choose_run import choose_run
    from gmd_vae.training.run.folder import Run, read_run

    def check(run: Run) -> None:
        check_playable(run.config, run.hparams)

    chosen = model_name
    if chosen is None:
        choice = choose_run(runs_folder(), check)
        chosen = None if choice.run is None else str(choice.run.folder)
        if line := choice.explain():
            console.stderr().print(line if choice.run else f"{line}. Taking {DEFAULT} of the package")
    chosen = chosen or DEFAULT
    path = Path(chosen)
    in_run = chosen not in bundled_models() and path.is_dir() and read_run(path) is not None
    target, inputs = output or (path / NAME if in_run else Path(NAME)), [path] if path.is_file() else []
    check_writable(target, inputs=inputs, option="--output")  # before the work: it may write attribute vectors
    page = write_studio(read_model_of(chosen, None, None), target, inputs)
    if as_json:
        console.print_json(page.as_json())
        return
    console.stdout().print(f"Wrote {page.path} ({page.size / 1e6:,.1f} MB, {page.config})")
    console.print_next(f"open {page.path} in a browser")
