"""Unpacking writes the files of an archive and nothing else, or refuses it."""

from __future__ import annotations

import contextlib
import stat
import zipfile
from pathlib import Path

import pytest
from fixtures.archives import EVIL, LIMIT, MIDI, link, refuse_unpacking, zipped
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.archives import list_members
from gmd_vae.datasets.unpack import unpack_zip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

in_tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


def test_unpacking_writes_the_files_and_nothing_else(tmp_path: Path) -> None:
    script = zipfile.ZipInfo("top/run.sh")
    script.external_attr = (stat.S_IFREG | 0o6777) << 16
    folder = zipfile.ZipInfo("top/")
    icon, hidden = "top/Icon\r", "top/._x.mid"
    path = zipped(
        tmp_path / "a.zip",
        [(folder, b""), (script, b"#!"), ("top/a/x.mid", MIDI), (icon, b""), (hidden, b""), ("beside", b"1")],
    )
    (tmp_path / "out").mkdir()
    assert unpack_zip(path, tmp_path / "out", LIMIT, 100, strip="top") == ["a/x.mid", "beside", "run.sh"]
    assert (tmp_path / "out/a/x.mid").read_bytes() == MIDI
    assert not (tmp_path / "out/run.sh").stat().st_mode & 0o7111, "modes come from this machine"
    assert sorted(path.name for path in (tmp_path / "out").rglob("*")) == ["a", "beside", "run.sh", "x.mid"]


@pytest.mark.parametrize("name", EVIL)
def test_unpacking_refuses_the_whole_archive_for_one_evil_name(name: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"good.mid": MIDI, name: MIDI})
    message = refuse_unpacking(path, tmp_path / "out")
    assert "which is not unpacked: its name" in message
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_unpacking_refuses_links_and_names_in_conflict(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", [(link("x"), b"/etc"), ("x/passwd", b"")])
    assert "link or a special file" in refuse_unpacking(path, tmp_path / "out1")
    path = zipped(tmp_path / "b.zip", [("x.mid", b"1"), ("x.mid", b"2")])
    assert "it is there twice" in refuse_unpacking(path, tmp_path / "out2")
    path = zipped(tmp_path / "c.zip", [("x.mid", b"1"), ("X.MID", b"2")])
    assert "it is there twice" in refuse_unpacking(path, tmp_path / "out4"), "one file on many disks"
    path = zipped(tmp_path / "c.zip", [("x", b"1"), ("x/y", b"2")])
    assert "as a file and a folder" in refuse_unpacking(path, tmp_path / "out3")


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    assert "damaged or incomplete" in refuse_unpacking(tmp_path / "a.zip", tmp_path / "out")


@in_tmp
@given(st.lists(st.tuples(st.text(min_size=1, max_size=30), st.binary(max_size=20)), max_size=5))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_name_leaves_the_folder(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    path, outside = tmp_path / "a.zip", tmp_path / "box"
    folder = outside / "in" / str(len(list(outside.glob("in/*"))))
    folder.mkdir(parents=True)
    with contextlib.suppress(UnicodeEncodeError):  # lone surrogates cannot be written into a zip
        # a name ends at its first NUL, and Python writes none that is empty
        zipped(path, [(name, data) for name, data in files if not name.endswith("/") and name[0] != "\0"])
        with contextlib.suppress(GmdVaeError):
            written = unpack_zip(path, folder, LIMIT, 100)
            assert all((folder / name).is_file() for name in written)
        members = list_members(path, lambda name, head: True, LIMIT).members
        assert all(not member.name.startswith(("/", "..")) for member in members)
    assert {one.name for one in outside.iterdir()} == {"in"}
    assert {one.name for one in tmp_path.iterdir()} <= {"a.zip", "box"}
