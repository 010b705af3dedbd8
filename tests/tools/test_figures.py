"""The figures of the documentation: those of the pages follow from the stored results, and a wrong one is found."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import ROOT, environment
from fixtures.results import result_json
from fixtures.started_runs import write_run
from fixtures.tool_module import load_tool

tool = load_tool("figures")


@pytest.fixture(scope="module")
def text() -> str:
    """Two pages as one, with a figure in a sentence and a table."""
    return "\n".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("first-model.md", "data.md"))


@pytest.fixture(scope="module")
def wanted() -> dict[str, str]:
    contents: dict[str, str] = tool.contents(json.loads(tool.STORE.read_text(encoding="utf-8")), tool.cards())
    return contents


def test_every_figure_has_a_place(wanted: dict[str, str]) -> None:
    placed = [name for page in tool.PAGES for _, name, *_ in tool.BLOCK.findall(page.read_text(encoding="utf-8"))]
    assert set(placed) == set(wanted)


def test_no_line_begins_with_the_figure_of_a_sentence() -> None:
    """Markdown takes such a line for HTML: the paragraph ends before it, and its links are shown as text."""
    line = re.compile(r"^\s*<!-- figures: [^>]*-->.+$", re.MULTILINE)
    assert {page.name: line.findall(page.read_text(encoding="utf-8")) for page in tool.PAGES} == {
        page.name: [] for page in tool.PAGES
    }


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("-->56.1%<!--", "-->56.2%<!--", "page.md: 'copied bar' differs from the results"),
        ("| train | 897 |", "| train | 898 |", "page.md: 'windows' differs from the results"),
        ("figures: copied bar", "figures: copied bars", "page.md: there are no figures 'copied bars'"),
    ],
)
def test_a_wrong_figure_is_found(
    old: str, new: str, line: str, text: str, wanted: dict[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    assert text.count(old) == 1
    page.write_text(text.replace(old, new), encoding="utf-8")
    assert tool.check([page], wanted) == [line]
    page.write_text(text.replace("<!-- end -->", "", 1), encoding="utf-8")
    assert any("places" in each for each in tool.check([page], wanted))


def test_other_results_are_written_into_the_pages(text: str, wanted: dict[str, str]) -> None:
    assert tool.apply(text, wanted) == text
    changed = tool.apply(text, {**wanted, "copied bar": "57.0%", "windows": "| a |\n| --- |\n| 1 |"})
    assert "-->57.0%<!--" in changed
    assert "<!-- figures: windows -->\n\n| a |\n| --- |\n| 1 |\n\n<!-- end -->" in changed
    assert tool.apply(changed, wanted) == text


def test_measured_baselines_are_those_of_the_cards(wanted: dict[str, str]) -> None:
    """A card has the baselines as `evaluate` measured them; this tool measures them without a model."""
    measured = json.loads(tool.STORE.read_text(encoding="utf-8"))["baselines"]
    card = tool.cards()["groove-4bar"].figures
    for name in ("silence", "most_frequent_step", "previous_bar", "nearest_training"):
        for figure in ("step_accuracy", "cell_accuracy"):
            of_card = card[f"reconstruction.{name}"][figure]
            assert measured[name][figure] == {
                "value": pytest.approx(of_card.value),
                "low": pytest.approx(of_card.low),
                "high": pytest.approx(of_card.high),
            }


def test_windows_and_baselines_are_measured(starter_notes: Path, starter_examples: Path) -> None:
    found = tool.measure(starter_notes, starter_examples)
    counts = json.loads((starter_examples / "manifest.json").read_text())["splits"]
    assert {name: split["examples"] for name, split in found["windows"].items()} == {
        name: counts[name]["examples"] for name in ("train", "validation", "test")
    }
    assert 0 < found["baselines"]["previous_bar"]["step_accuracy"]["value"] < 1
    assert set(found["measured"]) >= {"version", "machine", "python", "seed", "resamples"}


def test_a_result_is_taken_over_with_commit_and_seed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", None)
    described: dict[str, Any] = json.loads((run / "run.json").read_text())
    described["code"] = {"version": "0.15.0", "commit": "c" * 40, "clean": True}
    described["starts"] = [{"time": "", "device": "CPU"}]
    (run / "run.json").write_text(json.dumps(described))
    with pytest.raises(SystemExit, match="has no result: run 'gmd-vae evaluate"):
        tool.of_run(run)
    (run / "eval" / "test-3").mkdir(parents=True)
    (run / "eval" / "test-3" / "result.json").write_text(json.dumps(result_json()))
    found = tool.of_run(run)
    assert found["trained"] == {
        "commit": "c" * 40,
        "clean": True,
        "version": described["versions"]["gmd-vae"],
        "seed": 0,
        "device": "CPU",
    }
    assert found["free_running"]["step_accuracy"]["value"] == 0.485
    assert found["free_running"]["accuracy_drop"]["value"] == -0.034
    assert found["temperatures"] == {"samples": 1.0, "samples_usual": 0.5}
    store = json.loads(tool.STORE.read_text(encoding="utf-8"))
    store["runs"]["make train"] = found
    assert tool.contents(store, tool.cards())["make train, free-running"] == "48.5%"


def test_runs_of_several_seeds_become_means_with_extremes() -> None:
    store = json.loads(tool.STORE.read_text(encoding="utf-8"))
    runs = store["seeds"]["make train"]
    accuracies = [run["free_running"]["step_accuracy"]["value"] for run in runs]
    row = next(
        line for line in tool.contents(store, tool.cards())["seeds"].splitlines() if line.startswith("| `make train`")
    )
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[1] == "0, 1, 2"
    assert cells[3] == f"{sum(accuracies) / 3:.3f} ({min(accuracies):.3f} to {max(accuracies):.3f})"
    store["seeds"]["make train"] = runs[:1]
    (alone,) = (line for line in tool.contents(store, tool.cards())["seeds"].splitlines() if "`make train`" in line)
    assert f"{accuracies[0]:.3f} ({accuracies[0]:.3f} to {accuracies[0]:.3f})" in alone


def test_one_folder_is_no_set_of_seeds() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools/figures.py", "--seeds", "make train", "runs/one"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.endswith("--seeds takes a name and at least two folders\n")


def test_windows_of_another_config_are_refused(starter_notes: Path, starter_examples: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(starter_examples, copy)
    content = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**content, "config": "flat-drum_4bar_small"}))
    with pytest.raises(tool.GmdVaeError, match="holds windows of 'flat-drum_4bar_small'"):
        tool.measure(starter_notes, copy)
