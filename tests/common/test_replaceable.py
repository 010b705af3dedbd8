"""An output folder is replaced only if everything in it is listed in its manifest and unchanged."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output


def write(folder: Path, content: str = "one") -> None:
    """Writes an output folder with two files as a stage does."""
    with open_output(folder, "stage") as check, whole_folder(folder, check) as new:
        (new / "sub").mkdir()
        (new / "a.mid").write_text(content)
        (new / "sub" / "b.mid").write_text(content)
        manifest.write(new, "stage", {"files": [manifest.describe_file(new / "a.mid")]})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    write(tmp_path / "out")
    return tmp_path / "out"


def assert_refused(output: Path, match: str) -> None:
    before = snapshot(output.parent)
    with pytest.raises(GmdVaeError, match=match) as caught:
        write(output, "two")
    assert snapshot(output.parent) == before
    assert "\n" not in str(caught.value)
    assert f"for example --output-dir '{output}-2'" in str(caught.value)


def test_the_manifest_lists_every_file_once(output: Path) -> None:
    content = json.loads((output / "manifest.json").read_text())
    assert [entry["name"] for entry in content["files"]] == ["a.mid"]
    assert [(entry["name"], entry["bytes"]) for entry in content["other_files"]] == [("sub/b.mid", 3)]
    assert content["other_files"][0]["sha256"] == files.sha256(output / "sub" / "b.mid")


def test_an_unchanged_output_is_replaced_and_nothing_is_left(output: Path) -> None:
    (output / "empty" / "folder").mkdir(parents=True)
    (output / ".a.wav.abcd1234.partial").touch()
    for leftover in (".a.0123abcd.partial/sub/a.mid", "sub/.notes.parts/0123456789abcdef/00007.part"):
        (output / leftover).parent.mkdir(parents=True)
        (output / leftover).touch()
    (output / "a.mid").unlink()
    write(output, "two")
    assert (output / "a.mid").read_text() == "two"
    assert names(output) == ["a.mid", "manifest.json", "sub"]
    assert names(output.parent) == ["out"]


@pytest.mark.parametrize(
    "name",
    [
        "mine.mid", "sub/mine.mid", "deep/er/mine.mid", ".hidden", ".out.previous/a.mid", ".band.parts/guitar.mid",
        ".x.partial/mine", ".x.sketches.partial/mine", ".notes.parts/0123456789abcdef/mine.mid",
    ],
)  # fmt: skip
def test_a_file_of_ones_own_is_kept_and_named(output: Path, name: str) -> None:
    (output / name).parent.mkdir(parents=True, exist_ok=True)
    (output / name).write_text("mine")
    assert_refused(output, f"holds '{name}', which 'gmd-vae stage' did not write")


@pytest.mark.parametrize("text", ["longer than before", "ONE"])
def test_a_changed_file_is_kept_and_named(output: Path, text: str) -> None:
    (output / "sub" / "b.mid").write_text(text)
    assert_refused(output, "'sub/b.mid' in .* was changed after 'gmd-vae stage' wrote it")


def test_a_link_is_foreign_and_is_not_followed(output: Path, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "x").write_text("mine")
    (output / "link").symlink_to(tmp_path / "away")
    assert_refused(output, "holds 'link'")
    (output / "link").unlink()
    (output / "a.mid").rename(tmp_path / "a.mid")
    (output / "a.mid").symlink_to(tmp_path / "a.mid")  # even to the same bytes
    assert_refused(output, r"holds 'a\.mid'")


def test_a_description_of_an_input_does_not_list_it(tmp_path: Path) -> None:
    """An input that was moved into the folder later is not an output."""
    out, source = tmp_path / "out", tmp_path / "mine.mid"
    source.write_text("mine")
    with whole_folder(out) as new:
        manifest.write(new, "stage", {"inputs": [manifest.describe_file(source)], "files": []})
    source.rename(out / "mine.mid")
    assert_refused(out, r"holds 'mine\.mid'")


def test_a_file_that_appears_during_the_work_is_kept(output: Path) -> None:
    def work() -> None:
        with open_output(output, "stage") as check, whole_folder(output, check) as new:
            manifest.write(new, "stage", {})
            (output / "late.mid").write_text("mine")

    with pytest.raises(GmdVaeError, match=r"holds 'late\.mid'"):
        work()
    assert (output / "late.mid").read_text() == "mine"
    assert (output / "a.mid").read_text() == "one"
    assert names(output.parent) == ["out"]


def test_a_folder_that_appears_during_the_work_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def work() -> None:
        with open_output(out, "stage") as check, whole_folder(out, check) as new:
            manifest.write(new, "stage", {})
            out.mkdir()
            (out / "mine").write_text("mine")

    with pytest.raises(GmdVaeError, match="holds 'mine'"):
        work()
    assert snapshot(tmp_path) == {str(out): None, str(out / "mine"): b"mine"}


def test_without_a_check_only_an_empty_folder_is_replaced(output: Path) -> None:
    with pytest.raises(GmdVaeError, match="not empty"), whole_folder(output):
        pass
    assert (output / "a.mid").exists()


def test_a_link_in_the_place_of_a_working_folder_is_not_followed(output: Path, tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "x").write_text("mine")
    (tmp_path / ".out.previous").symlink_to(tmp_path / "away")
    with pytest.raises(GmdVaeError, match="is not a folder of gmd-vae"):
        write(output)
    assert (tmp_path / "away" / "x").read_text() == "mine"


def test_an_earlier_folder_that_was_moved_aside_is_checked_too(output: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.previous").mkdir()
    (tmp_path / ".out.previous" / "mine").write_text("mine")
    with pytest.raises(GmdVaeError, match=r"'.*/\.out\.previous' holds 'mine'.*Move that file away"):
        write(output)
    assert (tmp_path / ".out.previous" / "mine").read_text() == "mine"


def test_an_input_in_the_output_folder_is_refused(output: Path) -> None:
    with pytest.raises(UsageError, match="lies in the output folder"):
        manifest.check_replaceable(output, "stage", inputs=[output.parent / "x.mid", output / "sub" / "b.mid"])


def test_a_manifest_of_fetch_without_a_list_is_compared_with_the_new_folder(tmp_path: Path) -> None:
    """As version 0.8.3 wrote it."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.mid").write_text("one")
    (out / "manifest.json").write_text('{"format": 1, "stage": "fetch", "dataset": "x", "files": 2}')

    def fetch() -> None:
        with open_output(out, "fetch", dataset="x") as check, whole_folder(out, check) as new:
            (new / "a.mid").write_text("one")
            (new / "b.mid").write_text("two")
            manifest.write(new, "fetch", {"dataset": "x", "files": 2})

    for name, text in (("mine.mid", "mine"), ("b.mid", "TWO")):
        (out / name).write_text(text)
        with pytest.raises(GmdVaeError, match=name):
            fetch()
        assert (out / name).read_text() == text
        (out / name).unlink()
    fetch()
    assert (out / "b.mid").read_text() == "two"


