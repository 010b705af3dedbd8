"""Jobs: their order, and their command lines."""

from __future__ import annotations

from pathlib import Path

from benchmarks.job import Contender, Job, from_json, jobs

STOCK, OURS, OURS_FP32 = Contender("stock"), Contender("ours", "bf16"), Contender("ours", "fp32")


def one(work: str, contender: Contender) -> Job:
    return Job(work, contender, "small", 64, 5, Path("notes"), Path("examples/small"), Path("run"))


def test_the_contenders_take_turns() -> None:
    found = list(jobs(["small"], [64], [STOCK, OURS_FP32], 5, 2, Path("n"), Path("e"), Path("s")))
    assert [(job.work, job.contender.name) for job in found] == [
        (work, name) for work in ("train", "evaluate", "sample") for name in ("stock", "ours", "stock", "ours")
    ]


def test_each_training_has_its_own_run_and_the_other_jobs_share_our_first() -> None:
    found = list(jobs(["small"], [64, 256], [STOCK, OURS], 5, 2, Path("n"), Path("e"), Path("s")))
    training = [job.run for job in found if job.work == "train"]
    assert len(set(training)) == len(training) == 8
    assert {job.run for job in found if job.work != "train"} == {Path("s/small-64-0-ours-bf16")}
    assert Path("s/small-64-0-ours-bf16") in training


def test_evaluation_and_sampling_are_in_fp32() -> None:
    found = list(jobs(["small"], [64], [STOCK, OURS_FP32, OURS], 5, 1, Path("n"), Path("e"), Path("s")))
    assert [(job.work, job.contender.label) for job in found] == [
        ("train", "stock Magenta"),
        ("train", "gmd-vae fp32"),
        ("train", "gmd-vae bf16"),
        ("evaluate", "stock Magenta"),
        ("evaluate", "gmd-vae fp32"),
        ("sample", "stock Magenta"),
        ("sample", "gmd-vae fp32"),
    ]


def test_the_command_line_contains_the_job() -> None:
    job = one("train", OURS)
    command = job.command(12.5)
    assert command[1:3] == ["-m", "benchmarks.ours"]
    assert from_json(command[3]) == (job, 12.5)


def test_our_samples_come_from_the_generate_command() -> None:
    command = one("sample", OURS).command(0)
    assert command[1:4] == ["-m", "gmd_vae", "generate"]
    assert command[-2:] == ["--num-outputs", "1000"]
    assert one("sample", STOCK).command(0)[2] == "benchmarks.stock"


def test_steps_are_the_first_the_warm_up_and_the_measured_ones() -> None:
    assert one("train", STOCK).num_steps == 1 + 3 + 5
