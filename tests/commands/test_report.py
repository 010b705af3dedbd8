"""``gmd-vae report``: its outputs, messages and errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.json_page import check_answer
from fixtures.models import random_model
from gmd_vae.cli import main
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import write_model
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = Path("runs/mine")
    folder.mkdir(parents=True)
    config = get_config(DEFAULT_CONFIG)
    Run(folder, config, dict(config.hparams), 0, Path("data/examples/x"), "0" * 64).describe(Plan(3))
    (folder / "train").mkdir()
    (folder / "train" / "model.ckpt-3.index").touch()
    return folder


def report(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *arguments])
    assert isinstance(exit_.value.code, int)
    return exit_.value.code, *capsys.readouterr()


def test_the_newest_run_becomes_a_page_and_missing_parts_are_named(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = report(capsys)
    assert code == 0
    size = (run / "report.html").stat().st_size
    wrote, then = out.splitlines()
    assert wrote == f"Wrote runs/mine/report.html ({size / 1000:,.0f} kB, 0 beats)"
    assert then == "Next: open runs/mine/report.html in a browser"
    assert err.splitlines() == [
        "Run: runs/mine, the only one",
        "No beats yet: gmd-vae generate --run-dir runs/mine",
        "No training curves yet: gmd-vae train --run-dir runs/mine",
        "Not evaluated yet: gmd-vae evaluate runs/mine",
    ]


def test_json_and_another_output(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "eval" / "test-3").mkdir(parents=True)
    (run / "eval" / "test-3" / "result.json").write_text("{")
    code, out, err = report(capsys, "runs/mine", "-o", "to/a friend.html", "--json")
    assert code == 0
    found = json.loads(out)
    check_answer("report", found)
    assert (found["output"], found["bytes"]) == ("to/a friend.html", Path("to/a friend.html").stat().st_size)
    assert (found["beats"], found["evaluations"]) == (0, 0)
    assert found["missing"][0]["what"] == "No beats yet"
    assert "Left out: eval/test-3: " in err
    assert len(found["left_out"]) == 1
    assert not (run / "report.html").exists()


def test_without_a_run_there_is_the_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    code, _, err = report(capsys)
    assert (code, err.count("\n")) == (1, 1)
    assert "There is no trained run" in err
    assert "A page to play the model of the package on: 'gmd-vae studio'." in err


def test_a_folder_that_is_not_a_run_is_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in (".", "nowhere"):
        code, out, err = report(capsys, name)
        assert (code, out) == (1, "")
        assert err.startswith(f"Error: '{name}' is not a run folder")
        assert err.count("\n") == 1
    (run / "run.json").write_text("{}")
    code, _, err = report(capsys)
    assert (code, err.count("\n")) == (1, 1)
    assert "run.json' has no field 'format'" in err
    assert report(capsys, "a", "b")[0] == 2
    assert not list(Path().rglob("*.html"))


def test_a_model_without_a_run_is_refused_with_the_commands_for_models(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_model(Path("small.safetensors"), random_model())
    write_checkpoint(run / "train" / "model.ckpt-4", {"x": np.zeros(1, np.float32)})
    Path("stock").mkdir()
    write_checkpoint(Path("stock/model.ckpt-4"), {"x": np.zeros(1, np.float32)})
    for name in ("groove-4bar", "small.safetensors", "stock", "stock/model.ckpt-4"):
        code, out, err = report(capsys, name)
        assert (code, out) == (1, "")
        assert err == (
            f"Error: '{name}' is a model without a run, and a report has the beats, curves and evaluations of one. "
            f"A page to play it on: 'gmd-vae studio {name}'. Its card, with the figures: gmd-vae models {name}\n"
        )
    for name, reason in (
        ("runs/mine/train", "it has no run.json"),
        ("nowhere", "there is no such folder"),
        (".", "it has no run.json"),
        ("runs/mine/run.json", "it is a file"),
    ):
        assert report(capsys, name)[2].startswith(f"Error: '{name}' is not a run folder: {reason}. ")


def test_another_file_is_not_replaced(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("index.html").write_text("<!doctype html>mine")
    code, _, err = report(capsys, "runs/mine", "--output", "index.html")
    assert code == 1
    assert "'index.html' exists, and gmd-vae did not write it" in err
    assert Path("index.html").read_text() == "<!doctype html>mine"


def test_without_curves_it_imports_neither_tensorflow_nor_matplotlib() -> None:
    code = (
        "import sys\nfrom gmd_vae.cli import main\n"
        "try:\n    main(['report'])\nexcept SystemExit as done:\n    assert done.code == 0\n"
        "print(sorted({'tensorflow', 'tf_keras', 'magenta', 'matplotlib', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
