"""The layout of ``--help``: 78 columns are those of a terminal of 80, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from gmd_vae.cli import cli
from gmd_vae.commands.help_text import HelpContext


def _contexts(width: int, context: click.Context | None = None) -> Iterator[click.Context]:
    context = context or HelpContext(cli, info_name="gmd-vae", terminal_width=width)
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _contexts(width, HelpContext(command, context, info_name=name, terminal_width=width))


WIDTHS = (38, 48, 78, 100, 118)
HELP = {width: {context.command_path: context.get_help() for context in _contexts(width)} for width in (*WIDTHS, 1000)}


def _words(text: str) -> set[str]:
    """The words of a help text; those of a choice, ``[a|b]``, may stand on several lines."""
    return set(re.split(r"[\s|]+", text)) - {"\\", "#", ""}


@pytest.mark.parametrize("command", HELP[78])
def test_no_word_is_broken_and_no_line_is_too_long(command: str) -> None:
    for width in WIDTHS:
        text = HELP[width][command]
        assert _words(text) == _words(HELP[1000][command])
        # a long word, such as a path, stands alone; two columns are the margin of a terminal
        too_long = [line for line in text.splitlines() if len(line) > width + 2 and " " in line.strip(" \\")]
        assert too_long == []


@pytest.mark.parametrize("columns", [32, 40, 80, 120])
def test_the_width_is_that_of_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    context = HelpContext(cli, info_name="gmd-vae", max_content_width=100)
    assert context.make_formatter().width == min(columns, 100) - 2


def test_narrow_examples_are_the_same_commands() -> None:
    """A shell joins the lines again: no example is broken within quotes."""
    for command, text in HELP[38].items():
        examples = text.partition("\nExamples:\n")[2]
        narrow = [" ".join(line.split()) for line in examples.replace("\\\n", "").splitlines() if "#" not in line]
        wide = HELP[1000][command].partition("\nExamples:\n")[2].splitlines()
        assert narrow == [line.strip() for line in wide if "#" not in line]


@pytest.mark.parametrize("command", [command for command in HELP[78] if command != "gmd-vae"])
def test_at_most_five_examples_follow_the_options(command: str) -> None:
    _, options, rest = HELP[78][command].partition("\nOptions:\n")
    options, heading, examples = rest.partition("\nExamples:\n")
    assert "--help" in options
    assert heading
    commands = examples.replace("\\\n", "").splitlines()
    assert 1 <= sum(line.startswith("  gmd-vae ") for line in commands) <= 5
    assert all(line.startswith(("  gmd-vae ", "  # ")) for line in commands)
