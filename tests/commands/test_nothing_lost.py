"""Commands keep what they did not write: files in output folders, and files in the place of an output."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fixtures.command_line import run_here
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.datasets.groove import fetch_groove

if TYPE_CHECKING:
    from fixtures.http import FileServer

MakeMidi = Callable[..., bytes]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def music(workspace: Path, make_midi: MakeMidi) -> Path:
    """A folder ``groove`` with 40 MIDI files."""
    folder = workspace / "raw" / "groove"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number}.mid").write_bytes(make_midi([(0, 36), (100 + number, 38)]))
    return folder


def assert_kept(workspace: Path, output: Path, *arguments: str) -> None:
    """Runs a command twice; the second time with a file of the user's in the output folder, then a changed one."""
    run_here(workspace, *arguments)
    mine = output / "mine.txt"
    mine.write_text("mine")
    error = run_here(workspace, *arguments, expect=1).error
    assert f"holds 'mine.txt', which 'gmd-vae {arguments[0]}' did not write" in error
    assert "-2'" in error
    assert mine.read_text() == "mine"
    mine.unlink()
    run_here(workspace, *arguments)
    changed = next(path for path in sorted(output.rglob("*")) if path.is_file() and path.name != "manifest.json")
    changed.write_bytes(b"edited")
    assert "was changed after" in run_here(workspace, *arguments, expect=1).error
    assert changed.read_bytes() == b"edited"


def test_fetch_starter(workspace: Path) -> None:
    assert_kept(workspace, workspace / "s", "fetch", "starter", "--output-dir", "s")


def test_convert_and_preprocess(workspace: Path, starter_notes: Path) -> None:
    raw = workspace / "raw"
    run_here(workspace, "fetch", "starter", "--output-dir", str(raw))
    assert_kept(workspace, workspace / "notes", "convert", "raw", "--output-dir", "notes")
    assert_kept(
        workspace,
        workspace / "examples",
        *("preprocess", str(starter_notes), "--output-dir", "examples", "--config", "hierdec-drum_4bar_small"),
    )


def test_fetch_groove(workspace: Path, server: FileServer, small_groove_zip: Path) -> None:
    remote = server.remote
    output = workspace / "g"
    fetch_groove(output, small_groove_zip, remote)
    listed = json.loads((output / "manifest.json").read_text())["other_files"]
    assert [entry["name"] for entry in listed] == ["README", "drummer1/s/1.mid", "info.csv"]
    (output / "mine.mid").write_text("mine")
    with pytest.raises(GmdVaeError, match=r"holds 'mine\.mid'"):
        fetch_groove(output, small_groove_zip, remote)
    assert (output / "mine.mid").read_text() == "mine"


def test_notes_of_another_data_set_are_not_replaced(workspace: Path, music: Path, make_midi: MakeMidi) -> None:
    run_here(workspace, "convert", "raw/groove")
    notes = workspace / "data" / "notes" / "groove"
    before = {path.name: path.read_bytes() for path in notes.iterdir()}
    with zipfile.ZipFile("evil.zip", "w") as archive:
        archive.writestr("groove/other.mid", make_midi([(0, 38), (90, 42)]))
    (workspace / "other" / "groove").mkdir(parents=True)
    (workspace / "other" / "groove" / "x.mid").write_bytes(make_midi([(0, 38), (95, 42)]))
    for source in ("evil.zip", "other/groove"):
        error = run_here(workspace, "convert", source, expect=1).error
        assert f"was made from another 'groove' (40 files), not from '{source}' (1 file)" in error
        assert "--output-dir 'data/notes/groove-2'" in error
        assert sorted(path.name for path in notes.parent.iterdir()) == ["groove"]
        assert {path.name: path.read_bytes() for path in notes.iterdir()} == before
    run_here(workspace, "convert", "evil.zip", "--output-dir", "data/notes/groove")  # named, so it is meant


def test_notes_of_the_same_input_are_replaced(workspace: Path, music: Path, make_midi: MakeMidi) -> None:
    run_here(workspace, "convert", "raw/groove")
    for number in range(0, 40, 2):
        (music / f"{number}.mid").unlink()
    (music / "new.mid").write_bytes(make_midi([(0, 38), (90, 42)]))
    run_here(workspace, "convert", "raw/groove")
    content = json.loads((workspace / "data/notes/groove/manifest.json").read_text())
    assert content["input"]["files"] == 21


@pytest.mark.parametrize(("shared", "code"), [(1, 1), (3, 1), (4, 0)])
def test_an_input_that_shares_a_few_files_is_another(
    workspace: Path, music: Path, make_midi: MakeMidi, shared: int, code: int
) -> None:
    run_here(workspace, "convert", "raw/groove")
    sample = json.loads((workspace / "data/notes/groove/manifest.json").read_text())["input_sample"]
    assert len(sample) == 16
    other = workspace / "other" / "groove"
    other.mkdir(parents=True)
    for number in range(12):
        (other / f"mine{number}.mid").write_bytes(make_midi([(0, 38), (90 + number, 42)]))
    sampled = [file for file in music.iterdir() if hashlib.sha256(file.read_bytes()).hexdigest()[:16] in sample]
    for file in sampled[:shared]:
        for copy in range(4):  # copies of one file are one file
            (other / f"{copy}{file.name}").write_bytes(file.read_bytes())
    run_here(workspace, "convert", "other/groove", expect=code)
    files = json.loads((workspace / "data/notes/groove/manifest.json").read_text())["input"]["files"]
    assert files == (40 if code else 12 + 4 * shared)


