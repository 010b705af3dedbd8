"""File names from outside, checked for use as paths."""

from __future__ import annotations

import re
import unicodedata

MAX_COMPONENT_BYTES = 255  # limit of common file systems for one name
MAX_NAME_BYTES = 1024  # limit of macOS for a path
_MAX_STEM = 40  # characters: the names of generated files stay readable in a browser of samples
_UNSAFE = re.compile(r"[^A-Za-z0-9._+-]+")
_DRIVE = re.compile(r"[A-Za-z]:")


def relative_name(name: str) -> str:
    """Returns a name from an archive or a catalogue as a relative path with forward slashes.

    Backslashes are separators: archives and tables made on Windows use them, and ``..\\x`` as a plain
    name would leave the folder on another system.

    Args:
        name: Name of a file in an archive or a catalogue.

    Raises:
        ValueError: The name is unsafe as a path inside a folder; the text is the reason, as a clause.
    """
    path = name.replace("\\", "/")
    components = [component for component in path.split("/") if component not in ("", ".")]
    if path.startswith("/") or (components and _DRIVE.match(components[0])):
        raise ValueError("its name is an absolute path")
    if ".." in components:
        raise ValueError("its name leads out of the folder")
    if not path.isprintable() and any(unicodedata.category(letter) == "Cc" for letter in path):
        raise ValueError("its name holds control characters")
    if not components:
        raise ValueError("it has no name")
    lengths = [len(component.encode("utf-8", "surrogateescape")) for component in components]
    if max(lengths) > MAX_COMPONENT_BYTES or sum(lengths) + len(components) > MAX_NAME_BYTES:
        raise ValueError("its name is too long")
    return "/".join(components)


def name_on_disk(name: str) -> str:
    """Returns a name as disks compare it that ignore case and the form of accents, as those of macOS and Windows.

    Two names with the same result are one file there.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def safe_stem(text: str) -> str:
    """Returns text as a part of a file name that every system, shell and sampler takes.

    Only ASCII letters, digits and ``.``, ``_``, ``+``, ``-`` stay; accents are dropped, and other letters become ``-``.

    Args:
        text: Any text.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _UNSAFE.sub("-", plain)[:_MAX_STEM].strip("-._") or "model"


def is_clutter(name: str) -> bool:
    """Returns True for hidden paths, and for the files that macOS adds to folders and archives."""
    components = name.split("/")
    return (
        any(component.startswith(".") or component == "__MACOSX" for component in components)
        or components[-1] == "Icon"
    )
