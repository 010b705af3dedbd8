"""Text for people: counts, durations, and text from files (one line, no terminal control codes, valid UTF-8)."""

from __future__ import annotations

import os
import shlex
import unicodedata
from pathlib import PurePath

# Control and format characters (escape sequences, writing direction), surrogates, line and paragraph separators
_ESCAPED = ("Cc", "Cf", "Cs", "Zl", "Zp")


def printable(text: str, limit: int | None = 200) -> str:
    """Returns a text on one line, without terminal control codes, as valid UTF-8.

    Everything that comes from a file passes here before it is printed: names, and the content of ``run.json``,
    manifests and MIDI files. Bytes of a file name that are not UTF-8 (lone surrogates in Python) are escaped
    as ``\\xe9``, so that JSON and protocol buffers can hold the name. To apply it twice changes nothing.

    Args:
        text: Any text.
        limit: Maximum length in characters; None keeps the whole text.
    """
    shown = text if limit is None or len(text) <= limit else text[:limit] + "..."
    if shown.isascii() and shown.isprintable():  # fast path: nearly every name
        return shown
    return "".join(_escape(letter) for letter in shown)


def one_line(text: str, most: int) -> str:
    """Returns a text of a file on one line and without control codes, cut to a number of characters."""
    shown = printable(" ".join(text.split()), limit=None)
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def as_command(*words: object) -> str:
    """Returns a command of gmd-vae on one line, which a shell reads as these words.

    Names with spaces are quoted; those with control characters or bytes that are not UTF-8 are quoted as bash and zsh
    read them, ``$'caf\\xe9'``; a path that begins with a hyphen begins with ``./``.

    Args:
        words: Command, options and arguments, without ``gmd-vae``; paths as ``Path``.
    """
    return " ".join(["gmd-vae", *map(quoted, words)])


def quoted(word: object) -> str:
    """Returns a word as a shell reads it."""
    text = str(word)
    if isinstance(word, PurePath) and text.startswith("-"):
        text = f"./{text}"
    if printable(text, limit=None) == text:
        return shlex.quote(text)
    letters = (
        _escape_byte(byte) if byte in b"\\'" or not 0x20 <= byte < 0x7F else chr(byte) for byte in os.fsencode(text)
    )
    return f"$'{''.join(letters)}'"


def _escape_byte(byte: int) -> str:
    return f"\\x{byte:02x}"


def counted(count: int, noun: str) -> str:
    """Returns a number with its noun, for example ``1 file`` or ``2,000 files``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Returns a time in words, for example ``40 s``, ``2 min 03 s`` or ``1 h 02 min``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"


def _escape(letter: str) -> str:
    if 0xDC80 <= ord(letter) <= 0xDCFF:  # a raw byte, see PEP 383
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if unicodedata.category(letter) in _ESCAPED:
        return letter.encode("unicode_escape").decode("ascii")
    return letter
