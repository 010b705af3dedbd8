"""Pictures of the documentation: the chart of accuracies is that of the stored results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.tool_module import load_tool

tool: Any = load_tool("make_pictures")


def test_the_chart_of_accuracies_is_that_of_the_stored_results(tmp_path: Path) -> None:
    tool.accuracies(tmp_path)
    stored = tool.TARGET / "accuracy.svg"
    assert (tmp_path / stored.name).read_text() == stored.read_text(), "make pictures"


def test_another_result_gives_another_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = json.loads(tool.FIGURES.read_text(encoding="utf-8"))
    known["runs"]["make train"]["free_running"]["step_accuracy"]["value"] = 0.5
    monkeypatch.setattr(tool, "FIGURES", tmp_path / "figures.json")
    tool.FIGURES.write_text(json.dumps(known))
    tool.accuracies(tmp_path)
    assert (tmp_path / "accuracy.svg").read_text() != (tool.TARGET / "accuracy.svg").read_text()
