"""The line of progress as the user of a terminal sees it: wide, narrow, with notes above it, after Ctrl-C."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from fixtures.terminal import on_terminal
from gmd_vae.common import console
from gmd_vae.common.progress_line import Part, fitting

TRAINING = """
import sys, time, types
from gmd_vae.common import console, progress_line
from gmd_vae.training import progress as shown
from gmd_vae.training.history import Measurements

def update(step):
    shown.time = types.SimpleNamespace(monotonic=lambda: step / 12.5)  # steps/s
    progress.update(Measurements(step, 123.4, 110.2, 12.3, -118.0, 0.001, 0.03, 0.0, 1.0))

progress_line._SECONDS_BETWEEN_DRAWS = 0.0
try:
    with shown.TrainingProgress(0, 16000) as progress:
        update(1)
        shown.note("Validation at step 1: ELBO -118.0 nats (reconstruction 110.2 nats, KL 12.3 bits); the best so far")
        console.stdout().print("Wrote a.wav")
        console.stderr().print("b.mid: no notes, only silence")
        sys.stdout.write('{"step": 1}\\n')
        print("a line in ", end="", file=sys.stderr)
        update(2)
        print("two halves", file=sys.stderr)
        while True:
            update(1000)
            time.sleep(0.02)
except KeyboardInterrupt:
    console.stdout().print("The end")
"""
COMMAND = [sys.executable, "-c", TRAINING]
VALIDATION = "Validation at step 1: ELBO -118.0 nats (reconstruction 110.2 nats, KL 12.3 bits); the best so far"
NOTES = ["Wrote a.wav", "b.mid: no notes, only silence", '{"step": 1}', "a line in two halves"]
FIGURES = "loss 123.4  reconstruction 110.2 nats  KL 12.3 bits"
LINES = {
    20: "step  1000/16000",
    40: "step  1000/16000  20 min 00 s left",
    60: "step  1000/16000  loss 123.4  12.50 steps/s  20 min 00 s left",
    80: f"step  1000/16000  {16 * '━'}  loss 123.4  12.50 steps/s  20 min 00 s left",
    120: f"step  1000/16000  {15 * '━'}  {FIGURES}  12.50 steps/s  20 min 00 s left",
    160: f"step  1000/16000  {40 * '━'}  {FIGURES}  12.50 steps/s  20 min 00 s left",
}


def _is_shown(line: str, lines: list[str]) -> bool:
    return bool(lines) and lines[-1].replace("╸", "━").replace("╺", "━") == line


@pytest.mark.parametrize("columns", [40, 80, 120, 160])
def test_notes_stay_above_the_one_line_which_ctrl_c_removes(columns: int) -> None:
    with on_terminal(COMMAND, columns) as terminal:
        *above, _ = terminal.wait_for(lambda lines: _is_shown(LINES[columns], lines))
        assert above[-len(NOTES) :] == NOTES
        assert " ".join(above[: -len(NOTES)]) == VALIDATION
        # a killed process leaves the cursor; a terminal that wraps lines anew keeps it where the line begins
        assert (terminal.shows_cursor, terminal.cursor_column) == (True, 0)
        assert (terminal.colours == {"default"}) is (columns == 40)  # the bar has colours
        terminal.press(b"\x03")
        assert terminal.run_to_end() == [*above, "The end"]


def test_the_line_follows_the_width_of_the_window() -> None:
    with on_terminal(COMMAND, 120) as terminal:
        for columns in (80, 20, 160):
            terminal.resize(columns)
            lines = terminal.wait_for(lambda lines, columns=columns: _is_shown(LINES[columns], lines))
            assert sum(line.startswith("step ") for line in lines) == 1


def test_without_colours_nothing_has_one() -> None:
    with on_terminal(COMMAND, 80, NO_COLOR="1") as terminal:
        terminal.wait_for(lambda lines: len(lines) > 6 and lines[-1].startswith("step  1000/"))
        assert terminal.colours == {"default"}


def test_a_terminal_that_cannot_redraw_gets_the_lines_of_a_log() -> None:
    with on_terminal(COMMAND, 160, TERM="dumb") as terminal:
        lines = terminal.wait_for(lambda lines: len(lines) > 7)
    first = f"step 1/16000  {FIGURES}"
    assert lines[0] == first
    assert " ".join(lines[1:-5]) == VALIDATION
    assert lines[-5:] == [*NOTES, f"step 1000/16000  {FIGURES}  12.50 steps/s  20 min 00 s left"]
    assert b"\x1b" not in terminal.output


def test_stdout_that_is_a_file_gets_its_lines_while_stderr_shows_progress(tmp_path: Path) -> None:
    with on_terminal(["sh", "-c", 'exec "$0" "$@" > out', *COMMAND], 40, tmp_path) as terminal:
        terminal.wait_for(lambda lines: _is_shown(LINES[40], lines))
        terminal.press(b"\x03")
        assert " ".join(terminal.run_to_end()) == f"{VALIDATION} {NOTES[1]} {NOTES[3]}"
    assert (tmp_path / "out").read_text().splitlines() == [NOTES[0], NOTES[2], "The end"]


COUNTS = """
import time, types
from gmd_vae.common import console, progress_line

