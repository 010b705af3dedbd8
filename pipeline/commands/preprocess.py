"""``gmd-vae preprocess``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.options import configs_option, jobs_option, json_option

if TYPE_CHECKING:  # numpy and protobuf: only a run needs them, not --help
    from pipeline.examples.preprocess import Summary

DEFAULT_INPUT = Path("data/notes/groove")


@click.command()
@click.argument("input_path", metavar="[INPUT]", type=click.Path(path_type=Path), default=DEFAULT_INPUT)
@click.option("--config", "config_name", metavar="NAME", help="The config to cut windows for.  [default: as for train]")
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to make.  [default: data/examples/INPUT'S NAME/CONFIG]",
)
@click.option(
    "--shards", type=click.IntRange(min=1), help="Files for the training split.  [default: 4, or 64 MiB each]"
)
@click.option(
    "--max-per-sequence",
    type=click.IntRange(min=1),
    help="Keep at most so many windows of each NoteSequence.  [default: all]",
)
@click.option("--keep-duplicates", is_flag=True, help="Write every occurrence of a window, not one for all.")
@configs_option
@jobs_option
@json_option
def command(
    input_path: Path,
    config_name: str | None,
    output_dir: Path | None,
    shards: int | None,
    max_per_sequence: int | None,
    keep_duplicates: bool,
    configs_file: Path | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Cut NoteSequences into training windows for a config.

    INPUT is a folder that `gmd-vae convert` made (default: data/notes/groove), or one TFRecord file
    of NoteSequences; the records of a single file go to train, validation and test by a hash of
    their ids, 80, 10 and 10 of 100.

    Repeats are left out, and no window is in two splits. The summary says what was left out and why.

    \b
    Examples:
      gmd-vae preprocess
      gmd-vae preprocess data/notes/groove --config hierdec-drum_4bar_v2
      gmd-vae preprocess notes.tfrecord --config cat-drums_2bar_small --max-per-sequence 5
    """
    from pipeline import console
    from pipeline.errors import GmdVaeError
    from pipeline.models.registry import DEFAULT_CONFIG, get_config

    config = get_config(config_name or DEFAULT_CONFIG, configs_file)
    if input_path == DEFAULT_INPUT and not input_path.exists():
        raise GmdVaeError(
            f"'{input_path}' does not exist",
            "Make it with 'gmd-vae fetch groove' and 'gmd-vae convert', or name a folder that convert made.",
        )
    from pipeline.examples.preprocess import preprocess  # numpy and protobuf: only now
    from pipeline.models.extraction import extractor_for

    name = input_path.resolve().name
    output_dir = output_dir or Path("data/examples") / name.removesuffix(".tfrecord") / config.name
    with console.progress("NoteSequences") as bar:
        task = bar.add_task("Cutting windows", total=None)
        summary = preprocess(
            input_path,
            output_dir,
            extractor_for(config),
            config=config.name,
            shards=shards,
            max_per_sequence=max_per_sequence,
            keep_duplicates=keep_duplicates,
            jobs=jobs,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        console.print_json(summary.as_json())
    else:
        _show(summary)


def _show(summary: Summary) -> None:
    """The summary as tables on stdout."""
    from rich.table import Table

    from pipeline import console
    from pipeline.examples.extraction import REASONS

    out = console.stdout()
    table = Table("split", box=None, pad_edge=False)
    for heading in ("sequences", "windows", "distinct", "in other splits", "examples", "files"):
        table.add_column(heading, justify="right")
    for name, split in summary.splits.items():
        shared = sum(split.taken_out.values())
        counts = (split.sequences, split.windows, split.distinct, shared, split.examples, len(split.files))
        table.add_row(name, *(f"{count:,}" for count in counts))
    out.print(table)
    dropped = summary.dropped.as_json()
    left_out = [(count, REASONS[reason]) for reason, count in dropped["reasons"].items()]
    left_out += [(count, f"sections in {name}, of those above") for name, count in dropped["time_signatures"].items()]
    for pitch, count in dropped["drum_pitches_in_no_class"].items():
        left_out.append((count, f"drum notes of pitch {pitch}, which is in no drum class"))
    if left_out:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right")
        for count, what in left_out:
            table.add_row(f"{count:,}", what)
        out.print("Left out:")
        out.print(table)
    for name, split in summary.splits.items():
        if not split.examples:
            console.stderr().print(f"Note: there are no examples for {name}.")
    examples = sum(split.examples for split in summary.splits.values())
    out.print(f"Wrote {examples:,} examples for {summary.config} to {summary.output_dir}", markup=False)
