"""The same command several times at once: each ends well or names the other, and one whole output is left."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.common import files
from gmd_vae.common.manifest import check_replaceable

MakeMidi = Callable[..., bytes]

pytestmark = pytest.mark.timeout(600)
COPIES = 4  # two processors run two of them at a time


def at_once(folder: Path, *arguments: str | Path, copies: int = COPIES) -> tuple[int, list[str]]:
    """Runs the command in processes of their own.

    Returns:
        The number of processes that ended well, and the errors of the others, which have one line each.
    """
    command = [sys.executable, "-m", "gmd_vae", *map(str, arguments)]
    processes = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(copies)
    ]
    errors = []
    for process in processes:
        _, text = process.communicate(timeout=500)
        assert process.returncode in (0, 1), text
        if process.returncode:
            errors.append(text.splitlines()[-1])
            assert text.count("Error:") == 1
            assert "Traceback" not in text
    return copies - len(errors), errors


def assert_one_output(output: Path, stage: str, succeeded: int, errors: list[str]) -> None:
    assert succeeded
    for error in errors:
        assert "Another run is writing" in error
        assert f"'{output.name}': process " in error
    listed = json.loads((output / "manifest.json").read_text())
    assert listed["stage"] == stage
    check_replaceable(output, stage)  # every file has its digest
    assert not [path.name for path in output.parent.iterdir() if path.name.startswith(".")]
    assert not [path.name for path in output.rglob(".*")]


@pytest.fixture
def workspace(tmp_path: Path, starter_notes: Path, make_midi: MakeMidi) -> Path:
    shutil.copytree(starter_notes, tmp_path / "notes")
    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(make_midi([(100 * number, 36), (480, 38), (960, 42)]))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.mid").write_bytes(make_midi())
    return tmp_path


@pytest.mark.parametrize(
    ("stage", "arguments"),
    [
        ("fetch", ["fetch", "starter"]),
        ("convert", ["convert", "mine"]),
        ("preprocess", ["preprocess", "notes", "--config", "hierdec-drum_4bar_small"]),
    ],
)
@pytest.mark.parametrize("earlier", [False, True], ids=["new", "again"])
def test_an_output_folder(workspace: Path, stage: str, arguments: list[str], earlier: bool) -> None:
    output = workspace / "out"
    if earlier:
        assert at_once(workspace, *arguments, "--output-dir", "out", copies=1) == (1, [])
    assert_one_output(output, stage, *at_once(workspace, *arguments, "--output-dir", "out"))
    assert sorted(path.name for path in workspace.iterdir()) == ["0.mid", "1.mid", "2.mid", "mine", "notes", "out"]


def test_sounds_and_pictures(workspace: Path) -> None:
    succeeded, errors = at_once(workspace, "render", "0.mid", "1.mid", "2.mid", "--output-dir", "out")
    assert (succeeded, errors) == (COPIES, [])
    digests = {path.name: files.sha256(path) for path in (workspace / "out").iterdir()}
    assert sorted(digests) == [f"{number}.{suffix}" for number in range(3) for suffix in ("png", "wav")]
    shutil.rmtree(workspace / "out")
    at_once(workspace, "render", "0.mid", "1.mid", "2.mid", "--output-dir", "out", copies=1)
    assert {path.name: files.sha256(path) for path in (workspace / "out").iterdir()} == digests


def test_a_killed_render_leaves_nothing_after_the_next_one(workspace: Path, make_midi: MakeMidi) -> None:
    (workspace / "0.mid").write_bytes(make_midi([(480 * number, 36) for number in range(1200)]))
    command = [sys.executable, "-m", "gmd_vae", "render", "0.mid", "--output-dir", "out"]
    process = subprocess.Popen(command, cwd=workspace)
    while process.poll() is None and not list((workspace / "out").glob(".*.partial")):
        time.sleep(0.005)
    process.kill()
    process.wait(timeout=10)
    assert [path.suffix for path in (workspace / "out").iterdir()] == [".partial"]
    assert at_once(workspace, "render", "0.mid", "--output-dir", "out", copies=1) == (1, [])
    assert sorted(path.name for path in (workspace / "out").iterdir()) == ["0.png", "0.wav"]


def test_a_second_ctrl_c_while_the_first_is_cleaned_up(workspace: Path) -> None:
    assert at_once(workspace, "fetch", "starter", "--output-dir", "out", copies=1) == (1, [])
    before = {path.name: files.sha256(path) for path in (workspace / "out").rglob("*") if path.is_file()}
    for attempt in range(0, 8, 2):
        process = subprocess.Popen(
            [sys.executable, "-m", "gmd_vae", "fetch", "starter", "--seed", "1", "--output-dir", "out"],
            cwd=workspace, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while process.poll() is None and not list(workspace.glob(".out.*.partial")):
            time.sleep(0.002)
        for _ in range(3):
            time.sleep(0.002 * attempt)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        _, text = process.communicate(timeout=60)
        assert process.returncode in (0, 130, -signal.SIGINT), text
        assert "Traceback" not in text
        found = {path.name: files.sha256(path) for path in (workspace / "out").rglob("*") if path.is_file()}
        assert len(found) == len(before)
    assert at_once(workspace, "fetch", "starter", "--output-dir", "out", copies=1) == (1, [])
    assert not [path.name for path in workspace.iterdir() if path.name.startswith(".")]
    assert {path.name: files.sha256(path) for path in (workspace / "out").rglob("*") if path.is_file()} == before


@pytest.mark.tensorflow
def test_commands_with_a_model(tiny_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    arguments = ("generate", "--run-dir", run, "-n", "2", "--output-dir", tmp_path / "beats")
    succeeded, errors = at_once(Path.cwd(), *arguments)
    assert_one_output(
        tmp_path / "beats", "generate", succeeded, [error.replace(f"{tmp_path}/", "") for error in errors]
    )
    succeeded, errors = at_once(Path.cwd(), "generate", "--run-dir", run, "-n", "2")
    assert (succeeded, errors) == (COPIES, [])
    assert len([path for path in (run / "generated").iterdir() if path.is_dir()]) == COPIES
    arguments = ("evaluate", run, "--samples", "20", "--importance-samples", "2")
    succeeded, errors = at_once(Path.cwd(), *arguments, copies=2)  # each starts TensorFlow
    (folder,) = (run / "eval").iterdir()
    assert folder.name.endswith("-importance-samples-2-samples-20")
    assert_one_output(folder, "evaluate", succeeded, [error.replace(f"{run}/eval/", "") for error in errors])