progress_line._SECONDS_BETWEEN_DRAWS = 0.0
now = 0.0
console.time = types.SimpleNamespace(monotonic=lambda: now)
for name, unit, scale in (("Converting", "files", 1), ("Groove", "MB", 1000000)):
    with console.count_progress(name, unit, scale) as progress:
        time.sleep(0.1)
        for now, done in enumerate((1, 41)):
            progress(done * scale, 1000 * scale)
        time.sleep(0.1)
with console.percent_progress() as progress:
    progress("Loading", 0.0)
    time.sleep(0.1)
    for now, share in enumerate((0.0, 0.25)):
        progress("Reconstructing", share)
    time.sleep(60)
"""
COUNTED = {
    40: ("   41/1,000 files  24 s left", "Groove     41.0/1,000.0 MB  24 s left", "Reconstructing   25%  3 s left"),
    80: (
        f"Converting  {25 * '━'}     41/1,000 files  40 files/s  24 s left",
        f"Groove  {31 * '━'}     41.0/1,000.0 MB  40 MB/s  24 s left",
        f"Reconstructing  {40 * '━'}   25%  3 s left",
    ),
}  # fmt: skip


@pytest.mark.parametrize("columns", COUNTED)
def test_counts_bytes_and_shares(columns: int) -> None:
    with on_terminal([sys.executable, "-c", COUNTS], columns) as terminal:
        files, megabytes, share = COUNTED[columns]
        for line in ("Converting ...", files, "Groove ...", megabytes, "Loading ...", share):
            assert len(terminal.wait_for(lambda lines, line=line: _is_shown(line, lines))) == 1


def test_without_a_terminal_long_work_prints_a_line_every_half_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = iter((0.0, 1.0, 29.0, 31.0, 62.0, 62.0, 63.0, 100.0, 101.0))
    monkeypatch.setattr(console, "time", types.SimpleNamespace(monotonic=lambda: next(seconds)))
    with console.percent_progress() as share:
        for name, done in (("windows", 0.0), ("windows", 0.5), ("posteriors", 0.0), ("samples", 0.25)):
            share(name, done)
    with console.count_progress("Converting", "files") as count:
        for files in (1, 40, 1000):
            count(files, 1000)
    assert capsys.readouterr().err.splitlines() == ["posteriors ...", "samples: 25%", "Converting: 40/1,000 files"]


def test_parts_give_way_by_their_rank() -> None:
    parts = [Part(1, "step 1"), Part(2, share=0.5), Part(3), Part(0, "1 min left"), Part(4, "KL 3")]
    rows = [tuple(part.rank for part in fitting(parts, width)) for width in range(1, 60)]
    assert list(dict.fromkeys(rows)) == [(0,), (1, 0), (1, 2, 0), (1, 2, 0, 4)]
