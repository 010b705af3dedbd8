"""Pipes, devices and links in the place of a file or a folder: no command waits, and none follows a link to write."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

pytestmark = pytest.mark.timeout(60)  # a pipe without a writer would be waited for until then

MakeMidi = Callable[..., bytes]

# The place, the command, and its exit status with anything there that is no file.
INPUTS = [
    ("song.mid", "inspect song.mid", 1),
    ("song.mid", "render song.mid", 1),
    ("song.mid", "convert song.mid --output-dir new", 1),
    ("song.mid", "generate --run-dir run --mode reconstruct --input-midi song.mid", 1),
    ("song.mid", "generate --run-dir run --around song.mid", 1),
    ("latents.npz", "generate --run-dir run --latents latents.npz", 1),
    ("mine/a.mid", "convert mine --output-dir new", 0),
    ("mine.zip", "convert mine.zip --output-dir new", 1),
    ("mine.zip", "inspect mine.zip", 1),
    ("mine.zip", "fetch groove --archive mine.zip --output-dir new", 1),
    ("notes/manifest.json", "preprocess notes --output-dir new", 1),
    ("notes/manifest.json", "inspect notes", 1),
    ("notes/manifest.json", "convert mine --output-dir notes", 1),
    ("notes/train.tfrecord", "preprocess notes --output-dir new", 1),
    ("notes/train.tfrecord", "preprocess notes/train.tfrecord --output-dir new", 1),
    ("notes/train.tfrecord", "inspect notes", 1),
    ("notes/train.tfrecord", "inspect notes/train.tfrecord", 1),
    ("examples/manifest.json", "inspect examples", 1),
    ("examples/manifest.json", "train --examples-path examples --run-dir new", 1),
    ("examples/validation-00000-of-00001.tfrecord", "inspect examples", 1),
    ("examples/validation-00000-of-00001.tfrecord", "train --examples-path examples --run-dir new", 1),
    ("configs.py", "configs --configs configs.py", 2),
    ("run/run.json", "report run", 1),
    ("run/run.json", "generate --run-dir run", 1),
    ("run/run.json", "evaluate run", 1),
    ("run/run.json", "train --run-dir run", 1),
    ("run/metrics.jsonl", "report run", 0),
    ("run/eval/test-3/result.json", "report run", 0),
    ("run/generated/x/manifest.json", "report run", 0),
]
OUTPUTS = [
    ("run/report.html", "report run"),
    ("new.html", "report run --output new.html"),
    ("new.png", "inspect song.mid --png new.png"),
    ("new.png", f"configs {DEFAULT_CONFIG} --plot-schedules new.png"),
    ("song.wav", "render song.mid"),
    ("song.png", "render song.mid --png"),
    ("new", "render song.mid --output-dir new"),
    ("new", "convert mine --output-dir new"),
    ("new", "preprocess notes --output-dir new"),
    ("new", "fetch starter --output-dir new"),
    (".new.parts", "convert mine --output-dir new"),
    (".new.parts", "preprocess notes --output-dir new"),
    (".new.previous", "convert mine --output-dir new"),
    (".new.previous", "fetch starter --output-dir new"),
]
WORKING_PLACES = [
    (".new.gmd-vae.lock", "convert mine --output-dir new"),
    (".new.gmd-vae.lock", "fetch starter --output-dir new"),
    (".new.parts", "preprocess notes --output-dir new"),
    *((f"run/{name}", "train --run-dir run --examples-path examples") for name in
      (".lock", "run.json", "metrics.jsonl", "train", "best", "validation", "progress.png")),
]  # fmt: skip


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, make_midi: MakeMidi) -> Path:
    """Something of everything that commands read."""
    home = tmp_path_factory.mktemp("home")
    (home / "song.mid").write_bytes(make_midi([(120 * step, 36 + step % 3) for step in range(64)]))
    run_here(home, "fetch", "starter", "--output-dir", "mine")
    run_here(home, "convert", "mine", "--output-dir", "notes")
    run_here(home, "preprocess", "notes", "--output-dir", "examples")
    config = get_config(DEFAULT_CONFIG)
    (home / "run" / "train").mkdir(parents=True)
    Run(home / "run", config, dict(config.hparams), 0, Path("examples"), "0" * 64).describe(Plan(3))
    for suffix in ("index", "data-00000-of-00001"):
        (home / "run" / "train" / f"model.ckpt-3.{suffix}").touch()
    return home


@pytest.fixture
def home(tmp_path: Path, template: Path) -> Path:
    """A copy for one command."""
    return Path(shutil.copytree(template, tmp_path / "home"))


def _clear(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(("place", "command", "status"), INPUTS)
def test_no_input_is_waited_for(home: Path, place: str, command: str, status: int, kind: str) -> None:
    _clear(home / place)
    if kind == "pipe":
        os.mkfifo(home / place)
    else:
        (home / place).symlink_to("/dev/zero")
    answer = run_here(home, *command.split(), expect=status)
    assert status == 0 or Path(place).name in answer.error or Path(place).parts[0] in answer.error


@pytest.mark.parametrize(("place", "command"), OUTPUTS)
def test_no_output_is_written_into_a_pipe(home: Path, place: str, command: str) -> None:
    _clear(home / place)
    os.mkfifo(home / place)
    assert place in run_here(home, *command.split(), expect=1).error
    assert (home / place).is_fifo()


@pytest.mark.parametrize("target", ["folder", "file"])
@pytest.mark.parametrize(("place", "command"), WORKING_PLACES)
def test_no_link_is_followed_to_write(home: Path, tmp_path: Path, place: str, command: str, target: str) -> None:
    valuable = tmp_path / "valuable"
    (valuable / "below").mkdir(parents=True)
    (valuable / "diary").write_text("mine")
    (valuable / "below" / "letter").write_text("mine")
    _clear(home / place)
    (home / place).symlink_to(valuable if target == "folder" else valuable / "diary")
    error = run_here(home, *command.split(), expect=1).error
    if place != "run/run.json":  # a link to something else than a run.json is damage
        assert Path(place).name in error
        assert "is a link" in error or "is not a lock file" in error
    assert {path.name for path in valuable.rglob("*")} == {"diary", "below", "letter"}
    assert (valuable / "diary").read_text() == (valuable / "below" / "letter").read_text() == "mine"
