"""Reads JSON files of a run that may be damaged, too large, or edited by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from gmd_vae.common import json_formats
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable

MAX_JSON_BYTES = 8 << 20  # a manifest of 10,000 beats has 2 MB, an evaluation 85 kB


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON file of a run.

    Raises:
        GmdVaeError: The file cannot be read, is not a JSON object, or is larger than 8 MiB.
    """
    name = printable(path.name)
    if not path.is_file():
        raise GmdVaeError(f"{name} is missing")
    return json_formats.read_json(path, dict[str, Any], "", name=name, max_bytes=MAX_JSON_BYTES)


def finite(value: Any) -> float | None:
    """Returns a finite number of a JSON file as float, or ``None`` for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # a whole number with hundreds of digits
        return None
