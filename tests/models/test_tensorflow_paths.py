"""Checkpoints in folders whose names are patterns to TensorFlow, or not UTF-8: trained, resumed, moved and used."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from fixtures.datasets import ONE_BAR
from fixtures.runs import TINY
from gmd_vae.models import checkpoints
from gmd_vae.models.tensorflow_paths import is_pattern, tensorflow_path

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("without_pictures")]
NAMES = ["run [v2] a\\b*?{c}", os.fsdecode(b"caf\xe9")]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_trained_resumed_and_used(tmp_path: Path, one_bar_examples: Path, name: str) -> None:
    options = ("--config", ONE_BAR, "--examples-path", str(one_bar_examples), "--hparams", TINY)
    options += ("--validate-every", "2")
    run = tmp_path / "runs [all]" / name
    for steps in ("2", "6"):
        run_here(tmp_path, "train", "--run-dir", str(run), *options, "--num-steps", steps, "--save-every", "1")
    steps_kept = [checkpoints.step_of(prefix) for prefix in checkpoints.complete(run / "train")]
    assert steps_kept == [4, 5, 6]
    assert checkpoints.complete(run / "best")
    done = run_here(tmp_path, "generate", "--run-dir", str(run), "-n", "1", "--output-dir", "beats")
    assert "beats" in done.stdout


def test_a_moved_run_goes_on_where_it_stopped_and_stock_magenta_finds_its_checkpoint(
    tmp_path: Path, tiny_run: Path, starter_examples: Path
) -> None:
    from gmd_vae.magenta.api import tf

    moved = tmp_path / "moved [1]" / "a\\b"
    shutil.copytree(tiny_run, moved)
    resume = ("--examples-path", str(starter_examples), "--num-steps", "5")
    done = run_here(tmp_path, "train", "--run-dir", str(moved), *resume)
    assert "to step 5" in done.stdout
    names = [prefix.name for prefix in checkpoints.complete(moved / "train")]
    assert names[-1] == "model.ckpt-5"
    plain = moved.rename(tmp_path / "plain")
    assert tf.train.latest_checkpoint(str(plain / "train")) == str(plain / "train" / "model.ckpt-5")


def test_names_of_checkpoints_may_be_patterns(tmp_path: Path, tiny_run: Path) -> None:
    from gmd_vae.magenta.api import tf

    (prefix,) = checkpoints.complete(tiny_run / "train")[-1:]
    for file in checkpoints.files_of(prefix):
        shutil.copy(file, tmp_path / file.name.replace("model.ckpt", "model [1]*"))
    odd = tmp_path / prefix.name.replace("model.ckpt", "model [1]*")
    path = tensorflow_path(odd)
    assert not is_pattern(Path(path))
    assert tf.train.list_variables(path) == tf.train.list_variables(str(prefix))
