"""The list of error messages on the site: every error of a command is in it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from fixtures.command_line import run_here

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def errors() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "site_errors.py"))


@pytest.fixture(scope="module")
def listed(errors: dict[str, Any]) -> list[Any]:
    return [message for found in errors["messages"]().values() for message in found]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (2, ["trian"]),
        (2, ["train", "--step", "3"]),
        (2, ["generate", "--tempo", "fast"]),
        (2, ["generate", "--only", "first"]),
        (2, ["generate", "--tail"]),
        (1, ["generate", "--mode", "vary", "--input-midi", "no_midi.mid"]),
        (1, ["generate", "--mode", "vary", "--input-midi", "missing.mid"]),
        (2, ["inspect", ".", "--window", "2"]),
        (2, ["models", "grove"]),
        (1, ["convert", "nowhere"]),
        (1, ["preprocess"]),
        (2, ["configs", "hierdec"]),
        (1, ["studio", "damaged.safetensors"]),
        (1, ["export", "damaged.ckpt", "--config", "flat-drum_4bar_small", "-o", "model.safetensors"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_the_errors_of_commands_are_in_the_list(
    status: int, words: list[str], listed: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "no_midi.mid").write_text("no music")
    (tmp_path / "damaged.safetensors").write_bytes(b"no weights")
    (tmp_path / "damaged.ckpt.index").write_bytes(b"no index")
    printed = run_here(tmp_path, *words, expect=status).stderr.strip().removeprefix("Error: ")
    fitting = [message for message in listed if re.match(_pattern(message.problem), printed)]
    assert fitting, printed
    assert any(not message.action or re.search(_pattern(message.action), printed) for message in fitting), fitting


def test_reasons_that_are_filled_in_are_listed(errors: dict[str, Any]) -> None:
    reasons = errors["reasons"]()
    assert "gzip: it unpacks to more than … times its size" in reasons["midi"]  # given to a function
    assert "its data has changed: the checksum does not match" in reasons["models"]  # of an exception
    assert not [text for found in reasons.values() for text in found if text.endswith(".")]  # those are advice


def test_most_messages_have_their_advice(listed: list[Any]) -> None:
    assert len(listed) > 350
    assert sum(not message.action for message in listed) < len(listed) / 4


def _pattern(text: str) -> str:
    """Returns a pattern of a listed text: anything may stand in the place of a gap, and only one of its cases."""
    return "|".join(".*".join(map(re.escape, case.split("…"))) for case in text.split(" or: "))
