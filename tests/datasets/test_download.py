"""Downloads from a server that fails in the ways that real ones do."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.download import ATTEMPTS, RemoteFile, download

if TYPE_CHECKING:
    from fixtures.http import FileServer

ADVICE = "Use the other door."


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that pooch would have waited between attempts."""
    seconds: list[float] = []
    monkeypatch.setattr("pooch.core.time", SimpleNamespace(sleep=seconds.append))
    return seconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "new").mkdir()
    return tmp_path / "new"


def failure(remote: RemoteFile, folder: Path) -> str:
    """The error of a failed download: one line, with the advice, and nothing stays in the folder."""
    with pytest.raises(GmdVaeError) as caught:
        download(remote, folder, ADVICE)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(ADVICE)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_a_good_download_reports_its_progress(server: FileServer, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = download(server.remote, folder, ADVICE, lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == server.body
    assert list(folder.iterdir()) == [path]
    assert seen[0] == (0, len(server.body))
    assert seen[-1] == (len(server.body), len(server.body))
    assert seen == sorted(seen)
    assert server.requests == 1


@pytest.mark.parametrize("how", ["cut", "hang up", "503", "429"])
def test_a_failure_that_may_pass_is_retried(server: FileServer, folder: Path, waits: list[float], how: str) -> None:
    server.script = [how, how]
    assert download(server.remote, folder, ADVICE).read_bytes() == server.body
    assert server.requests == 3
    assert waits == [1, 2]


@pytest.mark.parametrize(("how", "reason"), [("503", r"503 Service Unavailable"), ("cut", "IncompleteRead")])
def test_retries_end_and_leave_nothing(server: FileServer, folder: Path, how: str, reason: str) -> None:
    server.script = [how] * 100
    message = failure(server.remote, folder)
    assert message.startswith(f"The download from {server.remote.host} broke off 5 times ({reason}")
    assert server.requests == ATTEMPTS


def test_ctrl_c_leaves_nothing(server: FileServer, folder: Path) -> None:
    def stop_after_100_kb(done: int, total: int) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(server.remote, folder, ADVICE, stop_after_100_kb)
    assert list(folder.iterdir()) == []


def test_other_bytes_of_the_same_size_are_never_kept(server: FileServer, folder: Path) -> None:
    server.script = ["other bytes"]
    assert download(server.remote, folder, ADVICE).read_bytes() == server.body, "a retry brought the file"
    (folder / "archive").unlink()
    server.script = ["other bytes"] * ATTEMPTS
    message = failure(server.remote, folder)
    assert server.remote.sha256 in message
    assert "run the command again to download it afresh" in message


@pytest.mark.parametrize("status", ["404", "403", "401", "410"])
def test_a_refusal_is_not_retried(server: FileServer, folder: Path, status: str) -> None:
    server.script = [status]
    assert f"{server.remote.url} answered {status}" in failure(server.remote, folder)
    assert server.requests == 1


def test_a_sign_in_page_is_refused_by_its_size(server: FileServer, folder: Path) -> None:
    server.script = ["portal"]
    assert f"sent 42 bytes, not the {len(server.body):,}" in failure(server.remote, folder)
    assert server.requests == 1


@pytest.mark.parametrize("how", ["endless", "compressed"])
def test_no_more_than_the_expected_bytes_are_taken(server: FileServer, folder: Path, how: str) -> None:
    most = 0

    def watch(done: int, total: int) -> None:
        nonlocal most
        most = max(most, done)

    server.script = [how]
    with pytest.raises(GmdVaeError, match=r"sends more than the .* bytes of the expected file"):
        download(server.remote, folder, ADVICE, watch)
    assert most <= len(server.body)
    assert list(folder.iterdir()) == []
    assert server.requests == 1


def test_a_refused_connection_is_reported_at_once(folder: Path, waits: list[float]) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        remote = RemoteFile(f"http://127.0.0.1:{taken.getsockname()[1]}/x", 10, "0" * 64)
        message = failure(remote, folder)
    assert message == f"No network: {remote.host} cannot be reached (Connection refused). {ADVICE}"
    assert waits == []


def test_an_unknown_host_is_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    message = failure(RemoteFile("http://nowhere.invalid/x", 10, "0" * 64), folder)
    assert message.startswith("No network: nowhere.invalid cannot be reached (")


def test_a_broken_proxy_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{taken.getsockname()[1]}")
        monkeypatch.delenv("HTTP_PROXY", raising=False)
        message = failure(RemoteFile("http://nowhere.invalid/x", 10, "0" * 64), folder)
    assert message == f"The proxy for nowhere.invalid cannot be used (Connection refused). {ADVICE}"


@pytest.mark.parametrize("how", ["drip", "drip a header"])
@pytest.mark.parametrize("limit", ["TOTAL_SECONDS", "_WATCHED_SECONDS"])
def test_a_server_that_drips_bytes_is_given_up(
    server: FileServer, folder: Path, monkeypatch: pytest.MonkeyPatch, how: str, limit: str
) -> None:
    """Each byte comes long before the limit on the time without a byte."""
    monkeypatch.setattr(f"gmd_vae.datasets.download.{limit}", 0.5)
    server.script = [how]
    begun = time.monotonic()
    with pytest.raises(GmdVaeError, match=rf"from {server.remote.host} .* too slow\. {ADVICE}") as caught:
        download(server.remote, folder, ADVICE)
    assert time.monotonic() - begun < 5
    assert "\n" not in str(caught.value)
