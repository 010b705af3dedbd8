"""The grid of a drum part: the PNG file and the report page draw the same layout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.node import RunScript
from gmd_vae.rendering import grid_png
from gmd_vae.rendering.drum_part import VOICES, DrumPart
from gmd_vae.rendering.layout import lay_out
from gmd_vae.rendering.report.beat_data import describe_beat
from gmd_vae.rendering.report.page import SCRIPTS_OF_PAGE

# draws a beat of the report into elements that only keep what they are given
DRAW = """
globalThis.HTMLElement = class { prepend(picture) { this.picture = picture; } };
const grids = given.rows.map(() => new HTMLElement());
const element = () => ({at: {}, inside: [], setAttribute(name, value) { this.at[name] = value; },
  append(one) { this.inside.push(one); }});
globalThis.document = {querySelectorAll: () => grids, createElementNS: element};
drawBeat("b0", given, 9);
print(grids.map(({picture}) => [picture.at.viewBox, picture.inside.map((one) => [one.at.class, one.at.d])]));
"""


def part(times: list[float], seconds: float, **facts: Any) -> DrumPart:
    numbers = np.arange(len(times))
    return DrumPart(np.array(times), numbers % len(VOICES), 1 + 14 * numbers % 127, seconds, **facts)


def test_rows_have_four_bars_and_hits_just_before_a_row_belong_to_it() -> None:
    layout = lay_out(part([0.0, 0.5, 7.95, 8.0, 17.9], 18.0), max_bars=16, max_rows=16)
    assert [(row.first_bar, row.begin, row.end) for row in layout.rows] == [(1, 0, 16), (5, 16, 32), (9, 32, 36)]
    assert [row.hits.tolist() for row in layout.rows] == [[0, 1], [2, 3], [4]]
    assert layout.rows[2].bar_lines == [32, 36]
    assert layout.rows[2].beat_lines == [33, 34, 35]
    assert len(layout.rows[2].step_lines) == 15
    assert (layout.bars, layout.total_bars, layout.longest) == (9, 9, 16)


@pytest.mark.parametrize(
    ("limits", "bars"), [({"max_bars": 8, "max_rows": 9}, 8), ({"max_bars": 64, "max_rows": 1}, 4)]
)
def test_hits_after_the_last_row_are_left_out(limits: dict[str, int], bars: int) -> None:
    music = part(np.arange(0, 36, 0.5).tolist(), 36.0)
    layout = lay_out(music, **limits)
    assert (layout.bars, layout.total_bars) == (bars, 18)
    assert sum(len(row.hits) for row in layout.rows) == 4 * bars  # two seconds of four hits are a bar


def test_lines_that_are_too_close_are_not_drawn() -> None:
    (row,) = lay_out(part([0.0], 0.1, meters=((0.0, 255, 1),)), max_bars=1, max_rows=1).rows
    assert (row.bar_lines, row.step_lines) == ([0, 1020], [])
    assert len(row.beat_lines) == 254


def test_the_picture_and_the_page_show_the_same_rectangles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_script: RunScript
) -> None:
    boxes: list[tuple[float, float, float, float]] = []  # left, bottom, width, height; quarter notes and lanes
    real = grid_png._draw_hits

    def spy(axes: Any, *rest: Any) -> None:
        real(axes, *rest)
        start = axes.get_xlim()[0]
        for path in axes.collections[-1].get_paths():
            left, bottom = path.vertices[0]
            right, top = path.vertices[2]
            boxes.append((left - start, bottom, right - left, top - bottom))

    monkeypatch.setattr(grid_png, "_draw_hits", spy)
    music = part([0.0, 0.13, 0.5, 1.7, 7.97, 8.0, 9.25, 17.9], 18.0)
    grid_png.write_png(music, tmp_path / "x.png", "x")
    on_page, lines = [], []
    scripts = [script for script in SCRIPTS_OF_PAGE if script.stem != "page"]
    for box, paths in run_script(scripts, DRAW, describe_beat(music, b"").drawn):
        assert box == f"0 0 16 {len(VOICES)}"
        for name, path in paths:
            if name in ("bars", "beats"):
                lines.append((name, path))
                continue
            for x, y, width, height in re.findall(r"M(\S+) (\S+?)h(.+?)v(.+?)h-.+?z", path):
                bottom = len(VOICES) - (float(y) + float(height))
                on_page.append((float(x), bottom, float(width), float(height)))
    assert lines[1] == ("bars", "M4 0v9M8 0v9M12 0v9")
    assert lines[-1] == ("bars", "M4 0v9"), "the end of a row that is shorter than others"
    assert len(boxes) == len(on_page) == music.hits
    for picture, page in zip(sorted(boxes), sorted(on_page), strict=True):
        assert page == pytest.approx(picture, abs=0.01)
