"""What the workers do in the tests: they can import this module, and they need nothing else of the tests."""

from __future__ import annotations

import os
from typing import Any

from pipeline.engines.engine import EngineError


def square(number: int) -> int:
    if number == 13:
        raise PermissionError(13, "not this one", "a file")
    return number * number


def die(number: int) -> int:
    os._exit(1)


def away(number: int) -> Any:
    raise EngineError(f"'{number}' is not there", "Share the disk.")
