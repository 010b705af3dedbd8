"""``gmd-vae evaluate``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.newest_run import newest_run
from gmd_vae.commands.options import FiniteRange, json_option
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.evaluation.data.target import Target
    from gmd_vae.evaluation.kept import Kept
    from gmd_vae.evaluation.result import Result
    from gmd_vae.training.run.folder import Run


@click.command(cls=HelpCommand)
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=UserPath())  # text: pathlib would shorten "./best"
@click.option(
    "--split",
    "splits",
    type=click.Choice(["train", "validation", "test"]),
    multiple=True,
    default=["test"],
    show_default=True,
    help="Evaluate on this split; may be repeated.",
)
@click.option(
    "--examples-path",
    type=UserPath(path_type=Path, exists=True, file_okay=False),
    help="Evaluate on other examples from preprocess.  [default: those that the run was trained on]",
)
@click.option(
    "--info-csv",
    type=UserPath(path_type=Path, exists=True, dir_okay=False),
    help="Table with the styles of the files, info.csv.  [default: those in data/raw]",
)
@click.option(
    "--samples",
    type=click.IntRange(2, 100_000),
    default=1000,
    show_default=True,
    help="Number of samples from the prior.",
)
@click.option(
    "--importance-samples",
    type=click.IntRange(1, 10_000),
    default=16,
    show_default=True,
    help="Draws of z per window, for the importance-weighted bound.",
)
@click.option(
    "--temperature",
    type=FiniteRange(min=0, min_open=True, max=10),
    default=1.0,
    show_default=True,
    help="Temperature of samples; 1 is the model's own distribution.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all random draws."
)
@click.option("--table", "table_only", is_flag=True, help="Show the tables that compare the runs.")
@click.option("--verbose", is_flag=True, help="Show all tables.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "latex"]),
    default="text",
    show_default=True,
    help="Format of the tables; with one that is not text, --table is on.",
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
    verbose: bool,
    form: str,
    as_json: bool,
) -> None:
    """Evaluate trained models on music they were not trained on.

    RUN is a run folder (its best checkpoint), RUN/latest, or a checkpoint in it; the default is
    the newest run in runs/ whose examples are there. Of a RUN whose examples are gone, it shows the result of the
    same measurement if one is kept. Figures have 95% intervals over source files, and are compared
    with baselines that do not use the model. docs/evaluation.md explains each figure.

    Shows a verdict and the three figures that carry it, beside their baselines. All figures are kept in RUN/eval,
    with tables and charts, and are not measured twice. Of several runs it shows the paired differences, and mean and
    standard deviation of those that differ only in their seed, from three seeds on with a 95% t interval.

    \b
    Examples:
      gmd-vae evaluate
      gmd-vae evaluate runs/a runs/b runs/c --table
      gmd-vae evaluate runs/a --split train --split test
      gmd-vae evaluate runs/a/latest --json
      gmd-vae evaluate runs/a runs/b --table --format latex
    """
    from gmd_vae.common import console, extras
    from gmd_vae.common.printable import as_command

    extras.require("Evaluation")
    from gmd_vae.evaluation.data.target import ExamplesGoneError, check_examples, find_checkpoint, target_of
    from gmd_vae.evaluation.evaluate import evaluate
    from gmd_vae.evaluation.kept import find_kept
    from gmd_vae.evaluation.settings import Settings
    from gmd_vae.models.latent_density import describe

    err = console.stderr()
    settings = Settings(seed, temperature, importance_samples, samples)

    def check(run: Run) -> None:
        check_examples(run, examples_path)

    def find(path: Path) -> Target | list[Kept]:
        """Finds a target; of a run whose examples are gone, the results that were asked for, if all are kept."""
        run, checkpoint = find_checkpoint(path)
        try:
            return target_of(run, checkpoint, examples_path, info_csv)
        except ExamplesGoneError as gone:
            kept = [find_kept(run, checkpoint, split, settings, info_csv) for split in dict.fromkeys(splits)]
            complete = [each for each in kept if each is not None]
            if examples_path or len(complete) < len(kept):
                raise
            err.print(f"Note: {gone.problem}. This run is not measured: its results from earlier are shown.")
            return complete

    # finds all runs before it measures the first: a mistyped name shows at once, not after minutes
    paths = [Path(run) for run in runs] or [newest_run(check).folder]
    found: list[tuple[Run, Result]] = []
    folders: dict[Path, str] = {}
    all_kept: list[Kept] = []
    for target in [find(path) for path in paths]:
        if isinstance(target, list):
            for kept in target:
                err.print(f"{kept.run.folder}: {kept.folder.name}, {kept.origin}; its examples are no longer there")
                found.append((kept.run, kept.result))
                folders[kept.folder] = f"{kept.folder} (kept)"
                all_kept.append(kept)
            continue
        for split in dict.fromkeys(splits):
            prior = describe(target.density)
            err.print(f"{target.run.folder}: {target.checkpoint.name} on {split}, samples of z from {prior}")
            with console.percent_progress() as progress:
                result, folder, known = evaluate(target, split, settings, _announce, progress)
            found.append((target.run, result))
            folders[folder] = f"{folder} ({_known(result)})" if known else str(folder)

    results = [result for _, result in found]
    if as_json:
        from gmd_vae.evaluation import seeds
        from gmd_vae.evaluation.tables import differences

        compared = {
            "seeds": seeds.to_json(results),
            "differences": differences.to_json(results),
            "seed_differences": differences.seed_differences_to_json(results),
            "kept": [kept.to_json() for kept in all_kept],
        }
        console.print_json({"results": [result.to_json() for result in results], **compared})
        _print_warnings(results)
        return
    if verbose or table_only or form != "text":
        _print_tables(results, form, verbose=verbose)
    else:
        _print_verdict(found)
    _print_warnings(results)
    err.print(f"Figures, tables and charts: {', '.join(folders.values())}")
    console.print_next(as_command("report", found[0][0].folder), to=err)


def _known(result: Result) -> str:
    """Returns that a result was on disk, with the commit of its code where that is not the code that runs."""
    from gmd_vae.common.code_state import Code, code_state

    code = result.code
    if code is None or code == Code(**code_state()) or not code.commit:
        return "measured before"
    return f"measured before, at {code.commit_in_words}"


def _announce() -> None:
    from gmd_vae.common import console

    console.stderr().print("Starting TensorFlow and loading the model: about 15 seconds ...")


def _print_warnings(results: Sequence[Result]) -> None:
    from gmd_vae.common import console
    from gmd_vae.evaluation.tables.leaks import leaks
    from gmd_vae.evaluation.tables.verdict import collapses

    for sentence in (*leaks(results), *collapses(results)):
        console.stderr().print(f"Warning: {sentence}", style="bold yellow")


def _print_verdict(found: Sequence[tuple[Run, Result]]) -> None:
    from gmd_vae.common import console
    from gmd_vae.evaluation.tables.memorised import memorised
    from gmd_vae.evaluation.tables.terminal import to_rich
    from gmd_vae.evaluation.tables.verdict import Measured, verdicts
    from gmd_vae.families import family_of

    measured = []
    for run, result in found:
        chosen = family_of(run.config).key_figures(run.config, result.figures)
        measured.append(Measured(result, tuple(figure for figure in chosen if figure is not None)))
    out = console.stdout()
    for verdict in verdicts(measured):
        out.print(verdict.sentence)
        out.print(to_rich(verdict.table), crop=False)
    for line in memorised([result for _, result in found]):
        out.print(line)


def _print_tables(results: Sequence[Result], form: str, *, verbose: bool) -> None:
    from gmd_vae.common import console
    from gmd_vae.evaluation.tables import formats
    from gmd_vae.evaluation.tables.details import details
    from gmd_vae.evaluation.tables.differences import differences
    from gmd_vae.evaluation.tables.overview import overview
    from gmd_vae.evaluation.tables.terminal import to_rich

    tables = [overview(results), *filter(None, [differences(results)])]
    if verbose:
        tables += [table for result in results for table in details(result)]
    out = console.stdout()
    for number, table in enumerate(tables):
        if form == "text":
            out.print(*[""] * (number > 0), to_rich(table), sep="\n", crop=False)
        else:
            click.echo(formats.to_markdown(table) if form == "markdown" else formats.to_latex(table))
