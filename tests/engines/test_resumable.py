"""Long work in batches: finished batches are kept, others removed, and nothing runs twice."""

from __future__ import annotations

import errno
import functools
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.engines.engine import EngineError
from gmd_vae.engines.local import LocalEngine
from gmd_vae.engines.resumable import Batches, make_batches, open_batches

TASKS = ["a", "b", "c", "d", "e"]


def write(log: Path, task: str, path: Path) -> None:
    """Writes a batch and logs its task; the task ``fail`` fails."""
    with log.open("a") as stream:
        stream.write(f"{task}\n")
    if task == "fail":
        path.write_text("half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    path.write_text(task * 3)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "made" / "output"


def make(batches: Batches, log: Path, tasks: list[str], jobs: int = 1) -> list[int]:
    """Makes the batches; returns the numbers of the tasks, those of an earlier run first."""
    sizes = [1 << number for number in range(len(tasks))]
    known: list[int] = []
    seen: list[int] = []

    def resume(done: int, total: int) -> None:
        known.extend(number for number in range(len(tasks)) if done >> number & 1)

    def progress(done: int, total: int) -> None:
        assert total == sum(sizes)
        seen.append(done)

    make_batches(batches, functools.partial(write, log), tasks, sizes, LocalEngine(jobs), progress, resume)
    reached = seen if known else [0, *seen]
    return known + [(done - before).bit_length() - 1 for before, done in itertools.pairwise(reached)]


def stop(output: Path, error: BaseException, identity: dict[str, str], work: Callable[[Batches], Any]) -> None:
    with open_batches(output, identity) as batches:
        work(batches)
        raise error


@pytest.mark.parametrize("jobs", [1, 2])
def test_batches_are_made_and_removed_at_the_end(output: Path, log: Path, jobs: int) -> None:
    with open_batches(output, {"a": 1}) as batches:
        assert batches.finished() == frozenset()
        assert sorted(make(batches, log, TASKS, jobs)) == [0, 1, 2, 3, 4]
        assert batches.finished() == frozenset(range(5))
        assert [batches.path(number).read_text() for number in range(5)] == [task * 3 for task in TASKS]
        assert len(list(batches.folder.iterdir())) == 5
    assert not list(output.parent.iterdir())


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EngineError("no worker"), OSError("full"), ValueError("a bug")])
def test_finished_batches_stay_when_the_work_was_stopped(output: Path, log: Path, error: BaseException) -> None:
    expected = Interrupted if isinstance(error, KeyboardInterrupt) else type(error)
    with pytest.raises(expected):
        stop(output, error, {"a": "1"}, lambda batches: make(batches, log, TASKS[:2]))
    with open_batches(output, {"a": "1"}) as batches:
        assert make(batches, log, TASKS) == [0, 1, 2, 3, 4]
    assert log.read_text().split() == TASKS


def test_nothing_stays_when_the_work_cannot_be_done(output: Path, log: Path) -> None:
    with pytest.raises(GmdVaeError, match="nothing in it"):
        stop(output, GmdVaeError("nothing in it"), {}, lambda batches: make(batches, log, TASKS))
    assert not list(output.parent.iterdir())


def test_ctrl_c_before_the_first_batch_leaves_nothing(output: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stop(output, KeyboardInterrupt(), {}, lambda batches: None)
    assert not list(output.parent.iterdir())


def test_batches_of_another_identity_are_removed(output: Path, log: Path) -> None:
    with pytest.raises(Interrupted):
        stop(output, KeyboardInterrupt(), {"input": "old"}, lambda batches: make(batches, log, TASKS))
    (old,) = (output.parent / ".output.parts").glob("*/")
    with open_batches(output, {"input": "new"}) as batches:
        assert batches.finished() == frozenset()
        assert not old.exists()  # so a worker that still works for it cannot leave anything there
        assert batches.folder != old


def test_a_batch_that_fails_is_absent_and_the_disks_error_names_the_output(output: Path, log: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, open_batches(output, {}) as batches:
        make(batches, log, ["a", "fail", "b"])
    assert caught.value.filename == str(output)
    with open_batches(output, {}) as batches:
        assert batches.finished() == frozenset({0})
        assert [path.name for path in batches.folder.iterdir()] == ["00000.part"]


def test_the_incomplete_file_of_a_killed_process_is_removed(output: Path, log: Path) -> None:
    with pytest.raises(Interrupted):
        stop(output, KeyboardInterrupt(), {}, lambda batches: make(batches, log, TASKS[:1]))
    (batch,) = (output.parent / ".output.parts").glob("*/*.part")
    batch.with_name("00001.abcdefg").write_text("half of it")
    with open_batches(output, {}) as batches:
        assert [path.name for path in batches.folder.iterdir()] == ["00000.part"]


@pytest.mark.parametrize("name", ["mine/song.mid", "song.mid", "0123456789abcdef"])
def test_something_of_the_user_in_the_place_of_unfinished_work_is_kept(output: Path, log: Path, name: str) -> None:
    mine = output.parent / ".output.parts" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(GmdVaeError, match="is not unfinished work of gmd-vae"), open_batches(output, {}) as batches:
        make(batches, log, TASKS)
    assert mine.read_text() == "mine"


def test_a_link_to_a_folder_has_its_batches_beside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "disk" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "real")
    with open_batches(tmp_path / "link", {}) as batches:
        assert batches.folder.parent == tmp_path.resolve() / "disk" / ".real.parts"


def test_a_damaged_batch_is_removed(output: Path, log: Path) -> None:
    def read(batches: Batches) -> None:
        make(batches, log, TASKS)
        with batches.reading(1) as path:
            raise GmdVaeError(f"'{path.name}' is damaged")

    with pytest.raises(EngineError, match=r"'00001.part' is damaged .*Run the same"):
        stop(output, AssertionError("not reached"), {}, read)
    with open_batches(output, {}) as batches:
        assert batches.finished() == frozenset({0, 2, 3, 4})


def test_a_worker_that_does_not_see_the_folder_is_an_error(output: Path, log: Path, tmp_path: Path) -> None:
    class Elsewhere(LocalEngine):
        def each(self, function: Callable, items):  # type: ignore[no-untyped-def, type-arg]
            (tmp_path / "made").rename(tmp_path / "away")  # as on a host without this disk
            return super().each(function, items)

    with (
        pytest.raises(EngineError, match=r"is not there on '.*under the same paths"),
        open_batches(output, {}) as batches,
    ):
        make_batches(batches, functools.partial(write, log), TASKS, [1] * len(TASKS), Elsewhere(1))
