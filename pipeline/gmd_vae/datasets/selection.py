"""Selections of recordings from a catalogue by style, beat type, time signature, tempo and drummer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gmd_vae.common.errors import UsageError, nearest
from gmd_vae.common.printable import printable
from gmd_vae.datasets.catalogue import INFO_NAME, Entry


@dataclass(frozen=True)
class Selection:
    """A selection of recordings. Values of one field are alternatives; every given field must match.

    Case does not matter.

    Attributes:
        styles: ``rock`` selects ``rock`` and every ``rock/...``; ``rock/halftime`` selects that alone.
        beat_types: ``beat`` or ``fill``.
        time_signatures: ``4-4``; ``4/4`` is the same.
        bpm_range: Slowest and fastest tempo, both included.
        drummers: Such as ``drummer1``.
    """

    styles: tuple[str, ...] = ()
    beat_types: tuple[str, ...] = ()
    time_signatures: tuple[str, ...] = ()
    bpm_range: tuple[float, float] | None = None
    drummers: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if the selection takes every recording."""
        return self == Selection()

    def matches(self, entry: Entry) -> bool:
        """Returns True if the selection takes a recording."""
        return (
            _among(self.styles, entry.style, entry.primary_style)
            and _among(self.beat_types, entry.beat_type)
            and _among(self.time_signatures, entry.time_signature)
            and _among(self.drummers, entry.drummer)
            and self._matches_bpm(entry.bpm)
        )

    def _matches_bpm(self, bpm: float | None) -> bool:
        return self.bpm_range is None or (bpm is not None and self.bpm_range[0] <= bpm <= self.bpm_range[1])

    def describe(self) -> dict[str, Any]:
        """Returns the fields that select something, as JSON values for a manifest."""
        described: dict[str, Any] = {
            "styles": list(self.styles),
            "beat_types": list(self.beat_types),
            "time_signatures": list(self.time_signatures),
            "bpm": [_plain(end) for end in self.bpm_range or ()],
            "drummers": list(self.drummers),
        }
        return {name: value for name, value in described.items() if value}

    def check(self, entries: Sequence[Entry]) -> None:
        """Checks that the selection takes at least one recording of a catalogue.

        Args:
            entries: The catalogue.

        Raises:
            UsageError: The catalogue lacks a column, no recording has one of the values (the error
                names the nearest one), or no recording has all of them together.
        """
        self._check_columns(entries)
        styles = {entry.primary_style for entry in entries}
        _check_values("style", self.styles, styles | {entry.style for entry in entries}, styles)
        _check_values("beat type", self.beat_types, {entry.beat_type for entry in entries})
        _check_values("time signature", self.time_signatures, {entry.time_signature for entry in entries})
        _check_values("drummer", self.drummers, {entry.drummer for entry in entries})
        if self.bpm_range is not None:
            low, high = self.bpm_range
            tempos = [entry.bpm for entry in entries if entry.bpm is not None]
            if not any(map(self._matches_bpm, tempos)):
                slowest, fastest = _plain(min(tempos)), _plain(max(tempos))
                raise UsageError(
                    f"No file has a tempo of {_plain(low)} to {_plain(high)} bpm",
                    f"The files have {slowest} to {fastest} bpm.",
                )
        if not any(self.matches(entry) for entry in entries):
            given = ", ".join(f"{name} {value}" for name, value in self.describe().items())
            raise UsageError(f"No file matches all of this: {given}", "Leave one of them out.")

    def _check_columns(self, entries: Sequence[Entry]) -> None:
        selected = {
            "style": self.styles,
            "beat_type": self.beat_types,
            "time_signature": self.time_signatures,
            "drummer": self.drummers,
            "bpm": self.bpm_range,
        }
        first = entries[0]  # a column exists for all entries or for none
        if missing := [name for name, given in selected.items() if given and getattr(first, name) in ("", None)]:
            raise UsageError(
                f"{INFO_NAME} has no column {', '.join(missing)} to choose files by", "Leave the selection out."
            )


def parse_bpm(text: str) -> tuple[float, float]:
    """Parses the tempo range of an option: ``90-140``, or ``120`` for one tempo.

    Returns:
        Slowest and fastest tempo in quarter notes per minute.

    Raises:
        UsageError: The text is neither, or the range is empty.
    """
    match = re.fullmatch(r"\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*(?:-\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)\s*)?", text)
    if match is None:
        raise UsageError(
            f"'{printable(text, 40)}' is not a tempo", "Write a range such as 90-140, or one tempo such as 120."
        )
    low = float(match[1])
    high = float(match[2]) if match[2] else low
    if not 0 < low <= high:
        raise UsageError(
            f"'{printable(text, 40)}' is an empty range of tempos", "Write the slower tempo first: 90-140."
        )
    return low, high


def _key(value: str) -> str:
    """Returns a value in the form in which values are compared: without outer spaces, in lower case."""
    return value.strip().lower()


def _among(wanted: tuple[str, ...], *values: str) -> bool:
    """Returns True if one of the values is wanted, or if nothing is specified."""
    if not wanted:
        return True
    keys = {_key(value) for value in values}
    return any(_key(value) in keys or _key(value).replace("/", "-") in keys for value in wanted)


def _check_values(field: str, wanted: tuple[str, ...], known: set[str], shown: set[str] | None = None) -> None:
    """Raises ``UsageError`` for a wanted value that is not known; the advice lists ``shown`` or ``known``."""
    for value in wanted:
        if not any(_among((value,), one) for one in known):
            advice = nearest(_key(value), sorted(known))
            if advice.startswith("Known"):  # not every style with every secondary style
                advice = nearest(_key(value), sorted(shown or known))
            raise UsageError(f"No file has the {field} '{printable(value, 80)}'", advice)


def _plain(number: float) -> float | int:
    """Returns a whole number as int, which is shown without a decimal point."""
    return int(number) if number == int(number) else number
