"""Checks of the numbers and paths that a Python program gives, with the ranges of the commands."""

from __future__ import annotations

import math
import operator
import os
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.midi.reading import Reading

MAX_COUNT = 1_000_000  # fewer are refused for the number of their windows
MAX_STEPS = 2**31 - 1
MAX_SEED = 2**31 - 1
MAX_TEMPERATURE = 10


def whole(name: str, value: Any, least: int, most: int) -> int:
    """Returns a whole number as an ``int``; NumPy's integers count.

    Args:
        name: Name of the argument.
        value: Value that was given.
        least: Smallest value.
        most: Largest value.

    Raises:
        GmdVaeError: The value is no whole number, or out of range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise _not_a(name, value, f"a whole number from {least:,} to {most:,}") from None
    if not least <= number <= most:
        raise _not_a(name, value, f"{least:,} to {most:,}")
    return number


def real(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Returns a finite number as a ``float``; arguments and errors as for ``whole``."""
    try:
        number = math.nan if isinstance(value, (str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or not least <= number <= most:
        raise _not_a(name, value, f"{least:g} to {most:g}" if math.isfinite(most) else "a finite number")
    return number


def path_text(name: str, value: Any) -> str:
    """Returns a path as text.

    Raises:
        GmdVaeError: The value is no path, or empty.
    """
    try:
        text = os.fspath(value)
        os.fsencode(text)
    except (TypeError, UnicodeEncodeError):  # the second one: a text that no file can be named by
        text = ""
    if not isinstance(text, str) or not text or "\0" in text:
        raise _not_a(name, value, "a path")
    return text


def reading_rules(value: Any) -> Reading:
    """Returns rules for reading MIDI.

    Raises:
        GmdVaeError: The value is no ``Reading``, or its channel is none of MIDI's.
    """
    if not isinstance(value, Reading):
        raise _not_a("reading", value, "a gmd_vae.Reading")
    if value.drum_channel is not None:
        whole("drum_channel", value.drum_channel, 1, 16)
    return value


def _not_a(name: str, value: Any, wanted: str) -> GmdVaeError:
    shown = " ".join(repr(value).split())
    return GmdVaeError(f"{name} must be {wanted}, not {shown[:60]}", "Give another value.")
