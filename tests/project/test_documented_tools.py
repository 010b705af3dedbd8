"""The lines `python tools/NAME.py OPTIONS` in the documentation parse. Nothing else of a tool is run."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from pathlib import Path

import pytest
from fixtures.documented_commands import pieces
from fixtures.tool_module import load_tool

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


class _ParsedError(Exception):
    """Stops a tool when its arguments are parsed."""


def _tool_lines() -> list[str]:
    """The lines in the pages, from the name of the tool on; without those that only name a tool."""
    found = []
    for page in PAGES:
        for piece in pieces(page.read_text(encoding="utf-8")):
            for line in piece.replace("\\\n", " ").splitlines():
                if (match := re.match(r"python tools/(\w+\.py .+)", line)) is not None:
                    found.append(match[1])
    return list(dict.fromkeys(found))


def _parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parses a line with the parser of the tool's `main`."""
    script, *words = shlex.split(line, comments=True)
    parse_args = argparse.ArgumentParser.parse_args

    def parse_only(self: argparse.ArgumentParser, arguments: list[str] | None = None) -> None:
        parse_args(self, arguments)
        raise _ParsedError

    tool = load_tool(script.removesuffix(".py"))
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_only)
    monkeypatch.setattr(sys, "argv", [script, *words])
    with pytest.raises(_ParsedError):
        tool.main()


@pytest.mark.parametrize("line", _tool_lines(), ids=lambda line: line[:60])
def test_every_line_parses(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _parse(line, monkeypatch)


def test_a_wrong_line_would_be_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(_tool_lines()) > 5
    with pytest.raises(SystemExit):
        _parse("check_links.py --lost", monkeypatch)
    assert "unrecognized arguments: --lost" in capsys.readouterr().err
