"""Early ends of a run: each is one line with the next action, and the last checkpoint stays undamaged."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.configuration.registry import get_config
from gmd_vae.models import checkpoints
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

pytestmark = [pytest.mark.tensorflow, pytest.mark.timeout(300)]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    config = get_config("flat-drum_4bar_small")
    return Run(tmp_path / "run", config, config.hparams, 0, tmp_path / "examples", "digest")


def test_lack_of_memory_names_the_batch_size_to_try(run: Run) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.stopping import one_line_errors

    with (
        pytest.raises(GmdVaeError, match=r"Memory ran out at batch size 32\. Train with --hparams batch_size=16"),
        one_line_errors(run),
    ):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[64,512]")


def test_damaged_examples_are_named(run: Run) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.stopping import one_line_errors

    with pytest.raises(GmdVaeError, match=r"examples' is damaged .*Run 'gmd-vae preprocess'"), one_line_errors(run):
        raise tf.errors.DataLossError(None, None, "corrupted record at 12\nmore")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "Graph execution error:\n\nDetected at node 'check_examples/Assert' defined at (most recent call last):\n"
            '    File "/x/input.py", line 123, in _parse\nassertion failed: [a label out of range]\n'
            "\t [[{{node examples/check_examples/Assert}}]]\n\nOriginal stack trace for 'check_examples':\n  File",
            "a label out of range",
        ),
        ("assertion failed: [another one]\n\t [[{{node check_examples/Assert}}]]", "another one"),
        ("Can't parse serialized Example.\n\t [[node check_examples]]", "Can't parse serialized Example."),
    ],
)
def test_an_example_that_does_not_fit_is_refused_with_the_reason(run: Run, text: str, reason: str) -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.stopping import one_line_errors

    with (
        pytest.raises(GmdVaeError, match=re.escape(f"does not fit the manifest beside it ({reason})")),
        one_line_errors(run),
    ):
        raise tf.errors.InvalidArgumentError(None, None, text)


def test_a_run_that_was_moved_during_training_is_named(run: Run, tmp_path: Path) -> None:
    from gmd_vae.training.stopping import one_line_errors

    def move() -> None:
        run.folder.rename(tmp_path / "elsewhere")
        raise ValueError("The passed save_path is not a valid checkpoint")

    run.train_folder.mkdir(parents=True)
    with pytest.raises(GmdVaeError, match="train' was moved or deleted while it was used"), one_line_errors(run):
        move()
    with pytest.raises(ValueError, match="a bug"), one_line_errors(run):  # it was not there before
        raise ValueError("a bug")


def test_other_errors_pass_unchanged(run: Run) -> None:
    from gmd_vae.training.stopping import one_line_errors

    with pytest.raises(PermissionError), one_line_errors(run):
        raise PermissionError(13, "Permission denied")


@pytest.fixture(params=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """A signal that is not ignored: under ``nohup`` SIGHUP is, and the tool leaves it so."""
    before = signal.signal(request.param, signal.default_int_handler)
    yield request.param
    signal.signal(request.param, before)


def test_the_first_signal_asks_and_the_second_stops(number: signal.Signals) -> None:
    from gmd_vae.training.stopping import stop_event

    before = signal.getsignal(number)
    with stop_event() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.wait(60)
        os.kill(os.getpid(), number)  # a closed terminal and ``timeout`` send the signal twice
        time.sleep(1.1)
        with pytest.raises(Interrupted):
            _send_and_wait(number)
    assert signal.getsignal(number) is before


def _send_and_wait(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    time.sleep(5)  # interrupted: the handler raises


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_the_run_and_leaves_the_last_checkpoint_whole(short_run: Run, small_disk: Path) -> None:
    from gmd_vae.models.checkpoint_check import find_damage
    from gmd_vae.training.loop import train

    run = dataclasses.replace(short_run, folder=small_disk / "run")
    shutil.copytree(short_run.folder, run.folder)
    examples = open_examples(run.examples, run.config)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - 200_000))  # a checkpoint takes half a megabyte
    with pytest.raises(GmdVaeError, match="The disk is full"):
        train(run, examples, Plan(6, save_every=2))
    assert checkpoints.complete(run.train_folder) == [run.train_folder / "model.ckpt-3"]
    assert find_damage(run.train_folder / "model.ckpt-3") is None
    assert not list(run.train_folder.glob("*.tempstate*"))
    ballast.unlink()
    outcome = train(run, examples, dataclasses.replace(Plan(6), save_every=2))
    assert (outcome.first_step, outcome.last_step) == (3, 6)
