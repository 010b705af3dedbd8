"""The layout of ``--help``: 78 columns are those of a terminal of 80."""

from __future__ import annotations

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


HELP = {width: {context.command_path: context.get_help() for context in _contexts(width)} for width in (78, 100, 1000)}


@pytest.mark.parametrize("command", HELP[78])
def test_no_word_is_broken_and_no_line_is_too_long(command: str) -> None:
    words = set(HELP[1000][command].split())
    for width in (78, 100):
        text = HELP[width][command]
        assert set(text.split()) - {"\\"} == words
        assert [line for line in text.splitlines() if len(line) > width and " " in line.strip()] == []


@pytest.mark.parametrize("command", [command for command in HELP[78] if command != "gmd-vae"])
def test_at_most_five_examples_follow_the_options(command: str) -> None:
    _, options, rest = HELP[78][command].partition("\nOptions:\n")
    options, heading, examples = rest.partition("\nExamples:\n")
    assert "--help" in options
    assert heading
    commands = examples.replace("\\\n", "").splitlines()
    assert 1 <= sum(line.startswith("  gmd-vae ") for line in commands) <= 5
    assert all(line.startswith(("  gmd-vae ", "  # ")) for line in commands)
