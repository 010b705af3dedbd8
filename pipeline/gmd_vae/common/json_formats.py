"""Reads JSON files that may be damaged, edited by hand, or made to do harm: one check of the form for each format.

A format is a type: a ``msgspec.Struct`` or a dataclass with the fields of the file. Reading checks every value against
it. Keys that the type does not have are ignored, so that files of other versions can be read. Of a key that occurs
twice the last one counts. NaN and infinity are no JSON and are refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.regular_files import open_regular

T = TypeVar("T")

MAX_BYTES = 64 << 20  # a manifest of 10,000 beats has 2 MB
_MAX_VALUES = 4_000_000  # each takes up to 100 bytes of memory
_BOM = b"\xef\xbb\xbf"  # some editors write it at the beginning of a file
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # JSON numbers are exact up to 2 ** 53
FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.\.?$)[^/\\\0]{1,255}$")]  # of a file of the folder itself


def read_json(path: Path, kind: type[T], next_action: str, *, name: str | None = None, max_bytes: int = MAX_BYTES) -> T:
    """Reads a JSON file.

    Args:
        path: The file.
        kind: Its format.
        next_action: The user's way to get a valid file, as a sentence for the error.
        name: Name of the file in errors; by default its path in quotes.
        max_bytes: Largest size.

    Raises:
        FileNotFoundError: There is no such file.
        GmdVaeError: The file cannot be read, is too large, or has another format; the message has the field.
    """
    name = f"'{path}'" if name is None else name
    try:
        with open_regular(path) as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise GmdVaeError(f"{name} cannot be read ({error.strerror})", next_action) from None
    if len(data) > max_bytes:
        raise GmdVaeError(f"{name} is larger than {max_bytes >> 20} MiB", next_action)
    return decode_json(data, kind, name, next_action)


def decode_json(data: bytes, kind: type[T], name: str, next_action: str) -> T:
    """Returns the content of a JSON text.

    Args:
        data: The text in UTF-8.
        kind: Its format.
        name: Name of the text in errors, with quotes.
        next_action: The user's way to get a valid text, as a sentence for the error.

    Raises:
        GmdVaeError: The text is not JSON, or has another format.
    """
    try:
        return parse_json(data, kind)
    except ValueError as error:
        raise GmdVaeError(f"{name} {error}", next_action) from None


def parse_json(data: bytes, kind: type[T]) -> T:
    """Returns the content of a JSON text, as ``decode_json`` does.

    Raises:
        ValueError: The text is not JSON, or has another format; the text of the error is a predicate.
    """
    if data.count(b",") + data.count(b"[") + data.count(b"{") > _MAX_VALUES:
        raise ValueError(f"holds more than {_MAX_VALUES:,} values")
    try:
        return msgspec.json.decode(data.removeprefix(_BOM), type=kind)
    except msgspec.ValidationError as error:
        raise ValueError(_of_field(str(error))) from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("is damaged: it is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"is damaged: {str(error)[:200]}") from None


def convert_json(content: Any, kind: type[T]) -> T:
    """Returns decoded JSON in another form.

    Args:
        content: Decoded JSON.
        kind: The format.

    Raises:
        ValueError: The content has another format; the text of the error is a predicate.
    """
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_of_field(str(error))) from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _of_field(message: str) -> str:
    """Returns msgspec's message with the field first, in words."""
    what, _, place = message.partition(" - at `$")
    what = re.sub(r"`([^`]*)`", lambda match: _in_words(match[1]), what)
    what = re.sub(r"text matching regex .*", "text of another form", what, flags=re.DOTALL)
    field = place.removesuffix("`").lstrip(".")
    missing = re.fullmatch(r"Object missing required field (\w+)", what)
    if missing:
        return f"has no field '{'.'.join(filter(None, (field, missing[1])))}'"
    what = what[:1].lower() + what[1:]
    return f"does not fit its format: {f'field {chr(39)}{field}{chr(39)}: ' if field else ''}{what}"


def _in_words(types: str) -> str:
    return " or ".join(_WORDS.get(name, name) for name in types.split(" | "))
