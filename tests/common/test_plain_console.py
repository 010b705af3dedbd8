"""Names from files on a terminal: no escape sequence and no markup of theirs has an effect."""

from __future__ import annotations

import io
import os
import pty
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures.command_line import GMD_VAE, environment
from gmd_vae.common.plain_console import PlainConsole
from rich.table import Table
from rich.text import Text

HOSTILE = "a\x1b]0;title\x07\x1b[2J\x9b31m\u202eb[red]c[/red][link=http://x]d[/link]:drum:\re"
SHOWN = "a\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\u202eb[red]c[/red][link=http://x]d[/link]:drum:\\re"


def table() -> Table:
    made = Table(HOSTILE)
    made.add_row(HOSTILE)
    made.add_row(Text(HOSTILE))
    return made


def _text() -> Text:
    return Text(HOSTILE, "bold")  # rich leaves some control codes out


@pytest.mark.parametrize("make", [lambda: HOSTILE, _text, table], ids=["str", "Text", "Table"])
@pytest.mark.parametrize("terminal", [False, True])
def test_whatever_is_printed_is_plain(make: Callable[[], str | Text | Table], terminal: bool) -> None:
    out = io.StringIO()
    PlainConsole(file=out, force_terminal=terminal, color_system="standard" if terminal else None, width=300).print(
        make()
    )
    text = out.getvalue()
    assert SHOWN in text or (SHOWN.replace("\\x07", "").replace("\\r", "") in text and make is _text)
    for code in ("\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e", "\r", "\x1b[31m"):
        assert code not in text


def on_a_terminal(folder: Path, *arguments: str) -> bytes:
    """Returns what a command writes to a pseudo-terminal."""
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [*GMD_VAE, *arguments], cwd=folder, env=environment(TERM="xterm-256color"),
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    received = b""
    try:
        while block := os.read(main, 65536):
            received += block
    except OSError:  # Linux: the other end is closed
        pass
    process.wait(60)
    os.close(main)
    assert b"Traceback" not in received
    return received


NAME = "a\x1b]0;title\x07\x1b[2J[red]\u202eb\n.mid"
CONFIGS = """
from gmd_vae.configs import HIERDEC_SMALL
MINE = HIERDEC_SMALL.replace(name="mine", summary="a\\x1b]0;title\\x07\\x1b[2J[red]b", source="\\x1b[2J[link=x]c")
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", f"music/{NAME}"),
        ("inspect", "music"),
        ("inspect", f"music/{NAME}", "--window", "99"),
        ("inspect", f"music/{NAME}/x"),
        ("convert", "music", "--output-dir", "out"),
        ("convert", "music", "--output-dir", f"o\x1b[2J{NAME}"),
        ("convert", f"music/{NAME}x"),
        ("render", f"music/{NAME}", "--output-dir", "out"),
        ("render", f"music/{NAME}", "--output-dir", f"music/{NAME}"),
        ("configs", NAME),
        ("configs", "--configs", "mine.py"),
        ("configs", "mine", "--configs", "mine.py"),
        ("generate", "--run-dir", NAME),
        ("evaluate", "run"),
        ("report", "run"),
        ("train", "--run-dir", "run"),
        ("generate", "--run-dir", "run"),
        ("fetch", f"--{NAME}"),
        ("preprocess", "notes", "--output-dir", f"o{NAME}"),
    ],
    ids=lambda arguments: " ".join(arguments).encode("unicode_escape").decode()[:60],
)
def test_no_command_prints_the_codes_of_a_file(
    arguments: tuple[str, ...], tmp_path: Path, starter_midi: list[Path]
) -> None:
    (tmp_path / "music").mkdir()
    shutil.copy(starter_midi[0], tmp_path / "music" / NAME)
    (tmp_path / "music" / f"damaged {NAME}").write_bytes(b"MThd")
    (tmp_path / "mine.py").write_text(CONFIGS)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"config": "\\u001b]0;title\\u0007\\u001b[2J[red]", "seed": 0}')
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "manifest.json").write_text('{"format": 1, "stage": "\\u001b[2J\\u001b]0;title\\u0007"}')
    received = on_a_terminal(tmp_path, *arguments)
    assert received
    for code in (b"\x1b]", b"\x1b[2J", b"\x07", "\u202e".encode()):
        assert code not in received, received
