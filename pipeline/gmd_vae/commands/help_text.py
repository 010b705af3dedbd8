"""The layout of ``--help``: lines that break between words only, and the examples last, after the options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

import click

_HYPHEN, _UNBROKEN = "-", "\N{NON-BREAKING HYPHEN}"
_EXAMPLES = "\b\nExamples:\n"
_CONTINUED = " \\"


class _Formatter(click.HelpFormatter):
    """Breaks no line within a word: the hyphens of ``general-midi`` are no place to break it."""

    def write_text(self, text: str) -> None:
        super().write_text(text.replace(_HYPHEN, _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, text.replace(_HYPHEN, _UNBROKEN)) for name, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        return super().getvalue().replace(_UNBROKEN, _HYPHEN)


class HelpContext(click.Context):
    """The context of a command with this layout."""

    formatter_class = _Formatter


class _Layout(click.Command):
    """Writes the text of a docstring, the options, and then the examples, which end the docstring."""

    context_class = HelpContext

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the docstring up to its examples."""
        text = inspect.cleandoc(self.help or "").partition(_EXAMPLES)[0]
        if text:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(text)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the examples, each as a command that a shell reads as it stands."""
        examples = inspect.cleandoc(self.help or "").partition(_EXAMPLES)[2]
        if examples:
            with formatter.section("Examples"):
                for example in inspect.cleandoc(examples).splitlines():
                    for line in _wrapped(example, formatter.width - formatter.current_indent):
                        formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)


class HelpCommand(_Layout):
    """A command whose examples follow its options in ``--help``."""


class HelpGroup(_Layout, click.Group):
    """A group of commands whose examples follow its options and commands in ``--help``."""

    command_class = HelpCommand


def _wrapped(command: str, width: int) -> list[str]:
    """Returns a command in lines of at most this width, continued by a backslash before an option."""
    lines = [""]
    for words in re.split(r" (?=-)", command):
        longer = f"{lines[-1]} {words}" if lines[-1] else words
        if len(longer) + len(_CONTINUED) <= width or longer == words:
            lines[-1] = longer
        else:
            lines[-1] += _CONTINUED
            lines.append(f"    {words}")
    return [command] if len(command) <= width else lines
