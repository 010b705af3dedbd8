"""Prints an answer of ``gmd-vae inspect`` as text: tables, and drum windows as grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gmd_vae.common.printable import counted
from gmd_vae.datasets.midi_files import describe_passed_over
from gmd_vae.inspection.table_text import (
    MOST_ROWS,
    add_row,
    first_of,
    length_in_words,
    new_table,
    pitches_in_words,
    print_rest,
    ranges,
    write,
)
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

Result = Mapping[str, Any]
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
    length = f"{length_in_words(result['seconds'])}, {bars} bar{'' if bars == '1' else 's'}"
    write(out, f"{result['path']}: {length}, {counted(result['notes'], 'note')}")
    if result["drums_on_channel"]:
        write(out, advice_for(result["drums_on_channel"]))
    write(out, *_account(result))
    tempos = [f"{change['bpm']:g} bpm{_since(change)}" for change in result["tempos"]["changes"]]
    assumed = int(result["tempos"]["assumed"])  # the first tempo is then not the file's own
    count = result["tempos"]["count"] - assumed
    write(out, f"Tempo: {_stated(tempos[assumed:], count, result['assumed'], (NO_TEMPO, LATE_TEMPO))}")
    signatures = [f"{change['signature']}{_since(change)}" for change in result["time_signatures"]["changes"]]
    facts = (NO_TIME_SIGNATURE, LATE_TIME_SIGNATURE)
    count = result["time_signatures"]["count"]
    write(out, f"Time signature: {_stated(signatures, count, result['assumed'], facts)}", "")
    if result["instruments"]:
        table = new_table("instrument", "sound", ">notes", "pitches", "bars", "")
        for instrument in result["instruments"][:MOST_ROWS]:
            pitches = (
                f"{instrument['lowest']}-{instrument['highest']}"
                if instrument["lowest"] < instrument["highest"]
                else f"{instrument['lowest']}"
            )
            bars = "-".join(dict.fromkeys(str(int(bar)) for bar in instrument["bars"]))
            chords = "polyphonic" if instrument["polyphonic"] and not instrument["drums"] else ""
            add_row(
                table,
                instrument["name"] or "(no name)",
                instrument["sound"],
                f"{instrument['notes']:,}",
                pitches,
                bars,
                chords,
            )
        out.print(table)
        print_rest(out, len(result["instruments"]))
        write(out, "")
    only_drums = bool(result["drum_notes"]) and all(one["drums"] for one in result["instruments"])
    # of a drum beat, nobody asks why it is no melody
    _show_kinds([kind for kind in result["kinds"] if kind["kind"] == "drums" or not only_drums], out)
    if result["drum_notes"] and "voices" in result:
        names = result["pitch_names"]
        table = new_table("drum class", ">notes", "MIDI pitches")
        for voice in result["voices"]:
            add_row(table, voice["voice"], f"{voice['notes']:,}", ", ".join(pitches_in_words(voice["pitches"], names)))
        out.print(table)
        lost = result["dropped"]["drum_pitches_in_no_class"]
        if lost:
            write(out, "In no drum class: " + first_of(pitches_in_words(lost, names), len(lost)))
        write(out, "")
    found = result["windows"]
    bars = result["window_bars"]
    of = f"of {bars} bar{'s' if bars > 1 else ''} for {result['config']}"
    if not found:
        write(out, f"No window {of}:")
        for reason in result["why"] or [{"what": "There are no drums", "next_action": ""}]:
            write(out, f"  {reason['what']}. {reason['next_action']}".rstrip())
        if loop := result.get("repeated_bars"):
            write(out, f"'gmd-vae generate' takes it all the same: it repeats the {counted(loop, 'bar')} to {bars}.")
        return
    known = [window["bar"] for window in found if window["bar"] is not None]
    starts = ranges(known)
    where = f", starting at bar{'s' * (len(known) > 1)} {first_of(starts, len(starts))}" if known else ""
    write(out, f"{counted(len(found), 'window')} {of}{where}")
    _show_left_out(result["dropped"], out, pitches=False)
    if "grid" not in result:
        _show_parts(result, out)
        return
    number = result["shown"]["window"]
    window = found[number - 1]
    if result["hits_on"] != "sixteenths" and result["grid"]["steps_per_quarter"] % 3:
        fitting = next(kind["config"] for kind in result["kinds"] if kind["kind"] == "drums")
        steps = result["grid"]["steps_per_quarter"]
        write(
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
    write(out, "", f"Window {number} of {len(found)}{which}, at {window['seconds']:.1f} s, by bar:")
    _grid(result, result["shown"]["labels"], out, signs, window["bar"])


def _account(result: Result) -> list[str]:
    """Returns the sentences on note-ons and events of a file that have no effect."""
    note_ons = result["note_ons"]
    account = Account(note_ons["count"], note_ons["completed"], note_ons["dropped"], result["ignored_events"], ())
    return account._replace(unmapped=result["unmapped_drums"]).losses()


def _stated(stated: Sequence[str], count: int, assumed: Sequence[str], facts: Sequence[str]) -> str:
    """Returns the values that a file states, and those that are assumed because it does not."""
    texts = [ASSUMPTIONS[fact] for fact in facts if fact in assumed]
    return "; ".join(filter(None, (*texts, first_of(stated, count))))


def _show_kinds(kinds: Sequence[Result], out: Console) -> None:
    """Prints the kinds of config, their windows, and why other kinds find none."""
    table = new_table("configs of", ">windows", ">of bars", "config that fits, or why none does")
    for kind in kinds:
        why = kind["config"] or "; ".join(f"{reason['count']:,} {reason['reason']}" for reason in kind["why"])
        add_row(table, _KINDS[kind["kind"]], f"{kind['windows']:,}", str(kind["bars"]), why)
    out.print(table)
    write(out, "")


_TRIPLETS = {"triplets": "Most hits between the beats are triplets", "both": "Many hits between the beats are triplets"}
_KINDS = {"drums": "drums", "melody": "melodies", "trio": "melody, bass, drums", "tracks": "several instruments"}


def _show_parts(result: Result, out: Console) -> None:
    """Prints the parts of each window of other music than drums."""
    number = (result["shown"] or {}).get("window")
    rows = list(enumerate(result["windows"], 1))
    rows = [rows[number - 1]] if number else rows
    table = new_table(">window", ">bar", "notes of each part (lowest and highest pitch)")
    for place, window in rows[:MOST_ROWS]:
        add_row(
            table,
            str(place),
            "" if window["bar"] is None else bar_number(window["bar"]),
            "; ".join(map(_part_text, window["parts"])),
        )
    write(out, "")
    out.print(table)
    print_rest(out, len(rows))


def _part_text(part: Result) -> str:
    pitches = f" ({part['lowest']}-{part['highest']})" if part["lowest"] is not None else ""
    return f"{part['name']} {part['notes']:,}{pitches}"


def _show_collection(result: Result, out: Console, signs: Signs) -> None:
    files = result["files"]
    what = f"{result['found']:,} MIDI files"
    if result["kind"] == "notes":
        what = f"{files['readable']:,} NoteSequences"
    write(out, f"{result['path']}: {what}, {length_in_words(result['seconds'])} of music")
    write(
        out,
        f"{files['readable']:,} readable, {files['with_drums']:,} with drums, {files['with_windows']:,} with windows"
        f" of {result['window_bars']} bars for {result['config']}",
        "",
    )
    table = new_table("split", ">files", ">hours", ">notes", ">drum notes", ">windows", ">distinct", ">examples")
    for name, split in result["splits"].items():
        counts = (split[key] for key in ("notes", "drum_notes", "windows", "distinct", "examples"))
        hours = f"{split['seconds'] / 3600:,.2f}"
        add_row(table, name, f"{split['files']:,}", hours, *(f"{count:,}" for count in counts))
    out.print(table)
    write(out, _SPLIT_BY.get(result["split_by"], f"Split by {result['split_by']}."), "")
    if result["styles"]:
        table = new_table("style", ">files", ">hours", ">windows")
        for name, style in list(result["styles"].items())[:MOST_ROWS]:
            add_row(table, name, f"{style['files']:,}", f"{style['seconds'] / 3600:,.2f}", f"{style['windows']:,}")
        out.print(table)
        print_rest(out, len(result["styles"]))
        write(out, ", ".join(f"{kind}: {count:,}" for kind, count in result["beat_types"].items()), "")
    _show_tempos(result["tempos"], files["several_tempos"], out, signs)
    signatures = [f"{name} ×{count:,}" for name, count in result["time_signatures"].items()]
    write(out, f"Time signatures: {first_of(signatures, len(signatures)) or 'none'}")
    if files["several_time_signatures"]:
        write(out, f"{counted(files['several_time_signatures'], 'file')} with more than one, counted with the first")
    write(out, "")
    _show_voices(result["voices"], out)
    other = "" if result["kind"] == "notes" else ", but other bytes"  # NoteSequences come without files
    for key, text in (("same_bytes", "the same bytes"), ("same_music", f"the same notes{other}")):
        found = result["duplicates"][key]
        if found["groups"]:
            names = ", ".join(found["names"][0][:3])
            more = found["superfluous"]
            write(out, f"Duplicates: {more:,} superfluous, with {text} ({names}{', ...' if more > 1 else ''})")
    if "note_ons" in result:
        write(out, *sentences(result))
    for reason, skipped in result["skipped"].items():
        names = ", ".join(skipped["names"][:3]) + (", ..." if skipped["count"] > 3 else "")
        action = f". {ACTIONS[reason]}" if reason in ACTIONS else ""
        write(out, f"Not used: {skipped['count']:,}, {reason} ({names}){action}")
    for channel, files in result.get("drums_on_channel", {}).items():
        one = files["names"][0] if result["files"]["with_drums"] else ""
        write(out, f"{counted(files['count'], 'file')} without drums: {advice_for(int(channel), one)}")
    for name, reason in result.get("catalogues_not_used", {}).items():
        write(out, f"The table '{name}' is not used: {reason}")
    if result.get("passed_over"):
        write(out, f"Passed over {describe_passed_over(result['passed_over'])}")
    if count := result.get("missing", {}).get("count"):
        write(out, f"{counted(count, 'file')} of {' and '.join(result['catalogues'])} missing")
    if similar := result.get("near_duplicates", {}).get("groups"):
        of_groups = f"{counted(result['near_duplicates']['files'], 'file')} in {counted(similar, 'group')}"
        write(out, f"Near-duplicates: {of_groups}, each group in one split")
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
        write(out, "Tempos: none given, so 120 bpm")
        return
    write(out, f"Tempos: {tempos['min']:g} to {tempos['max']:g} bpm, median {tempos['median']:g}")
    most = max(entry["files"] for entry in tempos["histogram"])
    table = new_table(">bpm", ">files", "")
    for entry in tempos["histogram"]:
        to = f"-{entry['to']}" if entry["to"] is not None else " and faster"
        width = -(-entry["files"] * _BAR_WIDTH // most)
        add_row(table, f"{entry['from']}{to}", f"{entry['files']:,}", signs.hit * width)
    out.print(table)
    if several:
        write(out, f"{counted(several, 'file')} with more than one, counted with the first")
    write(out, "")


def _show_examples(result: Result, out: Console, signs: Signs) -> None:
    windows = sum(split["windows"] for split in result["splits"].values())
    write(out, f"{result['path']}: {counted(windows, 'window')} for {result['config']}", "")
    drums = "bars" in result
    table = new_table("split", ">windows", ">distinct", ">files", *([">silent"] if drums else []))
    for name, split in result["splits"].items():
        share = f"{split['silent_share']:.2%}" if drums and split["silent_share"] is not None else "-"
        counts = [f"{split[key]:,}" for key in ("windows", "distinct", "files")]
        add_row(table, name, *counts, *([share] if drums else []))
    out.print(table)
    shared = [f"{names}: {count:,}" for names, count in result["shared"].items() if count]
    write(out, f"Windows in two splits: {', '.join(shared) or 'none'}", "")
    if not drums:
        table = new_table("part", ">windows with it", ">notes a window")
        for part in result["parts"][:MOST_ROWS]:
            add_row(table, part["part"], f"{part['windows']:,}", f"{part['notes'] / max(1, part['windows']):.1f}")
        out.print(table)
        print_rest(out, len(result["parts"]))
        return
    _show_voices(result["voices"], out)
    bars = result["bars"]
    write(out, f"{counted(bars['all'], 'bar')}, {bars['distinct']:,} different. The most frequent:")
    for bar in bars["frequent"]:
        share = bar["count"] / max(1, bars["all"])
        write(out, "", f"{counted(bar['count'], 'time')} ({share:.1%})" + ("" if any(bar["labels"]) else ": silence"))
        if any(bar["labels"]):
            _grid(result, bar["labels"], out, signs, None)


def _show_voices(voices: Sequence[Result], out: Console) -> None:
    notes = sum(voice["notes"] for voice in voices)
    table = new_table("drum class", ">notes", ">share")
    for voice in voices:
        add_row(table, voice["voice"], f"{voice['notes']:,}", f"{voice['notes'] / max(1, notes):.1%}")
    out.print(table)
    write(out, "")


def _show_left_out(dropped: Result, out: Console, pitches: bool = True) -> None:
    """Prints the music that gave no window, in the words of ``gmd-vae preprocess``."""
    rows = left_out(dropped, pitches=pitches)
    if not rows:
        return
    write(out, "", "Left out:")
    table = new_table(">", "")
    table.show_header = False
    for count, text in rows[:MOST_ROWS]:
        add_row(table, f"{count:,}", text)
    out.print(table)
    print_rest(out, len(rows))


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
        write(out, line)


def _since(change: Result) -> str:
    return f" from {change['seconds']:.1f} s" if change["seconds"] else ""
