"""The grid of a beat on the report page, and the data of its player."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.rendering.drum_part import DrumPart
from gmd_vae.rendering.report.grid_svg import draw_grid


def part(**changes: Any) -> DrumPart:
    times = np.asarray(changes.pop("times", [0.0, 0.5]))
    voices = np.asarray(changes.pop("voices", [0] * len(times)), np.int64)
    velocities = np.asarray(changes.pop("velocities", [100] * len(times)), np.int64)
    return DrumPart(times, voices, velocities, changes.pop("seconds", 2.0), **changes)


def test_a_grid_has_rows_of_four_bars_and_a_hit_before_a_row_belongs_to_it() -> None:
    grid = draw_grid(part(times=[0.0, 7.97, 8.0, 17.9], voices=[0, 7, 0, 1], seconds=18.0))
    assert grid.player["rows"] == [[0, 16], [16, 32], [32, 36]]
    assert [row.width for row in grid.rows] == [640, 640, 640]  # to the same scale
    assert "M160 0" in grid.rows[2].bars  # where the last bar ends
    assert [[voice for voice, *_ in row.hits] for row in grid.rows] == [[0], [0, 7], [1]]
    assert grid.facts == "120 bpm · 9 bars · 4 hits"
    assert "kick 2, snare 1, crash 1" in grid.description
    assert grid.player["bars"][-1] == [18_000, 36.0]


def test_loud_hits_are_taller_and_brighter() -> None:
    grid = draw_grid(part(velocities=[20, 127]))
    (soft, loud) = grid.rows[0].hits
    assert (soft[1], loud[1]) == (0, 3)
    heights = [float(re.findall(r"v([\d.]+)h-", path)[0]) for *_, path in (soft, loud)]
    assert heights[0] < 4 < 9 < heights[1]


def test_tempos_and_meters_are_kept() -> None:
    grid = draw_grid(part(tempos=((0.0, 60.0), (3.0, 120.0)), meters=((0.0, 3, 4),), times=[0.0, 3.5], seconds=4.5))
    assert grid.facts == "60 to 120 bpm · 3/4 · 2 bars · 2 hits"
    assert grid.player["bars"] == [[0, 0.0], [3000, 3.0], [4500, 6.0]]


def test_long_music_is_cut_and_too_many_hits_are_refused() -> None:
    grid = draw_grid(part(times=np.arange(0, 80, 0.5), seconds=80.0))
    assert "first 16 of 40 bars" in grid.facts
    assert len(grid.player["times"]) == 64
    with pytest.raises(GmdVaeError, match="too many to draw"):
        draw_grid(part(times=np.linspace(0, 2, 5_000)))


def test_silence_has_an_empty_grid() -> None:
    grid = draw_grid(part(times=[], voices=[], velocities=[]))
    assert "Silence." in grid.description
    assert grid.player["times"] == []
