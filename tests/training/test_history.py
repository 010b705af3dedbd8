"""metrics.jsonl: damaged lines of killed runs, and the best validation."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from gmd_vae.training.history import History, Measurements, Validation, cpu_seconds_of, elbo, objective, read_lines


def measured(step: int) -> Measurements:
    return Measurements(step, 100.0, 90.0, 10.0, elbo(90.0, 10.0), 0.001, 0.2, 0.0, 1.0)


def validated(step: int, value: float) -> Validation:
    return Validation(step, 8, value, 90.0, 10.0, 0.0, None)


def steps(path: Path) -> list[tuple[str, int]]:
    return [(line["split"], line["step"]) for line in read_lines(path)]


def test_the_elbo_is_in_nats() -> None:
    assert elbo(90.0, 10.0) == pytest.approx(-90 - 10 * math.log(2))


def test_lines_after_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with History(path, 0) as history:
        for step in (1, 20, 40):
            history.train(measured(step), 2.0)
        history.validation(validated(40, -5.0))
        history.train(measured(60), 2.0)
    with path.open("a") as file:
        file.write('{"split": "train", "st')  # killed while writing
    with History(path, 40) as history:
        assert [one.step for one in history.validations] == [40]
        history.train(measured(60), 2.0)
    assert steps(path) == [("train", 1), ("train", 20), ("train", 40), ("validation", 40), ("train", 60)]
    with History(path, 20) as history:
        assert history.best is None
    assert steps(path) == [("train", 1), ("train", 20)]


def test_damaged_and_unknown_lines_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'\xff\n[]\n{"step": 3}\n{"split": "other", "step": 3}\n\n{"split": "train", "step": "3"}\n')
    assert steps(path) == []


def test_the_best_is_the_first_with_the_highest_elbo(tmp_path: Path) -> None:
    with History(tmp_path / "metrics.jsonl", 0) as history:
        assert history.without_improvement == 0
        for step, value in ((10, -9.0), (20, -7.0), (30, -8.0), (40, -7.0)):
            history.validation(validated(step, value))
        assert history.best == validated(20, -7.0)
        assert history.without_improvement == 2
    with History(tmp_path / "metrics.jsonl", 40) as again:
        assert again.best == validated(20, -7.0)
        assert again.without_improvement == 2


def test_the_objective_chooses_another_best_than_the_elbo(tmp_path: Path) -> None:
    """With β below 1 the ELBO falls while the loss still falls."""
    hparams = {"max_beta": 0.1, "free_bits": 8.0, "free_bits_until": 0}
    found = {}
    for rule in ("elbo", "objective"):
        with History(tmp_path / f"{rule}.jsonl", 0) as history:
            for step, reconstruction, kl_bits in ((10, 90.0, 20.0), (20, 70.0, 90.0), (30, 69.0, 200.0)):
                loss = objective(hparams, reconstruction, kl_bits, kl_bits - 8)
                figures = (elbo(reconstruction, kl_bits), reconstruction, kl_bits, kl_bits - 8)
                history.validation(Validation(step, 8, *figures, None, loss, rule))
        with History(tmp_path / f"{rule}.jsonl", 30) as again:
            assert again.best is not None
            found[rule] = (again.best.step, again.without_improvement)
            assert rule in again.best.score_in_words.lower()
    assert found == {"elbo": (10, 2), "objective": (20, 1)}


def test_free_bits_that_expire_are_not_in_the_objective() -> None:
    hparams = {"max_beta": 0.5, "free_bits": 8.0, "free_bits_until": 0}
    assert objective(hparams, 90.0, 20.0, 12.0) == pytest.approx(90 + 0.5 * 12 * math.log(2))
    assert objective({**hparams, "free_bits_until": 3}, 90.0, 20.0, 12.0) == pytest.approx(90 + 10 * math.log(2))


def test_the_listener_receives_every_line_of_the_file(tmp_path: Path) -> None:
    received: list[str] = []
    with History(tmp_path / "metrics.jsonl", 0, received.append) as history:
        history.train(measured(20), 2.5)
        history.validation(validated(20, -7.0))
    assert "".join(received) == (tmp_path / "metrics.jsonl").read_text()
    assert json.loads(received[0])["steps_per_second"] == 2.5


def test_the_cpu_time_goes_on_over_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.jsonl"
    assert cpu_seconds_of(path) == 0
    for first, process_time in ((0, 100.0), (40, 7.5)):  # killed after step 60, whose line is dropped
        monkeypatch.setattr("gmd_vae.training.history._cpu_before_this_run", 0.0)  # a process of its own
        monkeypatch.setattr("time.process_time", lambda used=process_time: used)
        with History(path, first) as history:
            history.train(measured(first + 40), 2.0)
            monkeypatch.setattr("time.process_time", lambda used=process_time: used + 50)
            history.train(measured(first + 60), 2.0)
    assert [line["cpu_seconds"] for line in read_lines(path)] == [100.0, 107.5, 157.5]
    assert cpu_seconds_of(path) == 157.5


def test_a_second_run_of_a_process_does_not_count_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gmd_vae.training.history._cpu_before_this_run", 0.0)
    for name, process_time in (("one", 30.0), ("two", 50.0)):
        monkeypatch.setattr("time.process_time", lambda used=process_time: used)
        with History(tmp_path / name, 0) as history:
            history.train(measured(20), 2.0)
    assert [cpu_seconds_of(tmp_path / name) for name in ("one", "two")] == [30.0, 20.0]


def test_a_run_of_an_older_version_has_no_cpu_time(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"split": "train", "step": 1}\n{"split": "train", "step": 2, "cpu_seconds": -1}\n')
    assert cpu_seconds_of(path) == 0
