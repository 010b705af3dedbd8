"""A training that would start at step 0 destroys nothing: neither files of the user nor earlier results."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import run_here
from fixtures.runs import TINY
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.registry import get_config
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.folder_checks import check_new_folder, check_no_file, check_places, check_progress
from gmd_vae.training.run.prepare import Request, prepare
from gmd_vae.training.run.run_file import Plan


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = get_config("hierdec-drum_4bar_v2")
    run = Run(tmp_path / "my run", config, config.hparams, 5, Path("data/examples/groove"), "digest")
    run.train_folder.mkdir(parents=True)
    run.describe(Plan(100))
    return run


def add_best(run: Run, step: int) -> None:
    run.best_folder.mkdir()
    for suffix in ("index", "data-00000-of-00001"):
        (run.best_folder / f"model.ckpt-{step}.{suffix}").write_bytes(b"weights")


def add_lines(run: Run, *lines: dict[str, Any]) -> None:
    (run.folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


VALIDATION = {
    "split": "validation",
    "step": 200,
    "windows": 3,
    "elbo": -9.0,
    "reconstruction": 8.0,
    "kl_bits": 2.0,
    "kl_bits_above_free": 1.0,
}


@pytest.mark.parametrize("name", ["song.mid", "best/model.ckpt-1.index", "metrics.jsonl", "train/notes.txt", ".git/x"])
def test_a_folder_of_the_user_is_refused_and_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "project"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("mine")
    with pytest.raises(GmdVaeError, match="is not a run") as caught:
        check_new_folder(folder)
    assert f"'{name}'" in str(caught.value)
    assert f"'{tmp_path / 'project-2'}'" in str(caught.value)


@pytest.mark.parametrize("name", ["best/new", "train", "new", "generated/deep/new"])
def test_a_run_in_another_one_is_refused(run: Run, name: str, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run.folder)
    for outer in (run.folder, tmp_path / "link"):
        with pytest.raises(GmdVaeError, match=f"is in the run '{outer}'.*another --run-dir, for example '{outer}-2'"):
            check_new_folder(outer / name)


def test_a_run_json_of_another_program_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    check_new_folder(tmp_path / "new")


def test_missing_empty_and_just_locked_folders_are_taken(tmp_path: Path, run: Run) -> None:
    check_new_folder(tmp_path / "missing")
    (tmp_path / "empty" / "train").mkdir(parents=True)
    check_new_folder(tmp_path / "empty")
    (tmp_path / "empty" / ".lock").write_text("process 1")
    check_new_folder(tmp_path / "empty")
    check_new_folder(run.folder)


@pytest.mark.parametrize("name", ["metrics.jsonl", "progress.png"])
def test_something_else_in_the_place_of_a_file_is_refused_before_a_start_is_noted(run: Run, name: str) -> None:
    check_places(run)
    place = run.folder / name
    os.mkfifo(place)
    with pytest.raises(OSError, match="it is a pipe, not a file"):
        check_places(run)
    arguments = ("train", "--run-dir", str(run.folder), "--num-steps", "5")
    before = (run.folder / "run.json").read_bytes()
    run_here(run.folder.parent, *arguments, expect=1)
    assert (run.folder / "run.json").read_bytes() == before
    place.unlink()
    place.symlink_to(run.folder / "run.json")
    with pytest.raises(GmdVaeError, match="is a link"):
        check_places(run)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "song.mid").write_bytes(b"mine")
    for run_dir, advice in ((".", f", for example '{tmp_path / 'song.mid-2'}'"), ("run", "")):
        with pytest.raises(GmdVaeError) as raised:
            prepare(Request(run_dir=tmp_path / "song.mid" / run_dir), lambda *_: None)
        assert str(raised.value) == (
            f"'{tmp_path / 'song.mid'}' is a file, not a folder. Choose another --run-dir{advice}. Nothing was changed."
        )
    check_no_file(tmp_path / "no" / "such" / "folder")


def test_a_run_killed_before_its_first_checkpoint_starts_again(run: Run) -> None:
    check_progress(run)
    add_lines(run, {"split": "train", "step": 20})
    check_progress(run)


def test_a_run_killed_after_the_validation_of_its_initial_weights_starts_again(run: Run) -> None:
    add_best(run, 0)
    add_lines(run, {**VALIDATION, "step": 0}, {"split": "train", "step": 20})
    check_progress(run)
    add_lines(run, {**VALIDATION, "step": 0}, VALIDATION)
    with pytest.raises(GmdVaeError, match="trained to step 200"):
        check_progress(run)


def test_the_best_weights_are_not_replaced_and_the_command_to_go_on_is_named(run: Run) -> None:
    add_best(run, 200)
    add_lines(run, {"split": "train", "step": 220}, VALIDATION)
    with pytest.raises(GmdVaeError, match="trained to step 220") as caught:
        check_progress(run)
    start = shlex.quote(str(run.folder / "best"))
    command = f"--examples-path data/examples/groove --init-from {start} --run-dir '{run.folder}-2'"
    assert f"gmd-vae train --config hierdec-drum_4bar_v2 {command}" in str(caught.value)


@pytest.mark.tensorflow
def test_the_named_command_works(tmp_path: Path, tiny_run: Path) -> None:
    folder = tmp_path / "my [run]"
    shutil.copytree(tiny_run, folder)
    shutil.rmtree(folder / "train")
    before = (folder / "run.json").read_bytes()
    answer = run_here(tmp_path, "train", "--run-dir", str(folder), "--num-steps", "5", expect=1)
    assert (folder / "run.json").read_bytes() == before
    command = answer.error.partition("with: gmd-vae ")[2].partition(" (or")[0]
    done = run_here(tmp_path, *shlex.split(command), "--num-steps", "2")
    assert "to step 2" in done.stdout
    assert (tmp_path / "my [run]-2" / "best").is_dir()


def test_validations_without_weights_are_not_replaced(run: Run) -> None:
    add_lines(run, VALIDATION)
    with pytest.raises(GmdVaeError, match="holds no complete checkpoint"):
        check_progress(run)


def test_a_curve_without_a_training_folder_is_not_replaced(run: Run) -> None:
    add_lines(run, {"split": "train", "step": 20})
    run.train_folder.rmdir()
    with pytest.raises(GmdVaeError, match="trained to step 20"):
        check_progress(run)


def test_damaged_checkpoints_are_named(run: Run) -> None:
    prefix = run.train_folder / "model.ckpt-7"
    with pytest.raises(GmdVaeError, match=r"model\.ckpt-7' cannot be read \(ends too early\)"):
        check_progress(run, [(prefix, "ends too early")])


@pytest.mark.tensorflow
def test_damaged_initial_weights_are_named(tmp_path: Path, tiny_run: Path, starter_examples: Path) -> None:
    shutil.copytree(tiny_run / "train", tmp_path / "weights")
    for data in (tmp_path / "weights").glob("*.data*"):
        data.write_bytes(bytes(data.stat().st_size))
    options = ("--examples-path", str(starter_examples), "--hparams", TINY, "--num-steps", "1")
    answer = run_here(tmp_path, "train", "--init-from", "weights", "--run-dir", "run", *options, expect=1)
    assert "'weights/model.ckpt-3' cannot be read (its data has changed" in answer.error
    assert answer.stderr == answer.error + "\n"  # before the plan