@pytest.mark.parametrize(
    "content",
    [
        '{"format": 1, "stage": "stage", "files": [{"name": "a.mid", "bytes": [], "sha256": {}}, 3, null]}',
        "[" * 100_000,
    ],
)
def test_an_odd_manifest_lists_nothing(output: Path, content: str) -> None:
    (output / "manifest.json").write_text(content)
    assert_refused(output, r"holds 'a\.mid'")


@pytest.mark.parametrize("folder", [".", ".."])
def test_the_current_folder_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "x").touch()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(GmdVaeError, match="did not write"):
        manifest.check_replaceable(Path(folder), "stage")


def test_new_folders_of_one_name_do_not_collide(tmp_path: Path) -> None:
    kept: list[str] = []

    def make() -> None:
        with files.new_folder(tmp_path / "generated" / "now") as folder:
            (folder / "x").touch()
            kept.append(folder.name)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == ["now", *(f"now-{number}" for number in range(2, 9))]
    assert names(tmp_path / "generated") == sorted(kept)


def test_a_new_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    for path in (tmp_path / "now", tmp_path / "generated" / "now"):  # and so is a parent that was made for it
        with pytest.raises(ValueError, match="x"), files.new_folder(path):
            raise ValueError("x")
    assert names(tmp_path) == []


def test_a_folder_of_the_user_beside_the_output_is_no_leftover(output: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.sketches.partial").mkdir()
    (tmp_path / ".out.sketches.partial" / "mine").write_text("mine")
    (tmp_path / ".out.0123abcd.partial").mkdir()  # of a killed process
    write(output, "two")
    assert names(tmp_path) == [".out.sketches.partial", "out"]
    assert names(tmp_path / ".out.sketches.partial") == ["mine"]


def test_names_in_a_manifest_that_lead_elsewhere_are_not_followed(output: Path, tmp_path: Path) -> None:
    """A manifest can come with a folder from somebody else."""
    mine = tmp_path / "mine.mid"
    mine.write_text("one")
    entry = {"bytes": 3, "sha256": files.sha256(mine)}
    others = [{"name": name, **entry} for name in ("../mine.mid", str(mine), "sub/../../mine.mid", "sub/b.mid", "b")]
    content = {"format": 1, "stage": "stage", "files": [{"name": "a.mid", **entry}], "other_files": others}
    (output / "manifest.json").write_text(json.dumps(content))
    (output / "b").symlink_to(mine)  # a link is foreign, whatever the manifest says
    assert_refused(output, "holds 'b'")
    (output / "b").unlink()
    write(output, "two")
    assert mine.read_text() == "one"


def test_a_large_folder_is_refused_by_its_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--output-dir ~` need not read the whole home folder to refuse it."""
    home, opened = tmp_path / "home", []
    for number in range(5):
        (home / f"{number}" / "deep").mkdir(parents=True)
        (home / f"{number}" / "deep" / "mine").touch()
    scandir = files.os.scandir
    monkeypatch.setattr(files.os, "scandir", lambda path: opened.append(path) or scandir(path))
    with pytest.raises(GmdVaeError, match="holds '0/deep/mine'"):
        manifest.check_replaceable(home, "stage")
    assert len(opened) == 3


def test_what_vanishes_while_a_folder_is_listed_is_left_out(output: Path) -> None:
    listed = files.walk_lazily(output)
    first = next(listed)[0]
    (output / "sub" / "b.mid").unlink()
    (output / "sub").rmdir()
    (output / "manifest.json").unlink()
    assert [first, *(name for name, _ in listed)] == ["a.mid"]
