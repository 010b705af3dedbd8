from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.download import RemoteFile
from gmd_vae.datasets.groove import GROOVE, fetch_groove
from gmd_vae.datasets.midi_files import list_midi_files

if TYPE_CHECKING:
    from fixtures.http import FileServer

NOWHERE = "http://nowhere.invalid/groove.zip"


def refuse(output: Path, archive: Path | None, remote: RemoteFile) -> str:
    before = sorted(output.parent.rglob("*"))
    with pytest.raises(GmdVaeError) as caught:
        fetch_groove(output, archive, remote)
    assert sorted(output.parent.rglob("*")) == before, "something was left behind"
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw" / "groove"


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_download_is_unpacked_without_its_top_folder(
    server: FileServer, output: Path, small_groove: dict[str, bytes]
) -> None:
    summary = fetch_groove(output, remote=server.remote)
    assert names(output) == ["README", "drummer1/s/1.mid", "info.csv", "manifest.json"]
    for name in ("README", "drummer1/s/1.mid", "info.csv"):
        assert (output / name).read_bytes() == small_groove[f"groove/{name}"]
    assert (summary.files, summary.midi_files, summary.already_there) == (3, 1, False)
    made = manifest.read(output, "fetch", "")
    assert made["dataset"] == "groove"
    assert made["sha256"] == server.remote.sha256
    assert (made["bytes"], made["files"], made["midi_files"]) == (len(server.body), 3, 1)
    assert [path.name for path in output.parent.iterdir()] == ["groove"], "the archive is not kept"


def test_a_second_fetch_finds_everything_there(server: FileServer, output: Path) -> None:
    fetch_groove(output, remote=server.remote)
    before = (output / "manifest.json").stat()
    again = fetch_groove(output, remote=server.remote)
    assert again.already_there
    assert (again.files, again.midi_files) == (3, 1)
    assert server.requests == 1
    assert (output / "manifest.json").stat().st_ino == before.st_ino


def test_a_wrong_archive_is_refused_also_where_the_dataset_is_there(
    server: FileServer, output: Path, tmp_path: Path
) -> None:
    fetch_groove(output, remote=server.remote)
    assert "does not exist" in refuse(output, tmp_path / "gone.zip", server.remote)
    (tmp_path / "wrong.zip").write_bytes(b"PK")
    assert "is not the Groove archive" in refuse(output, tmp_path / "wrong.zip", server.remote)


def test_the_same_archive_gives_the_same_manifest_wherever_it_comes_from(
    server: FileServer, output: Path, small_groove_zip: Path
) -> None:
    fetch_groove(output, remote=server.remote)
    other = output.with_name("other")
    fetch_groove(other, small_groove_zip, server.remote)
    assert (output / "manifest.json").read_bytes() == (other / "manifest.json").read_bytes()
    assert small_groove_zip.exists()


@pytest.mark.parametrize("damage", ["a file is gone", "another version"])
def test_an_incomplete_fetch_is_replaced(server: FileServer, output: Path, damage: str) -> None:
    fetch_groove(output, remote=server.remote)
    if damage == "a file is gone":
        (output / "drummer1/s/1.mid").unlink()
    else:
        made = json.loads((output / "manifest.json").read_text())
        (output / "manifest.json").write_text(json.dumps({**made, "sha256": "0" * 64}))
    assert not fetch_groove(output, remote=server.remote).already_there
    assert (output / "drummer1/s/1.mid").exists()
    assert manifest.read(output, "fetch", "")["sha256"] == server.remote.sha256


def test_a_folder_with_other_files_is_never_replaced(output: Path, small_groove_zip: Path) -> None:
    output.mkdir()
    (output / "my song.mid").write_bytes(b"precious")
    assert "did not write" in refuse(output, small_groove_zip, GROOVE)
    (output / "manifest.json").write_text('{"format": 1, "stage": "fetch", "dataset": "starter"}')
    assert "holds the data set 'starter'" in refuse(output, small_groove_zip, GROOVE)
    (output / "manifest.json").write_text("{")
    assert "did not write" in refuse(output, small_groove_zip, GROOVE)


def test_an_empty_folder_is_used_and_a_file_is_not(server: FileServer, output: Path, small_groove_zip: Path) -> None:
    output.mkdir()
    assert fetch_groove(output, small_groove_zip, server.remote).files == 3
    taken = output.with_name("taken")
    taken.write_bytes(b"")
    assert "is not a folder" in refuse(taken, small_groove_zip, server.remote)


def test_a_local_archive_is_verified_like_a_download(
    server: FileServer, output: Path, tmp_path: Path, small_groove_zip: Path
) -> None:
    remote = RemoteFile(NOWHERE, server.remote.size, server.remote.sha256)
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(bytes(remote.size))
    assert "is not the Groove archive: sha256" in refuse(output, wrong, remote)
    wrong.write_bytes(server.body[:-1])
    assert f"is not the Groove archive: {remote.size - 1:,} bytes, not {remote.size:,}" in refuse(output, wrong, remote)
    assert "does not exist" in refuse(output, tmp_path / "missing.zip", remote)
    assert "is not a file" in refuse(output, tmp_path, remote)
    assert NOWHERE in refuse(output, tmp_path, remote)
    assert fetch_groove(output, small_groove_zip, remote).files == 3, "no network was needed"


def test_without_a_network_both_alternatives_are_named(output: Path) -> None:
    message = refuse(output, None, RemoteFile(NOWHERE, 10, "0" * 64))
    assert message.startswith("No network: nowhere.invalid cannot be reached (")
    assert "--archive FILE" in message
    assert "GMD_VAE_GROOVE_ARCHIVE" in message
    assert "fetch starter" in message
    assert NOWHERE in message


def test_an_archive_that_unpacks_badly_leaves_the_old_folder(server: FileServer, output: Path, tmp_path: Path) -> None:
    fetch_groove(output, remote=server.remote)
    (output / "README").unlink()
    before = names(output)
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("groove/fine.mid", b"MThd")
        archive.writestr("groove/../../evil.mid", b"MThd")
    server.body = bad.read_bytes()
    with pytest.raises(GmdVaeError, match="leads out of the folder"):
        fetch_groove(output, remote=server.remote)
    assert names(output) == before
    assert not (tmp_path / "evil.mid").exists()


def test_the_official_archive(groove_archive: Path, output: Path) -> None:
    summary = fetch_groove(output, groove_archive)
    assert (summary.files, summary.midi_files) == (1153, 1150)
    assert len(names(output)) == 1154
    listing, packed = list_midi_files(output), list_midi_files(groove_archive)
    assert listing.collection == packed.collection == "groove"
    assert listing.catalogues[0].read() == packed.catalogues[0].read()
    assert [file.name for file in listing.files] == [file.name for file in packed.files]
    assert all(one.read() == other.read() for one, other in zip(listing.files, packed.files, strict=True))
    assert fetch_groove(output, groove_archive).already_there
