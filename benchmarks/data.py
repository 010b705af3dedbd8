"""The data stages of gmd-vae beside stock Magenta's scripts: ``python -m benchmarks.data --help``."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from gmd_vae.common import console, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import DEFAULT_CONFIG
from gmd_vae.midi.tfrecord import read_records
from rich.table import Table

from benchmarks import machine, process, summary
from benchmarks.copies import write_copies
from benchmarks.data_work import digest
from benchmarks.job import STOCK
from benchmarks.process import ROOT
from benchmarks.summary import Cost, Row

OURS, OURS_ALL = "gmd-vae, 1 process", "gmd-vae, all cores"
STOCK_LABEL = f"{STOCK} Magenta"
ALONE = "windows alone"
SCRIPT = "preprocess --stock"
CONVERT_STOCK = "convert --stock"  # the same bytes as stock Magenta's
SCRIPT_CONFIG = "cat-drums_2bar_small"  # one of Magenta's own, with its maximum of 5 windows for a section
STARTED = "STARTED"  # placeholder in a command line for time.monotonic() at the start of the process
_RESULTS = ROOT / "benchmarks" / "results"
_REPEATS = 5


@dataclasses.dataclass(frozen=True)
class Job:
    """One measurement in a process of its own.

    Attributes:
        work: Name of the work, as in the table.
        label: Name of the contender, as in the table.
        command: Command line.
        files: Number of MIDI files; ``None`` where files per second are not reported.
    """

    work: str
    label: str
    command: list[str]
    files: int | None = None


@click.command("data")
@click.option(
    "--archive", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Archive of GMD, MIDI only."
)
@click.option(
    "--raw",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "data" / "raw" / "groove",
    help="Folder of GMD, without --archive.  [default: data/raw/groove]",
)
@click.option("--config", default=DEFAULT_CONFIG, show_default=True, help="Drum config whose windows are cut.")
@click.option("--repeats", type=click.IntRange(1), help=f"Processes for each figure.  [default: {_REPEATS}, quick: 1]")
@click.option("--scale", "scales", type=click.IntRange(1), multiple=True, help="Copies.  [default: 1, 10; quick: 1]")
@click.option("--quick", is_flag=True, help="One repeat and one copy: a few minutes.")
@click.option("--output-dir", type=click.Path(path_type=Path, file_okay=False), default=_RESULTS)
def main(
    archive: Path | None,
    raw: Path,
    config: str,
    repeats: int | None,
    scales: tuple[int, ...],
    quick: bool,
    output_dir: Path,
) -> None:
    """Compare the data stages of gmd-vae with stock Magenta's scripts: time, memory and output."""
    about = machine.describe()
    err = console.stderr()
    if busy := machine.warning(about["load_average_before"][0]):
        err.print(busy)
    repeats = repeats or (1 if quick else _REPEATS)
    target = output_dir / (f"data-{machine.device(about)}" + ("-quick" if quick else "") + ".json")
    results: dict[str, Any] = {"machine": about, "config": config, "repeats": repeats, "records": []}
    with tempfile.TemporaryDirectory(prefix="gmd-vae-bench-") as name:
        scratch = Path(name)
        if archive is not None:
            raw = scratch / "groove"
            _gmd_vae("fetch", "groove", "--archive", str(archive), "--output-dir", str(raw))
        if not raw.is_dir():
            raise GmdVaeError(f"There is no '{raw}'", "Run 'gmd-vae fetch groove', or give --archive.")
        notes = scratch / "notes"
        _gmd_vae("convert", str(raw), "--output-dir", str(notes))
        for _ in range(repeats):
            for job in jobs(raw, notes, scratch, config):
                results["records"].append(_measure(job))
            results["identical"] = identical(results["records"], scratch)
            manifest.write_json(target, results)  # after every round, so that a stopped benchmark keeps its figures
        for times in scales or ((1,) if quick else (1, 10)):
            copies = scratch / "copies"
            count = write_copies(raw, copies, times)
            for job in scale_jobs(copies, scratch, config, times, count):
                results["records"].append(_measure(job))
            shutil.rmtree(copies)
            manifest.write_json(target, results)
    for title, rows in (("Groove MIDI Dataset", compared(results["records"])), ("Scale", scaled(results["records"]))):
        _show(title, rows)
    for output, same in results["identical"].items():
        console.stdout().print(f"{output}: {'identical' if same else 'NOT IDENTICAL'}", markup=False)
    console.stdout().print(f"Wrote {target}", markup=False)
    if not all(results["identical"].values()) or any(one["error"] for one in results["records"]):
        raise SystemExit(1)


