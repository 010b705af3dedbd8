"""Catalogues of MIDI files such as ``info.csv`` of the Groove MIDI Dataset, and their strict parser.

A catalogue is recognised by its columns, not by its name. ``selection.py`` selects from it.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable
from gmd_vae.datasets.safe_names import relative_name

INFO_NAME = "info.csv"  # the catalogue's name in GMD; other data sets have others
_MAX_HEADER_BYTES = 4096
MAX_INFO_BYTES = 16 << 20  # GMD's catalogue has 210 kB
SPLITS = ("train", "validation", "test")
COLUMNS = (
    "midi_filename", "split", "style", "beat_type", "bpm", "time_signature", "drummer", "session", "id", "duration",
)  # fmt: skip
NEEDED = ("midi_filename", "split")  # a selection needs its own columns besides
_SEPARATORS = ",;\t"  # Excel: semicolons where the comma is the decimal point, tabs as "Unicode text"
_LINE_END = re.compile(r"\r\n?|\n")
_SAVE = "Save it as UTF-8 (in Excel: 'CSV UTF-8')."
_GET_AGAIN = "Get the dataset again (gmd-vae fetch groove), or correct the file."


@dataclass(frozen=True)
class Entry:
    """One recording of the catalogue. A missing column gives an empty string or None.

    Attributes:
        midi_filename: Relative path with forward slashes.
        split: ``train``, ``validation`` or ``test``.
        style: ``primary`` or ``primary/secondary``.
        beat_type: ``beat`` or ``fill``.
        bpm: Quarter notes per minute.
        time_signature: Such as ``4-4``.
        drummer: Such as ``drummer1``.
        session: Such as ``drummer1/session1``.
        id: Such as ``drummer1/session1/1``.
        duration: Seconds.
    """

    midi_filename: str
    split: str = ""
    style: str = ""
    beat_type: str = ""
    bpm: float | None = None
    time_signature: str = ""
    drummer: str = ""
    session: str = ""
    id: str = ""
    duration: float | None = None

    @property
    def primary_style(self) -> str:
        """The part before the slash: ``rock`` for ``rock/halftime``."""
        return self.style.split("/")[0]


def is_catalogue(head: bytes) -> bool:
    """Returns True if a file begins with a table header that has the column ``midi_filename``.

    Args:
        head: The first bytes of the file.
    """
    return has_column(head, "midi_filename")


def has_column(data: bytes, column: str) -> bool:
    """Returns True if a table has a column. Reads only the first line, and guesses no encoding.

    Args:
        data: Content of the file, or its first bytes.
        column: Name of the column.
    """
    data = data[:_MAX_HEADER_BYTES]
    if column.encode() not in data.replace(b"\0", b""):  # UTF-16 has zeros between the letters
        return False
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    header = _first_line(data.decode("utf-16" if is_wide else "utf-8-sig", "replace"))
    return any(column in _cells(header, separator) for separator in _SEPARATORS)


def parse_catalogue(data: bytes, source: str = "info.csv", *, with_splits: bool = True) -> tuple[Entry, ...]:
    """Parses a catalogue with GMD's columns in any order; ignores other columns.

    Accepts what spreadsheets make of GMD's file: commas, semicolons or tabs as separators, UTF-8 or
    UTF-16 with a byte order mark, any line ends, empty lines, backslashes in paths, and decimal commas
    where the separator is no comma. Refuses other encodings, which could only be guessed.

    Args:
        data: Content of the file.
        source: Name of the file, for errors.
        with_splits: The column ``split`` is required.

    Returns:
        Entries in the order of the file.

    Raises:
        GmdVaeError: A required column is missing or a row is invalid; names ``source`` and the line.
    """
    if len(data) > MAX_INFO_BYTES:
        raise GmdVaeError(
            f"'{source}' is larger than {MAX_INFO_BYTES >> 20} MiB, too large for a table of MIDI files", _GET_AGAIN
        )
    text = _decode(data, source)
    separator = _separator(text)
    # newline="": GMD mixes LF and CRLF
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    entries: dict[str, tuple[Entry, int]] = {}
    header: list[str] = []
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = _check_header([name.strip() for name in row], NEEDED if with_splits else NEEDED[:1])
                continue
            entry = _entry(header, row, decimal_comma=separator != ",")
            if entry.midi_filename in entries:
                raise ValueError(f"has the same midi_filename as line {entries[entry.midi_filename][1]}")
            entries[entry.midi_filename] = entry, rows.line_num
    except csv.Error as error:
        raise GmdVaeError(f"'{source}' line {rows.line_num}: {error}", _GET_AGAIN) from None
    except ValueError as error:
        raise GmdVaeError(f"'{source}' line {rows.line_num} {error}", _GET_AGAIN) from None
    if not entries:
        raise GmdVaeError(f"'{source}' lists no file", _GET_AGAIN)
    return tuple(entry for entry, _ in entries.values())


def _decode(data: bytes, source: str) -> str:
    """Returns the text of a catalogue, without its byte order mark."""
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding, name = ("utf-16", "UTF-16") if is_wide else ("utf-8-sig", "UTF-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = _line_after(data[: error.start].decode(encoding, "ignore"))
        raise GmdVaeError(f"'{source}' line {line} is not {name} text", _SAVE) from None
    before, nul, _ = text.partition("\0")
    if nul:
        raise GmdVaeError(f"'{source}' line {_line_after(before)} holds a NUL character", _SAVE)
    return text


def _line_after(text: str) -> int:
    """Returns the number of the line in which the text ends."""
    return len(_LINE_END.findall(text)) + 1


def _separator(text: str) -> str:
    """Returns the separator by which ``midi_filename`` is a column; else the most frequent one."""
    header = _first_line(text)
    for separator in _SEPARATORS:
        if "midi_filename" in _cells(header, separator):
            return separator
    return max(_SEPARATORS, key=header.count)


def _first_line(text: str) -> str:
    """Returns the first line that is not empty."""
    return next((line for line in io.StringIO(text, newline="") if line.strip()), "")


def _cells(header: str, separator: str) -> list[str]:
    """Returns the names of a header's columns."""
    return [name.strip().strip('"') for name in header.split(separator)]


