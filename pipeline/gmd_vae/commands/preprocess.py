"""``gmd-vae preprocess``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.options import (
    GroupedCommand,
    GroupedOption,
    Name,
    configs_option,
    engine_options,
    json_option,
    selected_engine,
)
from gmd_vae.commands.paths import UserPath
from gmd_vae.commands.preprocess_options import check_filters, check_stock, filter_options

if TYPE_CHECKING:  # numpy and protobuf: only a run needs them, not --help
    from gmd_vae.configuration.config import Config
    from gmd_vae.engines.engine import Engine
    from gmd_vae.engines.resumable import Progress
    from gmd_vae.windows.extraction import Dropped
    from gmd_vae.windows.preprocess import SplitSummary
    from gmd_vae.windows.stock.preprocess import StockSplit
    from gmd_vae.windows.summary import Summary

_OUTPUT = "Output"


@click.command(cls=GroupedCommand)
@click.argument("input_path", metavar="[INPUT]", required=False, type=UserPath(path_type=Path))
@click.option(
    "--config",
    "config_name",
    cls=GroupedOption,
    group=_OUTPUT,
    metavar="NAME",
    type=Name(),
    help="Name of the config to cut windows for.  [default: as for train]",
)
@click.option(
    "--output-dir",
    cls=GroupedOption,
    group=_OUTPUT,
    type=UserPath(path_type=Path, file_okay=False),
    help="Folder to write.  [default: data/examples/INPUT'S NAME/CONFIG; with --stock data/notes/NAME-CONFIG]",
)
@click.option(
    "--shards",
    cls=GroupedOption,
    group=_OUTPUT,
    type=click.IntRange(min=1),
    help="Number of files of the training split.  [default: 4, or more, of 64 MiB each]",
)
@click.option(
    "--max-per-sequence",
    cls=GroupedOption,
    group=_OUTPUT,
    type=click.IntRange(min=1),
    help="Maximum number of windows of each NoteSequence.  [default: all]",
)
@click.option(
    "--keep-duplicates",
    cls=GroupedOption,
    group=_OUTPUT,
    is_flag=True,
    help="Write every occurrence of a window instead of one.",
)
@click.option("--gzip", "compress", cls=GroupedOption, group=_OUTPUT, is_flag=True, help="Write compressed shards.")
@click.option(
    "--stock",
    cls=GroupedOption,
    group=_OUTPUT,
    is_flag=True,
    help="Write the output of Magenta's preprocess_tfrecord at its defaults: windows as NoteSequences, with the "
    "converter's maximum for each section (5 for most configs).",
)
@filter_options
@configs_option
@engine_options
@json_option
def command(
    input_path: Path | None,
    config_name: str | None,
    output_dir: Path | None,
    shards: int | None,
    max_per_sequence: int | None,
    keep_duplicates: bool,
    compress: bool,
    stock: bool,
    configs_file: Path | None,
    jobs: int | None,
    engine_name: str,
    scheduler: str | None,
    as_json: bool,
    **filters: Any,
) -> None:
    """Cut NoteSequences into training windows for a config.

    INPUT is a folder that `gmd-vae convert` wrote (default: data/notes/groove), or one TFRecord file
    of NoteSequences. The records of a single file are divided by a hash of their ids: 80% train,
    10% validation, 10% test.

    Repeats are removed, and no window is in two splits. The summary lists the music that was left
    out, with reasons. Memory does not grow with the input. A run that was stopped continues when you
    run the same command again.

    \b
    Examples:
      gmd-vae preprocess
      gmd-vae preprocess data/notes/groove --config hierdec-drum_4bar_v2
      gmd-vae preprocess notes.tfrecord --config cat-drums_2bar_small --max-per-sequence 5
      gmd-vae preprocess --stock --config cat-drums_2bar_small
      gmd-vae preprocess /shared/notes --engine dask --scheduler tcp://10.0.0.1:8786
    """
    from gmd_vae.common import console
    from gmd_vae.common.home import data_folder, default_input
    from gmd_vae.common.printable import as_command
    from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config

    if stock:
        given = {"shards": shards, "max_per_sequence": max_per_sequence, "keep_duplicates": keep_duplicates}
        check_stock({**given, "gzip": compress, **filters})
    check_filters(filters)
    engine = selected_engine(engine_name, scheduler, jobs)
    config = get_config(config_name or DEFAULT_CONFIG, configs_file)
    if input_path is None:
        action = "Make it with 'gmd-vae fetch groove' and 'gmd-vae convert', or name a folder that convert wrote."
        input_path = default_input("notes", action)
    if output_dir is None:
        from gmd_vae.windows.notes_input import input_name

        name = input_name(input_path)
        output_dir = (
            data_folder("notes") / f"{name}-{config.name}" if stock else data_folder("examples") / name / config.name
        )
    with console.count_progress("Cutting windows", "NoteSequences") as on_progress:

        def on_resume(done: int, total: int) -> None:
            console.stderr().print(f"Continuing: {done:,} of {total:,} NoteSequences are finished.")

        if stock:
            stock_summary = _write_stock(input_path, output_dir, config, engine, on_progress, on_resume)
        else:
            from gmd_vae.families import family_of
            from gmd_vae.inspection.fitting_configs import fitting_configs
            from gmd_vae.windows.cutting.filters import Filters
            from gmd_vae.windows.preprocess import preprocess  # numpy and protobuf: only now

            section_filters = Filters(**filters)

            def advice(path: Path) -> str:
                return fitting_configs(path, "preprocess", path)

            summary = preprocess(
                input_path,
                output_dir,
                family_of(config).extractor(config, section_filters),
                config=config.name,
                shards=shards,
                max_per_sequence=max_per_sequence,
                keep_duplicates=keep_duplicates,
                compress=compress,
                filters=section_filters,
                engine=engine,
                advice=advice,
                on_progress=on_progress,
                on_resume=on_resume,
            )
    if as_json:
        console.print_json((stock_summary if stock else summary).as_json())
    elif stock:
        _show_stock(stock_summary)
        console.print_next(as_command("inspect", output_dir))
    else:
        _show(summary)
        from gmd_vae.commands.next_steps import fine_tuning_words
        from gmd_vae.inspection.fitting_configs import finer_config

        if finer := finer_config(input_path, config):
            moved = f"Most of this music has triplets between the beats, and '{config.name}' moves them to sixteenths"
            console.stdout().print(f"{moved}. To keep them: {as_command('preprocess', input_path, '--config', finer)}")
        own = ("--configs", configs_file) if configs_file else ()
        counts = {name: split.examples for name, split in summary.splits.items()}
        if words := fine_tuning_words(config, output_dir, counts, configs_file):
            console.print_next(as_command(*words), "for so few windows")
        else:
            console.print_next(as_command("train", "--config", config.name, *own, "--examples-path", output_dir))


def _write_stock(
    input_path: Path, output_dir: Path, config: Config, engine: Engine, on_progress: Progress, on_resume: Progress
) -> Summary[StockSplit]:
    """Runs ``write_stock`` for a config. Names notes on stderr that Magenta's own scripts would read otherwise."""
    from gmd_vae.common import console, manifest
    from gmd_vae.families import family_of
    from gmd_vae.midi.notes_manifest import STAGE, read_convert_manifest
    from gmd_vae.windows.stock.preprocess import write_stock

    if manifest.stage_of(input_path) == STAGE:
        reading = read_convert_manifest(input_path, "Run 'gmd-vae convert' again.").reading
        if reading is not None and not reading.stock:
            console.stderr().print(
                f"Note: '{input_path}' has every drum hit, and Magenta's reader loses some. For the records of its"
                " scripts, make the notes with 'gmd-vae convert --stock'.",
            )
    return write_stock(
        input_path,
        output_dir,
        family_of(config).stock_extractor(config),
        config=config.name,
        engine=engine,
        on_progress=on_progress,
        on_resume=on_resume,
    )