def jobs(raw: Path, notes: Path, scratch: Path, config: str) -> Iterator[Job]:
    """Yields the measurements of one round; the contenders take turns.

    Args:
        raw: Folder of GMD.
        notes: Output of ``gmd-vae convert``: all contenders cut the same records.
        scratch: Folder for the outputs, each under its own name.
        config: Name of the config whose windows are cut.
    """
    script = [sys.executable, "-m", "magenta.scripts.convert_dir_to_note_sequences", "--log=WARN", "--recursive"]
    files = [f"--input_dir={raw}", f"--output_file={scratch / 'stock.tfrecord'}"]
    yield Job("convert", STOCK_LABEL, [*script, *files])
    yield Job("convert", OURS, _convert(raw, scratch / "every-hit", "--jobs", "1"))
    yield Job("convert", OURS_ALL, _convert(raw, scratch / "every-hit-all"))
    yield Job(CONVERT_STOCK, OURS, _convert(raw, scratch / "ours", "--stock", "--jobs", "1"))
    yield Job("preprocess", STOCK_LABEL, _work("stock", notes, config))
    yield Job("preprocess", OURS, _preprocess(notes, scratch / "windows", config, "--jobs", "1"))
    yield Job("preprocess", OURS_ALL, _preprocess(notes, scratch / "windows-all", config))
    yield Job(ALONE, OURS, _work("ours", notes, config))
    yield Job(SCRIPT, STOCK_LABEL, _work("stock-script", notes, SCRIPT_CONFIG))
    yield Job(SCRIPT, OURS, _preprocess(notes, scratch / "script", SCRIPT_CONFIG, "--stock", "--jobs", "1"))
    both = [_convert(raw, scratch / "whole"), _preprocess(scratch / "whole", scratch / "whole-windows", config)]
    yield Job("convert and preprocess", OURS_ALL, ["sh", "-c", " && ".join(map(shlex.join, both))])


def scale_jobs(copies: Path, scratch: Path, config: str, times: int, files: int) -> Iterator[Job]:
    """Yields the measurements of a larger data set on all cores.

    Args:
        copies: Folder from ``write_copies``.
        scratch: Folder for the outputs.
        config: Name of the config whose windows are cut.
        times: Number of copies of GMD.
        files: Number of MIDI files in all copies.
    """
    notes = scratch / f"notes-{times}"
    yield Job(f"convert, {times} × GMD", OURS_ALL, _convert(copies, notes), files)
    yield Job(f"preprocess, {times} × GMD", OURS_ALL, _preprocess(notes, scratch / f"windows-{times}", config), files)


def identical(records: Sequence[dict[str, Any]], scratch: Path) -> dict[str, bool]:
    """Compares the outputs of stock Magenta and gmd-vae, in any order.

    Args:
        records: Records of all measurements.
        scratch: Folder of the outputs.

    Returns:
        Kind of output → True if both have the same elements with the same counts.
    """
    stock = scratch / "stock.tfrecord"
    windows = {one["report"].get("digest") for one in records if "windows" in one["report"].get("stages", {})}
    script = {one["report"].get("digest") for one in records if one["work"] == SCRIPT and one["report"]}
    return {
        "NoteSequence records": stock.exists() and digest(read_records(stock)) == _digest_of(scratch / "ours"),
        "windows": len(windows) == 1 and any(one["work"] == ALONE and one["report"] for one in records),
        SCRIPT: script == {_digest_of(scratch / "script")},
    }


