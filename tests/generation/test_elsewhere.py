"""The list of the folders that ``generate --output-dir`` wrote with the model of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from gmd_vae.common import manifest
from gmd_vae.generation.elsewhere import MAX_BYTES, NAME, note_folder, noted_folders


def beats(folder: Path, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    manifest.write(folder, "generate", {"seed": seed, "files": []})
    return folder


def test_folders_are_noted_with_the_time_of_their_latest_beats(tmp_path: Path) -> None:
    generated = tmp_path / "run" / "generated"
    generated.parent.mkdir()
    one, two = beats(tmp_path / "one"), beats(tmp_path / "zwei\u00fc")
    note_folder(generated, one, "2026-11-28_100000")
    note_folder(generated, two, "2026-11-28_110000")
    beats(one, seed=1)
    assert [folder for folder, _ in noted_folders(generated)] == [two], "other beats are in the first folder now"
    note_folder(generated, one, "2026-11-29_100000")
    assert dict(noted_folders(generated)) == {one: "2026-11-29_100000", two: "2026-11-28_110000"}
    (two / "manifest.json").unlink()
    assert dict(noted_folders(generated)) == {one: "2026-11-29_100000"}


@pytest.mark.parametrize(
    "line",
    ["", "{", "[]", "null", '{"folder": 3, "time": "x", "manifest": "y"}', "[" * 9000, "\udcff"]
    + [json.dumps({"folder": name, "time": "x", "manifest": "0" * 64}) for name in ("/", "one", "/dev/null", "a\0b")],
)
def test_damaged_lines_are_passed_over(line: str, tmp_path: Path) -> None:
    note_folder(tmp_path, beats(tmp_path / "mine" / "one"), "2026-11-28_100000")
    path = tmp_path / NAME
    path.write_bytes(line.encode("utf-8", "surrogateescape") + b"\n" + path.read_bytes())
    assert dict(noted_folders(tmp_path)) == {tmp_path / "mine" / "one": "2026-11-28_100000"}


def test_a_run_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    one = beats(tmp_path / "one")
    target = tmp_path / "theirs"
    target.mkdir()
    (tmp_path / "generated").symlink_to(target)
    note_folder(tmp_path / "generated", one, "2026-11-28_100000")
    assert list(target.iterdir()) == []
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "text").write_text("mine")
    (run / NAME).symlink_to(tmp_path / "text")
    note_folder(run, one, "2026-11-28_100000")
    assert (tmp_path / "text").read_text() == "mine"
    note_folder(tmp_path / "no" / "run", one, "2026-11-28_100000")
    (target / NAME).write_bytes(bytes(MAX_BYTES))
    note_folder(target, one, "2026-11-28_100000")
    assert (target / NAME).stat().st_size == MAX_BYTES
    assert list(noted_folders(tmp_path / "nowhere")) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.timeout(20)
def test_nobody_waits_for_a_pipe_in_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    note_folder(tmp_path, beats(tmp_path / "mine" / "one"), "2026-11-28_100000")
    assert list(noted_folders(tmp_path)) == []


def test_a_folder_among_those_of_the_run_is_not_elsewhere(tmp_path: Path) -> None:
    generated = tmp_path / "generated"
    generated.mkdir()
    note_folder(generated, beats(generated / "mine"), "2026-11-28_100000")
    assert not (generated / NAME).exists()
