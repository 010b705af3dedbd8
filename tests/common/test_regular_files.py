"""Files that may be anything are opened without waiting, and named if they are no files."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from fixtures.command_line import run
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import NotAFileError, check_no_link, open_regular, read_regular


def test_a_file_and_a_link_to_one_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("a")
    for name in ("a", "link"):
        with open_regular(tmp_path / name) as stream:
            assert stream.read() == b"content"
    with pytest.raises(NotAFileError, match="a link"):
        open_regular(tmp_path / "link", follow=False)


def test_other_things_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "zero").symlink_to("/dev/zero")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(tmp_path)  # the path of a socket may have 108 bytes only
    try:
        listener.bind("socket")
    finally:
        os.chdir(here)
        listener.close()
    for name, kind in {"pipe": "a pipe", "folder": "a folder", "zero": "a device", "socket": "a socket"}.items():
        with pytest.raises(NotAFileError, match=f"it is {kind}, not a file"):
            open_regular(tmp_path / name)


def test_missing_files_and_loops_of_links_are_errors_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(tmp_path / "loop")


def test_the_size_is_limited(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(100))
    assert read_regular(tmp_path / "a", 100) == bytes(100)
    with pytest.raises(GmdVaeError, match="larger than 99 bytes"):
        read_regular(tmp_path / "a", 99)


def test_a_link_in_a_working_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    check_no_link(tmp_path / "missing")
    check_no_link(tmp_path)
    with pytest.raises(GmdVaeError, match="is a link"):
        check_no_link(tmp_path / "link")


def test_a_linked_folder_of_batches_deletes_nothing(tmp_path: Path, make_midi: object) -> None:
    assert callable(make_midi)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.mid").write_bytes(make_midi())
    (tmp_path / "valuable" / "folder").mkdir(parents=True)
    (tmp_path / "valuable" / "folder" / "song.txt").write_text("mine")
    (tmp_path / ".n.parts").symlink_to("valuable")
    done = run(tmp_path, "convert", "mine", "--output-dir", "n", expect=1)
    assert "is a link" in done.error
    assert (tmp_path / "valuable" / "folder" / "song.txt").read_text() == "mine"
