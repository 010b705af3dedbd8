"""The charts of a result: whole pictures, equal bytes for equal results, also where figures are missing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.results import made_up_result, result_json, without_figures
from gmd_vae.evaluation import plots
from gmd_vae.evaluation.plots import draw_all
from gmd_vae.evaluation.result import Result
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

NAMES = ["confusion.png", "bars.png", "novelty.png", "interpolation.png"]


def draw(result: Result, folder: Path) -> dict[str, bytes]:
    paths = draw_all(result, folder)
    assert [path.name for path in paths] == NAMES
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)
    for path in paths:
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert image.info.get("Software") is None
            image.load()
            assert 400 < image.height < image.width < 2000
    return {path.name: path.read_bytes() for path in paths}


def axes_of(name: str, result: Result) -> Any:
    """Draws one chart, by its name, into new axes."""
    axes = Figure().subplots()
    next(chart for chart in plots._charts(result) if chart.name == name).draw(axes)
    return axes


def labels(axes: Any) -> list[str]:
    return [entry.get_text() for entry in axes.get_legend().get_texts()]


def test_the_same_result_gives_the_same_bytes(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    result = made_up_result(16, run="runs/" + "a_$very$_long_name_日本/" * 9)
    first = draw(result, tmp_path)
    assert draw(result, tmp_path) == first  # in place of those before
    assert [str(warning.message) for warning in recwarn] == []


def test_where_there_is_nothing_the_chart_shows_no_data(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    content = result_json()
    content |= {part: without_figures(content[part]) for part in ("reconstruction", "latent")}
    for part in ("samples", "held_out"):
        content["novelty"][part]["steps"]["histogram"] = [0]
    undefined = Result.from_json(content)
    draw(undefined, tmp_path)
    assert [str(warning.message) for warning in recwarn] == []
    for name in ("bars", "novelty", "interpolation"):
        assert not axes_of(name, undefined).has_data()
    content["latent"]["interpolation"] = {"latent": None, "data": None}
    assert not axes_of("interpolation", Result.from_json(content)).has_data()


def test_charts_without_figures_are_not_drawn(tmp_path: Path) -> None:
    paths = draw_all(made_up_result(reconstruction={}), tmp_path)
    assert [path.name for path in paths] == ["novelty.png", "interpolation.png"]


def test_a_long_name_keeps_its_end() -> None:
    assert plots._describe_run(made_up_result()) == "runs/small, step 6,800, test"
    short = plots._describe_run(made_up_result(run="runs/" + "long/" * 20 + "last"))
    assert re.fullmatch(r"….*/long/last, step 6,800, test", short)
    assert len(short) == plots._NOTE_WIDTH


def test_confusion_shows_each_share_and_says_where_there_is_no_hit() -> None:
    content = result_json(voices=["kick", "snare"])
    free = content["reconstruction"]["free_running"]
    free["voices"] = [free["voices"][0] | {"hits": 12_000}, free["voices"][1] | {"hits": 0}]
    free["confusion"] = [[0.75, 0.2, 0.05], [None, None, None]]
    axes = axes_of("confusion", Result.from_json(content))
    assert [text.get_text() for text in axes.texts] == ["0.75", "0.20", "0.05", "no true hit"]
    assert [text.get_color() for text in axes.texts][:2] == ["white", "black"]  # on dark and on pale blue
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["kick (12,000)", "snare (0)"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["kick", "snare", "nothing"]


def test_bars_show_the_intervals_of_all_predictions() -> None:
    content = result_json()
    del content["reconstruction"]["free_running_sampled"]
    content["reconstruction"]["silence"]["bars"][1] = {"value": 0.25, "low": None, "high": None}
    axes = axes_of("bars", Result.from_json(content))
    names = ["teacher-forced", "free-running", "nearest training window", "previous bar, copied", "most frequent step"]
    assert labels(axes) == [*names, "silence"]
    line, (lower, _), (sticks,) = axes.containers[1]  # free-running: 0.502 in the first bar
    assert line.get_ydata()[0] == pytest.approx(0.502)
    assert sticks.get_segments()[0][:, 1] == pytest.approx([0.487, 0.517])
    silence = axes.containers[-1][2][0].get_segments()
    assert silence[1][0, 1] == silence[1][1, 1] == 0.25  # a point without an interval
    assert lower.get_ydata()[0] == pytest.approx(0.487)


def test_no_two_predictions_look_the_same_without_colours() -> None:
    looks = [(marker, json.dumps(line)) for _, marker, line in plots._LOOKS.values()]
    assert len(set(looks)) == len(looks)
    assert set(plots._LOOKS) == set(plots._TITLES)


def test_novelty_shows_shares_of_each_set() -> None:
    """By hand: 4 samples, 3 of them copies; 10 held-out windows at distances of 1 and 2."""
    content = result_json()
    samples, held_out = content["novelty"]["samples"], content["novelty"]["held_out"]
    samples["copies"] = {"value": 0.75, "low": 0.3, "high": 0.95}
    samples["steps"] |= {"histogram": [3, 1], "median": 0.0}
    held_out["copies"] = {"value": 0.0, "low": None, "high": None}
    held_out["steps"] |= {"histogram": [0, 5, 5], "median": None}
    axes = axes_of("novelty", Result.from_json(content))
    assert labels(axes) == ["4 samples; copies: 0.750 [0.300, 0.950]", "10 held-out windows; copies: 0.000"]
    assert [list(steps.get_data().values) for steps in axes.patches] == [[0.75, 0.25, 0], [0, 0.5, 0.5]]
    assert list(axes.patches[0].get_data().edges) == [-0.5, 0.5, 1.5, 2.5]
    assert axes.get_xlabel() == "differing steps, of 64"
    assert axes.get_ylim()[1] > 0.75


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300).filter(any), st.integers(0, 300))
def test_the_histogram_counts_every_window(counts: list[int], more: int) -> None:
    longest = len(counts) + more  # the other set reaches farther
    shares, edges = plots._histogram(counts, longest)
    assert sum(shares) == pytest.approx(1)
    assert len(shares) == len(edges) - 1 <= plots._STEPS
    assert edges[0] == -0.5
    assert edges[-1] >= longest - 0.5


def test_interpolation_shows_both_ways_with_their_bands() -> None:
    axes = axes_of("interpolation", made_up_result())
    assert labels(axes) == ["through latent space", "steps mixed"]
    assert list(axes.lines[1].get_xdata()) == pytest.approx([point / 10 for point in range(11)])
    assert list(axes.lines[1].get_ydata()) == pytest.approx([point / 10 for point in range(11)])
    assert len(axes.collections) == 2
    assert "means of 98 pairs" in axes.get_title(loc="right")
