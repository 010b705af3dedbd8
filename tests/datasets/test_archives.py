"""Listings of archives: hostile names, links, sizes and damage are skipped or refused in one line."""

from __future__ import annotations

import contextlib
import gzip
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from fixtures.archives import (
    EVIL,
    KINDS,
    LIMIT,
    MIDI,
    encrypted,
    link,
    make_archive,
    midi,
    refuse_unpacking,
    tarred,
    zipped,
)
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets import archives
from gmd_vae.datasets.archives import archive_kind, list_members
from gmd_vae.datasets.unpack import unpack_zip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

in_tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.mark.parametrize("kind", KINDS)
def test_wanted_files_are_listed_and_read_from_every_kind(kind: str, tmp_path: Path) -> None:
    path = make_archive(
        kind, tmp_path, {"top/b.mid": MIDI, "top/a/c.mid": MIDI * 50, "top/readme": b"", "top/empty.mid": b""}
    )
    contents = list_members(path, midi, LIMIT)
    assert [member.name for member in contents.members] == ["top/b.mid", "top/a/c.mid", "top/empty.mid"]
    assert [member.size for member in contents.members] == [len(MIDI), len(MIDI) * 50, 0]
    assert (contents.top, contents.passed_over.total(), contents.skipped) == ("top", 1, ())
    for member, data in zip(contents.members, (MIDI, MIDI * 50, b""), strict=True):
        assert member.read(LIMIT) == data
        assert pickle.loads(pickle.dumps(member)).read(LIMIT) == data


@pytest.mark.parametrize("kind", KINDS)
def test_files_in_two_folders_have_no_common_top(kind: str, tmp_path: Path) -> None:
    assert list_members(make_archive(kind, tmp_path, {"a/x.mid": MIDI, "b/x.mid": MIDI}), midi, LIMIT).top == ""
    assert list_members(make_archive(kind, tmp_path, {"a/x.mid": MIDI, "readme": MIDI}), midi, LIMIT).top == ""
    assert (
        list_members(make_archive(kind, tmp_path, {"a/x.mid": MIDI, "__MACOSX/a/._x.mid": b""}), midi, LIMIT).top == "a"
    )


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
@pytest.mark.parametrize("name", EVIL)
def test_names_that_lead_elsewhere_are_skipped_with_the_reason(kind: str, name: str, tmp_path: Path) -> None:
    contents = list_members(make_archive(kind, tmp_path, {name: MIDI, "good.mid": MIDI}), midi, LIMIT)
    assert [member.name for member in contents.members] == ["good.mid"]
    assert len(contents.skipped) + contents.passed_over.total() == 1
    assert all(skipped.reason.startswith("its name") and skipped.name.isprintable() for skipped in contents.skipped)


def test_backslashes_of_archives_made_on_windows_are_separators(tmp_path: Path) -> None:
    contents = list_members(zipped(tmp_path / "a.zip", {"groove\\drummer1\\x.mid": MIDI}), midi, LIMIT)
    assert [member.name for member in contents.members] == ["groove/drummer1/x.mid"]
    assert contents.members[0].read(LIMIT) == MIDI


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz"])
def test_hidden_and_large_files_are_skipped(kind: str, tmp_path: Path) -> None:
    path = make_archive(
        kind, tmp_path, {"a/._x.mid": b"", "__MACOSX/x.mid": b"", ".git/x.mid": b"", "big.mid": bytes(LIMIT + 1)}
    )
    contents = list_members(path, midi, LIMIT)
    assert contents.members == ()
    reasons = dict(contents.skipped)
    assert reasons.pop("big.mid").startswith("it ")
    assert set(reasons.values()) == {"it is hidden"}


