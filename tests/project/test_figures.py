"""The figures of README and documentation are those of the stored results and of the models' cards."""

from __future__ import annotations

import subprocess
import sys

from fixtures.command_line import ROOT, environment


def test_the_pages_have_the_figures_of_the_results() -> None:
    done = subprocess.run(
        [sys.executable, "tools/figures.py", "--check"], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), f"{done.stdout}{done.stderr}: run make figures"
