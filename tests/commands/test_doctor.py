"""``gmd-vae doctor``: its report, also on machines with missing packages."""

from __future__ import annotations

import importlib.metadata
import json
import stat
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from fixtures.json_page import check_answer
from gmd_vae.cli import main
from gmd_vae.commands import doctor_checks
from gmd_vae.common import extras, machine

HEALTHY = {
    "magenta_configs": 23,
    "built_with_cuda": False,
    "devices": [{"name": "CPU:0", "kind": "CPU", "model": None, "compute_capability": None}],
}
METADATA = ["numpy>=2.0", "scipy>=1.15; extra == 'train'", "tensorflow==2.21.*; extra == 'train'"]
GPU = {"name": "Some GPU", "memory_bytes": 24 << 30, "free_bytes": 20 << 30, "driver": "555.1"}


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder on a machine without problems, with a stub for the start of TensorFlow."""
    Memory = namedtuple("Memory", ["total", "available"])
    Disk = namedtuple("Disk", ["total", "used", "free"])
    monkeypatch.setattr(doctor_checks, "run_probe", lambda timeout: dict(HEALTHY))
    monkeypatch.setattr(machine, "gpus", list)
    monkeypatch.setattr(machine, "_cgroup_folders", list)
    monkeypatch.setattr("psutil.virtual_memory", lambda: Memory(16 * 10**9, 8 * 10**9))
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(100 * 10**9, 50 * 10**9, 50 * 10**9))
    monkeypatch.setattr(doctor_checks, "ROOT", tmp_path)  # no lock to compare with
    monkeypatch.setattr(extras, "is_made_by_make", lambda: True)
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(SystemExit) as exit_:
        main(["doctor", "--json"])
    out, err = capsys.readouterr()
    assert err == ""
    assert isinstance(exit_.value.code, int)
    report = json.loads(out)
    check_answer("doctor", report)
    return exit_.value.code, report


def _hide(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name in packages:
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_a_healthy_machine(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = _doctor(capsys)
    assert (code, report["ok"], report["problems"]) == (0, True, [])
    assert report["python"]["version"] == sys.version.split()[0]
    assert report["packages"]["numpy"] == importlib.metadata.version("numpy")
    assert report["memory"] == {"total_bytes": 16 * 10**9, "available_bytes": 8 * 10**9, "limit_bytes": None}
    assert report["tensorflow"]["magenta_configs"] == 23


def test_the_table_says_the_same(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (healthy / "data/notes/groove").mkdir(parents=True)
    (healthy / "data/notes/groove/manifest.json").write_text("{}")
    (healthy / "data/notes/half-written").mkdir()
    with pytest.raises(SystemExit) as exit_:
        main(["doctor"])
    rows = dict(line.rstrip().split("  ", 1) for line in capsys.readouterr().out.splitlines() if "  " in line)
    rows = {name: value.strip() for name, value in rows.items()}
    assert exit_.value.code == 0
    assert rows["tensorflow"] == importlib.metadata.version("tensorflow")
    assert rows["Memory"] == "8.0 GB free of 16.0 GB"
    assert rows["Disk"].startswith("50.0 GB free of 100.0 GB at ")
    assert rows["TensorFlow sees"] == "CPU:0"
    assert rows["data/notes"] == "groove"
    assert rows["runs"] == "nothing yet"


def test_missing_packages_are_errors(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _hide(monkeypatch, "magenta", "numpy")
    code, report = _doctor(capsys)
    assert code == 1
    assert not report["ok"]
    assert {problem["what"] for problem in report["problems"]} == {
        "magenta is not installed",
        "numpy is not installed",
    }
    assert all(problem["next_action"] == "Run 'make setup'." for problem in report["problems"])
    assert report["tensorflow"] is None
    assert report["training"] == {"installed": False, "missing": ["magenta"], "install": "make setup"}


def test_a_light_installation_is_complete_and_names_the_command_for_the_rest(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    training = tuple(extras.TRAINING.values())
    _hide(monkeypatch, *training)
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: METADATA)
    monkeypatch.setattr(extras, "is_made_by_make", lambda: False)
    monkeypatch.setattr("shutil.which", lambda name: f"{Path(sys.executable).parent}/{name}")
    code, report = _doctor(capsys)
    assert (code, report["problems"]) == (0, [])
    command = 'pip install "gmd-vae[train]" && pip install --no-deps magenta==2.1.4'
    missing = report["training"]["missing"]
    assert report["training"] == {"installed": False, "missing": missing, "install": command}
    assert set(missing) == set(training)
    with pytest.raises(SystemExit) as exit_:
        main(["doctor"])
    assert exit_.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("To install it") and line.rstrip().endswith(command) for line in lines)


def test_a_broken_training_installation_is_an_error(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `pip install "gmd-vae[train]"` alone."""
    _hide(monkeypatch, "magenta")
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: METADATA)
    monkeypatch.setattr(extras, "is_made_by_make", lambda: False)
    code, report = _doctor(capsys)
    [problem] = report["problems"]
    assert (code, problem["what"]) == (1, "magenta is not installed")
    assert "--no-deps magenta==2.1.4" in problem["next_action"]