def _digest_of(folder: Path) -> str:
    return digest(record for path in sorted(folder.glob("*.tfrecord")) for record in read_records(path))


def compared(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Returns the rows of the comparison: medians of wall time, processor time and memory."""
    rows: dict[str, dict[str, Cost | None]] = {}
    for work, label in dict.fromkeys((one["work"], one["label"]) for one in records if one["files"] is None):
        repeats = [one for one in records if (one["work"], one["label"]) == (work, label)]
        failed = any(one["error"] for one in repeats)
        measured = {
            work: [Cost(one["wall"], one["cpu"]) for one in repeats],
            f"{work}: MB, largest process": [Cost(one["peak_bytes"] / 1e6, None) for one in repeats],
        }
        if work == ALONE:
            measured = {}
        if all("windows" in one["report"].get("stages", {}) for one in repeats):
            measured[ALONE] = [Cost(**one["report"]["stages"]["windows"]) for one in repeats]
        for name, costs in measured.items():
            rows.setdefault(name, {})[label] = None if failed else summary.median(costs)
    return [Row(name, costs) for name, costs in rows.items()]


def scaled(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Returns the rows of the larger data sets."""
    rows = []
    for one in records:
        if one["files"] is not None:
            measured = None if one["error"] else Cost(one["wall"], one["cpu"])
            rows.append(Row(one["work"], {one["label"]: measured}))
            if measured:
                for name, value in (
                    ("files a second of one core", one["files"] / one["cpu"]),
                    ("MB, largest process", one["peak_bytes"] / 1e6),
                    ("MB, all processes", (one["peak_bytes_in_all"] or 0) / 1e6),
                ):
                    rows.append(Row(f"  {name}", {one["label"]: Cost(value, None)}))
    return rows


def _measure(job: Job) -> dict[str, Any]:
    """Runs the process of a job and returns its record for the results file."""
    watch = [sys.executable, "-m", "benchmarks.watch"]
    outcome = process.run(
        lambda started: [*watch, *(str(started) if part == STARTED else part for part in job.command)]
    )
    watched = outcome.report
    report = process.last_report(watched.pop("stdout", ""))
    console.stderr().print(f"{job.work}, {job.label}: {outcome.wall:.1f} s", markup=False)
    if outcome.error is not None:
        console.stderr().print(f"FAILED: {outcome.error}", markup=False)
    empty = dict.fromkeys(("wall", "cpu", "peak_bytes", "peak_bytes_in_all"), 0)
    about = {"work": job.work, "label": job.label, "files": job.files, "error": outcome.error}
    return {**about, **empty, **watched, "report": report if "stages" in report else {}}


def _convert(source: Path, target: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "gmd_vae", "convert", str(source), "--output-dir", str(target), *options]


def _preprocess(source: Path, target: Path, config: str, *options: str) -> list[str]:
    arguments = ["preprocess", str(source), "--config", config, "--output-dir", str(target)]
    return [sys.executable, "-m", "gmd_vae", *arguments, *options]


def _work(work: str, notes: Path, config: str) -> list[str]:
    return [sys.executable, "-m", "benchmarks.data_work", work, str(notes), config, STARTED]


def _gmd_vae(*arguments: str) -> None:
    outcome = process.run(lambda _: [sys.executable, "-m", "gmd_vae", *arguments])
    if outcome.error is not None:
        raise GmdVaeError(f"'gmd-vae {' '.join(arguments)}' failed: {outcome.error}")


def _show(title: str, rows: Sequence[Row]) -> None:
    labels = dict.fromkeys(label for row in rows for label in row.costs)
    columns = sorted(labels, key=lambda label: not label.startswith(STOCK))
    table = Table(title=title, title_justify="left")
    table.add_column("seconds: wall / processor")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right")
        if number:
            table.add_column("stock ÷ ours", justify="right")
    for row in rows:
        table.add_row(*summary.cells(row, columns))
    console.stdout().print(table)


if __name__ == "__main__":
    try:
        main()
    except GmdVaeError as error:
        raise SystemExit(f"Error: {error}") from None
