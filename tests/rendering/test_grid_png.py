"""The PNG picture of a drum part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures.drum_parts import METERS, TEMPOS, changing_part, steady_part
from gmd_vae.rendering import grid_png
from gmd_vae.rendering.drum_part import DrumPart
from gmd_vae.rendering.grid_png import MAX_BARS, write_png
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.info.get("Software") is None
        image.load()
        return image.size


def test_the_picture_grows_with_the_music(tmp_path: Path) -> None:
    heights = []
    for bars, drawn in ((1, 1), (4, 4), (5, 5)):
        assert write_png(steady_part(2.0 * bars), tmp_path / "x.png", "x") == (drawn, bars)
        heights.append(size(tmp_path / "x.png")[1])
    assert heights[0] == heights[1] < heights[2]


def test_the_same_part_gives_the_same_bytes(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    title = "a $very$ long_name 日本 " * 20
    for name in ("a.png", "b.png"):
        write_png(steady_part(9), tmp_path / name, title)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert [str(warning.message) for warning in recwarn] == []


def test_every_hit_is_drawn_once_at_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[float, float]] = []
    real = grid_png._draw_hits

    def spy(axes: Any, *rest: Any) -> None:
        real(axes, *rest)
        for path in axes.collections[-1].get_paths():
            drawn.append((path.vertices[0, 0], int(path.vertices[0, 1])))

    monkeypatch.setattr(grid_png, "_draw_hits", spy)
    music = steady_part(20)
    early = DrumPart(music.times - 0.01 * (music.times > 0), music.voices, music.velocities, 20)
    write_png(early, tmp_path / "x.png", "x")
    assert [voice for _, voice in drawn] == early.voices.tolist()
    assert [x for x, _ in drawn] == pytest.approx((2 * early.times).tolist())


def test_labels_stand_beside_the_numbers_of_their_bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[list[tuple[float, str]]] = []
    real = grid_png._draw_hits

    def spy(axes: Any, *rest: Any) -> None:
        rows.append([(text.get_position()[0], text.get_text()) for text in axes.texts])
        real(axes, *rest)

    monkeypatch.setattr(grid_png, "_draw_hits", spy)
    write_png(steady_part(16), tmp_path / "x.png", "x", {1: "start", 5: "1/7", 7: "$x$ is no formula"})
    assert [[text for _, text in row] for row in rows] == [
        ["1", "start", "2", "3", "4"],
        ["5", "1/7", "6", "7", "$x$ is no formula", "8"],
    ]
    for row in rows:  # none covers another
        assert [x for x, _ in row] == sorted({x for x, _ in row})


@settings(max_examples=3, deadline=None)
@given(METERS, TEMPOS, st.floats(0, 3))
def test_any_meter_and_tempo_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory,
    meters: list[tuple[float, int, int]],
    tempos: list[tuple[float, float]],
    seconds: float,
) -> None:
    path = tmp_path_factory.mktemp("odd") / "x.png"
    drawn, total = write_png(changing_part(meters, tempos, seconds), path, "odd")
    assert 1 <= drawn <= min(total, MAX_BARS)
    assert max(size(path)) < 7_000
