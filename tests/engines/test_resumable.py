"""Long work in parts: what is kept, what is removed, and what is not done twice."""

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
from gmd_vae.engines.resumable import Parts, make_parts, open_parts

TASKS = ["a", "b", "c", "d", "e"]


def write(log: Path, task: str, path: Path) -> None:
    """Writes the task, and where it was written into a log; fails for tasks that ask for it."""
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


def make(parts: Parts, log: Path, tasks: list[str], jobs: int = 1) -> list[int]:
    """The numbers of the tasks, those that were done already first."""
    sizes = [1 << number for number in range(len(tasks))]
    known: list[int] = []
    seen: list[int] = []

    def resume(done: int, total: int) -> None:
        known.extend(number for number in range(len(tasks)) if done >> number & 1)

    def progress(done: int, total: int) -> None:
        assert total == sum(sizes)
        seen.append(done)

    make_parts(parts, functools.partial(write, log), tasks, sizes, LocalEngine(jobs), progress, resume)
    reached = seen if known else [0, *seen]
    return known + [(done - before).bit_length() - 1 for before, done in itertools.pairwise(reached)]


def stop(output: Path, error: BaseException, identity: dict[str, str], work: Callable[[Parts], Any]) -> None:
    with open_parts(output, identity) as parts:
        work(parts)
        raise error


@pytest.mark.parametrize("jobs", [1, 2])
def test_parts_are_made_and_removed_at_the_end(output: Path, log: Path, jobs: int) -> None:
    with open_parts(output, {"a": 1}) as parts:
        assert parts.finished() == frozenset()
        assert sorted(make(parts, log, TASKS, jobs)) == [0, 1, 2, 3, 4]
        assert parts.finished() == frozenset(range(5))
        assert [parts.path(number).read_text() for number in range(5)] == [task * 3 for task in TASKS]
        assert len(list(parts.folder.iterdir())) == 5
    assert not output.parent.exists()  # it was made for the parts


@pytest.mark.parametrize("error", [KeyboardInterrupt(), EngineError("no worker"), OSError("full"), ValueError("a bug")])
def test_what_is_done_stays_when_the_work_was_stopped(output: Path, log: Path, error: BaseException) -> None:
    expected = Interrupted if isinstance(error, KeyboardInterrupt) else type(error)
    with pytest.raises(expected):
        stop(output, error, {"a": "1"}, lambda parts: make(parts, log, TASKS[:2]))
    with open_parts(output, {"a": "1"}) as parts:
        assert make(parts, log, TASKS) == [0, 1, 2, 3, 4]
    assert log.read_text().split() == TASKS


def test_nothing_stays_when_the_work_cannot_be_done(output: Path, log: Path) -> None:
    with pytest.raises(GmdVaeError, match="nothing in it"):
        stop(output, GmdVaeError("nothing in it"), {}, lambda parts: make(parts, log, TASKS))
    assert not output.parent.exists()  # it was made for the parts


def test_ctrl_c_before_the_first_part_leaves_nothing(output: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stop(output, KeyboardInterrupt(), {}, lambda parts: None)
    assert not output.parent.exists()  # it was made for the parts


def test_parts_of_something_else_are_removed(output: Path, log: Path) -> None:
    with pytest.raises(Interrupted):
        stop(output, KeyboardInterrupt(), {"input": "old"}, lambda parts: make(parts, log, TASKS))
    (old,) = (output.parent / ".output.parts").glob("*/")
    with open_parts(output, {"input": "new"}) as parts:
        assert parts.finished() == frozenset()
        assert not old.exists()  # so a worker that still works for it cannot leave anything there
        assert parts.folder != old


def test_a_part_that_fails_is_not_there_and_the_disks_error_names_the_output(output: Path, log: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, open_parts(output, {}) as parts:
        make(parts, log, ["a", "fail", "b"])
    assert caught.value.filename == str(output)
    with open_parts(output, {}) as parts:
        assert parts.finished() == frozenset({0})
        assert [path.name for path in parts.folder.iterdir()] == ["00000.part"]


def test_what_a_killed_process_was_writing_is_removed(output: Path, log: Path) -> None:
    with pytest.raises(Interrupted):
        stop(output, KeyboardInterrupt(), {}, lambda parts: make(parts, log, TASKS[:1]))
    (part,) = (output.parent / ".output.parts").glob("*/*.part")
    part.with_name("00001.abcdefg").write_text("half of it")
    with open_parts(output, {}) as parts:
        assert [path.name for path in parts.folder.iterdir()] == ["00000.part"]


def test_one_run_at_a_time(output: Path) -> None:
    with open_parts(output, {}):
        refused = pytest.raises(GmdVaeError, match=rf"Another run is writing '{output}': process {os.getpid()} on ")
        with refused, open_parts(output, {}):
            pass
    with open_parts(output, {}), open_parts(output.with_name("other"), {}):
        pass


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EIO])
def test_a_disk_without_locks_is_good_enough(
    output: Path, log: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("fcntl.flock", refuse)
    if code == errno.EIO:
        with pytest.raises(OSError, match="lock"), open_parts(output, {}):
            pass
    else:
        with open_parts(output, {}) as parts:
            assert make(parts, log, TASKS) == [0, 1, 2, 3, 4]


def test_a_link_to_a_folder_has_its_parts_beside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "disk" / "real").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "real")
    with open_parts(tmp_path / "link", {}) as parts:
        assert parts.folder.parent == tmp_path.resolve() / "disk" / ".real.parts"


def test_a_damaged_part_is_removed(output: Path, log: Path) -> None:
    def read(parts: Parts) -> None:
        make(parts, log, TASKS)
        with parts.reading(1) as path:
            raise GmdVaeError(f"'{path.name}' is damaged")

    with pytest.raises(EngineError, match=r"'00001.part' is damaged .*Run the same"):
        stop(output, AssertionError("not reached"), {}, read)
    with open_parts(output, {}) as parts:
        assert parts.finished() == frozenset({0, 2, 3, 4})


def test_a_worker_that_does_not_see_the_folder_says_so(output: Path, log: Path, tmp_path: Path) -> None:
    class Elsewhere(LocalEngine):
        def each(self, function: Callable, items):  # type: ignore[no-untyped-def, type-arg]
            (tmp_path / "made").rename(tmp_path / "away")  # as on a host without this disk
            return super().each(function, items)

    with pytest.raises(EngineError, match=r"is not there on '.*under the same paths"), open_parts(output, {}) as parts:
        make_parts(parts, functools.partial(write, log), TASKS, [1] * len(TASKS), Elsewhere(1))


def test_a_run_that_makes_nothing_leaves_no_folders(tmp_path: Path) -> None:
    with pytest.raises(GmdVaeError, match="nothing"), open_parts(tmp_path / "new" / "deep" / "output", {}):
        raise GmdVaeError("nothing to do")
    assert list(tmp_path.iterdir()) == []
