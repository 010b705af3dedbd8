"""Prints an answer of ``gmd-vae inspect`` as text: tables, and drum windows as grids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.common.printable import counted, printable
from gmd_vae.datasets.midi_files import describe_passed_over
from gmd_vae.inspection.text_grid import BLOCKS, WIDTH, Signs, bar_number, grid
from gmd_vae.midi.account_sum import sentences
from gmd_vae.midi.drum_channels import advice_for
from gmd_vae.midi.reader.account import (
    ASSUMPTIONS,
    LATE_TEMPO,
    LATE_TIME_SIGNATURE,
    NO_TEMPO,
    NO_TIME_SIGNATURE,
    Account,
)
from gmd_vae.midi.refusals import ACTIONS
from gmd_vae.windows.extraction import left_out

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Result = Mapping[str, Any]
_FEW = 10  # entries of a list: they fit on two lines
_ROWS = 20  # rows of a table
_BAR_WIDTH = 30  # columns of the longest bar of a histogram


def show(result: Result, out: Console, signs: Signs = BLOCKS) -> None:
    """Prints an answer. No grid is wider than 80 columns.

    Args:
        result: Answer of ``gmd-vae inspect --json``.
        out: Console to print to.
        signs: Characters of the grids.
    """
    if result["kind"] == "midi":
        _show_midi(result, out, signs)
    elif result["kind"] == "examples":
        _show_examples(result, out, signs)
    else:
        _show_collection(result, out, signs)


def _show_midi(result: Result, out: Console, signs: Signs) -> None:
    bars = f"{result['bars']:.1f}".removesuffix(".0")
    length = f"{_length(result['seconds'])}, {bars} bar{'' if bars == '1' else 's'}"
    _print(out, f"{result['path']}: {length}, {counted(result['notes'], 'note')}")
    if result["drums_on_channel"]:
        _print(out, advice_for(result["drums_on_channel"]))
    _print(out, *_account(result))
    tempos = [f"{change['bpm']:g} bpm{_since(change)}" for change in result["tempos"]["changes"]]
    assumed = int(result["tempos"]["assumed"])  # the first tempo is then not the file's own
    count = result["tempos"]["count"] - assumed
    _print(out, f"Tempo: {_stated(tempos[assumed:], count, result['assumed'], (NO_TEMPO, LATE_TEMPO))}")
    signatures = [f"{change['signature']}{_since(change)}" for change in result["time_signatures"]["changes"]]
    facts = (NO_TIME_SIGNATURE, LATE_TIME_SIGNATURE)
    count = result["time_signatures"]["count"]
    _print(out, f"Time signature: {_stated(signatures, count, result['assumed'], facts)}", "")
    if result["instruments"]:
        table = _table("instrument", "sound", ">notes", "pitches", "bars", "")
        for instrument in result["instruments"][:_ROWS]:
            pitches = (
                f"{instrument['lowest']}-{instrument['highest']}"
                if instrument["lowest"] < instrument["highest"]
                else f"{instrument['lowest']}"
            )
            bars = "-".join(dict.fromkeys(str(int(bar)) for bar in instrument["bars"]))
            chords = "polyphonic" if instrument["polyphonic"] and not instrument["drums"] else ""
            _row(
                table,
                instrument["name"] or "(no name)",
                instrument["sound"],
                f"{instrument['notes']:,}",
                pitches,
                bars,
                chords,
            )
        out.print(table)
        _print_rest(out, len(result["instruments"]))
        _print(out, "")
    _show_kinds(result["kinds"], out)
    if result["drum_notes"] and "voices" in result:
        names = result["pitch_names"]
        table = _table("drum class", ">notes", "MIDI pitches")
        for voice in result["voices"]:
            _row(table, voice["voice"], f"{voice['notes']:,}", ", ".join(_pitches(voice["pitches"], names)))
        out.print(table)
        lost = result["dropped"]["drum_pitches_in_no_class"]
        if lost:
            _print(out, "In no drum class: " + _first_of(_pitches(lost, names), len(lost)))
        _print(out, "")
    found = result["windows"]
    bars = result["window_bars"]
    of = f"of {bars} bar{'s' if bars > 1 else ''} for {result['config']}"
    if not found:
        _print(out, f"No window {of}:")
        for reason in result["why"] or [{"problem": "There are no drums", "action": ""}]:
            _print(out, f"  {reason['problem']}. {reason['action']}".rstrip())
        if loop := result.get("repeated_bars"):
            _print(out, f"'gmd-vae generate' takes it all the same: it repeats the {counted(loop, 'bar')} to {bars}.")
        return
    known = [window["bar"] for window in found if window["bar"] is not None]
    starts = _ranges(known)
    where = f", starting at bar{'s' * (len(known) > 1)} {_first_of(starts, len(starts))}" if known else ""
    _print(out, f"{counted(len(found), 'window')} {of}{where}")
    _show_left_out(result["dropped"], out, pitches=False)
    if "grid" not in result:
        _show_parts(result, out)
        return
    number = result["shown"]["window"]
    window = found[number - 1]
    if result["hits_on"] != "sixteenths" and result["grid"]["steps_per_quarter"] % 3:
        fitting = next(kind["config"] for kind in result["kinds"] if kind["kind"] == "drums")
        steps = result["grid"]["steps_per_quarter"]
        _print(
            out,
            "",
            f"{_TRIPLETS[result['hits_on']]}, and a grid of {steps} steps a quarter moves them."
            + (f" '{fitting}' keeps them." if fitting else ""),
        )
    taken = result["taken"]
    if len(found) == 1:
        which = ""
    elif number == taken:
        which = ", the fullest regular one, which generate takes"
    else:
        which = f" (generate takes {taken}, the fullest regular one)"
    _print(out, "", f"Window {number} of {len(found)}{which}, at {window['seconds']:.1f} s, by bar:")
    _grid(result, result["shown"]["labels"], out, signs, window["bar"])


def _account(result: Result) -> list[str]:
    """Returns the sentences on note-ons and events of a file that have no effect."""
    note_ons = result["note_ons"]
    account = Account(note_ons["count"], note_ons["completed"], note_ons["dropped"], result["ignored_events"], ())
    return account._replace(unmapped=result["unmapped_drums"]).losses()


def _stated(stated: Sequence[str], count: int, assumed: Sequence[str], facts: Sequence[str]) -> str:
    """Returns the values that a file states, and those that are assumed because it does not."""
    texts = [ASSUMPTIONS[fact] for fact in facts if fact in assumed]
    return "; ".join(filter(None, (*texts, _first_of(stated, count))))


def _show_kinds(kinds: Sequence[Result], out: Console) -> None:
    """Prints the kinds of config, their windows, and why other kinds find none."""
    table = _table("configs of", ">windows", ">of bars", "config that fits, or why none does")
    for kind in kinds:
        why = kind["config"] or "; ".join(f"{reason['count']:,} {reason['reason']}" for reason in kind["why"])
        _row(table, _KINDS[kind["kind"]], f"{kind['windows']:,}", str(kind["bars"]), why)
    out.print(table)
    _print(out, "")


_TRIPLETS = {"triplets": "Most hits between the beats are triplets", "both": "Many hits between the beats are triplets"}
_KINDS = {"drums": "drums", "melody": "melodies", "trio": "melody, bass, drums", "tracks": "several instruments"}


def _show_parts(result: Result, out: Console) -> None:
    """Prints the parts of each window of other music than drums."""
    number = (result["shown"] or {}).get("window")
    rows = list(enumerate(result["windows"], 1))
    rows = [rows[number - 1]] if number else rows
    table = _table(">window", ">bar", "notes of each part (lowest and highest pitch)")
    for place, window in rows[:_ROWS]:
        _row(
            table,
            str(place),
            "" if window["bar"] is None else bar_number(window["bar"]),
            "; ".join(map(_part_text, window["parts"])),
        )
    _print(out, "")
    out.print(table)
    _print_rest(out, len(rows))


def _part_text(part: Result) -> str:
    pitches = f" ({part['lowest']}-{part['highest']})" if part["lowest"] is not None else ""
    return f"{part['name']} {part['notes']:,}{pitches}"


def _show_collection(result: Result, out: Console, signs: Signs) -> None:
    files = result["files"]
    what = f"{result['found']:,} MIDI files"
    if result["kind"] == "notes":
        what = f"{files['readable']:,} NoteSequences"
    _print(out, f"{result['path']}: {what}, {_length(result['seconds'])} of music")
    _print(
        out,
        f"{files['readable']:,} readable, {files['with_drums']:,} with drums, {files['with_windows']:,} with windows"
        f" of {result['window_bars']} bars for {result['config']}",
        "",
    )
    table = _table("split", ">files", ">hours", ">notes", ">drum notes", ">windows", ">distinct", ">examples")
    for name, split in result["splits"].items():
        counts = (split[key] for key in ("notes", "drum_notes", "windows", "distinct", "examples"))
        hours = f"{split['seconds'] / 3600:,.2f}"
        _row(table, name, f"{split['files']:,}", hours, *(f"{count:,}" for count in counts))
    out.print(table)
    _print(out, _SPLIT_BY.get(result["split_by"], f"Split by {result['split_by']}."), "")
    if result["styles"]:
        table = _table("style", ">files", ">hours", ">windows")
        for name, style in list(result["styles"].items())[:_ROWS]:
            _row(table, name, f"{style['files']:,}", f"{style['seconds'] / 3600:,.2f}", f"{style['windows']:,}")
        out.print(table)
        _print_rest(out, len(result["styles"]))
        _print(out, ", ".join(f"{kind}: {count:,}" for kind, count in result["beat_types"].items()), "")
    _show_tempos(result["tempos"], files["several_tempos"], out, signs)
    signatures = [f"{name} ×{count:,}" for name, count in result["time_signatures"].items()]
    _print(out, f"Time signatures: {_first_of(signatures, len(signatures)) or 'none'}")
    if files["several_time_signatures"]:
        _print(out, f"{counted(files['several_time_signatures'], 'file')} with more than one, counted with the first")
    _print(out, "")
    _show_voices(result["voices"], out)
    other = "" if result["kind"] == "notes" else ", but other bytes"  # NoteSequences come without files
    for key, text in (("same_bytes", "the same bytes"), ("same_music", f"the same notes{other}")):
        found = result["duplicates"][key]
        if found["groups"]:
            names = ", ".join(found["names"][0][:3])
            more = found["superfluous"]
            _print(out, f"Duplicates: {more:,} superfluous, with {text} ({names}{', ...' if more > 1 else ''})")
    if result["account"]:
        _print(out, *sentences(result["account"]))
    for reason, skipped in result["unreadable"].items():
        names = ", ".join(skipped["names"][:3]) + (", ..." if skipped["count"] > 3 else "")
        action = f". {ACTIONS[reason]}" if reason in ACTIONS else ""
        _print(out, f"Not used: {skipped['count']:,}, {reason} ({names}){action}")
    for channel, files in result.get("drums_on_channel", {}).items():
        _print(out, f"{counted(files['count'], 'file')} without drums: {advice_for(int(channel))}")
    for name, reason in result.get("catalogues_not_used", {}).items():
        _print(out, f"The table '{name}' is not used: {reason}")
    if result.get("passed_over"):
        _print(out, f"Passed over {describe_passed_over(result['passed_over'])}")
    if count := result.get("missing", {}).get("count"):
        _print(out, f"{counted(count, 'file')} of {' and '.join(result['catalogues'])} missing")
    if similar := result.get("near_duplicates", {}).get("groups"):
        of_groups = f"{counted(result['near_duplicates']['files'], 'file')} in {counted(similar, 'group')}"
        _print(out, f"Near-duplicates: {of_groups}, each group in one split")
    _show_left_out(result["dropped"], out)


_SPLIT_BY = {
    "info": "Splits from info.csv.",
    "hash": "Split by each file's content, as 'gmd-vae convert' does without an info.csv.",
    "file": "Splits from the file names.",
    "all in train": "All in train, because a hash of the ids puts none of these few there.",
    "hash of the id": "Split 80/10/10 by a hash of the ids, as 'gmd-vae preprocess' does with a single file.",
}


def _show_tempos(tempos: Result, several: int, out: Console, signs: Signs) -> None:
    if not tempos["files"]:
        _print(out, "Tempos: none given, so 120 bpm")
        return
    _print(out, f"Tempos: {tempos['min']:g} to {tempos['max']:g} bpm, median {tempos['median']:g}")
    most = max(entry["files"] for entry in tempos["histogram"])
    table = _table(">bpm", ">files", "")
    for entry in tempos["histogram"]:
        to = f"-{entry['to']}" if entry["to"] is not None else " and faster"
        width = -(-entry["files"] * _BAR_WIDTH // most)
        _row(table, f"{entry['from']}{to}", f"{entry['files']:,}", signs.hit * width)
    out.print(table)
    if several:
        _print(out, f"{counted(several, 'file')} with more than one, counted with the first")
    _print(out, "")


def _show_examples(result: Result, out: Console, signs: Signs) -> None:
    windows = sum(split["windows"] for split in result["splits"].values())
    _print(out, f"{result['path']}: {counted(windows, 'window')} for {result['config']}", "")
    drums = "bars" in result
    table = _table("split", ">windows", ">distinct", ">files", *([">silent"] if drums else []))
    for name, split in result["splits"].items():
        share = f"{split['silent_share']:.2%}" if drums and split["silent_share"] is not None else "-"
        counts = [f"{split[key]:,}" for key in ("windows", "distinct", "files")]
        _row(table, name, *counts, *([share] if drums else []))
    out.print(table)
    shared = [f"{names}: {count:,}" for names, count in result["shared"].items() if count]
    _print(out, f"Windows in two splits: {', '.join(shared) or 'none'}", "")
    if not drums:
        table = _table("part", ">windows with it", ">notes a window")
        for part in result["parts"][:_ROWS]:
            _row(table, part["part"], f"{part['windows']:,}", f"{part['notes'] / max(1, part['windows']):.1f}")
        out.print(table)
        _print_rest(out, len(result["parts"]))
        return
    _show_voices(result["voices"], out)
    bars = result["bars"]
    _print(out, f"{counted(bars['all'], 'bar')}, {bars['distinct']:,} different. The most frequent:")
    for bar in bars["frequent"]:
        share = bar["count"] / max(1, bars["all"])
        _print(out, "", f"{counted(bar['count'], 'time')} ({share:.1%})" + ("" if any(bar["labels"]) else ": silence"))
        if any(bar["labels"]):
            _grid(result, bar["labels"], out, signs, None)


def _show_voices(voices: Sequence[Result], out: Console) -> None:
    notes = sum(voice["notes"] for voice in voices)
    table = _table("drum class", ">notes", ">share")
    for voice in voices:
        _row(table, voice["voice"], f"{voice['notes']:,}", f"{voice['notes'] / max(1, notes):.1%}")
    out.print(table)
    _print(out, "")


def _show_left_out(dropped: Result, out: Console, pitches: bool = True) -> None:
    """Prints the music that gave no window, in the words of ``gmd-vae preprocess``."""
    rows = left_out(dropped, pitches=pitches)
    if not rows:
        return
    _print(out, "", "Left out:")
    table = _table(">", "")
    table.show_header = False
    for count, text in rows[:_ROWS]:
        _row(table, f"{count:,}", text)
    out.print(table)
    _print_rest(out, len(rows))


def _grid(result: Result, labels: Sequence[int], out: Console, signs: Signs, first_bar: float | None) -> None:
    """Prints labels ``[steps]`` as a grid, as wide as the console allows."""
    width = max(30, min(WIDTH, out.width))
    settings = result["grid"]
    lines = grid(
        labels,
        settings["voices"],
        steps_per_bar=settings["steps_per_bar"],
        steps_per_beat=settings["steps_per_beat"],
        first_bar=first_bar,
        width=width,
        signs=signs,
    )
    for line in lines:
        _print(out, line)


def _print(out: Console, *lines: str) -> None:
    for line in lines:
        out.print(line, emoji=False)


def _table(*headings: str) -> Table:
    """Creates a table. A heading that begins with > aligns its column to the right."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading.removeprefix(">"), justify="right" if heading.startswith(">") else "left")
    return table


