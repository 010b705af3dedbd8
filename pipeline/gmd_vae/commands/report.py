"""``gmd-vae report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.newest_run import newest_run
from gmd_vae.commands.options import json_option
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.rendering.report.page import Report
    from gmd_vae.training.run.folder import Run

_WITHOUT_A_RUN = "A page to play the model of the package on: 'gmd-vae studio'."
_NAMED = 20  # damaged parts named on stderr; the others are counted


@click.command(cls=HelpCommand)
@click.argument("run_dir", metavar="[RUN]", required=False, type=UserPath(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=UserPath(path_type=Path),
    help="HTML file to write.  [default: report.html in the run folder]",
)
@json_option
def command(run_dir: Path | None, output: Path | None, as_json: bool) -> None:
    """Write a page with the beats, the training curves and the evaluations of a run.

    RUN is a run folder, by default the one that was started last. The page is one HTML file that needs
    no network and no other file, so you can send it to a friend. It shows the newest beats of each
    generation mode, to play at any tempo and to save as MIDI, as sound that loops, or all in a zip; the
    training curves, and the evaluation tables. For missing parts it names the command that makes them.
    Of a model without a run, `gmd-vae models` shows the card and `gmd-vae studio` writes a page.

    \b
    Examples:
      gmd-vae report
      gmd-vae report runs/small
      gmd-vae report runs/small --output small.html
    """
    from gmd_vae.common import console
    from gmd_vae.rendering.report.page import NAME, write_report

    run = _open(run_dir) if run_dir else newest_run(instead=_WITHOUT_A_RUN)
    report = write_report(run, output or run.folder / NAME)
    _print_notes(report)
    if as_json:
        console.print_json(report.as_json())
        return
    count = f"{report.beats} beat{'s' * (report.beats != 1)}"
    console.stdout().print(f"Wrote {report.path} ({report.size / 1000:,.0f} kB, {count})")
    console.print_next(f"open {report.path} in a browser")


def _open(path: Path) -> Run:
    from gmd_vae.common.printable import as_command
    from gmd_vae.generation.find_model import run_of
    from gmd_vae.models.bundled import bundled_models
    from gmd_vae.models.without_run import check_no_model
    from gmd_vae.training.run.folder import open_run

    if run_of(path) is None:
        needed = "a run, and a report has the beats, curves and evaluations of one"
        page = as_command("studio", str(path) if str(path) in bundled_models() else path)
        check_no_model(path, needed, f"A page to play it on: '{page}'.")
    return open_run(path)


def _print_notes(report: Report) -> None:
    from gmd_vae.common import console

    err = console.stderr()
    for part in report.missing:
        err.print(f"{part.what}: {part.command}")
    for line in report.left_out[:_NAMED]:
        err.print(f"Left out: {line}")
    if len(report.left_out) > _NAMED:
        err.print(f"Left out: {len(report.left_out) - _NAMED} more")
