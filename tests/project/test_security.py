"""docs/security.md: the limits in its table are those of the code."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent.parent.parent / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \| ([\d,]+)( [MG]iB)? \| `([a-z_.]+)\.([A-Z_]+)` \|$", PAGE, re.MULTILINE)
UNITS = {"": 1, " MiB": 1 << 20, " GiB": 1 << 30}


def test_the_table_was_found() -> None:
    table = PAGE[PAGE.index("## Limits") : PAGE.index("## How this is tested")]
    assert len(ROWS) == len([line for line in table.splitlines() if line.startswith("| ")]) - 2 > 20


@pytest.mark.parametrize(("number", "unit", "module", "name"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_limit_is_that_of_the_code(number: str, unit: str, module: str, name: str) -> None:
    assert int(number.replace(",", "")) * UNITS[unit] == getattr(importlib.import_module(f"gmd_vae.{module}"), name)
