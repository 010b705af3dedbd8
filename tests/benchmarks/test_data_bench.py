"""The data benchmark: its jobs, the comparison of outputs, and its table."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.tfrecord import write_record

from benchmarks import data, process
from benchmarks.data import (
    ALONE,
    CONVERT_STOCK,
    OURS,
    OURS_ALL,
    SCRIPT,
    STOCK_LABEL,
    compared,
    identical,
    jobs,
    scale_jobs,
    scaled,
)
from benchmarks.data_work import digest
from benchmarks.summary import Cost


def record(work: str, label: str, cpu: float = 1.0, **fields: Any) -> dict[str, Any]:
    known = {"work": work, "label": label, "files": None, "error": None, "wall": 2 * cpu, "cpu": cpu}
    return {**known, "peak_bytes": 50_000_000, "peak_bytes_in_all": 90_000_000, "report": {}, **fields}


def report(cpu: float, found: str = "same") -> dict[str, Any]:
    return {"stages": {"windows": {"wall": cpu, "cpu": cpu}}, "digest": found}


def test_every_contender_writes_to_a_folder_of_its_own(tmp_path: Path) -> None:
    found = list(jobs(tmp_path / "raw", tmp_path / "notes", tmp_path, "flat-drum_4bar_small"))
    assert [(job.work, job.label) for job in found[:4]] == [
        ("convert", STOCK_LABEL),
        ("convert", OURS),
        ("convert", OURS_ALL),
        (CONVERT_STOCK, OURS),
    ]
    assert "--stock" in found[3].command
    targets = [part for job in found for part in job.command if part.startswith(str(tmp_path)) and "raw" not in part]
    written = [part for part in targets if part != str(tmp_path / "notes")]
    assert len(set(written)) == len(written) == 6


def test_jobs_of_a_larger_data_set_have_its_number_of_files(tmp_path: Path) -> None:
    convert, preprocess = scale_jobs(tmp_path / "copies", tmp_path, "c", 10, 11_500)
    assert (convert.work, convert.files) == ("convert, 10 × GMD", 11_500)
    assert str(tmp_path / "notes-10") in preprocess.command


def test_the_table_has_medians_and_failures() -> None:
    records = [record("convert", STOCK_LABEL, cpu) for cpu in (30.0, 10.0, 20.0)]
    records += [record("convert", OURS, 2.0), record("convert", OURS_ALL, 2.0, error="exit code 1")]
    records += [
        record("preprocess", STOCK_LABEL, 9.0, report=report(8.0)),
        record(ALONE, OURS, 3.0, report=report(0.5)),
    ]
    rows = {row.name: row.costs for row in compared(records)}
    assert rows["convert"] == {STOCK_LABEL: Cost(40, 20), OURS: Cost(4, 2), OURS_ALL: None}
    assert rows["convert: MB, largest process"][OURS] == Cost(50, None)
    assert rows["preprocess"] == {STOCK_LABEL: Cost(18, 9)}
    assert rows[ALONE] == {STOCK_LABEL: Cost(8, 8), OURS: Cost(0.5, 0.5)}


def test_scale_is_files_a_second_of_a_core() -> None:
    rows = {row.name: row.costs for row in scaled([record("convert, 10 × GMD", OURS_ALL, 4.0, files=1000)])}
    assert rows["  files a second of one core"] == {OURS_ALL: Cost(250, None)}
    assert rows["  MB, all processes"] == {OURS_ALL: Cost(90, None)}
    assert compared([record("convert, 10 × GMD", OURS_ALL, 4.0, files=1000)]) == []


def test_outputs_are_compared_in_any_order(tmp_path: Path) -> None:
    def write(path: Path, records: list[bytes]) -> None:
        with path.open("wb") as stream:
            for one in records:
                write_record(stream, one)

    for folder in ("ours", "script"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "train.tfrecord", [b"b", b"b"])
        write(tmp_path / folder / "test.tfrecord", [b"a"])
    script = {"stages": {"records": {"wall": 1, "cpu": 1}}, "digest": digest([b"a", b"b", b"b"])}
    records = [record("preprocess", STOCK_LABEL, report=report(1)), record(ALONE, OURS, report=report(1))]
    records += [record(SCRIPT, STOCK_LABEL, report=script), record(SCRIPT, OURS)]
    write(tmp_path / "stock.tfrecord", [b"b", b"a", b"b"])
    assert identical(records, tmp_path) == {"NoteSequence records": True, "windows": True, SCRIPT: True}
    write(tmp_path / "stock.tfrecord", [b"a", b"b", b"a"])
    records[1]["report"]["digest"] = script["digest"] = "other"
    assert identical(records, tmp_path) == {"NoteSequence records": False, "windows": False, SCRIPT: False}
    assert identical(records[:1], tmp_path)["windows"] is False  # nothing to compare with


def test_our_extractor_reports_its_windows(starter_notes: Path) -> None:
    arguments = ["ours", str(starter_notes), "flat-drum_4bar_small"]
    outcome = process.run(lambda started: [sys.executable, "-m", "benchmarks.data_work", *arguments, str(started)])
    assert outcome.error is None
    assert outcome.report["windows"] > 10
    assert set(outcome.report["stages"]) == {"import", "read", "windows"}


def test_digests_depend_on_counts() -> None:
    assert digest([b"a", b"b"]) == digest([b"b", b"a"])
    assert digest([b"a", b"b"]) != digest([b"a", b"b", b"b"])


def test_a_measured_job_and_one_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    said = json.dumps({"stages": {"windows": {"wall": 1, "cpu": 1}}})
    good = data._measure(data.Job("w", OURS, [sys.executable, "-c", f"print('{said}')"]))
    assert (good["error"], good["report"]) == (None, json.loads(said))
    assert good["cpu"] > 0
    bad = data._measure(data.Job("w", OURS, [sys.executable, "-c", "import sys; sys.exit('no')"]))
    assert "no" in bad["error"]
    assert "FAILED" in capsys.readouterr().err


def test_the_error_for_missing_data_has_the_next_action(tmp_path: Path) -> None:
    result = CliRunner().invoke(data.main, ["--raw", str(tmp_path / "none"), "--output-dir", str(tmp_path)])
    assert isinstance(result.exception, GmdVaeError)
    assert "gmd-vae fetch groove" in str(result.exception)
