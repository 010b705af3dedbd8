"""Temporary folders of killed processes are removed, those of living ones are not."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fixtures.command_line import environment
from gmd_vae.common.scratch_folder import scratch_folder


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_removed_at_the_end_and_those_of_others_stay(place: Path) -> None:
    other = place / "gmd-vae-scratch-of-the-user"
    other.mkdir()
    with scratch_folder() as first, scratch_folder() as second:
        (first / "file").write_bytes(b"data")
        assert first != second
        assert first.is_dir()
    assert list(place.iterdir()) == [other]


def test_what_a_killed_process_leaves_is_removed_by_the_next(place: Path) -> None:
    (place / "kept").mkdir()
    (place / "kept" / "file").write_bytes(b"mine")
    script = (
        "import os, signal, sys; from gmd_vae.common.scratch_folder import scratch_folder\n"
        "with scratch_folder() as folder:\n"
        "    (folder / 'link').symlink_to(sys.argv[1])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", script, str(place / "kept")]
    subprocess.run(command, env=environment(TMPDIR=str(place)), timeout=60, check=False)
    assert len(list(place.iterdir())) == 2
    with scratch_folder() as folder:
        assert sorted(place.iterdir()) == sorted([folder, place / "kept"])
    assert (place / "kept" / "file").exists()


def test_a_link_with_such_a_name_is_left_alone(place: Path) -> None:
    (place / "kept").mkdir()
    (place / "gmd-vae-scratch-abcdefgh").symlink_to(place / "kept")
    with scratch_folder():
        pass
    assert (place / "kept").is_dir()
    assert (place / "gmd-vae-scratch-abcdefgh").is_symlink()