def _row(table: Table, *cells: str) -> None:
    from rich.text import Text

    table.add_row(
        *(Text(printable(cell, limit=None)) for cell in cells)
    )  # names are the user's: a bracket in one is no markup


def _print_rest(out: Console, count: int) -> None:
    if count > _ROWS:
        _print(out, f"... and {count - _ROWS:,} more (all with --json)")


def _first_of(items: Iterable[str], count: int) -> str:
    few = list(items)[:_FEW]
    return ", ".join(few) + (f", ... ({count:,} in all)" if count > len(few) else "")


def _ranges(bars: Sequence[float]) -> list[str]:
    """Joins consecutive bars to ranges such as ``1-25``."""
    runs: list[list[float]] = []
    for bar in bars:
        if runs and abs(bar - runs[-1][1] - 1) < 0.005:
            runs[-1][1] = bar
        else:
            runs.append([bar, bar])
    return [bar_number(low) if low == high else f"{bar_number(low)}-{bar_number(high)}" for low, high in runs]


def _since(change: Result) -> str:
    return f" from {change['seconds']:.1f} s" if change["seconds"] else ""


def _pitches(counts: Mapping[str, int], names: Mapping[str, str]) -> list[str]:
    """Formats each pitch with its name, if it has one, and its number of notes."""
    return [f"{pitch} {names.get(pitch, '')}".rstrip() + f" ×{count:,}" for pitch, count in counts.items()]


def _length(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.1f} minutes"
    return f"{seconds / 3600:,.1f} hours"
