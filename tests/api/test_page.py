"""The examples of docs/python.md, run in their order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_examples_run_and_print_what_their_comments_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(BLOCKS) >= 6
    names: dict[str, object] = {}
    for block in BLOCKS:
        if "gmd_vae.train(" in block:  # needs examples and minutes: tests/api/test_training.py
            continue
        exec(compile(block, PAGE.name, "exec"), names)
    said = re.findall(r"^ *print\(.*\)  # (.*)", "\n".join(BLOCKS), re.MULTILINE)
    assert len(said) >= 2
    assert capsys.readouterr().out.splitlines() == said
    assert {path.name for path in tmp_path.iterdir()} == {"beat.mid", "straight.mid", "played.mid"}
