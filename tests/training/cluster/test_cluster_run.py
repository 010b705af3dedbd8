"""A job of three processes that completes although worker and chief are killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import run_here
from fixtures.tool_module import load_tool
from gmd_vae.configuration.registry import VARIABLE
from gmd_vae.models import checkpoints
from gmd_vae.models.averaged_weights import SUFFIX
from gmd_vae.models.checkpoint_variables import read_variables
from gmd_vae.training.history import NAME

pytestmark = [pytest.mark.tensorflow, pytest.mark.timeout(900)]

FAST = "learning_rate=0.01,average_decay=0.9,warm_up_steps=5,mix_windows=0.5,drop_voices=0.3,blank_inputs=0.2"
NUM_STEPS = 60
RUN = "my run (2) é"
SECONDS = 300  # limit for waits of about 20 s on a quiet machine


DEMO = load_tool("cluster_demo")


def arguments(examples: Path, num_steps: int, *more: str) -> list[str]:
    # the run folder is a relative path, and each process works in a folder of its own
    return [
        *("--config", examples.name, "--examples-path", str(examples), "--run-dir", RUN),
        *("--hparams", FAST, "--num-steps", str(num_steps), *more),
    ]


def variables(prefix: Path) -> dict[str, Any]:
    from gmd_vae.magenta.api import tf

    shapes: dict[str, Any] = tf.train.load_checkpoint(str(prefix)).get_variable_to_shape_map()
    return shapes


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a working folder for each process."""
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def job(short_configs: Path, short_examples: Path, folder: Path) -> Iterator[Any]:
    """One job for all tests: a worker is refused, another is killed and restarted, then the chief, then the job ends.

    Each process takes 10 seconds to start, so the tests share them.
    """
    given = arguments(short_examples, NUM_STEPS, "--save-every", "15", "--validate-every", "1000")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(short_configs))
        with DEMO.Job(given, folder) as job:
            run = folder / "chief" / RUN
            for role in ("ps", "chief"):
                job.start(role)
            # a worker with other hyperparameters is refused; the job waits for one that fits
            job.start("worker", ["--hparams", f"{FAST},z_size=8"])
            assert job.wait(SECONDS, ["worker"]) == {"worker": 1}, job.log()
            job.start("worker")
            DEMO.wait_for_step(job, run, 20, SECONDS)
            step, _ = DEMO.kill_and_restart(job, "worker", SECONDS)
            assert step >= 20

            at = DEMO.wait_for_step(job, run, 40, SECONDS)
            job.kill("chief")
            saved = max(checkpoints.step_of(prefix) or 0 for prefix in checkpoints.complete(run / "train"))
            lines = len(job.lines["chief"])
            job.start("chief")
            resumed = int(job.wait_for("chief", DEMO.STEP, SECONDS, after=lines)[1])
            assert resumed == saved + 1, job.log()
            assert saved > at - 15

            assert job.wait(SECONDS) == {"ps": 0, "chief": 0, "worker": 0}, job.log()
            yield job


def test_a_worker_with_other_hyperparameters_is_refused(job: Any) -> None:
    refusals = [line for line in job.lines["worker"] if line.startswith("Error: ")]
    assert len(refusals) == 1, job.log()
    assert re.search(r"The chief trains another run: .*z_size", refusals[0])


def test_metrics_have_no_missing_and_no_repeated_step(job: Any, folder: Path) -> None:
    lines = DEMO.training_lines(folder / "chief" / RUN)
    assert [line["step"] for line in lines] == [1, *range(20, NUM_STEPS + 1, 20)]
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"], job.log()


def test_only_the_chief_writes_and_all_report_the_end(job: Any, folder: Path) -> None:
    log = job.log()
    assert files_in(folder / "ps") == []
    assert files_in(folder / "worker") == []
    last = f"model.ckpt-{NUM_STEPS}.index"
    written = set(files_in(folder / "chief" / RUN))
    assert {"run.json", NAME, "progress.png", f"train/{last}", f"best/{last}"} <= written
    assert any(line.startswith(f"chief: step {NUM_STEPS}/{NUM_STEPS} ") for line in job.lines["chief"]), log
    assert any(line.startswith("worker 0: step ") for line in job.lines["worker"]), log
    assert job.lines["worker"][-1].startswith(f"The job has ended at step {NUM_STEPS}."), log
    assert job.lines["ps"][-2:] == ["ps 0: serving", "ps 0: the job has ended"], log
    assert "Traceback" not in log


def test_one_machine_resumes_the_run_of_a_job(job: Any, folder: Path) -> None:
    """The averages of the weights are in the checkpoints of both."""
    run = folder / "chief" / RUN
    assert any(name.endswith(SUFFIX) for name in variables(run / "train" / f"model.ckpt-{NUM_STEPS}"))
    assert all(values.any() for values in read_variables(run / "train" / f"model.ckpt-{NUM_STEPS}").values())
    shapes = variables(run / "train" / f"model.ckpt-{NUM_STEPS}")
    on = run_here(folder, "train", "--run-dir", str(run), "--num-steps", str(NUM_STEPS + 2))
    assert f"step {NUM_STEPS + 1}/{NUM_STEPS + 2} " in on.stderr
    assert variables(run / "train" / f"model.ckpt-{NUM_STEPS + 2}") == shapes
