"""A kept result of a run whose examples are gone: shown when exactly that measurement is asked for."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.json_page import check_answer
from fixtures.models import random_model
from fixtures.results import result_json
from gmd_vae.common import manifest
from gmd_vae.common.files import sha256
from gmd_vae.evaluation.result import FORMAT
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

MODEL = random_model()
DATE = 1_750_000_000  # 2025-06-15


@pytest.fixture
def folder(starter_examples: Path, tmp_path: Path) -> Path:
    """A working folder with a run that was evaluated on test, and whose examples are gone."""
    run = Run(tmp_path / "runs" / "mine", MODEL.config, MODEL.hparams, 0, Path("data/examples/gone"), "a" * 64)
    run.describe(Plan(3))
    for place in (run.train_folder, run.best_folder):
        place.mkdir(parents=True)
        write_checkpoint(place / "model.ckpt-3", {**MODEL.variables, "global_step": np.array(3)})
    keep(tmp_path, "test-3")
    return tmp_path


def keep(folder: Path, name: str, accuracy: float = 0.485, **changes: Any) -> Path:
    """Writes a result of the run's best checkpoint; returns its folder."""
    run = folder / "runs" / "mine"
    content = result_json(run="elsewhere/mine", config=MODEL.config.name, figures=FORMAT, prior={"name": "normal"})
    content["checkpoint"]["files"] = {file.name: sha256(file) for file in run.glob("best/model.ckpt-3.*")}
    content["training"]["sha256"] = content["examples"]["sha256"] = "a" * 64
    content["reconstruction"]["free_running"]["steps_right"]["value"] = accuracy
    content["versions"]["gmd-vae"] = "0.17.0"
    content["code"] = {"version": "0.17.0", "commit": "c" * 40, "clean": True}
    place = run / "eval" / name
    place.mkdir(parents=True)
    (place / "result.json").write_text(json.dumps({**content, **changes}))
    os.utime(place / "result.json", (DATE, DATE))
    manifest.write(place, "evaluate", {"files": [manifest.describe_file(place / "result.json")]})
    return place


def test_it_is_shown_with_its_date_and_the_reason(folder: Path) -> None:
    answer = run_here(folder, "evaluate", "runs/mine")
    assert "0.485" in answer.stdout
    assert answer.stdout.startswith("runs/mine, step ")  # as the run is named now
    lines = answer.stderr.splitlines()
    assert lines[0] == (
        "Note: The examples that 'runs/mine' was trained on are not at 'data/examples/gone'. This run is not "
        "measured: its results from earlier are shown."
    )
    assert lines[1] == (
        f"runs/mine: test-3, measured on 2025-06-15 by gmd-vae 0.17.0 at commit {'c' * 40}; its examples are no longer "
        "there"
    )
    assert lines[-2] == "Figures, tables and charts: runs/mine/eval/test-3 (kept)"


def test_json_says_which_results_are_kept(folder: Path) -> None:
    found = json.loads(run_here(folder, "evaluate", "runs/mine", "--json").stdout)
    check_answer("evaluate", found)
    (kept,) = found["kept"]
    assert kept == {"run": "runs/mine", "split": "test", "folder": "runs/mine/eval/test-3", "written": "2025-06-15"}
    assert [result["run"] for result in found["results"]] == ["runs/mine"]


def test_of_several_the_newest_is_shown(folder: Path) -> None:
    newer = keep(folder, "test-3-2", 0.52)
    os.utime(newer / "result.json", (DATE + 90_000, DATE + 90_000))
    answer = run_here(folder, "evaluate", "runs/mine")
    assert "0.520" in answer.stdout
    assert "measured on 2025-06-16" in answer.stderr


@pytest.mark.parametrize(
    "options",
    [("--samples", "20"), ("--split", "validation"), ("--split", "test", "--split", "train"), ("--seed", "1")],
)
def test_another_measurement_is_an_error_that_names_what_is_kept(folder: Path, options: tuple[str, ...]) -> None:
    error = run_here(folder, "evaluate", "runs/mine", *options, expect=1).error
    assert "are not at 'data/examples/gone'" in error
    assert "Earlier results are in 'runs/mine/eval/test-3'" in error


@pytest.mark.parametrize(
    "changes",
    [
        {"figures": FORMAT - 1},
        {"examples": {"folder": "data/examples/other", "sha256": "b" * 64}},
        {"config": "flat-drum_4bar_small"},
        {"prior": {"name": "fitted", "windows": 9, "sha256": "d" * 64}},
    ],
    ids=["figures", "examples", "config", "prior"],
)
def test_a_result_of_something_else_is_not_shown(folder: Path, changes: dict[str, Any]) -> None:
    shutil.rmtree(folder / "runs" / "mine" / "eval")
    keep(folder, "test-3", **changes)
    assert "are not at" in run_here(folder, "evaluate", "runs/mine", expect=1).error


def test_other_weights_and_damaged_results_are_not_shown(folder: Path) -> None:
    best = folder / "runs" / "mine" / "best"
    others = {name: values + 1 for name, values in MODEL.variables.items()}
    write_checkpoint(best / "model.ckpt-3", {**others, "global_step": np.array(3)})
    run_here(folder, "evaluate", "runs/mine", expect=1)
    shutil.rmtree(folder / "runs" / "mine" / "eval")
    (keep(folder, "test-3") / "manifest.json").write_text("{")
    run_here(folder, "evaluate", "runs/mine", expect=1)
