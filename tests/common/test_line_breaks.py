"""Lines for a terminal: broken between words, never within a command, and a command in lines is the same command."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from fixtures.command_line import GMD_VAE
from fixtures.terminal import on_terminal
from gmd_vae.common.line_breaks import wrap_command, wrap_text
from gmd_vae.common.printable import as_command, quoted
from hypothesis import given
from hypothesis import strategies as st

ERROR = (
    "There are no examples in 'data/examples', so run 'gmd-vae convert data/raw/groove' first; each file's content "
    "counts. Or run: gmd-vae train --examples-path 'my music'"
)


@pytest.mark.parametrize("width", [1, 20, 40, 60, 79])
def test_text_is_broken_between_words_and_not_within_a_command(width: int) -> None:
    lines = wrap_text(ERROR, width)
    assert " ".join(lines) == ERROR
    whole = ("'gmd-vae convert data/raw/groove'", "gmd-vae train --examples-path 'my music'")
    assert all(any(command in line for line in lines) for command in whole)
    assert all(len(line) <= width or line.startswith(whole) or " " not in line for line in lines)


def test_lines_are_filled() -> None:
    assert wrap_text("Run 'gmd-vae fetch groove' first, or 'gmd-vae fetch starter'.", 40) == [
        "Run 'gmd-vae fetch groove' first, or",
        "'gmd-vae fetch starter'.",
    ]


def test_a_text_that_fits_keeps_its_spaces_and_a_longer_one_its_indent() -> None:
    assert wrap_text("kick │■   ·", 11) == ["kick │■   ·"]
    assert wrap_text("  one two three", 9) == ["  one two", "  three"]
    assert wrap_text("鼓鼓 鼓鼓", 6, measure=lambda text: 2 * len(text)) == ["鼓鼓", "鼓鼓"]
    assert wrap_text("", 9) == [""]


@given(st.lists(st.text("ab '\"$[]\\*-#ä", max_size=9), max_size=6), st.integers(10, 60))
def test_a_shell_joins_a_command_in_lines_again(words: list[str], width: int) -> None:
    command = as_command(*words)
    lines = wrap_command(command, width)
    assert shlex.split("\n".join(lines).replace(" \\\n", " ")) == ["gmd-vae", *words]
    longest = max(len(quoted(word)) for word in ("gmd-vae", *words))
    assert max(map(len, lines)) <= max(width, longest + len("     \\"))


def test_a_command_is_broken_before_its_options() -> None:
    assert wrap_command("Next: gmd-vae train --config small --run-dir runs/a", 30) == [
        "Next: gmd-vae train \\",
        "    --config small \\",
        "    --run-dir runs/a",
    ]


def test_an_error_on_a_terminal_breaks_between_words(tmp_path: Path) -> None:
    with on_terminal([*GMD_VAE, "generate", "--mode", "varied", "--tempo", "fast"], 40, tmp_path) as terminal:
        lines = terminal.run_to_end()
    assert len(lines) > 1
    message = " ".join(lines)
    assert message.startswith("Error: Invalid value for '--mode': 'varied' is not one of ")
    assert message.endswith("See 'gmd-vae generate --help'.")
    with on_terminal(["sh", "-c", '"$0" "$@" 2> out', *GMD_VAE, "generate", "--mode", "varied"], 40, tmp_path) as other:
        other.run_to_end()
    assert (tmp_path / "out").read_text().count("\n") == 1  # a file or a pipe gets one line


def test_the_next_command_on_a_narrow_terminal_can_be_pasted(tmp_path: Path) -> None:
    with on_terminal([*GMD_VAE, "fetch", "starter", "--output-dir", "music of mine"], 40, tmp_path) as terminal:
        lines = terminal.run_to_end()
    place = next(number for number, line in enumerate(lines) if line.startswith("Next: "))
    pasted = "\n".join(lines[place:]).removeprefix("Next: ")
    assert shlex.split(pasted.replace("\\\n", "")) == ["gmd-vae", "convert", "music of mine"]
    assert max(map(len, lines)) <= 40
