"""The run of a command that names none, and the reasons that it gives."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fixtures.started_runs import write_run
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.training.run.choose_run import any_run, choose_run, require_run
from gmd_vae.training.run.folder import Run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("runs")


def _only_small(run: Run) -> None:
    if "_small" not in run.config.name:
        raise GmdVaeError(f"'{run.config.name}' is large")


def test_the_newest_by_the_time_of_its_last_start_whatever_the_times_of_files(runs: Path) -> None:
    write_run(runs / "first", "2026-03-01T10:00:00+00:00")
    write_run(runs / "second", "2026-03-02T01:00:00+02:00")  # 2026-03-01T23:00 in UTC
    write_run(runs / "third", "2026-03-01T22:00:00")
    write_run(runs / "unknown", None)
    write_run(runs / "broken", "yesterday")
    shutil.copytree(runs / "first", runs / "copied")  # its files are the newest
    os.utime(runs / "second" / "train" / "model.ckpt-3.index", (0, 0))
    run, line = require_run(runs, any_run)
    assert run.folder == runs / "second"
    assert line == "Run: runs/second, the newest of 6 (started 2026-03-01 23:00 UTC)"
    for name in ("second", "third"):
        shutil.rmtree(runs / name)
    assert require_run(runs, any_run)[0].folder == runs / "copied"  # equal times: by name
    for name in ("first", "copied", "unknown"):
        shutil.rmtree(runs / name)
    assert require_run(runs, any_run)[1] == "Run: runs/broken, the only one"


def test_a_run_that_cannot_do_the_work_is_passed_over_with_the_reason(runs: Path) -> None:
    write_run(runs / "mine", "2026-03-01T10:00:00+00:00")
    write_run(runs / "large", "2026-03-02T10:00:00+00:00", "hierdec-drum_4bar")
    damaged = write_run(runs / "damaged", "2026-03-03T10:00:00+00:00")
    run, line = require_run(runs, _only_small)
    assert run.folder == damaged
    assert "passed over" not in line  # those that are older do not matter
    (damaged / "run.json").write_text("{}")
    run, line = require_run(runs, _only_small)
    assert run.folder == runs / "mine"
    assert "the newest that can do this (started 2026-03-01 10:00 UTC)" in line
    assert line.endswith("passed over: 'runs/large' ('hierdec-drum_4bar' is large)")
    shutil.rmtree(runs / "mine")
    choice = choose_run(runs, _only_small)
    assert choice.run is None
    assert choice.explain().startswith("No run can do this: 'runs/large' ('hierdec-drum_4bar' is large); ")
    with pytest.raises(GmdVaeError, match="'hierdec-drum_4bar' is large"):
        require_run(runs, _only_small)


def test_the_demo_comes_after_all_others(runs: Path) -> None:
    write_run(runs / "demo", "2026-03-09T10:00:00+00:00")
    assert require_run(runs, any_run)[0].folder == runs / "demo"
    write_run(runs / "mine", None)
    run, line = require_run(runs, any_run)
    assert run.folder == runs / "mine"
    assert line == "Run: runs/mine, the newest that can do this; passed over: 'runs/demo' (the demo)"


def test_without_a_trained_run_the_place_and_the_next_command_are_named(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    untrained = write_run(runs / "mine", "2026-03-01T10:00:00+00:00")
    for part in ("train", "best"):
        shutil.rmtree(untrained / part)
    assert choose_run(runs, any_run).explain() == ""
    with pytest.raises(GmdVaeError, match=r"no trained run in 'runs'\. Run 'gmd-vae train' first.*GMD_VAE_HOME"):
        require_run(runs, any_run)
