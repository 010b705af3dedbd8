"""Writes docs/cli.md: the --help of every command. Usage: python tools/cli_reference.py [FILE]"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from gmd_vae.cli import cli
from gmd_vae.commands.help_text import HelpContext

TARGET = Path(__file__).parent.parent / "docs" / "cli.md"
WIDTH = 100  # fixed, so that the file does not depend on the terminal
HEAD = """\
# Commands

The output of `--help`, written by `make docs`. Change the text in `pipeline/gmd_vae/commands/`, not here.
[What --json prints](reference/json.md) has the keys of `--json`.
"""


def reference() -> str:
    """Returns the content of docs/cli.md."""
    parts = [HEAD]
    for context in _contexts(HelpContext(cli, info_name="gmd-vae", terminal_width=WIDTH, **cli.context_settings)):
        depth = 2 if context.parent is None or context.parent.parent is None else 3
        parts.append(f"{'#' * depth} {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n")
    return "\n".join(parts)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    """Yields a command and all commands below it in their order."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _contexts(HelpContext(command, context, info_name=name, terminal_width=WIDTH))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(reference(), encoding="utf-8")