def test_links_and_special_files_are_skipped(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", [(link("x.mid"), b"/etc/passwd"), ("good.mid", MIDI)])
    assert list_members(path, midi, LIMIT).skipped == (("x.mid", "it is a link or a special file"),)
    files: list[tuple[tarfile.TarInfo | str, bytes]] = [("good.mid", MIDI)]
    for number, kind in enumerate(
        (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE)
    ):
        info = tarfile.TarInfo(f"{number}.mid")
        info.type, info.linkname = kind, "good.mid"
        files.append((info, b""))
    contents = list_members(tarred(tmp_path / "a.tar", files, "w"), midi, LIMIT)
    assert [member.name for member in contents.members] == ["good.mid"]
    assert [reason for _, reason in contents.skipped] == ["it is a link or a special file"] * 5


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_second_file_of_one_name_is_skipped(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", [("x.mid", b"first"), ("x.mid", b"second")])
    contents = list_members(path, midi, LIMIT)
    assert [member.read(LIMIT) for member in contents.members] == [b"first"]
    assert contents.skipped == (("x.mid", "another file of the archive has the same name"),)


def test_encrypted_files_are_skipped_or_refused(tmp_path: Path) -> None:
    path = encrypted(tmp_path / "a.zip")
    assert list_members(path, midi, LIMIT).skipped == (("x.mid", "it is encrypted"),)
    assert "it is encrypted" in refuse_unpacking(path, tmp_path / "out")


def test_unusual_compression_is_skipped_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.mid", MIDI)
    assert list_members(path, midi, LIMIT).skipped == (("x.mid", "it is compressed in an unusual way"),)
    assert "it is compressed in an unusual way" in refuse_unpacking(path, tmp_path / "out")


def test_damaged_data_is_named_when_it_is_read(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.mid": os.urandom(1000), "y.mid": MIDI})
    data = bytearray(path.read_bytes())
    data[500] ^= 0xFF
    path.write_bytes(data)
    broken, fine = list_members(path, midi, LIMIT).members
    with pytest.raises(GmdVaeError, match=r"'x\.mid' in '.*a\.zip' cannot be read"):
        broken.read(LIMIT)
    assert fine.read(LIMIT) == MIDI
    assert "Bad CRC-32 for file 'x.mid'" in refuse_unpacking(path, tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_cut_short_is_one_line(kind: str, tmp_path: Path) -> None:
    path = make_archive(kind, tmp_path, {f"{number}.mid": os.urandom(3000) for number in range(9)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(GmdVaeError, match="is damaged"):
        list_members(path, midi, LIMIT)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.mid": bytes(50 << 20)})
    assert path.stat().st_size < 100_000
    assert list_members(path, midi, 1 << 30).skipped == (("x.mid", "it unpacks to more than 200 times its size"),)
    assert "more than 200 times" in refuse_unpacking(path, tmp_path / "out", max_bytes=1 << 30)
    assert "unpacks to 52,428,800 bytes, more than" in refuse_unpacking(path, tmp_path / "out2")


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "a.zip", {f"{number}.mid": b"" for number in range(101)})
    assert "holds 101 files, more than the 100" in refuse_unpacking(path, tmp_path / "out")
    monkeypatch.setattr(archives, "MAX_ZIP_FILES", 100)
    with pytest.raises(GmdVaeError, match="more than 100 files"):
        list_members(path, midi, LIMIT)


def test_a_wrong_size_in_the_directory_is_an_error(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.mid": bytes(100_000)})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)  # the directory: 10 bytes unpacked
    path.write_bytes(data)
    (member,) = list_members(path, midi, LIMIT).members
    with pytest.raises(GmdVaeError):
        member.read(LIMIT)
    refuse_unpacking(path, tmp_path / "out")


def test_an_offset_before_the_start_is_damage_not_a_crash(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {"x.mid": MIDI})
    data = bytearray(path.read_bytes())
    end = data.index(b"PK\x05\x06") + 16  # where the directory starts
    struct.pack_into("<I", data, end, struct.unpack_from("<I", data, end)[0] + 100)
    path.write_bytes(data)
    with pytest.raises(GmdVaeError):
        [member.read(LIMIT) for member in list_members(path, midi, LIMIT).members]
    refuse_unpacking(path, tmp_path / "out")


def test_a_compressed_tar_has_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_archive("tar.gz", tmp_path, {"a.mid": bytes(60_000), "b.mid": bytes(60_000), "c.wav": bytes(60_000)})
    monkeypatch.setattr(archives, "MAX_HELD_BYTES", 100_000)
    with pytest.raises(GmdVaeError, match="Unpack it and give the folder instead"):
        list_members(path, midi, LIMIT)
    monkeypatch.setattr(archives, "MAX_COMPRESSED_TAR_BYTES", 100_000)
    with pytest.raises(GmdVaeError, match=r"damaged or incomplete|more than 100,000 bytes"):
        list_members(path, lambda name, head: False, LIMIT)


def test_a_tar_header_that_asks_for_all_memory_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 40
    for path in (tmp_path / "a.tar", tmp_path / "a.tar.gz"):
        data = info.tobuf(tarfile.GNU_FORMAT) + bytes(2048)
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        with pytest.raises(GmdVaeError):
            list_members(path, midi, LIMIT)


@pytest.mark.parametrize("size", ["-512", "-1024", "-99999", "0", "9" * 30])
def test_a_tar_header_that_leads_backwards_does_not_hang(size: str, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x.mid")
    info.pax_headers = {"size": size}
    data = info.tobuf(tarfile.PAX_FORMAT) + tarfile.TarInfo("y.mid").tobuf() + bytes(1024)
    for path in (tmp_path / "a.tar", tmp_path / "a.tar.gz"):
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
        with contextlib.suppress(GmdVaeError):
            assert len(list_members(path, midi, LIMIT).members) <= 2


def test_a_removed_archive_is_one_line(tmp_path: Path) -> None:
    path = make_archive("tar", tmp_path, {"x.mid": MIDI})
    (member,) = list_members(path, midi, LIMIT).members
    path.write_bytes(b"")
    with pytest.raises(GmdVaeError, match="has 0 bytes, not"):
        member.read(LIMIT)
    path.unlink()
    with pytest.raises(GmdVaeError, match="No such file"):
        member.read(LIMIT)


def test_the_kind_follows_from_the_content(tmp_path: Path) -> None:
    for kind in KINDS:
        renamed = make_archive(kind, tmp_path, {"x.mid": MIDI}).rename(tmp_path / "renamed.bin")
        assert archive_kind(renamed) == kind
    (tmp_path / "text").write_bytes(b"hello")
    assert archive_kind(tmp_path / "text") is None
    with pytest.raises(GmdVaeError, match=r"is not a \.zip, \.tar or \.tar\.gz archive"):
        list_members(tmp_path / "text", midi, LIMIT)
    for name, problem in {"x.gz": r"is not a \.zip, \.tar or \.tar\.gz archive", "x.tar.gz": "damaged"}.items():
        (tmp_path / name).write_bytes(gzip.compress(b"hello, I am no tar"))
        with pytest.raises(GmdVaeError, match=problem):
            list_members(tmp_path / name, midi, LIMIT)


@in_tmp
@given(st.data())
def test_no_damage_is_more_than_one_line(tmp_path: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["zip", "tar", "tar.gz"]))
    path = make_archive(kind, tmp_path, {"top/a.mid": MIDI, "top/b.mid": MIDI * 20, "top/info.csv": b"x" * 50})
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    with contextlib.suppress(GmdVaeError):
        for member in list_members(path, midi, LIMIT).members:
            with contextlib.suppress(GmdVaeError):
                member.read(LIMIT)
    if kind == "zip":
        folder = tmp_path / f"out{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        with contextlib.suppress(GmdVaeError):
            unpack_zip(path, folder, LIMIT, 100)


@pytest.mark.parametrize("kind", KINDS)
def test_very_many_other_files_are_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is opened: a whole disk would take minutes."""
    monkeypatch.setattr(archives, "MAX_OTHER_FILES", 2)
    path = make_archive(kind, tmp_path, {"a.mid": MIDI, "1": b"x", "2": b"x"})
    assert len(list_members(path, midi, LIMIT).members) == 1
    (tmp_path / "more").mkdir()
    path = make_archive(kind, tmp_path / "more", {"a.mid": MIDI, "1": b"x", "2": b"x", "3": b"x"})
    with pytest.raises(GmdVaeError, match="holds more than 2 files that are no MIDI files"):
        list_members(path, midi, LIMIT)


@pytest.mark.parametrize("large", [False, True], ids=["zip", "zip64"])
def test_a_zip_with_too_many_files_is_refused_before_its_directory_is_read(
    large: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    path = zipped(tmp_path / "a.zip", {f"{number}.mid": MIDI for number in range(4)})
    monkeypatch.setattr(archives, "MAX_ZIP_FILES", 3)
    with pytest.raises(GmdVaeError, match="holds more than 3 files"):
        list_members(path, midi, LIMIT)
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 4 * (46 + len("0.mid")) - 1)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(GmdVaeError, match="holds more than 203 bytes of names"):
        list_members(path, midi, LIMIT)
