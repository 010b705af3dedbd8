"""``--seeds``: a run for each seed, one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from fixtures.command_line import run_here
from fixtures.json_page import check_answer
from gmd_vae.commands.train_seeds import SeedList, prepare_seeds
from gmd_vae.common.errors import Interrupted, UsageError
from gmd_vae.training import start
from gmd_vae.training.progress import note, prefix_lines
from gmd_vae.training.run.prepare import Request


def no_cutting(*_: object) -> None:
    raise AssertionError("the examples exist")


def test_seeds_are_different_numbers_with_commas_between_them() -> None:
    assert SeedList().convert("0,1,25", None, None) == (0, 1, 25)
    for wrong, reason in (("0,x", "is not a list"), ("", "is not a list"), ("1,-1", "range"), ("2,2", "twice")):
        with pytest.raises(click.BadParameter, match=reason):
            SeedList().convert(wrong, None, None)


def test_each_seed_has_a_folder(short_config: str, short_examples: Path, tmp_path: Path) -> None:
    request = Request(config=short_config, examples_path=short_examples, run_dir=tmp_path / "x", num_steps=5)
    jobs = prepare_seeds(request, (3, 0), no_cutting)
    assert [(seed, job.run.folder.name, job.run.seed) for seed, job in jobs.items()] == [
        (3, "x-seed3", 3),
        (0, "x-seed0", 0),
    ]
    assert len({job.run.recipe for job in jobs.values()}) == 1


def test_the_current_folder_names_the_runs(
    short_config: str, short_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    request = Request(config=short_config, examples_path=short_examples, run_dir=Path(), num_steps=5)
    assert [job.run.folder for job in prepare_seeds(request, (1,), no_cutting).values()] == [tmp_path / "mine-seed1"]


@pytest.mark.parametrize("changed", [{"hparams": "z_size=8"}, {"num_steps": 9}])
def test_runs_that_would_differ_in_more_than_the_seed_are_refused(
    changed: dict[str, object], short_config: str, short_examples: Path, tmp_path: Path
) -> None:
    """The first seed has begun with other options, and now these are left out."""
    begun = Request(
        config=short_config,
        examples_path=short_examples,
        run_dir=tmp_path / "x",
        **changed,  # type: ignore[arg-type]
    )
    (job,) = prepare_seeds(begun, (0,), no_cutting).values()
    job.run.folder.mkdir()
    job.run.describe(job.plan)
    again = Request(config=short_config, examples_path=short_examples, run_dir=tmp_path / "x")
    with pytest.raises(UsageError, match=r"x-seed1' would differ from .*x-seed0' in more than its seed"):
        prepare_seeds(again, (0, 1), no_cutting)
    assert len(prepare_seeds(begun, (0, 1), no_cutting)) == 2


@pytest.mark.parametrize("other", [("--seed", "1"), ("--overfit-batch",), ("--task", "0")])
def test_options_of_another_kind_of_run_are_refused(other: tuple[str, ...], tmp_path: Path) -> None:
    answer = run_here(tmp_path, "train", "--seeds", "0,1", *other, expect=2 if other[0] != "--task" else 1)
    assert answer.error
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_stops_the_whole(
    short_config: str, short_examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def interrupted(job: start.Job, *_: object) -> None:
        started.append(job.run.seed)
        raise Interrupted("Interrupted at step 3 of 5", "The same command resumes from there.")

    monkeypatch.setattr(start, "start", interrupted)
    given = ("--config", short_config, "--examples-path", str(short_examples), "--run-dir", "x", "--num-steps", "5")
    answer = run_here(tmp_path, "train", *given, "--seeds", "4,5", expect=130)
    assert started == [4]
    assert answer.error == "Error: Interrupted at step 3 of 5. The same command resumes from there."


@pytest.mark.tensorflow
def test_two_seeds_train_resume_and_are_compared_next(short_config: str, short_examples: Path, tmp_path: Path) -> None:
    given = ("--config", short_config, "--examples-path", str(short_examples), "--run-dir", "runs/x")
    answer = run_here(tmp_path, "train", *given, "--seeds", "0,1", "--num-steps", "2", "--json")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [(line["seed"], line["outcome"]["last_step"]) for line in lines if "outcome" in line] == [(0, 2), (1, 2)]
    check_answer("train", lines[-1])
    assert {line["seed"] for line in lines if line.get("split") == "validation"} == {0, 1}
    assert [line["seed"] for line in lines] == sorted(line["seed"] for line in lines)
    losses = [[line["loss"] for line in lines if line["seed"] == seed and "loss" in line] for seed in (0, 1)]
    assert losses[0] != losses[1]
    of_cpu = [line["cpu_seconds"] for line in lines if line.get("split") == "train" and line["seed"] == 1]
    earlier = [line["cpu_seconds"] for line in lines if line.get("split") == "train" and line["seed"] == 0]
    assert of_cpu[0] < earlier[-1] + of_cpu[-1]  # a run counts its own CPU time alone

    answer = run_here(tmp_path, "train", *given, "--seeds", "0,1", "--num-steps", "3")
    assert "Run 1 of 2: seed 0, runs/x-seed0" in answer.stderr
    assert "seed 1, 2 of 2: step 3/3" in answer.stderr
    assert answer.stdout.count("to step 3") == 2
    assert answer.stdout.splitlines()[-1] == "Next: gmd-vae evaluate runs/x-seed0 runs/x-seed1"


def test_the_lines_of_a_later_training_have_no_seed(capsys: pytest.CaptureFixture[str]) -> None:
    with prefix_lines("seed 1, 2 of 2"):
        note("first")
    note("second")
    assert capsys.readouterr().err == "seed 1, 2 of 2: first\nsecond\n"