def _show(summary: Summary[SplitSummary]) -> None:
    """Prints the summary as tables on stdout."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import counted

    rows = {}
    for name, split in summary.splits.items():
        shared = sum(split.taken_out.values())
        rows[name] = (split.sequences, split.windows, split.distinct, shared, split.examples, len(split.files))
        if not split.examples:
            console.stderr().print(f"Note: there are no examples for {name}.")
    _print_table(("sequences", "windows", "distinct", "in other splits", "examples", "files"), rows)
    _print_dropped(summary.dropped)
    if chords := summary.dropped.chords:
        counts = ", ".join(f"{origin} in {counted(count, 'section')}" for origin, count in sorted(chords.items()))
        console.stdout().print(f"Chords: {counts}")
    examples = sum(split.examples for split in summary.splits.values())
    console.stdout().print(f"Wrote {counted(examples, 'example')} for {summary.config} to {summary.output_dir}")


def _show_stock(summary: Summary[StockSplit]) -> None:
    """Prints the summary of ``--stock`` as tables on stdout."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import counted

    rows = {name: (split.sequences, split.windows, split.records) for name, split in summary.splits.items()}
    _print_table(("sequences", "windows", "records"), rows)
    _print_dropped(summary.dropped)
    records = sum(split.records for split in summary.splits.values())
    console.stdout().print(f"Wrote {counted(records, 'NoteSequence')} for {summary.config} to {summary.output_dir}")


def _print_table(headings: Sequence[str], rows: Mapping[str, Sequence[int]]) -> None:
    """Prints a table with a row for each split."""
    from rich.table import Table

    from gmd_vae.common import console

    table = Table("split", box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right")
    for name, counts in rows.items():
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.stdout().print(table)


def _print_dropped(counts: Dropped) -> None:
    """Prints the counts of music that gave no window; nothing if there is none."""
    from rich.table import Table

    from gmd_vae.common import console
    from gmd_vae.windows.extraction import left_out

    out = console.stdout()
    if rows := left_out(counts.as_json()):
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(justify="right")
        for count, reason in rows:
            table.add_row(f"{count:,}", reason)
        out.print("Left out:")
        out.print(table)