def test_a_changed_file_is_named_with_the_command_that_reads_it_again(workspace: Path, make_midi: MakeMidi) -> None:
    """It could be another file of that name, and nothing in its notes says which."""
    song = workspace / "song.mid"
    song.write_bytes(make_midi([(0, 38), (90, 42)]))
    run_here(workspace, "convert", "song.mid")
    song.write_bytes(make_midi([(0, 36), (90, 42)]))
    error = run_here(workspace, "convert", "song.mid", expect=1).error
    assert "made from an earlier version of 'song.mid', or from another file of that name" in error
    assert "--output-dir 'data/notes/song' to replace it" in error
    run_here(workspace, "convert", "song.mid", "--output-dir", "data/notes/song")


def test_convert_refuses_another_input_before_it_converts_a_file(
    workspace: Path, music: Path, make_midi: MakeMidi, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_here(workspace, "convert", "raw/groove")
    (workspace / "other" / "groove").mkdir(parents=True)
    (workspace / "other" / "groove" / "x.mid").write_bytes(make_midi([(0, 38), (95, 42)]))
    monkeypatch.setattr("gmd_vae.midi.convert.make_batches", lambda *_: pytest.fail("it converts files"))
    assert "was made from another" in run_here(workspace, "convert", "other/groove", expect=1).error
    content_path = workspace / "data/notes/groove/manifest.json"
    content = json.loads(content_path.read_text())
    del content["input_sample"]  # as version 0.8.2 wrote it
    content_path.write_text(json.dumps(content))
    assert "was made from another" in run_here(workspace, "convert", "other/groove", expect=1).error
    monkeypatch.undo()
    run_here(workspace, "convert", "raw/groove")


def test_a_picture_or_sound_replaces_only_its_own_kind(workspace: Path, make_midi: MakeMidi) -> None:
    midi = make_midi()
    (workspace / "song.mid").write_bytes(midi)
    (workspace / "song.wav").write_bytes(b"my recording")
    (workspace / "photo.png").write_bytes(b"my photo")
    for arguments in (
        ("render", "song.mid"),
        ("inspect", "song.mid", "--png", "photo.png"),
        ("configs", "flat-drum_4bar_small", "--plot-schedules", "photo.png"),
    ):
        error = run_here(workspace, *arguments, expect=1).error
        assert "exists, and gmd-vae did not write it" in error
    assert "is an input" in run_here(workspace, "inspect", "song.mid", "--png", "song.mid", expect=2).error
    assert (workspace / "song.mid").read_bytes() == midi
    assert (workspace / "song.wav").read_bytes() == b"my recording"
    assert (workspace / "photo.png").read_bytes() == b"my photo"
    assert not (workspace / "song.png").exists()
    for name in ("song.wav", "photo.png"):
        (workspace / name).unlink()
    for _ in range(2):  # its own files are replaced
        run_here(workspace, "render", "song.mid")
        run_here(workspace, "inspect", "song.mid", "--png", "photo.png")
        run_here(workspace, "configs", "flat-drum_4bar_small", "--plot-schedules", "schedules.png")


@pytest.mark.parametrize(
    ("command", "output", "instead"),
    [
        ("export groove-4bar -o", "runs/mine/best/model.safetensors", "runs/mine/model.safetensors"),
        ("export groove-4bar --format magenta -o", "runs/mine/train", "runs/mine/output"),
        ("studio groove-4bar -o", "runs/mine/best/page.html", "runs/mine/page.html"),
        ("generate --model groove-4bar -n 1 --output-dir", "runs/mine/train/beats", "runs/mine/beats"),
        ("inspect song.mid --png", "runs/mine/best/song.png", "runs/mine/song.png"),
        ("render song.mid --output-dir", "link", "{home}/runs/mine/song.wav"),
        ("convert song.mid --output-dir", "runs/mine/train/deep/notes", "runs/mine/notes"),
    ],
)
def test_no_output_in_a_place_of_training(
    workspace: Path, make_midi: MakeMidi, command: str, output: str, instead: str
) -> None:
    run_folder = workspace / "runs" / "mine"
    for place in ("train", "best"):
        (run_folder / place).mkdir(parents=True)
    (workspace / "song.mid").write_bytes(make_midi())
    (workspace / "link").symlink_to("runs/mine/best")
    run_here(workspace, *["export", "groove-4bar", "-o", "runs/mine/best/model.safetensors"])  # no run yet: its folder
    (run_folder / "run.json").write_text("{}")
    before = {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()}
    error = run_here(workspace, *command.split(), output, expect=1).error
    assert "of a run, which belongs to its training. Choose another --" in error
    assert f"for example '{instead.format(home=workspace)}'" in error
    assert {path: path.read_bytes() for path in run_folder.rglob("*") if path.is_file()} == before
    assert sorted(path.name for path in run_folder.rglob("*")) == ["best", "model.safetensors", "run.json", "train"]
