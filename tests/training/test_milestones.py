"""Steps at which the loop logs, saves, validates and stops."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gmd_vae.training.history import History, Validation
from gmd_vae.training.milestones import Milestones
from gmd_vae.training.run.run_file import Plan


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "metrics.jsonl", 0) as history:
        yield history


def validation(step: int, elbo: float) -> Validation:
    return Validation(step, 8, elbo, 90.0, 10.0, 0.0, None)


def steps(milestones: Milestones, due: str, last: int) -> list[int]:
    """The steps up to ``last`` at which something is due."""
    found = []
    for step in range(1, last + 1):
        if getattr(milestones, due)(step):
            found.append(step)
        milestones.advance(step)
    return found


@pytest.mark.parametrize(
    ("due", "expected"),
    [("log_at", [1, 20, 40, 50]), ("validate_at", [30, 50]), ("save_at", [15, 30, 45, 50])],
)
def test_each_action_is_due_at_its_multiples_and_at_the_end(history: History, due: str, expected: list[int]) -> None:
    plan = Plan(50, validate_every=30, save_every=15)
    assert steps(Milestones(plan, history, validates=True, first_step=0), due, 50) == expected


def test_without_validation_examples_nothing_is_validated(history: History) -> None:
    milestones = Milestones(Plan(50, validate_every=10), history, validates=False, first_step=0)
    assert steps(milestones, "validate_at", 50) == []
    assert steps(milestones, "save_at", 50) == []


def test_a_step_is_validated_once(history: History) -> None:
    milestones = Milestones(Plan(50, validate_every=10), history, validates=True, first_step=10)
    assert milestones.validate_at(10)  # resumed from a checkpoint that was not validated
    history.validation(validation(10, -5.0))
    assert not milestones.validate_at(10)


def test_a_multiple_that_is_jumped_over_counts_at_the_next_step(history: History) -> None:
    milestones = Milestones(Plan(50, validate_every=10), history, validates=True, first_step=0)
    milestones.advance(8)
    assert milestones.validate_at(12)
    milestones.advance(12)
    assert not milestones.validate_at(13)
    assert milestones.validate_at(10)  # the session was recreated from an earlier checkpoint


def test_patience_counts_validations_without_a_new_best(history: History) -> None:
    milestones = Milestones(Plan(50, validate_every=10, patience=2), history, validates=True, first_step=0)
    for step, elbo, is_over in ((10, -9.0, False), (20, -5.0, False), (30, -6.0, False), (40, -5.0, True)):
        history.validation(validation(step, elbo))
        assert milestones.is_over(step) == is_over
    assert milestones.is_over(50)
