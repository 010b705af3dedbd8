"""The Slurm script for seeds, with stand-ins for Slurm's commands: an array task, its signals, and its requeue."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import ROOT, environment
from fixtures.datasets import ONE_BAR

SCRIPT = ROOT / "tools" / "slurm_seeds.sh"
# a training that finishes its step after SIGTERM, as the real one does
TRAINING = """#!/usr/bin/env bash
echo "$@" >> arguments.log
trap 'sleep 0.3; echo "Error: Interrupted at step 7" >&2; exit 143' TERM
touch began
for i in $(seq 200); do sleep 0.05; done
"""


@pytest.fixture
def commands(tmp_path: Path) -> Path:
    """A folder on PATH with ``scontrol`` that writes down its arguments, and ``gmd-vae``."""
    folder = tmp_path / "bin"
    folder.mkdir()
    write(folder / "scontrol", f'#!/usr/bin/env bash\necho "$@" >> "{tmp_path}/scontrol.log"\n')
    write(folder / "gmd-vae", TRAINING)
    return folder


def write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


Submit = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def submit(commands: Path, tmp_path: Path) -> Submit:
    """Starts one task of the array, as sbatch does: with Slurm's variables, and the log appended."""

    def start(*options: str, task: str = "1", **more: str) -> subprocess.Popen[str]:
        variables = {"SLURM_JOB_ID": "71", "SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": task}
        path = f"{commands}{os.pathsep}{os.environ['PATH']}"
        with (tmp_path / "slurm.log").open("a") as log:
            return subprocess.Popen(
                ["bash", str(SCRIPT), *options],
                cwd=tmp_path,
                env=environment(PATH=path, **variables, **more),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )

    return start


def wait_for(reached: Callable[[], bool], task: subprocess.Popen[str], seconds: float = 240) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert task.poll() is None, "the task ended early"
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def text_of(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_its_options_are_slurms() -> None:
    options = dict(re.findall(r"^#SBATCH --([\w-]+)=?(.*)$", SCRIPT.read_text(), re.MULTILINE))
    assert options["array"] == "0-2"
    assert options["signal"] == "B:USR1@120"
    assert {"requeue", "open-mode", "time", "cpus-per-task", "mem"} <= options.keys()
    assert subprocess.run(["bash", "-n", str(SCRIPT)]).returncode == 0


def test_the_time_limit_requeues_a_task_and_termination_does_not(submit: Submit, tmp_path: Path) -> None:
    """After SIGUSR1, at the time limit, and after SIGTERM (scancel, preemption) the training has saved: 143."""
    for number, requeued in ((signal.SIGTERM, ""), (signal.SIGUSR1, "requeue 70_1\n")):
        (tmp_path / "began").unlink(missing_ok=True)
        task = submit("--config", "a name")
        wait_for((tmp_path / "began").exists, task)
        task.send_signal(number)
        assert task.wait(30) == 143
        assert text_of(tmp_path / "scontrol.log") == requeued
    assert text_of(tmp_path / "slurm.log").count("Interrupted at step 7") == 2
    assert "goes back into the queue" in text_of(tmp_path / "slurm.log")
    assert text_of(tmp_path / "arguments.log") == "train --config a name --seeds 1\n" * 2


@pytest.mark.parametrize("status", [0, 1, 2])
def test_a_training_that_ends_is_not_requeued(status: int, submit: Submit, commands: Path, tmp_path: Path) -> None:
    write(commands / "gmd-vae", f"#!/usr/bin/env bash\nexit {status}\n")
    assert submit().wait(30) == status
    assert not (tmp_path / "scontrol.log").exists()


def test_a_suspended_task_goes_on(submit: Submit, tmp_path: Path) -> None:
    """PreemptMode=SUSPEND stops all processes of a task, and lets them go on later. No signal is lost meanwhile."""
    task = submit()
    wait_for((tmp_path / "began").exists, task)
    os.killpg(task.pid, signal.SIGSTOP)
    task.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    assert task.poll() is None
    assert not (tmp_path / "scontrol.log").exists()
    os.killpg(task.pid, signal.SIGCONT)
    assert task.wait(30) == 143
    assert text_of(tmp_path / "scontrol.log") == "requeue 70_1\n"


def test_preemption_signals_the_script_and_the_training_at_once(submit: Submit, tmp_path: Path) -> None:
    """PreemptMode=REQUEUE: SIGCONT and SIGTERM to all processes. Slurm requeues the task, not the script."""
    task = submit()
    wait_for((tmp_path / "began").exists, task)
    for number in (signal.SIGCONT, signal.SIGTERM):
        os.killpg(task.pid, number)
    assert task.wait(30) == 143
    assert "Interrupted at step 7" in text_of(tmp_path / "slurm.log")
    assert not (tmp_path / "scontrol.log").exists()


def test_the_lines_for_a_script_of_your_own_stop_and_save(commands: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    (lines,) = (block for block in re.findall(r"```text\n(.*?)```", page, re.DOTALL) if "#SBATCH --requeue" in block)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    script = ["bash", "-c", lines]
    task = subprocess.Popen(script, cwd=tmp_path, env=environment(PATH=path), stderr=subprocess.PIPE, text=True)
    wait_for((tmp_path / "began").exists, task)
    task.send_signal(signal.SIGUSR1)
    _, error = task.communicate(timeout=30)
    assert task.returncode == 143
    assert "Interrupted at step 7" in error


def test_outside_of_an_array_it_says_what_to_do(submit: Submit, tmp_path: Path) -> None:
    assert submit(task="").wait(30) == 2
    assert "no task of a Slurm array" in text_of(tmp_path / "slurm.log")


@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_a_real_training_is_stopped_requeued_and_resumes(
    submit: Submit, commands: Path, tmp_path: Path, one_bar_examples: Path
) -> None:
    write(commands / "gmd-vae", f'#!/usr/bin/env bash\nexec "{sys.executable}" -m gmd_vae "$@"\n')
    sizes = "enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=4,batch_size=16,prior_components=0"
    run = tmp_path / "runs" / "x-seed1"
    options = ("--config", ONE_BAR, "--hparams", sizes, "--run-dir", "runs/x")
    options += ("--examples-path", str(one_bar_examples), "--validate-every", "100000")
    task = submit(*options, "--num-steps", "90000")
    wait_for(lambda: "step 1/90000" in text_of(tmp_path / "slurm.log"), task)
    task.send_signal(signal.SIGUSR1)
    assert task.wait(120) == 143
    stopped = text_of(tmp_path / "slurm.log")
    found = re.search(
        r"Error: Interrupted at step (\d+) of 90000; saved as 'runs/x-seed1/train/model.ckpt-\1'", stopped
    )
    assert found, stopped
    assert text_of(tmp_path / "scontrol.log") == "requeue 70_1\n"

    last = int(found[1]) + 2
    assert submit(*options, "--num-steps", str(last)).wait(240) == 0
    resumed = text_of(tmp_path / "slurm.log").removeprefix(stopped)
    assert f"step {last}/{last}" in resumed
    described = json.loads((run / "run.json").read_text())
    assert (described["seed"], len(described["starts"])) == (1, 2)
