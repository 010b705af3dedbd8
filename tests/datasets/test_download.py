from __future__ import annotations

import dataclasses
import fcntl
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.datasets.download import ATTEMPTS, PART, RemoteFile, download

if TYPE_CHECKING:
    from fixtures.http import FileServer

WAY_OUT = "Use the other door."


def fetch(remote: RemoteFile, folder: Path, **options: object) -> bytes:
    part = download(remote, folder / "file", WAY_OUT, backoff=0.01, **options)  # type: ignore[arg-type]
    assert part == folder / f"file{PART}"
    return part.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new"


def failure(remote: RemoteFile, folder: Path) -> str:
    with pytest.raises(GmdVaeError) as caught:
        fetch(remote, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_good_download_reports_its_progress(server: FileServer, folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    assert fetch(server.remote, folder, on_progress=lambda done, total: seen.append((done, total))) == server.body
    assert seen[0] == (0, len(server.body))
    assert seen[-1] == (len(server.body), len(server.body))
    assert seen == sorted(seen)
    assert server.ranges == [""]


def test_a_body_cut_short_is_continued_not_fetched_again(server: FileServer, folder: Path) -> None:
    server.script = ["cut", "cut"]
    assert fetch(server.remote, folder) == server.body
    half = len(server.body) // 2
    assert server.ranges == ["", f"bytes={half}-", f"bytes={half + (len(server.body) - half) // 2}-"]


@pytest.mark.parametrize("how", ["hang up", "503", "429"])
def test_what_may_pass_is_tried_again(server: FileServer, folder: Path, how: str) -> None:
    server.script = [how, how]
    assert fetch(server.remote, folder) == server.body
    assert len(server.ranges) == 3


def test_it_gives_up_after_failures_in_a_row_and_leaves_nothing_empty(server: FileServer, folder: Path) -> None:
    server.script = ["503"] * 100
    message = failure(server.remote, folder)
    assert "broke off 5 times (the server answered 503" in message
    assert WAY_OUT in message
    assert len(server.ranges) == ATTEMPTS
    assert left(folder) == []


def test_what_arrived_is_kept_when_it_gives_up_and_the_next_run_goes_on(server: FileServer, folder: Path) -> None:
    server.script = ["cut", *["hang up"] * ATTEMPTS]
    half = len(server.body) // 2
    message = failure(server.remote, folder)
    assert f"{half:,} of {len(server.body):,} bytes are kept" in message
    assert (folder / f"file{PART}").read_bytes() == server.body[:half]
    server.script.clear()
    server.ranges.clear()
    assert fetch(server.remote, folder) == server.body
    assert server.ranges == [f"bytes={half}-"]


def test_ctrl_c_keeps_what_arrived_and_says_so(server: FileServer, folder: Path) -> None:
    def stop_after_100_kb(done: int, total: int) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        fetch(server.remote, folder, on_progress=stop_after_100_kb)
    kept = (folder / f"file{PART}").read_bytes()
    assert len(kept) > 100_000
    assert f"{len(kept):,} of {len(server.body):,} bytes are kept" in str(caught.value)
    server.ranges.clear()
    assert fetch(server.remote, folder) == server.body
    assert server.ranges == [f"bytes={len(kept)}-"]


def test_ctrl_c_before_the_first_byte_leaves_nothing(server: FileServer, folder: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="Nothing had arrived yet"):
        fetch(server.remote, folder, on_progress=stop)
    assert left(folder) == []


def test_a_complete_part_is_verified_without_the_network(folder: Path, server: FileServer) -> None:
    folder.mkdir()
    (folder / f"file{PART}").write_bytes(server.body)
    assert fetch(dataclasses.replace(server.remote, url="http://127.0.0.1:1/"), folder) == server.body


def test_a_wrong_hash_deletes_the_file_and_says_download_again(server: FileServer, folder: Path) -> None:
    server.script = ["other bytes"]
    message = failure(server.remote, folder)
    assert server.remote.sha256 in message
    assert "run the command again to download it afresh" in message
    assert left(folder) == []
    assert fetch(server.remote, folder) == server.body


def test_a_part_of_another_file_ends_in_a_wrong_hash_and_is_deleted(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    (folder / f"file{PART}").write_bytes(b"\0" * 1000)
    assert "download it afresh" in failure(server.remote, folder)
    assert server.ranges == ["bytes=1000-"]
    assert left(folder) == []


def test_a_part_larger_than_the_file_is_not_continued(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    (folder / f"file{PART}").write_bytes(b"\0" * (len(server.body) + 1))
    assert fetch(server.remote, folder) == server.body
    assert server.ranges == [""]


@pytest.mark.parametrize("how", ["no ranges", "wrong range", "416"])
def test_a_server_that_does_not_continue_starts_again(server: FileServer, folder: Path, how: str) -> None:
    server.script = ["cut", how]
    assert fetch(server.remote, folder) == server.body


def test_a_file_that_changed_between_two_tries_is_not_mixed(server: FileServer, folder: Path) -> None:
    remote, body = server.remote, server.body
    server.script = ["cut"]
    server.body = bytes(len(body))

    def change(done: int, total: int) -> None:
        if done == len(body) // 2:
            server.body, server.etag = body, '"two"'

    assert fetch(remote, folder, on_progress=change) == body
    assert server.ranges[1].startswith("bytes=")  # asked to go on, answered with the whole file


@pytest.mark.parametrize("status", ["404", "403", "401", "410", "304"])
def test_a_refusal_is_not_tried_again(server: FileServer, folder: Path, status: str) -> None:
    server.script = [status]
    message = failure(server.remote, folder)
    assert f"{server.remote.url} answered {status}" in message
    assert WAY_OUT in message
    assert len(server.ranges) == 1
    assert left(folder) == []


def test_a_page_in_the_files_place_is_refused_by_its_size(server: FileServer, folder: Path) -> None:
    server.script = ["portal"]
    assert f"offers 42 bytes, not the {len(server.body):,}" in failure(server.remote, folder)
    assert left(folder) == []


def test_no_more_than_the_expected_bytes_are_taken(server: FileServer, folder: Path) -> None:
    server.script = ["endless"]
    assert "is not the expected file" in failure(server.remote, folder)
    assert left(folder) == []


def test_nobody_listening_is_said_at_once(folder: Path) -> None:
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        remote = RemoteFile(f"http://127.0.0.1:{taken.getsockname()[1]}/x", 10, "0" * 64)
        message = failure(remote, folder)
    assert message == f"No network: {remote.host} cannot be reached (Connection refused). {WAY_OUT}"
    assert left(folder) == []


def test_an_unknown_host_is_no_network(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    message = failure(RemoteFile("http://nowhere.invalid/x", 10, "0" * 64), folder)
    assert message.startswith("No network: nowhere.invalid cannot be reached (")
    assert message.endswith(WAY_OUT)


def test_no_network_does_not_lose_an_earlier_part(folder: Path) -> None:
    folder.mkdir()
    (folder / f"file{PART}").write_bytes(b"12345")
    message = failure(RemoteFile("http://nowhere.invalid/x", 10, "0" * 64), folder)
    assert "5 of 10 bytes are kept" in message
    assert (folder / f"file{PART}").read_bytes() == b"12345"


def test_a_second_download_of_the_same_file_is_told_to_wait(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    with (folder / f"file{PART}").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "Another gmd-vae is downloading" in failure(server.remote, folder)
    assert fetch(server.remote, folder) == server.body


def test_a_link_in_the_parts_place_is_not_written_through(server: FileServer, folder: Path) -> None:
    folder.mkdir()
    victim = folder / "victim"
    victim.write_bytes(b"mine")
    (folder / f"file{PART}").symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        fetch(server.remote, folder)
    assert victim.read_bytes() == b"mine"
