"""One song is enough to fine-tune a model: the recipe of docs/data.md, and the advice of each command on the way."""

from __future__ import annotations

import random
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import run_here
from fixtures.runs import TINY

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("without_pictures", "few_decoded")]
SIXTEENTH = 120  # ticks
BARS = 24


@pytest.fixture
def song(tmp_path: Path, make_midi: Callable[..., bytes]) -> Path:
    rng = random.Random(1)
    hits = [(step * SIXTEENTH, rng.choice([36, 38, 42, 46, 51])) for step in range(16 * BARS) if rng.random() < 0.6]
    path = tmp_path / "song.mid"
    path.write_bytes(make_midi([(0, 36), *hits[1:]]))
    return path


def test_a_model_is_fine_tuned_on_one_song(tmp_path: Path, song: Path, tiny_run: Path) -> None:
    run_here(tmp_path, "convert", song.name, "--split", "100/0/0")
    run_here(tmp_path, "preprocess", "data/notes/song")
    sizes = re.sub(r",?batch_size=\d+", "", TINY)
    train = ["train", "--init-from", str(tiny_run), "--run-dir", "runs/song", "--examples-path", "data/notes/song"]
    train += ["--num-steps", "3"]
    error = run_here(tmp_path, *train, "--hparams", f"{sizes},batch_size=4000", expect=1).error
    advised = re.search(r"--hparams (batch_size=\d+)", error)
    assert advised, error
    done = run_here(tmp_path, *train, "--hparams", f"{sizes},{advised[1]}")
    assert "Validation: none" in done.stderr
    next_command = shlex.split(done.stdout[done.stdout.index("Next: gmd-vae ") :].splitlines()[0])[2:]
    run_here(tmp_path, *next_command, "-n", "1")
    assert len(list((tmp_path / "runs" / "song" / "generated").rglob("*.mid"))) == 1
    error = run_here(tmp_path, "evaluate", "runs/song", "--samples", "5", expect=1).error
    assert "--split train" in error
    run_here(tmp_path, "evaluate", "runs/song", "--samples", "5", "--split", "train")


def test_a_song_of_one_window_is_evaluated(tmp_path: Path, make_midi: Callable[..., bytes], tiny_run: Path) -> None:
    loop = [(step * SIXTEENTH, 36 if step % 8 == 0 else 42) for step in range(0, 64, 2)]
    (tmp_path / "loop.mid").write_bytes(make_midi(loop))
    run_here(tmp_path, "convert", "loop.mid", "--split", "100/0/0")
    options = ("--examples-path", "data/notes/loop", "--run-dir", "runs/loop", "--num-steps", "1")
    run_here(tmp_path, "train", *options, "--hparams", re.sub(r"batch_size=\d+", "batch_size=1", TINY))
    done = run_here(tmp_path, "evaluate", "runs/loop", "--samples", "5", "--split", "train", "--verbose")
    assert "not measured  two samples, two training windows and two held-out windows are needed" in done.stdout
