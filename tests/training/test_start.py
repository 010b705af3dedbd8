"""``train`` refuses what cannot start in one line, before it prints its plan and before TensorFlow starts.

What it can start, it describes: device, layers, and options that change nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from gmd_vae.training.run.prepare import Request, prepare
from gmd_vae.training.start import start

Refused = Callable[..., str]


def no_cutting(*_: object) -> None:
    raise AssertionError("the examples exist")


@pytest.fixture
def refused(short_config: str, short_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Returns a function that trains with more options, and returns the one line on stderr."""
    monkeypatch.setenv("GMD_VAE_HOME", str(tmp_path))

    def refuse(*more: str) -> str:
        given = ("--config", short_config, "--examples-path", str(short_examples), "--num-steps", "5")
        answer = run_here(tmp_path, "train", *given, *more, expect=1)
        assert (answer.stdout, answer.stderr) == ("", answer.error + "\n")
        return answer.error

    return refuse


def test_a_folder_of_the_user(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "song.mid").write_bytes(b"")
    assert "'mine' is not a run: it holds 'song.mid'" in refused("--run-dir", "mine")


def test_another_run(refused: Refused, short_config: str, short_examples: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "x"
    job = prepare(Request(config=short_config, examples_path=short_examples, run_dir=folder), no_cutting)
    folder.mkdir(parents=True)
    job.run.describe(job.plan)
    (folder / "metrics.jsonl").write_text('{"split": "train", "step": 20}\n')
    before = (folder / "run.json").read_bytes()
    assert "'runs/x' holds another run: seed 0, not 1" in refused("--run-dir", "runs/x", "--seed", "1")
    assert (folder / "run.json").read_bytes() == before


def test_a_folder_in_a_run(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "runs" / "x" / "train").mkdir(parents=True)
    (tmp_path / "runs" / "x" / "run.json").write_text("{}")
    error = refused("--run-dir", "runs/x/best/new")
    assert "'runs/x/best/new' is in the run 'runs/x'" in error
    assert not (tmp_path / "runs" / "x" / "best").exists()


def test_initial_weights_of_another_model(refused: Refused, tmp_path: Path) -> None:
    error = refused("--run-dir", "runs/x", "--init-from", "humanize-2bar")
    assert "'humanize-2bar' does not fit the config" in error
    assert not (tmp_path / "runs").exists()


def test_no_notes(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "'folder' has no manifest.json" in refused("--examples-path", "folder")


def test_the_folder_of_a_later_seed(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "x-seed1").mkdir()
    (tmp_path / "x-seed1" / "song.mid").write_bytes(b"")
    assert "'x-seed1' is not a run" in refused("--run-dir", "x", "--seeds", "0,1")
    assert not (tmp_path / "x-seed0").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    assert "locked" in refused("--run-dir", "locked/x")


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("keep", "precision", "noted"), [(0.5, "bf16", True), (0.5, "fp32", False), (1.0, "bf16", False)]
)
def test_a_precision_that_changes_nothing(
    keep: float, precision: str, noted: bool, short_config: str, short_examples: Path, tmp_path: Path
) -> None:
    request = Request(
        config=short_config,
        examples_path=short_examples,
        run_dir=tmp_path / "run",
        hparams=f"dropout_keep_prob={keep}",
        precision=precision,
    )
    lines: list[str] = []
    outcome = object()
    assert start(prepare(request, no_cutting), None, lines.append, lambda *_: outcome) is outcome
    assert any("--precision bf16 changes nothing" in line for line in lines) == noted
