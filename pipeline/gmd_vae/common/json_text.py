"""JSON as every program reads it: no NaN, no lone surrogates, no terminal control codes."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from gmd_vae.common.printable import printable

_NOT_ASCII = re.compile(r"[^\n -~]")


def json_text(content: Any, *, indent: int | None = None, encoding: str = "utf-8", sort_keys: bool = False) -> str:
    """Returns a JSON document without a final line break.

    Numbers that JSON does not have (NaN, infinity) become ``null``. Characters that cannot be printed, or that
    the encoding lacks, are escaped as ``\\u001b``; the document means the same. Lone surrogates, which many JSON
    readers refuse, become text as in ``printable``.

    Args:
        content: JSON values.
        indent: Spaces for each level; None for one line.
        encoding: Encoding of the file or stream.
        sort_keys: True for keys in alphabetical order.
    """
    try:
        text = json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    except ValueError:
        text = json.dumps(finite(content), indent=indent, ensure_ascii=False, allow_nan=False, sort_keys=sort_keys)
    # outside of strings, JSON has printable ASCII and line breaks only
    return _NOT_ASCII.sub(lambda found: _escape(found[0], encoding), text)


def finite(content: Any) -> Any:
    """Returns JSON values with ``None`` in place of every number that is not finite."""
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return content


def _escape(letter: str, encoding: str) -> str:
    if letter.isprintable():
        try:
            letter.encode(encoding)
            return letter
        except UnicodeEncodeError:
            pass
    if "\ud800" <= letter <= "\udfff":
        return "\\" + printable(letter)
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
