"""The recordings of the commands: the same code gives the same text, at any width."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fixtures.tool_module import load_tool
from gmd_vae.cli import COMMANDS

TOOL = load_tool("record_commands")


def test_every_command_is_recorded() -> None:
    recorded = {line.split()[1] for line in TOOL.SESSION if " " in line}
    assert recorded == COMMANDS.keys() - {"doctor"}


def test_a_session_is_recorded_twice_with_the_same_text(tmp_path: Path) -> None:
    session = ["gmd-vae fetch starter", "gmd-vae train --config nothing", "gmd-vae models"]
    texts = []
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
        texts.append(TOOL.record(60, session, tmp_path / name))
    assert texts[0] == texts[1]
    lines = texts[0].splitlines()
    assert [line for line in lines if line.startswith("$ ")] == [f"$ {line}" for line in session]
    assert "Next: gmd-vae convert data/raw/starter" in lines
    assert lines.count("[exit status 2]") == 1
    assert max(map(len, lines[1:])) <= 60


@pytest.mark.parametrize("columns", TOOL.COLUMNS)
def test_the_recordings_of_the_documentation_are_those_of_this_code(columns: int) -> None:
    recorded = _screens((TOOL.TARGET / f"{columns}.txt").read_text(encoding="utf-8"))
    assert list(recorded) == TOOL.SESSION
    session = [line for line in TOOL.SESSION if line not in TOOL.OF_THE_RUN]
    assert len(session) > len(TOOL.SESSION) / 2
    with TOOL.session_folder() as folder:
        screens = _screens(TOOL.record(columns, session, folder))
    for line in session:
        assert screens[line] == recorded[line], "Run tools/record_commands.py, and read what changed"


def _screens(recording: str) -> dict[str, str]:
    """The text of each screen by its command line."""
    screens = ("\n" + recording.partition("\n\n")[2]).split("\n$ ")
    return dict(screen.split("\n", 1) for screen in screens[1:])


def test_a_line_of_the_session_is_one_of_the_run_or_needs_no_training() -> None:
    assert set(TOOL.OF_THE_RUN) < set(TOOL.SESSION)
    trained = [line for line in TOOL.SESSION if "tiny" in line]
    assert trained
    assert set(trained) < set(TOOL.OF_THE_RUN)


def test_a_part_of_the_session_does_not_replace_the_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["record_commands.py", "--only", "fetch"])
    with pytest.raises(SystemExit, match="2"):
        TOOL.main()


@pytest.mark.parametrize(
    ("line", "stable"),
    [
        ("Run: runs/a, the newest of 2 (started 2026-11-29 23:01 UTC)", "Run: runs/a, the newest of 2 (started DATE)"),
        ("step 20/20  12.3 steps/s  2 min 03 s left", "step 20/20  N steps/s  TIME left"),
        ("Wrote /work/x/studio.html (3.7 MB, groove)", "Wrote /home/you/my-music/studio.html (N MB, groove)"),
        ("checkpoint  13.6 MB", "checkpoint  13.6 MB"),
        ("CPU time          4 s", "CPU time          TIME"),
        (f"gmd-vae 1.2.3, commit {'ab' * 20} with changes", "gmd-vae VERSION, commit DIGEST"),
        ("at step 20, loss 399.2", "at step 20, loss 399.2"),
    ],
)
def test_what_differs_from_run_to_run_is_replaced(line: str, stable: str) -> None:
    assert TOOL._stable(line, Path("/work/x")) == stable
