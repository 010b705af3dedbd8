"""Output folders that appear complete or not at all, for one process at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gmd_vae.common import exchange, folders, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output


def anything(old: Path, new: Path) -> None:
    """A check that lets every earlier folder be replaced."""


def entries(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_folder_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "made"
    for content in ("first", "second"):
        with whole_folder(path, anything) as folder:
            (folder / content).write_text(content)
            assert not (path / content).exists()
    assert entries(tmp_path) == ["made", "made/second"]


def test_a_failure_keeps_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "made"
    path.mkdir()
    (path / "old").touch()

    def stop_half_way() -> None:
        with whole_folder(path) as folder:
            (folder / "new").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_half_way()
    assert entries(tmp_path) == ["made", "made/old"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for _ in range(2):
        with whole_folder(tmp_path / "link", anything) as folder:
            (folder / "file").touch()
    assert (tmp_path / "link").is_symlink()
    assert entries(tmp_path / "real") == ["file"]


def write(output: Path, content: str) -> None:
    """Writes an output folder as a stage does."""
    with open_output(output, "stage") as check, whole_folder(output, check) as folder:
        (folder / "sub").mkdir()
        for name in ("a.mid", "sub/b.mid"):
            (folder / name).write_text(content)
        manifest.write(folder, "stage", {})


def content_of(output: Path) -> str | None:
    """Returns the content of a whole folder; ``None`` if there is no folder. Fails for a folder in pieces."""
    if not output.exists():
        return None
    listed = {entry["name"]: entry for entry in json.loads((output / "manifest.json").read_text())["other_files"]}
    assert {"manifest.json", "sub", *listed} == {*entries(output)}
    texts = {(output / name).read_text() for name in listed}
    assert len(texts) == 1
    return texts.pop()


def killed_at(step: int, work: Callable[[], Any]) -> bool:
    """Runs ``work`` in a process that is killed before its change number ``step`` of the disk.

    Returns:
        False if the work ended before.
    """
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in ("os.mkdir", "os.rename", "os.rmdir", "os.remove", "open", "test.exchange"):
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        with contextlib.suppress(BaseException):
            work()
            os._exit(0)
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL)
    return status != 0


@pytest.mark.parametrize("atomic", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("first", [True, False], ids=["new", "earlier"])
def test_a_kill_at_any_point_leaves_the_old_or_the_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bool, atomic: bool
) -> None:
    def traced(one: Path, other: Path) -> bool:
        sys.audit("test.exchange")
        done = atomic and exchange.exchange(one, other)
        sys.audit("test.exchange")
        return done

    (tmp_path / "probe").mkdir()
    (tmp_path / "other").mkdir()
    if atomic and not exchange.exchange(tmp_path / "probe", tmp_path / "other"):
        pytest.skip("this file system cannot exchange two names")
    monkeypatch.setattr(folders, "exchange", traced)
    old = None if first else "old"
    seen = set()
    for step in range(1000):
        place = tmp_path / str(step)
        output = place / "out"
        if not first:
            write(output, "old")
        killed = killed_at(step, lambda output=output: write(output, "new"))  # type: ignore[misc]
        if atomic or first:
            assert content_of(output) in (old, "new"), step
        with contextlib.suppress(ZeroDivisionError), open_output(output, "stage"):
            found = content_of(output)
            raise ZeroDivisionError
        assert found in (old, "new"), step
        seen.add(found)
        assert entries(place) == sorted({path for path in entries(place) if path.startswith("out")}), step
        write(output, "third")
        assert content_of(output) == "third"
        assert [path.name for path in place.iterdir()] == ["out"]
        if not killed:
            break
    assert step > 20
    assert seen == {old, "new"}


def test_a_file_that_appeared_before_a_kill_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder with it was already moved aside, and not yet checked."""
    output = tmp_path / "out"
    write(output, "old")

    def kill(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        with open_output(output, "stage"), whole_folder(output, kill) as folder:
            manifest.write(folder, "stage", {})
            (output / "mine").write_text("mine")

    assert killed_at(1000, work)
    with pytest.raises(GmdVaeError, match=r"\.out\.previous' holds 'mine'"):
        write(output, "third")
    assert (tmp_path / ".out.previous" / "mine").read_text() == "mine"


def test_a_second_process_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    output = tmp_path / "new" / "out"
    with open_output(output, "stage"):
        with (
            pytest.raises(GmdVaeError, match=rf"Another run is writing '{output}': process {os.getpid()} on .*since"),
            open_output(output, "stage"),
        ):
            pass
        with open_output(output.with_name("other"), "stage"):
            pass
    assert entries(tmp_path) == []


def test_processes_that_write_the_same_folder_leave_one_whole_folder(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from gmd_vae.common import manifest\nfrom gmd_vae.common.errors import GmdVaeError\n"
        "from gmd_vae.common.folders import whole_folder\nfrom gmd_vae.common.output_folder import open_output\n"
        "output = Path(sys.argv[1])\nwritten = refused = 0\n"
        "while written + refused < 60:\n"
        "    try:\n"
        "        with open_output(output, 'stage') as check, whole_folder(output, check) as folder:\n"
        "            (folder / 'sub').mkdir()\n"
        "            for name in ('a.mid', 'sub/b.mid'):\n"
        "                (folder / name).write_text(sys.argv[2])\n"
        "            manifest.write(folder, 'stage', {})\n"
        "        written += 1\n"
        "    except GmdVaeError as error:\n"
        "        assert 'Another run is writing' in str(error), error\n"
        "        refused += 1\n"
        "print(written)\n"
    )
    output = tmp_path / "new" / "out"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(output), str(number)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for number in range(8)
    ]
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert [(code, errors.decode()) for (_, errors), code in ends] == [(0, "")] * 8
    assert sum(int(written) for (written, _), _ in ends) > 0
    assert content_of(output) in {str(number) for number in range(8)}
    assert [path.name for path in output.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EIO])
