"""The notebook about the latent space: it runs from top to bottom without TensorFlow, and shows what its text says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.notebooks import check_format, execute, printed, read, shown

NAME = "latent_space.ipynb"
CLOSE = "import sys; print('TensorFlow' if 'tensorflow' in sys.modules else 'no TensorFlow')"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("latent")


@pytest.fixture(scope="module")
def cells(home: Path) -> dict[str, Any]:
    """The cells by id, after all of them ran in ``home``."""
    import nbformat

    notebook = read(NAME)
    notebook.cells.append(nbformat.v4.new_code_cell(CLOSE, id="close"))
    execute(notebook, home, {})
    return {cell.id: cell for cell in notebook.cells}


def test_it_is_a_valid_notebook_without_outputs() -> None:
    check_format(NAME)


def test_beats_can_be_seen_and_played(cells: dict[str, Any]) -> None:
    assert shown(cells["sample"]) == ["picture", "player", "player"]
    assert shown(cells["arithmetic"]) == ["picture", "player"]
    assert shown(cells["humanize"]) == ["player"] * 3
    for name in ("decode", "interpolate", "map", "neighbours", "arrows", "vary"):
        assert shown(cells[name]) == ["picture"], name
    assert printed(cells["close"]) == "no TensorFlow\n"


def test_its_figures_are_those_that_the_text_says(cells: dict[str, Any]) -> None:
    assert "latent vector of 128 numbers" in printed(cells["load"])
    assert "shape: (1, 128)" in printed(cells["encode"])
    assert 5 < _numbers(cells["map"])[0] < 25  # "only a small part of all differences"
    nearest, farthest = _numbers(cells["neighbours"])
    assert nearest < farthest - 5
    hits = {name: _drums(cells[name]) for name in ("difference", "regression")}
    for before, after in hits.values():
        assert after["ride"] > before["ride"] + 4
    lost = {name: before["closed hi-hat"] - after["closed hi-hat"] for name, (before, after) in hits.items()}
    assert lost["difference"] > 1.5
    assert abs(lost["regression"]) < 0.5


def test_its_beats_are_midi_files(cells: dict[str, Any], home: Path) -> None:
    files = sorted((home / "latent-space").glob("*.mid"))
    assert printed(cells["save"]).split() == [file.name for file in files]
    assert len(files) == 12
    assert len({file.read_bytes() for file in files}) == 12
    assert {file.read_bytes()[:4] for file in files} == {b"MThd"}


def _numbers(cell: Any) -> list[int]:
    return [int(number) for number in re.findall(r": (\d+)", printed(cell))]


def _drums(cell: Any) -> list[dict[str, float]]:
    """Hits a bar by drum, before and after."""
    lines = printed(cell).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["before", "after"]
    return [{name: float(hits) for name, hits in re.findall(r"(\w[a-z -]*) ([\d.]+)", line)} for line in lines]
