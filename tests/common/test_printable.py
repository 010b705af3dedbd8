"""Text from files, fit to print."""

from __future__ import annotations

import json
import shlex

import pytest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import as_command, printable
from hypothesis import given
from hypothesis import strategies as st


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_printed_names_are_harmless(name: str) -> None:
    shown = printable(name)
    assert "\n" not in shown
    assert "\x1b" not in shown
    json.dumps(shown, ensure_ascii=False).encode("utf-8")


@given(st.lists(st.text("ab '\"$[]\\*;&|<>~#!ä", max_size=8), max_size=3))
def test_a_shell_reads_the_words_of_a_command(words: list[str]) -> None:
    assert shlex.split(as_command(*words)) == ["gmd-vae", *words]


def test_names_are_escaped_not_dropped() -> None:
    assert printable(b"caf\xe9.mid".decode("utf-8", "surrogateescape")) == "caf\\xe9.mid"
    assert printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert printable("naïve 鼓.mid") == "naïve 鼓.mid"
    assert printable("x" * 300) == "x" * 200 + "..."


@pytest.mark.parametrize(
    "letter", ["\x07", "\x1b", "\x7f", "\x9b", "\r", "\u061c", "\u200f", "\u202e", "\u2028", "\u2066", "\ud800"]
)
def test_an_error_is_one_line_without_control_codes(letter: str) -> None:
    """Escape sequences, carriage returns and changes of the writing direction could show another message."""
    message = str(GmdVaeError(f"'a{letter}b' is damaged", f"Delete 'a{letter}b'."))
    assert message.isprintable()
    assert message.startswith("'a")
    assert message.endswith("b'.")


def test_a_long_value_leaves_the_next_action_readable() -> None:
    message = str(GmdVaeError("x" * 10_000_000, "Run it again."))
    assert len(message) < 5000
    assert message.endswith(". Run it again.")
