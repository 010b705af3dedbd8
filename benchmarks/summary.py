"""Summarises records of measurements: medians, ratios, rows of tables."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.job import SAMPLES, STOCK, WARM_UP

FAILED = "failed"
_STAGES = ("import", "graph build", "data ready", "first step")


@dataclasses.dataclass(frozen=True)
class Cost:
    """A measured quantity.

    Attributes:
        wall: Wall time in seconds, or another quantity in the unit of the row's name.
        cpu: Processor time in seconds; ``None`` for other quantities.
    """

    wall: float
    cpu: float | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One quantity of one config.

    Attributes:
        name: Name of the quantity.
        costs: Label of a contender → median over the repeats; ``None`` if a process failed. Contenders without this
            quantity are missing.
    """

    name: str
    costs: dict[str, Cost | None]


@dataclasses.dataclass(frozen=True)
class Group:
    """The rows of one table.

    Attributes:
        config: Name of the config.
        batch_size: Batch size; ``None`` for sampling, where each contender has its own.
        rows: Rows in the order of the measurements.
    """

    config: str
    batch_size: int | None
    rows: list[Row]

    @property
    def title(self) -> str:
        """Heading of the table."""
        return f"{self.config}, " + ("sampling" if self.batch_size is None else f"batch size {self.batch_size}")


def costs(record: dict[str, Any]) -> dict[str, Cost]:
    """Returns the quantities of one process by name.

    Args:
        record: Record of the results file: job, times, and the report of the process.
    """
    work = record["job"]["work"]
    if work == "sample":
        return {"1,000 MIDI files, whole process": Cost(record["wall"], record["cpu"])}
    stages = {name: Cost(stage["wall"], stage["cpu"]) for name, stage in record["report"]["stages"].items()}
    if work == "evaluate":
        return {name: cost for name, cost in stages.items() if name != "import"}
    quantities = {name: stages[name] for name in _STAGES}
    quantities["start to first step done"] = total(quantities.values())
    steps = [Cost(step["wall"], step["cpu"]) for step in record["report"]["steps"]]
    quantities["second step"] = steps[0]
    counted = steps[WARM_UP:]
    quantities["training step, median"] = median(counted)
    quantities["training step, mean"] = mean(counted)
    quantities["peak memory, MB"] = Cost(record["report"]["peak_bytes"] / 1e6, None)
    quantities["operations in the graph"] = Cost(record["report"]["operations"], None)
    return quantities


def problem(record: dict[str, Any]) -> str | None:
    """Returns the reason why a measurement is invalid; ``None`` for a valid one."""
    if record["error"] is not None:
        return str(record["error"])
    work, report = record["job"]["work"], record["report"]
    if work == "sample":
        written = record["midi_files"]
        return None if written == SAMPLES else f"{written:,} MIDI files, not {SAMPLES:,}"
    if not report:
        return "no report"
    if work == "train" and len(report["steps"]) <= WARM_UP:
        return "stopped too early"
    if work == "train" and len(set(report["losses"])) == 1:
        return "the loss did not change, so nothing was trained"
    return None


def groups(records: Sequence[dict[str, Any]], floors: Sequence[dict[str, Any]] = ()) -> list[Group]:
    """Returns the tables.

    Args:
        records: Records of all processes, repeats included, in the order of the measurements.
        floors: Time of the matrix products of a training step, by config, batch size and precision.
    """
    tables = []
    for config, batch_size in dict.fromkeys((one["job"]["config"], one["job"]["batch_size"]) for one in records):
        rows = []
        members = [one for one in records if (one["job"]["config"], one["job"]["batch_size"]) == (config, batch_size)]
        for work in dict.fromkeys(one["job"]["work"] for one in members):
            rows += _rows([one for one in members if one["job"]["work"] == work])
        least: dict[str, Cost | None] = {
            f"gmd-vae {floor['precision']}": None if floor["wall"] is None else Cost(floor["wall"], floor["cpu"])
            for floor in floors
            if (floor["config"], floor["batch_size"]) == (config, batch_size)
        }
        if least:
            position = next((at + 1 for at, row in enumerate(rows) if row.name == "training step, mean"), len(rows))
            rows.insert(position, Row("matrix products of a step (floor)", least))
        tables.append(Group(config, batch_size, rows))
    return tables


def _rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """Returns the rows of one kind of work. A contender fails if one of its processes failed."""
    by_label: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        by_label.setdefault(record["label"], []).append(record)
    measured: dict[str, dict[str, Cost] | None] = {}
    for label, repeats in by_label.items():
        if not any(map(problem, repeats)):
            each = [costs(one) for one in repeats]
            measured[label] = {name: median([one[name] for one in each]) for name in each[0]}
        else:
            measured[label] = None
    names = dict.fromkeys(name for medians in measured.values() for name in medians or ())
    return [
        Row(name, {label: medians[name] if medians else None for label, medians in measured.items()})
        for name in names or [records[0]["job"]["work"]]
    ]


def median(measured: Sequence[Cost]) -> Cost:
    """Returns the median of wall time and the median of processor time."""
    cpu = [cost.cpu for cost in measured if cost.cpu is not None]
    return Cost(statistics.median(cost.wall for cost in measured), statistics.median(cpu) if cpu else None)


def mean(measured: Sequence[Cost]) -> Cost:
    """Returns the mean of wall time and of processor time."""
    return Cost(statistics.fmean(cost.wall for cost in measured), statistics.fmean(cost.cpu or 0 for cost in measured))


def total(measured: Iterable[Cost]) -> Cost:
    """Returns the sum of wall time and of processor time."""
    parts = list(measured)
    return Cost(sum(cost.wall for cost in parts), sum(cost.cpu or 0 for cost in parts))


def ratio(stock: Cost | None, ours: Cost | None) -> Cost | None:
    """Returns the quotient stock / ours; ``None`` if one of the two is unknown."""
    if stock is None or ours is None:
        return None
    cpu = stock.cpu / ours.cpu if stock.cpu is not None and ours.cpu else None
    return Cost(stock.wall / ours.wall, cpu)


def labels(groups: Sequence[Group]) -> list[str]:
    """Returns the labels of the contenders, stock first."""
    distinct = dict.fromkeys(label for group in groups for row in group.rows for label in row.costs)
    return sorted(distinct, key=lambda label: not label.startswith(STOCK))


def cells(row: Row, columns: Sequence[str]) -> list[str]:
    """Returns the cells of a row: name, cost of the first contender, then cost and ratio of each other one."""
    first = row.costs.get(columns[0])
    texts = [row.name]
    for column in columns:
        cost = row.costs.get(column)
        missing = FAILED if column in row.costs else ""
        texts.append(_cost(cost) if cost else missing)
        if column != columns[0]:
            times = ratio(first, cost)
            texts.append(_both(times, "{:.2f}×") if times else "")
    return texts


def _cost(cost: Cost) -> str:
    if cost.cpu is None:
        return f"{cost.wall:,.0f}"
    return _both(cost, "{:.3f}" if cost.wall < 10 else "{:.1f}")


def _both(cost: Cost, form: str) -> str:
    texts = [form.format(part) for part in (cost.wall, cost.cpu) if part is not None]
    return " / ".join(texts)
