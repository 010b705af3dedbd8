from __future__ import annotations

import os
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.midi_files import MAX_MIDI_BYTES, MidiFile, list_midi_files

MIDI = b"MThd" + bytes(100)


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(MIDI if name.lower().endswith((".mid", ".midi")) else b"text")
    return folder


def names(path: Path) -> list[str]:
    return [file.name for file in list_midi_files(path).files]


def refuse(path: Path) -> str:
    with pytest.raises(GmdVaeError) as caught:
        list_midi_files(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_is_listed_in_the_order_of_its_relative_names(tmp_path: Path) -> None:
    fill(tmp_path / "set", "b.mid", "B.MID", "a/2.midi", "a/10.mid", "a.mid", "deep/er/x.MiDi", "notes.txt", "mid")
    listing = list_midi_files(tmp_path / "set")
    assert [file.name for file in listing.files] == [
        "B.MID", "a.mid", "a/10.mid", "a/2.midi", "b.mid", "deep/er/x.MiDi"
    ]  # fmt: skip
    assert (listing.collection, listing.skipped, listing.catalogues) == ("set", (), ())
    assert listing.passed_over == {".txt": 1, "no suffix": 1}
    assert all(file.read() == MIDI and file.size == len(MIDI) for file in listing.files)
    assert all(pickle.loads(pickle.dumps(file)) == file for file in listing.files)


def test_the_manifest_of_fetch_is_no_other_file(tmp_path: Path) -> None:
    fill(tmp_path, "a.mid", "deep/manifest.json")
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"stage": "fetch"}')
    assert list_midi_files(tmp_path).passed_over == {".json": 1}  # that of the subfolder
    manifest.write_text('{"songs": 9}')  # somebody else's
    assert list_midi_files(tmp_path).passed_over == {".json": 2}


def test_the_collection_is_the_folders_own_name_however_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "groove", "a.mid")
    (tmp_path / "other").symlink_to(tmp_path / "groove")
    monkeypatch.chdir(tmp_path / "groove")
    for given in (Path(), Path("../groove/"), tmp_path / "other"):
        assert list_midi_files(given).collection == "groove"
    monkeypatch.chdir(tmp_path)
    file = list_midi_files(Path("groove")).files[0]
    monkeypatch.chdir("/")
    assert file.read() == MIDI, "a file can be read from another working directory"


def test_links_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "set/a.mid", "outside/secret.mid")
    (tmp_path / "set/link.mid").symlink_to(tmp_path / "outside/secret.mid")
    (tmp_path / "set/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "set/loop").symlink_to(tmp_path / "set")
    listing = list_midi_files(tmp_path / "set")
    assert [file.name for file in listing.files] == ["a.mid"]
    assert listing.skipped_counts() == {"it is a link": 3}


def test_special_and_hidden_files_are_skipped(tmp_path: Path) -> None:
    fill(tmp_path, "a.mid", "._a.mid", ".hidden.mid", "__MACOSX/a.mid", ".groove.partial/b.mid")
    os.mkfifo(tmp_path / "pipe.mid")
    (tmp_path / "folder.mid").mkdir()
    listing = list_midi_files(tmp_path)
    assert [file.name for file in listing.files] == ["a.mid"]
    assert listing.skipped_counts() == {"it is hidden": 4, "it is not a regular file": 1}
    assert (".groove.partial/", "it is hidden") in listing.skipped


def test_a_pipe_in_the_place_of_the_catalogue_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.mid")
    os.mkfifo(tmp_path / "info.csv")
    listing = list_midi_files(tmp_path)
    assert listing.unused_catalogues == (("info.csv", "it is not a regular file"),)


def test_large_files_are_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "a.mid", "big.mid", "wave.wav")
    for name in ("big.mid", "wave.wav"):
        os.truncate(tmp_path / name, MAX_MIDI_BYTES + 1)
    listing = list_midi_files(tmp_path)
    assert listing.skipped == (("big.mid", "it is larger than 16 MiB"),)
    os.truncate(tmp_path / "a.mid", MAX_MIDI_BYTES + 1)  # grown since
    with pytest.raises(GmdVaeError, match=r"a\.mid' is larger than 16 MiB"):
        listing.files[0].read()
    (tmp_path / "a.mid").unlink()
    with pytest.raises(GmdVaeError, match=r"a\.mid' cannot be read \(No such file"):
        listing.files[0].read()


