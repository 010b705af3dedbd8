"""Reads JSON files of a run that may be damaged, too large, or edited by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable

MAX_JSON_BYTES = 8 << 20  # a manifest of 10,000 beats has 2 MB, an evaluation 85 kB


def read_json(path: Path) -> Any:
    """Reads a JSON file of a run.

    Raises:
        GmdVaeError: The file cannot be read, is not JSON, or is larger than 8 MiB.
    """
    name = printable(path.name)
    try:
        if not path.is_file():
            raise GmdVaeError(f"{name} is missing")
        if path.stat().st_size > MAX_JSON_BYTES:
            raise GmdVaeError(f"{name} is larger than {MAX_JSON_BYTES >> 20} MiB")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GmdVaeError(f"{name} cannot be read ({error.strerror})") from None
    except (RecursionError, ValueError):
        raise GmdVaeError(f"{name} is damaged") from None


def finite(value: Any) -> float | None:
    """Returns a finite number of a JSON file as float, or ``None`` for any other value."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None