def test_a_wrong_version_is_an_error(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.26.4" if name == "numpy" else real(name))
    code, report = _doctor(capsys)
    assert code == 1
    assert [problem["what"] for problem in report["problems"]] == [
        "numpy 1.26.4 is installed, and numpy>=2.0 is needed"
    ]


def test_an_untested_version_is_a_warning_only(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (healthy / "requirements.txt").write_text("numpy==2.0.0 \\\n    --hash=sha256:00\nnot-installed==1\n")
    code, report = _doctor(capsys)
    assert code == 0
    [problem] = report["problems"]
    assert problem["level"] == "warning"
    assert f"numpy {importlib.metadata.version('numpy')} (tested: 2.0.0)" in problem["what"]
    assert "not-installed" not in problem["what"]


def test_little_memory_and_disk(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    group = healthy / "group"
    group.mkdir()
    (group / "memory.max").write_text(f"{4 * 10**9}\n")
    (group / "memory.current").write_text(f"{3 * 10**9}\n")
    monkeypatch.setattr(machine, "_cgroup_folders", lambda: [group])
    Disk = namedtuple("Disk", ["total", "used", "free"])
    monkeypatch.setattr("shutil.disk_usage", lambda _: Disk(10**9, 9 * 10**8, 10**8))
    code, report = _doctor(capsys)
    assert code == 1  # for the disk; memory is a warning, and comes after
    assert [problem["level"] for problem in report["problems"]] == ["error", "warning"]
    assert "0.1 GB is free on the disk" in report["problems"][0]["what"]
    assert "1.0 GB of memory is free" in report["problems"][1]["what"]
    assert report["memory"]["limit_bytes"] == 4 * 10**9


def test_a_gpu_that_tensorflow_does_not_see(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [dict(GPU)])
    code, report = _doctor(capsys)
    assert code == 0
    [problem] = report["problems"]
    assert (problem["level"], "make setup GPU=1" in problem["next_action"]) == ("warning", True)


def test_a_folder_that_cannot_be_used(healthy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (healthy / "runs").write_text("a file, not a folder")
    code, report = _doctor(capsys)
    assert code == 1
    assert ["runs" in problem["what"] for problem in report["problems"]] == [True]


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ("kill -ILL $$", "SIGILL"),
        ("kill -SEGV $$", "stopped by SIGSEGV"),
        ("sleep 60", "no answer in 0.5 seconds"),
        ("echo 'cannot open shared object' >&2; exit 3", "cannot open shared object"),
        ("echo not json", "exit code 0"),
        ("""echo noise; echo '{"error": "no magenta"}'""", "no magenta"),
    ],
)
def test_a_tensorflow_that_does_not_start(
    child: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{child.replace('sleep', 'exec sleep')}\n")
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(python))
    answer = doctor_checks.run_probe(0.5 if "sleep" in child else 30)
    assert expected in answer["error"]
    assert answer["next_action"].endswith(".")


def test_a_failing_start_is_an_error_of_the_report(
    healthy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_checks, "run_probe", lambda timeout: {"error": "boom", "next_action": "Do it."})
    code, report = _doctor(capsys)
    assert code == 1
    assert report["problems"][0]["what"] == "TensorFlow and Magenta do not start: boom"


@pytest.mark.tensorflow
def test_this_machine() -> None:
    answer = doctor_checks.run_probe(doctor_checks.PROBE_SECONDS)
    assert answer["magenta_configs"] == 23
    assert "CPU:0" in [device["name"] for device in answer["devices"]]


def test_pins_are_read_for_this_python_and_platform(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(
        "# comment\n"
        "old==1.0 ; python_full_version < '3.10' \\\n    --hash=sha256:00\n"
        "old==2.0 ; python_full_version >= '3.10' \\\n    --hash=sha256:00\n"
        "windows==1 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
        "plain-one==3.1.post1 \\\n    --hash=sha256:00\n    # via old==9\n"
    )
    assert doctor_checks.tested_versions(lock) == {"old": "2.0", "plain-one": "3.1.post1"}
    assert doctor_checks.tested_versions(tmp_path / "none.txt") == {}


def test_the_tightest_limit_of_nested_groups_counts(tmp_path: Path) -> None:
    inner, outer = tmp_path / "a/b", tmp_path / "a"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (inner / "memory.current").write_text("700\n")
    (outer / "memory.max").write_text("1000\n")
    (outer / "memory.current").write_text("900\n")
    (outer / "memory.stat").write_text("anon 600\ninactive_file 250\n")
    assert machine.cgroup_memory([inner, outer, tmp_path]) == (1000, 350)
    assert machine.cgroup_memory([tmp_path])[0] is None


def test_processor_flags(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: fpu avx avx2\n\nprocessor\t: 1\n")
    assert machine.cpu_model(cpuinfo) == ("Some CPU", {"fpu", "avx", "avx2"})
    assert machine.cpu_model(tmp_path / "none") == (None, None)