def _check_header(header: list[str], needed: Sequence[str]) -> list[str]:
    """Returns the header. Raises ValueError with the fault as the end of a sentence."""
    if missing := [column for column in needed if column not in header]:
        columns = printable(", ".join(header), limit=400)
        raise ValueError(f"has no column {', '.join(missing)} (its columns: {columns})")
    if repeated := [column for column in COLUMNS if header.count(column) > 1]:
        raise ValueError(f"has the column {', '.join(repeated)} more than once")
    return header


def _entry(header: list[str], row: list[str], *, decimal_comma: bool) -> Entry:
    """Returns a row as an entry. Raises ValueError with the fault as the end of a sentence."""
    if len(row) != len(header):
        raise ValueError(f"has {len(row)} fields, not {len(header)}")
    field: dict[str, Any] = {name: value.strip() for name, value in zip(header, row, strict=True) if name in COLUMNS}
    for name, value in field.items():
        if not value:
            raise ValueError(f"has no {name}")
        if len(value) > 1024 or printable(value, limit=1024) != value:
            raise ValueError(f"has a {name} that is not valid: '{printable(value)}'")
    if "split" in field and field["split"] not in SPLITS:
        raise ValueError(f"has the split '{printable(field['split'])}', not {', '.join(SPLITS)}")
    try:
        field["midi_filename"] = relative_name(field["midi_filename"])
    except ValueError as error:
        raise ValueError(f"has a midi_filename that is not used: {error}") from None
    for name in {"bpm", "duration"} & field.keys():
        field[name] = _number(name, field[name], decimal_comma=decimal_comma)
    return Entry(**field)


def _number(name: str, text: str, *, decimal_comma: bool) -> float:
    """Returns a cell as a number. Raises ValueError with the fault as the end of a sentence."""
    try:
        number = float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf or (name == "bpm" and number == 0):
        raise ValueError(f"has the {name} '{printable(text)}', not a positive number")
    return number
