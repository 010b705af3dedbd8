"""Two trainings never share a run folder, and a dead one does not block it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.training.run.lock import NAME, run_lock

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).parent.parent.parent.parent
HOLD = """
import subprocess, sys, time
from pathlib import Path
from gmd_vae.training.run.lock import run_lock
with run_lock(Path(sys.argv[1])):
    if sys.argv[2:] == ["with a child"]:  # which inherits what it can
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
        print(child.pid, flush=True)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A second process that holds the lock until its stdin ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_held(process: subprocess.Popen[str]) -> list[str]:
    """Returns the lines that the process printed before it held the lock."""
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline().strip()) != "held":
        assert line, "the process ended"
        lines.append(line)
    return lines


def test_a_second_process_is_refused_with_the_name_of_the_holder(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "new"
    with holder(folder) as process:
        wait_until_held(process)
        before = (folder / NAME).read_text()
        for _ in range(2):  # the first refusal leaves the lock and its text as they are
            with pytest.raises(GmdVaeError) as caught, run_lock(folder):
                pass
            assert str(caught.value).startswith(
                f"Another training runs in '{folder}': process {process.pid} on {socket.gethostname()}, since 2"
            )
            assert str(caught.value).endswith("Wait for it or stop it; another --run-dir starts another run.")
        assert (folder / NAME).read_text() == before
        with run_lock(tmp_path / "runs" / "other"):
            pass
        process.communicate("", timeout=30)  # it ends
        assert process.returncode == 0
    with run_lock(folder):
        assert f"process {os.getpid()} on" in (folder / NAME).read_text()


def test_a_killed_process_releases_the_folder(tmp_path: Path) -> None:
    with holder(tmp_path, "with a child") as process:
        (child,) = map(int, wait_until_held(process))
        try:
            process.kill()  # SIGKILL: it cannot tidy up
            process.wait(timeout=30)
            assert f"process {process.pid} on" in (tmp_path / NAME).read_text()
            os.kill(child, 0)  # what it had started is still there
            with run_lock(tmp_path):
                assert f"process {os.getpid()} on" in (tmp_path / NAME).read_text()
        finally:
            os.kill(child, 9)


@pytest.mark.parametrize("content", [b"", b"process 1 on elsewhere, since 2020-01-01 00:00:00\n"])
def test_an_old_lock_file_does_not_block(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with run_lock(tmp_path):
        assert (tmp_path / NAME).read_text().startswith(f"process {os.getpid()} on")
        assert len((tmp_path / NAME).read_text().splitlines()) == 1


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        for spelling in (tmp_path, tmp_path / "x" / ".."):
            with pytest.raises(GmdVaeError, match=f"process {os.getpid()} on"), run_lock(spelling):
                pass
    with run_lock(tmp_path):  # and may come again
        pass


def test_an_error_inside_releases_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(tmp_path):
        raise ZeroDivisionError
    with run_lock(tmp_path):
        pass


def test_a_holder_without_a_text_is_still_a_holder(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        (tmp_path / NAME).write_bytes(b"")
        with pytest.raises(GmdVaeError, match="not known yet"), run_lock(tmp_path):
            pass


def test_a_file_of_the_user_in_the_place_of_the_lock_is_kept(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xff\x00\x1b[31m")
    with pytest.raises(GmdVaeError, match="is not a lock file of gmd-vae"), run_lock(tmp_path):
        pass
    assert (tmp_path / NAME).read_bytes() == b"\xff\x00\x1b[31m"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    import fcntl

    def no_locks(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(GmdVaeError, match=r"cannot lock files \(.*\).*Choose a --run-dir"), run_lock(tmp_path):
        pass


def test_a_full_disk_does_not_stop_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of the holder is missing then; what the run writes itself gives the error of the disk."""

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with run_lock(tmp_path), pytest.raises(GmdVaeError, match="not known yet"), run_lock(tmp_path):
        pass
