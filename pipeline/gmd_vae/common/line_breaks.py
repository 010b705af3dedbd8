"""Breaks text for a terminal between words only, and never within a command, so that it can be copied."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from typing import TextIO

# A command or a name in quotes, with the punctuation around it; a command at the end of a sentence; any other word.
# An apostrophe within a word, as in "file's", opens no quotes.
_PIECES = re.compile(r"(?<=: )gmd-vae .*|(?:(?<!\w)'[^']*'(?!\w)|\S)+")
_SHELL_WORDS = re.compile(r"""(?:[^ "']|"[^"]*"|'[^']*')+""")
_CONTINUED = " \\"
_INDENT = "    "


def terminal_columns(stream: TextIO) -> int | None:
    """Returns the width of the terminal that a stream writes to; ``None`` if it is no terminal."""
    try:
        if not stream.isatty():
            return None
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # no file descriptor, or a closed one
        return None
    return columns or shutil.get_terminal_size().columns  # some terminals do not know their size


def wrap_text(text: str, width: int, measure: Callable[[str], int] = len) -> list[str]:
    """Returns a text in lines of at most this width; what is longer and cannot be broken has a line of its own.

    Args:
        text: Text on one line. One that fits is returned as it stands, with its spaces. Spaces at its beginning
            indent all lines.
        width: Maximum number of columns.
        measure: Function that returns the number of columns of a text.

    >>> wrap_text("Run 'gmd-vae fetch groove' first.", 24)
    ['Run', "'gmd-vae fetch groove'", 'first.']
    """
    if measure(text) <= width:
        return [text]
    indent = text[: len(text) - len(text.lstrip(" "))]
    lines = [""]
    for piece in _PIECES.findall(text):
        longer = f"{lines[-1]} {piece}" if lines[-1] else indent + piece
        if measure(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(indent + piece)
    return lines


def wrap_command(command: str, width: int) -> list[str]:
    """Returns a command in lines of at most this width, which a shell joins again: all but the last end in a backslash.

    Breaks it before options, or between any two words where that is not enough; never within quotes.

    Args:
        command: Command on one line. Words before it, such as ``Next:``, are allowed.
        width: Maximum number of columns; a longer word has a line of its own.
    """
    if len(command) <= width:
        return [command]
    inner = width - len(_CONTINUED)
    lines = [""]
    for words in _options(command):
        pieces = [words] if len(words) + len(_INDENT) <= inner else _SHELL_WORDS.findall(words)
        for piece in pieces:
            longer = f"{lines[-1]} {piece}" if lines[-1] else piece
            if len(longer) <= inner or not lines[-1]:
                lines[-1] = longer
            else:
                lines[-1] += _CONTINUED
                lines.append(f"{_INDENT}{piece}")
    return lines


def _options(command: str) -> list[str]:
    """Returns the parts of a command that begin with an option, and the part before them."""
    parts: list[str] = []
    for word in _SHELL_WORDS.findall(command):
        if parts and not word.startswith("-"):
            parts[-1] += f" {word}"
        else:
            parts.append(word)
    return parts
