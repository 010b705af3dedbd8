"""Names of files that come from outside: which are safe to use as paths, and how to print them."""

from __future__ import annotations

import re
import unicodedata

MAX_PART_BYTES = 255  # what common file systems allow for one name
MAX_NAME_BYTES = 1024  # for the whole path; macOS allows no more
_DRIVE = re.compile(r"[A-Za-z]:")


def relative_name(name: str) -> str:
    """A file's name inside an archive or a catalogue as a clean relative path with forward slashes.

    Backslashes are separators: archives and tables made on Windows hold them, and taking them for
    letters would let ``..\\x`` through on one system and out of the folder on another.

    Raises:
        ValueError: the name cannot be used inside a folder; the text is the reason, as a clause.
    """
    path = name.replace("\\", "/")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or (parts and _DRIVE.match(parts[0])):
        raise ValueError("its name is an absolute path")
    if ".." in parts:
        raise ValueError("its name leads out of the folder")
    if not path.isprintable() and any(unicodedata.category(letter) == "Cc" for letter in path):
        raise ValueError("its name holds control characters")
    if not parts:
        raise ValueError("it has no name")
    lengths = [len(part.encode("utf-8", "surrogateescape")) for part in parts]
    if max(lengths) > MAX_PART_BYTES or sum(lengths) + len(parts) > MAX_NAME_BYTES:
        raise ValueError("its name is too long")
    return "/".join(parts)


def printable(text: str, limit: int | None = 200) -> str:
    """The text on one line, without terminal control codes, as valid UTF-8, cut after ``limit`` letters.

    Bytes of a file name that are not UTF-8 (Python holds them as lone surrogates) become ``\\xe9``
    and the like, so that the name can stand in JSON and in protocol buffers.
    """
    shown = text if limit is None or len(text) <= limit else text[:limit] + "..."
    if shown.isascii() and shown.isprintable():  # nearly every name: no need to look at each letter
        return shown
    return "".join(_escape(letter) for letter in shown)


def is_clutter(name: str) -> bool:
    """Whether a relative path is hidden, or one of the files that macOS leaves in folders and archives."""
    parts = name.split("/")
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1] == "Icon"


def _escape(letter: str) -> str:
    if 0xDC80 <= ord(letter) <= 0xDCFF:  # a raw byte, see PEP 383
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return letter.encode("unicode_escape").decode("ascii")
    return letter
