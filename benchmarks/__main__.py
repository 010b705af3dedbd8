"""``python -m benchmarks``: training, evaluation and sampling of stock Magenta and gmd-vae, in separate processes."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from gmd_vae.common import console, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import get_config
from rich.table import Table

from benchmarks import floor, machine, plot, process, summary
from benchmarks.job import STOCK, Contender, Job, jobs

_CONFIGS = ("hierdec-drum_4bar_small", "hierdec-drum_4bar_v2", "hierdec-drum_4bar-ar_small")
_BATCH_SIZES = (64, 256)
_PRECISIONS = ("fp32", "bf16")
_STEPS, _REPEATS = 20, 3
_QUICK_STEPS, _QUICK_REPEATS = 5, 1

Shape = tuple[int, int]  # rows of the first matrix, units of the layer


@click.command()
@click.option("--config", "configs", multiple=True, metavar="NAME", help="[default: small, v2 and ar_small]")
@click.option("--batch-size", "batch_sizes", multiple=True, type=click.IntRange(1), help="[default: 64 and 256]")
@click.option("--precision", "precisions", multiple=True, type=click.Choice(_PRECISIONS), help="[default: both]")
@click.option("--steps", type=click.IntRange(1), help=f"Measured training steps.  [default: {_STEPS}]")
@click.option("--repeats", type=click.IntRange(1), help=f"Number of processes for each figure.  [default: {_REPEATS}]")
@click.option("--quick", is_flag=True, help="Small and v2, batch size 64, few steps, one repeat.")
@click.option("--notes", type=click.Path(path_type=Path), default="data/notes/groove", show_default=True)
@click.option("--examples", type=click.Path(path_type=Path), default="data/examples/groove", show_default=True)
@click.option(
    "--output-dir", type=click.Path(path_type=Path, file_okay=False), default="benchmarks/results", show_default=True
)
def main(
    configs: tuple[str, ...],
    batch_sizes: tuple[int, ...],
    precisions: tuple[str, ...],
    steps: int | None,
    repeats: int | None,
    quick: bool,
    notes: Path,
    examples: Path,
    output_dir: Path,
) -> None:
    """Compare stock Magenta with gmd-vae on this machine: training, evaluation, sampling.

    Writes a table to the screen, and a JSON and a PNG file named after the device.
    """
    configs = configs or _CONFIGS[: 2 if quick else None]
    batch_sizes = batch_sizes or _BATCH_SIZES[: 1 if quick else None]
    chosen = precisions or _PRECISIONS
    contenders = [Contender(STOCK), *(Contender("ours", precision) for precision in chosen)]
    steps = steps or (_QUICK_STEPS if quick else _STEPS)
    repeats = repeats or (_QUICK_REPEATS if quick else _REPEATS)
    about = machine.describe()
    err = console.stderr()
    if busy := machine.warning(about["load_average_before"][0]):
        err.print(busy)
    drum_configs = [_drum_config(name) for name in configs]
    _check_notes(notes)
    for config in drum_configs:
        _prepare(config, notes, examples / config.name)

    name = machine.device(about) + ("-quick" if quick else "")
    results: dict[str, Any] = {"machine": about, "steps": steps, "repeats": repeats, "floors": [], "records": []}
    with tempfile.TemporaryDirectory(prefix="gmd-vae-bench-") as scratch:
        results["rates"] = rates = _rates(drum_configs, batch_sizes)
        for config in drum_configs:
            for batch_size in batch_sizes:
                results["floors"] += _floors(config, batch_size, chosen, rates)
        work = list(jobs(configs, batch_sizes, contenders, steps, repeats, notes, examples, Path(scratch)))
        needed = {job.run for job in work if job.work != "train"}
        for job in work:
            results["records"].append(_measure(job))
            # checkpoints are large
            shutil.rmtree(job.samples if job.run in needed else job.run, ignore_errors=True)
            # after every process, so that a stopped benchmark keeps its figures
            manifest.write_json(output_dir / f"{name}.json", results)
    tables = summary.groups(results["records"], results["floors"])
    _show(tables)
    plot.draw(tables, output_dir / f"{name}.png", machine.title(about), gpu=bool(about["gpus"]))
    console.stdout().print(f"Wrote {output_dir / name}.json and {output_dir / name}.png", markup=False)
    if any(map(summary.problem, results["records"])):
        raise SystemExit(1)


def _measure(job: Job) -> dict[str, Any]:
    """Runs the process of a job and returns its record for the results file."""
    err = console.stderr()
    outcome = process.run(job.command)
    done = f"{job.config}, batch size {job.batch_size or 'default'}, {job.work}, {job.contender.label}"
    err.print(f"{done}: {outcome.wall:.1f} s", markup=False)
    record = {
        "job": job.as_json(),
        "label": job.contender.label,
        "wall": outcome.wall,
        "cpu": outcome.cpu,
        "error": outcome.error,
        "report": outcome.report,
        "midi_files": len(list(job.samples.glob("*.mid"))),
    }
    if problem := summary.problem(record):
        err.print(f"FAILED: {problem}", markup=False)
    return record


def _drum_config(name: str) -> Config:
    config = get_config(name)
    if config.magenta:
        raise GmdVaeError(f"'{name}' takes its model from Magenta", "Choose a drum config of configs.py.")
    return config


def _check_notes(notes: Path) -> None:
    for split in ("train", "validation"):
        if not (notes / f"{split}.tfrecord").exists():
            raise GmdVaeError(f"There is no {split}.tfrecord in '{notes}'", "Run 'make data', or give --notes.")


def _prepare(config: Config, notes: Path, folder: Path) -> None:
    if not (folder / manifest.NAME).exists():
        console.stderr().print(f"Preparing {folder}", markup=False)
        _gmd_vae("preprocess", str(notes), "--config", config.name, "--output-dir", str(folder))


def _gmd_vae(*arguments: str) -> None:
    outcome = process.run(lambda _: [sys.executable, "-m", "gmd_vae", *arguments])
    if outcome.error is not None:
        raise GmdVaeError(f"'gmd-vae {' '.join(arguments)}' failed: {outcome.error}")


def _rates(configs: Sequence[Config], batch_sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Measures the rate of matrix products for every shape of the configs."""
    shapes: dict[Shape, None] = {}
    for config in configs:
        for batch_size in batch_sizes:
            for units in dict.fromkeys([*config.hparams["enc_rnn_size"], *config.hparams["dec_rnn_size"]]):
                shapes[batch_size, units] = shapes[batch_size * config.windows.steps, units] = None
    outcome = process.run(
        lambda started: [sys.executable, "-m", "benchmarks.gemm", json.dumps([list(shapes), started])]
    )
    if outcome.error is not None:
        console.stderr().print(f"FAILED: the matrix products, {outcome.error}", markup=False)
    rates: list[dict[str, Any]] = outcome.report.get("rates", [])
    return rates


