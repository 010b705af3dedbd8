"""``gmd-vae`` for tests: in a process of its own, or in this one, where TensorFlow need not be started again."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.cli import main

GMD_VAE = [sys.executable, "-m", "pipeline"]
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Answer:
    """What a command left behind; ``error``: its last line on stderr."""

    code: int
    stdout: str
    stderr: str

    @property
    def error(self) -> str:
        line = self.stderr.splitlines()[-1]
        assert line.startswith("Error: "), self.stderr
        return line


def environment(**more: str) -> dict[str, str]:
    """In which ``python -m pipeline`` finds this package from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def run(folder: Path, *arguments: str, expect: int = 0, **more: str) -> Answer:
    """One command in a process of its own, as from a shell in ``folder``; ``more``: environment variables."""
    done = subprocess.run(
        [*GMD_VAE, *arguments], cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=600
    )
    return _checked(Answer(done.returncode, done.stdout, done.stderr), expect)


def run_here(folder: Path, *arguments: str, expect: int = 0) -> Answer:
    """The same command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        _working_in(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as exit_,
    ):
        main(arguments)
    assert isinstance(exit_.value.code, int)
    return _checked(Answer(exit_.value.code, out.getvalue(), err.getvalue()), expect)


def _checked(answer: Answer, expect: int) -> Answer:
    assert answer.code == expect, answer.stderr
    assert "Traceback" not in answer.stderr
    return answer


@contextlib.contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
