"""``gmd-vae report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.options import json_option

if TYPE_CHECKING:
    from gmd_vae.rendering.report.page import Report

_NAMED = 20  # damaged parts on stderr; more are counted


@click.command()
@click.argument("run_dir", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The HTML file to write.  [default: report.html in the run folder]",
)
@json_option
def command(run_dir: Path | None, output: Path | None, as_json: bool) -> None:
    """Show a run as one page: its beats to hear and see, and how it learned.

    RUN is a run folder; without one it is the run that was trained last. The page is one HTML file:
    it needs no network and nothing beside it, so it can be sent to a friend. On it are the newest
    beats of each kind, with a play button and their MIDI files, the curves of the training, and the
    tables of the evaluation. What there is not yet is named, with the command that makes it.

    \b
    Examples:
      gmd-vae report
      gmd-vae report runs/small
      gmd-vae report runs/small --output small.html
    """
    from gmd_vae.common import console
    from gmd_vae.rendering.report.page import NAME, write_report
    from gmd_vae.training.run.folder import latest_run, open_run

    folder = run_dir or latest_run(Path("runs"))
    report = write_report(open_run(folder), output or folder / NAME)
    _print_notes(report)
    if as_json:
        console.print_json(report.as_dict())
        return
    count = f"{report.beats} beat{'s' * (report.beats != 1)}"
    console.stdout().print(f"Wrote {report.path} ({report.size / 1000:,.0f} kB, {count})", markup=False)


def _print_notes(report: Report) -> None:
    from gmd_vae.common import console

    err = console.stderr()
    for part in report.missing:
        err.print(f"{part.what}: {part.command}", markup=False)
    for line in report.left_out[:_NAMED]:
        err.print(f"Left out: {line}", markup=False)
    if len(report.left_out) > _NAMED:
        err.print(f"Left out: {len(report.left_out) - _NAMED} more", markup=False)
