"""Pictures, sounds and pages are replaced only if gmd-vae wrote them and nobody changed them."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import pytest
from gmd_vae.common.charts import drawing
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.own_files import add_mark, check_writable


def make(path: Path) -> bytes:
    """Writes a marked file of the format of its ending; returns its bytes."""
    if path.suffix == ".png":
        with drawing(path, width=2, height=1):
            pass
    elif path.suffix == ".wav":
        with wave.open(str(path), "wb") as stream:
            stream.setparams((2, 2, 44_100, 0, "NONE", ""))
            stream.writeframes(b"abcd" * 100)
        add_mark(path)
    else:
        path.write_text("<!doctype html>\n")
        add_mark(path)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.png", "a.wav", "a.html"])
def test_an_own_file_may_be_replaced_and_a_changed_one_may_not(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    check_writable(path, option="--output")
    data = make(path)
    check_writable(path, option="--output")
    for place in (0, len(data) // 2, len(data) - 30, len(data) - 1):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(GmdVaeError, match="Choose another --output, or move it away"):
            check_writable(path, option="--output")
    for other in (data + b"x", data[:-1], data[:10], b""):
        path.write_bytes(other)
        with pytest.raises(GmdVaeError, match="gmd-vae did not write it or it was changed since"):
            check_writable(path, option="--output")


@pytest.mark.parametrize("name", ["a.png", "a.wav", "a.html"])
def test_the_same_file_has_the_same_bytes(tmp_path: Path, name: str) -> None:
    assert make(tmp_path / name) == make(tmp_path / f"second-{name}")


def test_other_programs_read_marked_files(tmp_path: Path) -> None:
    from PIL import Image

    make(tmp_path / "a.png")
    make(tmp_path / "a.wav")
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert picture.size == (240, 120)
        assert picture.info["Software"].startswith("gmd-vae sha256:")
    with wave.open(str(tmp_path / "a.wav")) as sound:
        assert sound.readframes(1000) == b"abcd" * 100
    size = (tmp_path / "a.wav").stat().st_size
    assert int.from_bytes((tmp_path / "a.wav").read_bytes()[4:8], "little") == size - 8


def test_links_folders_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nothing")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    for name in ("link", "broken", "folder", "pipe"):
        with pytest.raises(GmdVaeError, match=f"{name}.png"):
            check_writable(tmp_path / f"{name}.png", option="--png")


def test_an_input_is_not_replaced(tmp_path: Path) -> None:
    make(tmp_path / "a.png")
    os.link(tmp_path / "a.png", tmp_path / "same.png")
    with pytest.raises(UsageError, match="is an input"):
        check_writable(tmp_path / "same.png", inputs=[tmp_path / "gone", tmp_path / "a.png"], option="--png")