def test_a_disk_without_locks_is_used_all_the_same(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    output = tmp_path / "out"
    monkeypatch.setattr("fcntl.flock", refuse)
    if code == errno.EIO:
        with pytest.raises(OSError, match=r"Input/output error: '.*/out'"), open_output(output, "stage"):
            pass
    else:
        foreign = tmp_path / ".out.0123abcd.partial"  # perhaps of a living process
        foreign.mkdir()
        write(output, "new")
        assert foreign.exists()
        assert content_of(output) == "new"


def test_something_else_in_the_place_of_the_lock_file_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".out.gmd-vae.lock").symlink_to("mine")
    os.mkfifo(tmp_path / ".other.gmd-vae.lock")
    (tmp_path / ".hard.gmd-vae.lock").hardlink_to(tmp_path / "mine")
    (tmp_path / ".text.gmd-vae.lock").write_text("process 12 on my\nmachine")
    for name in ("out", "other", "hard", "text"):
        with pytest.raises(GmdVaeError, match=rf"'.*/\.{name}\.gmd-vae\.lock' is not a lock file"):
            write(tmp_path / name, "new")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / ".text.gmd-vae.lock").read_text() == "process 12 on my\nmachine"
    assert len(entries(tmp_path)) == 5


def test_an_empty_file_of_the_user_under_a_second_name_is_no_lock_file(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    lock = tmp_path / ".out.gmd-vae.lock"
    lock.hardlink_to(tmp_path / "mine")
    with pytest.raises(GmdVaeError, match="is not a lock file"):
        write(tmp_path / "out", "new")
    assert (tmp_path / "mine").read_bytes() == b""
    (tmp_path / "mine").unlink()
    write(tmp_path / "out", "new")  # empty: of a process that was killed before it wrote its name


def test_the_lock_holds_and_is_removed_although_the_disk_takes_no_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_nothing(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gmd_vae.common.process_lock.os.write", write_nothing)
    output = tmp_path / "out"
    with open_output(output, "stage"):
        with pytest.raises(GmdVaeError, match="Another run is writing"), open_output(output, "stage"):
            pass
        assert len(entries(tmp_path)) == 1
    assert not entries(tmp_path)


def test_the_root_of_the_file_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GmdVaeError, match="root of the file system"), open_output(Path("/"), "stage"):
        pass


def test_an_output_may_have_the_longest_name_that_the_system_allows(tmp_path: Path) -> None:
    output = tmp_path / ("x" * 255)
    for content in ("one", "two"):
        write(output, content)
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_a_parent_folder_that_vanishes_while_it_is_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``Path.mkdir(exist_ok=True)`` raises ``FileExistsError`` for a folder that is removed before its second look."""
    output, mkdir = tmp_path / "new" / "out", Path.mkdir
    vanished = []

    def racing(folder: Path, *arguments: Any, **options: Any) -> None:
        if folder == output.parent and not vanished:
            vanished.append(folder)
            raise FileExistsError(errno.EEXIST, "File exists", str(folder))
        mkdir(folder, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", racing)
    with open_output(output, "stage"):
        assert vanished == [output.parent]
