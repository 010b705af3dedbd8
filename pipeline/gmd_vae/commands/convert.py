"""``gmd-vae convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import (
    engine_options,
    given_options,
    json_option,
    reading_options,
    selected_engine,
    selected_reading,
)
from gmd_vae.commands.paths import UserPath

if TYPE_CHECKING:
    from gmd_vae.midi.convert import Summary
    from gmd_vae.midi.reading import DrumChannel


_SHOWN = (  # of the manifest, with --json
    *("splits", "split_by", "split", "near_duplicates", "data_source"),
    *("note_ons", "ignored_events", "unmapped_drums", "assumed", "drums_on_channel"),
    *("skipped", "not_selected", "not_in_info_csv", "missing", "catalogues_not_used", "passed_over"),
)


@click.command("convert", cls=HelpCommand)
@click.argument("input_path", metavar="[INPUT]", required=False, type=UserPath(path_type=Path))
@click.option(
    "--output-dir",
    type=UserPath(path_type=Path, file_okay=False),
    help="Output folder.  [default: data/notes/NAME, named after the input and the selection]",
)
@click.option("--style", "styles", multiple=True, metavar="STYLE", help="Only this style: rock, rock/halftime.")
@click.option("--beat-type", "beat_types", multiple=True, metavar="TYPE", help="Only beats (beat) or fills (fill).")
@click.option("--time-signature", "time_signatures", multiple=True, metavar="N-N", help="Only this: 4-4.")
@click.option("--bpm", metavar="LOW-HIGH", help="Only tempos in this range: 90-140.")
@click.option("--drummer", "drummers", multiple=True, metavar="NAME", help="Only this drummer: drummer1.")
@click.option(
    "--split-by",
    type=click.Choice(["info", "hash"]),
    help="info: as info.csv says. hash: by a hash of each file's content.  [default: info if there is an info.csv]",
)
@click.option(
    "--split",
    "shares",
    metavar="TRAIN/VALIDATION/TEST",
    help="Shares in per cent, without info.csv; 100/0/0 puts every file in train.  [default: 80/10/10]",
)
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if a file was skipped. The other files are written all the same."
)
@click.option(
    "--stock", is_flag=True, help="Read as Magenta's stack does, byte for byte: it drops drum hits without an end."
)
@reading_options
@click.option("--gzip", "compress", is_flag=True, help="Write compressed files, train.tfrecord.gz and so on.")
@engine_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    input_path: Path | None,
    output_dir: Path | None,
    styles: tuple[str, ...],
    beat_types: tuple[str, ...],
    time_signatures: tuple[str, ...],
    bpm: str | None,
    drummers: tuple[str, ...],
    split_by: Literal["info", "hash"] | None,
    shares: str | None,
    strict: bool,
    stock: bool,
    drum_channels: tuple[DrumChannel, ...],
    drum_map: str | None,
    compress: bool,
    jobs: int | None,
    engine_name: str,
    scheduler: str | None,
    as_json: bool,
) -> None:
    """Turn MIDI files into NoteSequence TFRecords, one file per split.

    INPUT is a folder (with its subfolders), an archive (.zip, .tar, .tar.gz) or a MIDI file; without
    it, data/raw/groove, where `gmd-vae fetch groove` puts the Groove MIDI Dataset.

    Every drum hit counts, also one that the file never ends: it lasts a 64th note. Tempos and
    signatures of all tracks count. Notes that are dropped, broken events and facts that a file does
    not give are counted by reason. --stock writes the records of Magenta's
    convert_dir_to_note_sequences instead.

    MIDI files are recognised by their content under any name, also in RIFF (.rmi) and gzip. What is
    no MIDI is counted by suffix. Files that cannot be read are counted, named in manifest.json, and
    left out.

    An info.csv in INPUT says which files are used, and for what: a table with the columns
    midi_filename and split, such as that of the Groove MIDI Dataset, under any name. MIDI files that
    it does not list are left out, with a warning. Without one, all files are used, near-duplicates of
    a performance stay in one split, and train is never empty. The options that select files need an
    info.csv and can be repeated: --style rock --style funk takes both.

    An output folder is replaced only if it holds nothing but unchanged files of convert; one without
    --output-dir, only if it was made from the same input.

    After a stop, the same command continues where the run was.

    \b
    Examples:
      gmd-vae convert
      gmd-vae convert --style rock --beat-type beat --bpm 90-140
      gmd-vae convert ~/my-midi --output-dir data/notes/mine --drum-channel demo.mid=3
      gmd-vae convert my-midi.zip --split 100/0/0 --json
      gmd-vae convert /shared/midi --engine dask --scheduler tcp://10.0.0.1:8786
    """
    from gmd_vae.commands.unlisted import warn_of_unlisted
    from gmd_vae.common import console
    from gmd_vae.common.errors import GmdVaeError
    from gmd_vae.common.home import default_input
    from gmd_vae.common.printable import as_command
    from gmd_vae.datasets.selection import Selection, parse_bpm

    if input_path is None:
        action = "Get the Groove MIDI Dataset first (gmd-vae fetch groove), or name a folder of MIDI files."
        input_path = default_input("raw", action)
    engine = selected_engine(engine_name, scheduler, jobs)
    reading = selected_reading(drum_channels, drum_map, stock=stock)
    selection = Selection(
        styles=styles,
        beat_types=beat_types,
        time_signatures=time_signatures,
        bpm_range=parse_bpm(bpm) if bpm is not None else None,
        drummers=drummers,
    )

    from gmd_vae.midi.convert import convert  # numpy: only now
    from gmd_vae.midi.splits import parse_shares

    with console.count_progress("Converting", "files") as progress:
        summary = convert(
            input_path,
            output_dir,
            selection,
            split_by,
            parse_shares(shares) if shares is not None else None,
            compress,
            reading,
            engine,
            progress,
            lambda done, total: console.stderr().print(f"Continuing: {done:,} of {total:,} files are finished."),
        )
    if as_json:
        console.print_json(_facts(summary))
    else:
        _print(summary)
    content = summary.manifest
    tables, has_selection = content["input"]["catalogues"], bool(content["selection"])
    warn_of_unlisted(input_path, tables, content["not_in_info_csv"], has_selection=has_selection)
    if not as_json:
        from gmd_vae.commands.next_steps import preprocess_words

        channel = _channel_of_drums(summary)
        if channel is not None:
            # Magenta's reader, --stock, knows no other channel
            again = given_options(ctx, ("input_path", "drum_channels", "stock"))
            console.print_next(as_command("convert", input_path, *again, "--drum-channel", channel))
        else:
            console.print_next(as_command(*preprocess_words(summary.output_dir)))
    if strict and summary.skipped:
        count = sum(len(names) for names in summary.skipped.values())
        raise GmdVaeError(
            f"{count:,} file{' was' if count == 1 else 's were'} skipped, which --strict forbids",
            f"The others are in '{summary.output_dir}'; its manifest.json names those that are not.",
        )


def _facts(summary: Summary) -> dict[str, Any]:
    """Returns the answer of ``--json``: the parts of the manifest that the table and its lines show."""
    shown = {key: summary.manifest[key] for key in _SHOWN if key in summary.manifest}
    return {"output_dir": str(summary.output_dir), **shown}


def _channel_of_drums(summary: Summary) -> str | None:
    """Returns the channel that most files without drums seem to have theirs on; ``None`` if any file has drums."""
    channels: dict[str, Any] = summary.manifest["drums_on_channel"]
    if any(split.drum_notes for split in summary.splits.values()) or not channels:
        return None
    return max(channels, key=lambda channel: channels[channel]["count"])


def _print(summary: Summary) -> None:
    """Prints the summary as a table, with the files that were not used."""
    from rich.table import Table

    from gmd_vae.common import console
    from gmd_vae.common.printable import counted
    from gmd_vae.datasets.midi_files import describe_passed_over
    from gmd_vae.midi.account_sum import sentences
    from gmd_vae.midi.drum_channels import advice_for
    from gmd_vae.midi.refusals import ACTIONS

    out, content = console.stdout(), summary.manifest
    table = Table("split", box=None, pad_edge=False)
    for column in ("files", "records", "notes", "drum notes", "minutes"):
        table.add_column(column, justify="right")
    for name, split in summary.splits.items():
        counts = (split.files, split.records, split.notes, split.drum_notes)
        table.add_row(name, *(f"{count:,}" for count in counts), f"{split.seconds / 60:,.1f}")
    out.print(table)
    notes = sum(split.notes for split in summary.splits.values())
    out.print(
        f"{counted(content['note_ons']['count'], 'note-on')} in the files, {counted(notes, 'note')} in the records"
    )
    others_have_drums = any(split.drum_notes for split in summary.splits.values())
    for channel, files in content["drums_on_channel"].items():
        shown = ", ".join(files["names"][:3]) + (", ..." if files["count"] > 3 else "")
        advice = advice_for(int(channel), files["names"][0] if others_have_drums else "")
        out.print(f"{counted(files['count'], 'file')} without drums: {advice} ({shown})")
    for sentence in sentences(content):
        out.print(sentence)
    for reason, names in sorted(summary.skipped.items()):
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        action = f". {ACTIONS[reason]}" if ACTIONS.get(reason) else ""
        out.print(f"Skipped {len(names):,}: {reason} ({shown}){action}")
    for name, reason in content["catalogues_not_used"].items():
        out.print(f"The table '{name}' is not used: {reason}")
    if content["passed_over"]:
        out.print(f"Passed over {describe_passed_over(content['passed_over'])}")
    catalogues = " and ".join(content["input"]["catalogues"])
    if count := content["missing"]["count"]:
        out.print(f"{counted(count, 'file')} of {catalogues} missing")
    if similar := content.get("near_duplicates", {}).get("files"):
        groups = content["near_duplicates"]["names"]
        first = ", ".join(groups[0][:3]) + (", ..." if similar > 3 else "")
        of_groups = f"{counted(similar, 'file')} in {counted(content['near_duplicates']['groups'], 'group')}"
        out.print(f"Near-duplicates: {of_groups}, each group in one split ({first})")
    _print_empty_splits(summary)
    by_content = f"{content.get('split')} by content"
    how = f"the split of {catalogues}" if content["split_by"] == "info" else by_content
    out.print(f"Wrote {counted(summary.records, 'record')} to {summary.output_dir} ({how})")


def _print_empty_splits(summary: Summary) -> None:
    """Prints the splits without a record, what that means for training, and what would fill them."""
    from gmd_vae.common import console

    content = summary.manifest
    empty = [name for name, split in summary.splits.items() if not split.records]
    if not empty:
        return
    shares = dict(zip(summary.splits, content.get("split", "").split("/"), strict=False))
    wanted = [name for name in empty if shares.get(name) == "0"]
    if wanted == empty:
        advice = f"as --split {content['split']} wants"
    elif content["split_by"] == "info":
        advice = "more files, or --split-by hash, would fill it"
    else:
        advice = "there are too few different files"
    effects = {
        "validation": "training then keeps its last checkpoint as the best",
        "test": "'gmd-vae evaluate' then takes --split train",
    }
    then = "; ".join(effects[name] for name in empty if name in effects)
    console.stdout().print(f"No record for {' and '.join(empty)}: {advice}" + (f"; {then}." if then else "."))
