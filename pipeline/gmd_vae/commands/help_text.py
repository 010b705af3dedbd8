"""The layout of ``--help``: lines that break between words only, and the examples last, after the options."""

from __future__ import annotations

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable

import click
from click import formatting

from gmd_vae.common.line_breaks import wrap_command

_HYPHEN, _UNBROKEN = "-", "\N{NON-BREAKING HYPHEN}"
_EXAMPLES = "\b\nExamples:\n"
_MARGIN = 2  # columns at the right that stay empty, as in click
_LEAST_WIDTH = 30  # columns: the longest words of the help have 29 letters
_NARROW = 60  # columns: below, descriptions stand under their options


class _Formatter(click.HelpFormatter):
    """Breaks no line within a word: the hyphens of ``general-midi`` are no place to break it.

    Fills terminals of any width from 32 columns on; click's own formatter takes none to have fewer than 52.
    """

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        if width is None and formatting.FORCED_WIDTH is None:
            columns = min(shutil.get_terminal_size().columns, max_width or 80)
            width = max(columns - _MARGIN, _LEAST_WIDTH)
        super().__init__(indent_increment, width, max_width)

    def write_heading(self, heading: str) -> None:
        for line in textwrap.wrap(f"{heading}:", self.width - self.current_indent):
            self.write(f"{'':>{self.current_indent}}{line}\n")

    def write_text(self, text: str) -> None:
        super().write_text(text.replace(_HYPHEN, _UNBROKEN))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        listed = [(name, text.replace(_HYPHEN, _UNBROKEN)) for name, text in rows]
        if self.width < _NARROW and max((len(name) for name, _ in listed), default=0) > self.width // 3:
            col_max = self.indent_increment * 2
            listed = [(self._in_lines(name), text) for name, text in listed]
        super().write_dl(listed, col_max, col_spacing)

    def _in_lines(self, name: str) -> str:
        """Returns an option with its values in lines that fit, broken at spaces and after ``|``."""
        lines = [""]
        for piece in re.split(r"(?<=[ |])", name):
            if len(lines[-1]) + len(piece.rstrip()) + self.current_indent > self.width:
                lines.append(" " * (self.current_indent + self.indent_increment))
            lines[-1] += piece
        return "\n".join(line.rstrip() for line in lines)

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
                    for line in _in_lines(example, formatter.width - formatter.current_indent):
                        formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
        super().format_epilog(ctx, formatter)


class HelpCommand(_Layout):
    """A command whose examples follow its options in ``--help``, with hints for options of other programs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parses the arguments; names what takes the place of an option that does not exist."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            from gmd_vae.commands.unknown_options import hint_for

            hint = hint_for(ctx.info_name or "", error.option_name)
            if hint is None:
                raise
            raise click.UsageError(f"No such option '{error.option_name}'. {hint}", error.ctx) from None


class HelpGroup(_Layout, click.Group):
    """A group of commands whose examples follow its options and commands in ``--help``."""

    command_class = HelpCommand

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the commands, each with the whole first sentence of its help; click cuts it to one line."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(1000)) for name, one in commands if one is not None])


def _in_lines(example: str, width: int) -> list[str]:
    """Returns a command or a comment in lines of at most this width."""
    if example.startswith("#"):
        return textwrap.wrap(example, width, subsequent_indent="# ", break_long_words=False, break_on_hyphens=False)
    return wrap_command(example, width)
