"""``gmd-vae evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gmd_vae.commands.options import json_option


@click.command()
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=click.Path())  # text: a path would make "./best" into "best"
@click.option(
    "--split",
    "splits",
    type=click.Choice(["train", "validation", "test"]),
    multiple=True,
    default=["test"],
    show_default=True,
    help="Of the examples; may be given several times.",
)
@click.option(
    "--examples-path",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Evaluate on other examples from preprocess.  [default: those that the run was trained on]",
)
@click.option(
    "--info-csv",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A catalogue with the files' styles.  [default: those in data/raw]",
)
@click.option("--samples", type=click.IntRange(2, 100_000), default=1000, show_default=True, help="From the prior.")
@click.option(
    "--importance-samples",
    type=click.IntRange(1, 10_000),
    default=16,
    show_default=True,
    help="Latent vectors a window, for the importance-weighted bound.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True, max=10),
    default=1.0,
    show_default=True,
    help="Of samples; 1 is what the model believes.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Of all draws.")
@click.option("--table", "table_only", is_flag=True, help="Only the table that compares the runs.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex"]),
    default="text",
    show_default=True,
    help="Of the tables.",
)
@json_option
def command(
    runs: tuple[str, ...],
    splits: tuple[str, ...],
    examples_path: Path | None,
    info_csv: Path | None,
    samples: int,
    importance_samples: int,
    temperature: float,
    seed: int,
    table_only: bool,
    form: str,
    as_json: bool,
) -> None:
    """Measure what trained models learned, on music they have not seen.

    RUN is a run folder (its best checkpoint), RUN/latest, or a checkpoint in it; without one it is
    the run that was trained last. Each figure stands beside baselines that know nothing of the
    model, with a 95% interval over source files. docs/evaluation.md says what each figure means.

    Results stay in RUN/eval, with tables and plots: what was measured once is not measured again.

    \b
    Examples:
      gmd-vae evaluate
      gmd-vae evaluate runs/a runs/b runs/c --table
      gmd-vae evaluate runs/a --split train --split test
      gmd-vae evaluate runs/a/latest --json
      gmd-vae evaluate runs/a runs/b --table --format latex
    """
    from gmd_vae.common import console
    from gmd_vae.evaluation.data.target import find_subject
    from gmd_vae.evaluation.results import result_of
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.evaluation.tables.details import details, overview
    from gmd_vae.training.run.folder import latest_run

    err = console.stderr()
    settings = Settings(seed, temperature, importance_samples, samples)
    # all are looked at before the first is measured: a mistyped name should not show after minutes
    subjects = [
        find_subject(path, examples_path, info_csv)
        for path in (Path(run) for run in runs or (str(latest_run(Path("runs"))),))
    ]
    results, folders = [], []
    for subject in subjects:
        for split in dict.fromkeys(splits):
            err.print(f"{subject.run.folder}: {subject.checkpoint.name} on {split}", markup=False)
            with console.percent_progress() as progress:
                result, folder, known = result_of(subject, split, settings, _announce, progress)
            if known:
                err.print(f"Measured before: {folder}", markup=False)
            results.append(result)
            folders.append(folder)

    if as_json:
        console.print_json(results)
        return
    tables = [overview(results)]
    if not table_only:
        tables += [table for result in results for table in details(result)]
    _print(tables, form)
    err.print(f"Tables, plots and figures: {', '.join(map(str, dict.fromkeys(folders)))}", markup=False)


def _announce() -> None:
    from gmd_vae.common import console

    console.stderr().print("Starting TensorFlow and loading the model: about 15 seconds ...")


def _print(tables: list[Any], form: str) -> None:
    from gmd_vae.common import console
    from gmd_vae.evaluation.tables import formats

    out = console.stdout()
    for number, table in enumerate(tables):
        if form == "text":
            out.print(*[""] * (number > 0), formats.to_rich(table), sep="\n")
        else:
            click.echo(formats.to_markdown(table) if form == "markdown" else formats.to_latex(table))
