"""Checks of the values that a Python program gives, with the ranges of the commands."""

from __future__ import annotations

import math
import operator
import os
from typing import Any

import numpy as np

from gmd_vae.common.errors import UsageError

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
        UsageError: The value is no whole number, or out of range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise not_a(name, value, f"a whole number from {least:,} to {most:,}") from None
    if not least <= number <= most:
        raise not_a(name, value, f"{least:,} to {most:,}")
    return number


def real(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Returns a finite number as a ``float``; arguments and errors as for ``whole``."""
    try:
        number = math.nan if isinstance(value, (str, bytes)) or np.ndim(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or not least <= number <= most:
        raise not_a(name, value, f"{least:g} to {most:g}" if math.isfinite(most) else "a finite number")
    return number


def boolean(name: str, value: Any) -> bool:
    """Returns True or False as a ``bool``; NumPy's count.

    Raises:
        UsageError: The value is neither.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise not_a(name, value, "True or False")
    return bool(value)


def path_text(name: str, value: Any) -> str:
    """Returns a path as text.

    Raises:
        UsageError: The value is no path, or empty.
    """
    try:
        text = os.fspath(value)
        os.fsencode(text)
    except (TypeError, UnicodeEncodeError):  # the second one: a text that no file can be named by
        text = ""
    if not isinstance(text, str) or not text or "\0" in text:
        raise not_a(name, value, "a path")
    return text


def shown(value: Any) -> str:
    """Returns a value for an error, on one line."""
    return " ".join(repr(value).split())[:60]


def not_a(name: str, value: Any, wanted: str) -> UsageError:
    """Returns the error for an argument that is something else than ``wanted``."""
    return UsageError(f"{name} must be {wanted}, not {shown(value)}", "Give another value.")
