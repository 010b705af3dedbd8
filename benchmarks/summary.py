"""From what the processes measured to what people read: medians, ratios, rows."""

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
    """What something takes.

    Attributes:
        wall: seconds; or what the row's name says.
        cpu: seconds of processor time; ``None`` of what is not a time.
    """

    wall: float
    cpu: float | None


@dataclasses.dataclass(frozen=True)
class Row:
    """One quantity of one config, by the contenders' labels.

    Attributes:
        name: what was measured.
        costs: the medians over the repeats; ``None``: a process failed. Who has no such quantity is not there.
    """

    name: str
    costs: dict[str, Cost | None]


@dataclasses.dataclass(frozen=True)
class Group:
    """The rows of one table.

    Attributes:
        config: its name.
        batch_size: ``None`` for what each does with its own.
        rows: in the order of the work.
    """

    config: str
    batch_size: int | None
    rows: list[Row]

    @property
    def title(self) -> str:
        """The heading of its table."""
        return f"{self.config}, " + ("sampling" if self.batch_size is None else f"batch size {self.batch_size}")


def costs(record: dict[str, Any]) -> dict[str, Cost]:
    """What one process measured, by quantity.

    Args:
        record: as in the results: the job, how it ended, and the process's own report.
    """
    work = record["job"]["work"]
    if work == "sample":
        return {"1,000 MIDI files, whole process": Cost(record["wall"], record["cpu"])}
    stages = {name: Cost(stage["wall"], stage["cpu"]) for name, stage in record["report"]["stages"].items()}
    if work == "evaluate":
        return {name: cost for name, cost in stages.items() if name != "import"}
    found = {name: stages[name] for name in _STAGES}
    found["start to first step done"] = total(found.values())
    steps = [Cost(step["wall"], step["cpu"]) for step in record["report"]["steps"]]
    found["second step"] = steps[0]
    counted = steps[WARM_UP:]
    found["training step, median"] = median(counted)
    found["training step, mean"] = mean(counted)
    found["peak memory, MB"] = Cost(record["report"]["peak_bytes"] / 1e6, None)
    found["operations in the graph"] = Cost(record["report"]["operations"], None)
    return found


def problem(record: dict[str, Any]) -> str | None:
    """Why a process has not done its work; ``None``: it has."""
    if record["error"] is not None:
        return str(record["error"])
    work, report = record["job"]["work"], record["report"]
    if work == "sample":
        made = record["midi_files"]
        return None if made == SAMPLES else f"{made:,} MIDI files, not {SAMPLES:,}"
    if not report:
        return "it has reported nothing"
    if work == "train" and len(report["steps"]) <= WARM_UP:
        return "it has stopped too early"
    if work == "train" and len(set(report["losses"])) == 1:
        return "the loss has not changed, so nothing was trained"
    return None


def groups(records: Sequence[dict[str, Any]], floors: Sequence[dict[str, Any]] = ()) -> list[Group]:
    """The tables.

    Args:
        records: of all processes, repeats included, in the order of the work.
        floors: what the matrix products of a training step take, by config, batch size and precision.
    """
    found = []
    for config, batch_size in dict.fromkeys((one["job"]["config"], one["job"]["batch_size"]) for one in records):
        rows = []
        there = [one for one in records if (one["job"]["config"], one["job"]["batch_size"]) == (config, batch_size)]
        for work in dict.fromkeys(one["job"]["work"] for one in there):
            rows += _rows([one for one in there if one["job"]["work"] == work])
        least: dict[str, Cost | None] = {
            f"gmd-vae {floor['precision']}": None if floor["wall"] is None else Cost(floor["wall"], floor["cpu"])
            for floor in floors
            if (floor["config"], floor["batch_size"]) == (config, batch_size)
        }
        if least:
            place = next((at + 1 for at, row in enumerate(rows) if row.name == "training step, mean"), len(rows))
            rows.insert(place, Row("matrix products of a step (floor)", least))
        found.append(Group(config, batch_size, rows))
    return found


def _rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """The rows of one kind of work; a contender of whom a single process failed has failed."""
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
    names = dict.fromkeys(name for found in measured.values() for name in found or ())
    return [
        Row(name, {label: found[name] if found else None for label, found in measured.items()})
        for name in names or [records[0]["job"]["work"]]
    ]


def median(measured: Sequence[Cost]) -> Cost:
    """The median of wall and of processor time, each for itself."""
    cpu = [cost.cpu for cost in measured if cost.cpu is not None]
    return Cost(statistics.median(cost.wall for cost in measured), statistics.median(cpu) if cpu else None)


def mean(measured: Sequence[Cost]) -> Cost:
    """The mean of wall and of processor time."""
    return Cost(statistics.fmean(cost.wall for cost in measured), statistics.fmean(cost.cpu or 0 for cost in measured))


def total(measured: Iterable[Cost]) -> Cost:
    """The sum of wall and of processor time."""
    parts = list(measured)
    return Cost(sum(cost.wall for cost in parts), sum(cost.cpu or 0 for cost in parts))


def ratio(stock: Cost | None, ours: Cost | None) -> Cost | None:
    """How many times as much stock takes; ``None`` where one of the two is not known."""
    if stock is None or ours is None:
        return None
    cpu = stock.cpu / ours.cpu if stock.cpu is not None and ours.cpu else None
    return Cost(stock.wall / ours.wall, cpu)


def labels(groups: Sequence[Group]) -> list[str]:
    """The contenders, stock first."""
    found = dict.fromkeys(label for group in groups for row in group.rows for label in row.costs)
    return sorted(found, key=lambda label: not label.startswith(STOCK))


def cells(row: Row, columns: Sequence[str]) -> list[str]:
    """A row's texts: its name, the first contender's cost, then for every other one its cost and the ratio."""
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
