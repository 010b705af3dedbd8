"""Medians, ratios and rows from made-up records."""

from __future__ import annotations

from typing import Any

from benchmarks import summary
from benchmarks.summary import Cost, Group, Row

STOCK, OURS = "stock Magenta", "gmd-vae fp32"


def seconds(wall: float, cpu: float) -> dict[str, float]:
    return {"wall": wall, "cpu": cpu}


def record(label: str, work: str = "train", **fields: Any) -> dict[str, Any]:
    """Returns the record of a process: stages of 1 to 4 seconds, then six steps; the last three are measured."""
    stages = {"import": 1, "graph build": 2, "data ready": 3, "first step": 4}
    report = {
        "stages": {name: seconds(wall, 2 * wall) for name, wall in stages.items()},
        "steps": [seconds(wall, 2 * wall) for wall in (9.0, 8.0, 7.0, 0.1, 0.6, 0.2)],
        "losses": [399.0, 398.0],
        "peak_bytes": 1_500_000_000,
        "operations": 23_800,
    }
    job = {"work": work, "config": "small", "batch_size": None if work == "sample" else 64}
    return {
        "job": job,
        "label": label,
        "wall": 30.0,
        "cpu": 50.0,
        "error": None,
        "report": report,
        "midi_files": 1000,
        **fields,
    }


def rows(group: Group) -> dict[str, dict[str, Cost | None]]:
    return {row.name: row.costs for row in group.rows}


def test_costs_of_training() -> None:
    found = summary.costs(record(STOCK))
    assert found["start to first step done"] == Cost(10, 20)
    assert found["second step"] == Cost(9, 18)
    assert found["training step, median"] == Cost(0.2, 0.4)
    assert round(found["training step, mean"].wall, 6) == 0.3
    assert found["peak memory, MB"] == Cost(1500, None)
    assert found["operations in the graph"] == Cost(23_800, None)


def test_costs_of_sampling_are_those_of_the_whole_process() -> None:
    assert summary.costs(record(OURS, "sample", report={})) == {"1,000 MIDI files, whole process": Cost(30, 50)}


def test_costs_of_evaluation_leave_out_the_import() -> None:
    stages = {"import": seconds(5, 5), "first evaluation": seconds(20, 30), "next evaluation": seconds(4, 6)}
    found = summary.costs(record(OURS, "evaluate", report={"stages": stages}))
    assert found == {"first evaluation": Cost(20, 30), "next evaluation": Cost(4, 6)}


def test_repeats_give_their_median() -> None:
    sampled = [record(STOCK, "sample", wall=wall, cpu=cpu) for wall, cpu in ((3.0, 9.0), (1.0, 8.0), (2.0, 1.0))]
    (group,) = summary.groups(sampled)
    assert group.title == "small, sampling"
    assert rows(group) == {"1,000 MIDI files, whole process": {STOCK: Cost(2, 8)}}


def test_one_failed_process_marks_its_contender_as_failed() -> None:
    records = [record(STOCK), record(OURS), record(STOCK, error="exit code 1\nout of memory", report={}), record(OURS)]
    found = rows(summary.groups(records)[0])["first step"]
    assert found == {STOCK: None, OURS: Cost(4, 8)}


def test_there_is_a_row_if_all_processes_failed() -> None:
    failed = [record(STOCK, "evaluate", error="exit code 1", report={})]
    assert summary.groups(failed)[0].rows == [Row("evaluate", {STOCK: None})]


def test_training_that_does_not_change_the_loss_has_failed() -> None:
    same = record(OURS)
    same["report"]["losses"] = [399.0, 399.0, 399.0]
    assert "loss" in str(summary.problem(same))
    assert summary.problem(record(OURS)) is None


def test_training_without_measured_steps_has_failed() -> None:
    short = record(OURS)
    short["report"]["steps"] = short["report"]["steps"][:3]
    assert summary.problem(short) == "stopped too early"


def test_a_process_without_a_report_has_failed() -> None:
    assert summary.problem(record(OURS, report={})) == "no report"


def test_missing_samples_are_a_failure() -> None:
    assert summary.problem(record(OURS, "sample", midi_files=999)) == "999 MIDI files, not 1,000"


def test_the_floor_stands_below_the_training_step_of_its_config() -> None:
    floors = [
        {"config": "small", "batch_size": 64, "precision": "fp32", "wall": 0.1, "cpu": 0.15},
        {"config": "small", "batch_size": 256, "precision": "fp32", "wall": 9, "cpu": 9},
    ]
    names = [row.name for row in summary.groups([record(STOCK), record(OURS)], floors)[0].rows]
    place = names.index("matrix products of a step (floor)")
    assert names[place - 1] == "training step, mean"
    found = rows(summary.groups([record(OURS)], floors)[0])["matrix products of a step (floor)"]
    assert found == {OURS: Cost(0.1, 0.15)}


def test_a_floor_without_a_rate_is_a_failure() -> None:
    floors = [{"config": "small", "batch_size": 64, "precision": "fp32", "wall": None, "cpu": None}]
    found = rows(summary.groups([record(OURS)], floors)[0])["matrix products of a step (floor)"]
    assert found == {OURS: None}


def test_the_ratio_is_stock_divided_by_ours() -> None:
    assert summary.ratio(Cost(6, 9), Cost(2, 6)) == Cost(3, 1.5)
    assert summary.ratio(Cost(6, None), Cost(2, None)) == Cost(3, None)
    assert summary.ratio(None, Cost(2, 3)) is None
    assert summary.ratio(Cost(2, 3), None) is None


def test_stock_is_the_first_column() -> None:
    assert summary.labels(summary.groups([record(OURS), record(STOCK)])) == [STOCK, OURS]


def test_cells_of_a_row() -> None:
    row = Row("first step", {STOCK: Cost(12.34, 20.0), OURS: Cost(6.17, 5.0)})
    assert summary.cells(row, [STOCK, OURS]) == ["first step", "12.3 / 20.0", "6.170 / 5.000", "2.00× / 4.00×"]
    memory = Row("peak memory, MB", {STOCK: Cost(1500, None), OURS: Cost(1000, None)})
    assert summary.cells(memory, [STOCK, OURS]) == ["peak memory, MB", "1,500", "1,000", "1.50×"]
    floor = Row("floor", {OURS: Cost(0.1, 0.2)})
    assert summary.cells(floor, [STOCK, OURS]) == ["floor", "", "0.100 / 0.200", ""]
    failed = Row("first step", {STOCK: None, OURS: Cost(1, 1)})
    assert summary.cells(failed, [STOCK, OURS]) == ["first step", "failed", "1.000 / 1.000", ""]