def _floors(
    config: Config, batch_size: int, precisions: Sequence[str], rates: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Returns the time of the matrix products of one training step in each precision; ``None`` without a rate."""
    products = floor.count(config, batch_size)
    floors = []
    for precision in precisions:
        measured = {
            (rate["rows"], rate["units"]): floor.Rate(rate["wall"], rate["cpu"])
            for rate in rates
            if rate["precision"] == precision
        }
        cost: dict[str, float | None] = {"wall": None, "cpu": None}
        if measured:
            cost = dataclasses.asdict(floor.seconds(products, floor.rates(measured, batch_size, config.windows.steps)))
        about = {"config": config.name, "batch_size": batch_size, "precision": precision}
        floors.append({**about, "operations": floor.total(products), **cost})
    return floors


def _show(tables: Sequence[summary.Group]) -> None:
    columns = summary.labels(tables)
    for group in tables:
        table = Table(title=group.title, title_justify="left")
        table.add_column("seconds: wall / processor")
        for number, column in enumerate(columns):
            table.add_column(column, justify="right")
            if number:
                table.add_column("stock ÷ ours", justify="right")
        for row in group.rows:
            table.add_row(*summary.cells(row, columns))
        console.stdout().print(table)


if __name__ == "__main__":
    try:
        main()
    except GmdVaeError as error:
        raise SystemExit(f"Error: {error}") from None