def test_names_that_are_not_utf8_are_escaped_and_still_read(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mid")).write_bytes(MIDI)
    except OSError as error:
        pytest.skip(f"this file system takes no such name ({error.strerror})")
    (file,) = list_midi_files(tmp_path).files
    assert file.name == "caf\\xe9.mid"
    assert file.read() == MIDI


def test_a_deep_chain_of_folders(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(300):
        deep = deep / "folder"
        deep.mkdir()
    fill(deep, "x.mid")
    assert names(tmp_path) == ["folder/" * 300 + "x.mid"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_folder_is_skipped_and_named(tmp_path: Path) -> None:
    fill(tmp_path, "a.mid", "shut/b.mid")
    (tmp_path / "shut").chmod(0)
    try:
        listing = list_midi_files(tmp_path)
        assert listing.skipped == (("shut/", "the folder cannot be read (Permission denied)"),)
        assert "cannot be read (Permission denied)" in refuse(tmp_path / "shut")
    finally:
        (tmp_path / "shut").chmod(0o700)


def test_paths_without_midi_are_one_line(tmp_path: Path) -> None:
    assert "does not exist" in refuse(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    assert "holds no MIDI file (it is empty)" in refuse(tmp_path / "empty")
    fill(tmp_path / "text", "a.txt", "b.txt", ".c.mid")
    assert "holds no MIDI file (2 other files: 2 .txt; 1 skipped because it is hidden)" in refuse(tmp_path / "text")
    assert "neither a folder, nor an archive, nor a MIDI file" in refuse(tmp_path / "text/a.txt")
    assert ".zip, .tar, .tar.gz" in refuse(tmp_path / "missing")
    os.mkfifo(tmp_path / "pipe.zip")
    assert "neither a folder nor a file" in refuse(tmp_path / "pipe.zip")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "'" in refuse(tmp_path / "loop")
    refuse(Path("\0"))


def test_one_midi_file(tmp_path: Path) -> None:
    fill(tmp_path / "songs", "a.mid", "b.mid")
    listing = list_midi_files(tmp_path / "songs/a.mid")
    assert (listing.collection, names(tmp_path / "songs/a.mid")) == ("songs", ["a.mid"])
    os.truncate(tmp_path / "songs/b.mid", MAX_MIDI_BYTES + 1)
    assert "larger than 16 MiB" in refuse(tmp_path / "songs/b.mid")


@pytest.mark.parametrize("kind", ["x.zip", "x.tar", "x.tar.gz", "x.TGZ"])
def test_an_archive_lists_as_its_folder_would(kind: str, tmp_path: Path) -> None:
    fill(tmp_path / "groove", "b.mid", "drummer1/a.mid", "._b.mid", "LICENSE", "drummer1/info.csv")
    (tmp_path / "groove/info.csv").write_bytes(b"the catalogue")
    path = tmp_path / kind
    if kind.endswith("zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for file in (tmp_path / "groove").rglob("*"):
                archive.write(file, file.relative_to(tmp_path))
    else:
        with tarfile.open(path, "w" if kind.endswith("tar") else "w:gz") as tar:
            tar.add(tmp_path / "groove", "./groove")
    folder, packed = list_midi_files(tmp_path / "groove"), list_midi_files(path)
    assert packed.collection == folder.collection == "groove"
    for listing in (packed, folder):
        assert [file.read() for file in listing.catalogues] == [b"the catalogue"]
    assert [(file.name, file.size) for file in packed.files] == [(file.name, file.size) for file in folder.files]
    assert [pickle.loads(pickle.dumps(file)).read() for file in packed.files] == [MIDI, MIDI]
    assert packed.skipped_counts() == folder.skipped_counts() == {"it is hidden": 1}


def test_an_archive_without_a_top_folder_is_named_after_itself(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "beats.zip", "w") as archive:
        archive.writestr("a.mid", MIDI)
        archive.writestr("x/b.mid", MIDI)
    listing = list_midi_files(tmp_path / "beats.zip")
    assert (listing.collection, [file.name for file in listing.files]) == ("beats", ["a.mid", "x/b.mid"])
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert "holds no MIDI file (it is empty)" in refuse(tmp_path / "empty.zip")


def test_the_real_archive(groove_archive: Path) -> None:
    listing = list_midi_files(groove_archive)
    assert (listing.collection, len(listing.files), listing.skipped) == ("groove", 1150, ())
    assert listing.passed_over == {"no suffix": 38}  # LICENSE, README, 36 folder icons of macOS
    assert sum(len(file.read()) for file in listing.files) == 5_273_095
    assert all(isinstance(file, MidiFile) and file.read()[:4] == b"MThd" for file in listing.files)


def test_the_real_malformed_files_are_all_listed(test_data: Path) -> None:
    folder = test_data / "malformed"
    if not folder.is_dir():
        pytest.skip("there is no folder 'malformed' in the test data")
    listing = list_midi_files(folder)
    assert len(listing.files) == sum(path.suffix.lower() in (".mid", ".midi") for path in folder.rglob("*"))
    assert all(len(file.read()) == file.size for file in listing.files)


def test_a_folder_with_very_many_other_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`inspect /` ends instead of opening every file of the disk."""
    monkeypatch.setattr("gmd_vae.datasets.archives.MAX_OTHER_FILES", 3)
    fill(tmp_path / "disk", "a.mid", "b.mid", "c.mid", "d.mid", "1", "2/3", "2/4.txt")
    assert len(list_midi_files(tmp_path / "disk").files) == 4
    fill(tmp_path / "disk", ".hidden.mid")
    assert "holds more than 3 files that are no MIDI files" in refuse(tmp_path / "disk")
