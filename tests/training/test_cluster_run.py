"""A job of three processes: one that comes to its end, and one whose worker and chief are killed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tool_module import load_tool

from pipeline.models import checkpoints
from pipeline.training.history import NAME, read_lines

pytestmark = pytest.mark.tensorflow

FAST = "learning_rate=0.01"
SECONDS = 300  # for what takes 20 on a quiet machine


DEMO = load_tool("cluster_demo")  # whose jobs these are


def arguments(examples: Path, num_steps: int, *more: str) -> list[str]:
    # the run folder is a relative path, and each process works in a folder of its own
    return [
        *("--config", examples.name, "--examples-path", str(examples), "--run-dir", "run"),
        *("--hparams", FAST, "--num-steps", str(num_steps), *more),
    ]


def variables(prefix: Path) -> dict[str, Any]:
    from pipeline.models.magenta import tf

    shapes: dict[str, Any] = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    return shapes


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_job_comes_to_its_end(short_examples: Path, tmp_path: Path) -> None:
    with DEMO.Job(arguments(short_examples, 40), tmp_path) as job:
        for role in DEMO.ROLES:
            job.start(role)
        assert job.wait(SECONDS) == {"ps": 0, "chief": 0, "worker": 0}, job.log()
    log = job.log()

    assert files_in(tmp_path / "ps") == []
    assert files_in(tmp_path / "worker") == []
    run = tmp_path / "chief" / "run"
    written = files_in(run)
    assert {"run.json", NAME, "progress.png", "train/model.ckpt-40.index", "best/model.ckpt-40.index"} <= set(written)
    losses = [line["loss"] for line in DEMO.training_lines(run)]
    assert losses[-1] < 0.8 * losses[0], log

    assert any(line.startswith("chief: step 40/40 ") for line in job.lines["chief"]), log
    assert any(line.startswith("worker 0: step ") for line in job.lines["worker"]), log
    assert job.lines["worker"][-1].startswith("The job has ended at step 40."), log
    assert job.lines["ps"][-2:] == ["ps 0: serving", "ps 0: the job has ended"], log
    assert "Traceback" not in log

    # what it made does not know of the cluster: one machine goes on with it
    shapes = variables(run / "train" / "model.ckpt-40")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "train", "--run-dir", str(run), "--num-steps", "42"],
        env=DEMO.environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert "step 41/42 " in done.stderr
    assert variables(run / "train" / "model.ckpt-42") == shapes


def test_a_killed_worker_and_a_killed_chief_come_back(short_examples: Path, tmp_path: Path) -> None:
    num_steps = 60
    given = arguments(short_examples, num_steps, "--save-every", "15", "--validate-every", "1000")
    with DEMO.Job(given, tmp_path) as job:
        run = tmp_path / "chief" / "run"
        for role in ("ps", "chief"):
            job.start(role)
        # one that would train something else is refused, and the job waits for one that fits
        job.start("worker", ["--hparams", f"{FAST},z_size=8"])
        assert job.wait(SECONDS, ["worker"]) == {"worker": 1}, job.log()
        refusals = [line for line in job.lines["worker"] if line.startswith("Error: ")]
        assert len(refusals) == 1, job.log()
        assert re.search(r"The chief trains another run: .*z_size", refusals[0])

        job.start("worker")
        DEMO.wait_for_step(job, run, 20, SECONDS)
        step, _ = DEMO.kill_and_restart(job, "worker", SECONDS)
        assert step >= 20

        at = DEMO.wait_for_step(job, run, 40, SECONDS)
        job.kill("chief")
        whole = checkpoints.whole(run / "train")
        saved = max(checkpoints.step_of(prefix) or 0 for prefix in whole)
        lines = len(job.lines["chief"])
        job.start("chief")
        resumed = int(job.wait_for("chief", DEMO.STEP, SECONDS, after=lines)[1])
        assert resumed == saved + 1, job.log()
        assert saved > at - 15

        assert job.wait(SECONDS) == {"ps": 0, "chief": 0, "worker": 0}, job.log()
    # no step is missing in the record, and none is there twice
    steps = [line["step"] for line in read_lines(run / NAME) if line["split"] == "train"]
    assert steps == [1, *range(20, num_steps + 1, 20)]
    assert "Traceback" not in job.log()
    assert (run / "train" / f"model.ckpt-{num_steps}.index").exists()
