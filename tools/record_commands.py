"""Records what each command prints on a terminal of 80 and of 120 columns: docs/recordings/COLUMNS.txt.

Runs a session of a new user on a pseudo-terminal, in an empty folder, and writes the screens with all that scrolled
out of them. What differs from run to run is replaced: the folder, times, speeds, sizes of pages, version and commit. So
two recordings of the same code on one machine are equal. Trains a tiny model; takes about two minutes.

    python tools/record_commands.py
    python tools/record_commands.py --only fetch --only convert --folder /tmp/screens
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "pipeline")]

from fixtures.terminal import on_terminal  # noqa: E402

TARGET = ROOT / "docs" / "recordings"
COLUMNS = (80, 120)
HEAD = "What the commands print on a terminal of {columns} columns, written by tools/record_commands.py.\n"
SONG = "data/raw/starter/drummer1/session1/1_rock_116_beat_4-4.mid"
TINY = (
    "enc_rnn_size=[16],dec_rnn_size=[16,16],z_size=8,batch_size=16,warm_up_steps=0,average_decay=0,prior_components=0"
)

FOLDER = "/home/you/my-music"
"""Name of the session's folder in a recording: as long as the name of the folder, so that lines break alike."""

# In the order of the work: later commands read what earlier ones have written.
SESSION = [
    "gmd-vae",
    "gmd-vae train",
    "gmd-vae fetch starter",
    "gmd-vae convert data/raw/starter",
    "gmd-vae preprocess data/notes/starter",
    f"gmd-vae inspect {SONG}",
    "gmd-vae inspect data/raw/starter",
    f"gmd-vae train --num-steps 20 --run-dir runs/tiny --hparams {TINY}",
    "gmd-vae evaluate --samples 50 --importance-samples 2",
    "gmd-vae generate -n 4 --output-dir beats",
    "gmd-vae generate --model groove-4bar -n 2 --output-dir groove",
    f"gmd-vae generate --mode vary --input-midi {SONG} --model groove-4bar -n 2 --output-dir varied",
    "gmd-vae render groove/*.mid",
    "gmd-vae report",
    "gmd-vae studio groove-4bar",
    "gmd-vae export runs/tiny -o tiny.safetensors",
    "gmd-vae models",
    "gmd-vae models tiny.safetensors",
    "gmd-vae configs",
    "gmd-vae configs hierdec-drum_4bar_small",
    "gmd-vae generate --tempo fast",
]
"""Command lines. `doctor` is missing: all that it prints depends on the machine."""

OF_THE_RUN = [line for line in SESSION if "tiny" in line or line.split()[1:2] in (["evaluate"], ["report"])]
OF_THE_RUN.append("gmd-vae generate -n 4 --output-dir beats")
"""Command lines that train a model or need it: they take minutes, and figures can depend on the machine."""

# What depends on the moment, the machine or its load, and what stands in its place
REPLACED = [
    (re.compile(r"\d{4}-\d\d-\d\d([ T_]\d\d:?\d\d(:?\d\d)?)?( UTC)?"), "DATE"),
    (re.compile(r"\d[\d,.]* (steps|files|NoteSequences|MB)/s"), r"N \1/s"),
    (re.compile(r"\b(\d+ h )?(\d+ min )?\d[\d.,]* (s|min|CPU hours|CPU seconds) (left|on|of|an epoch)"), r"TIME \4"),
    (re.compile(r"^(CPU time +)\d[\d.]* (s|min|h)$"), r"\1TIME"),
    (re.compile(r"process \d+"), "process N"),
    (re.compile(r"(\.html \()\d[\d.,]* (kB|MB)"), r"\1N \2"),
    (re.compile(r"gmd-vae \d+\.\d+\.\d+, commit"), "gmd-vae VERSION, commit"),
    (re.compile(r"\b[0-9a-f]{40,64}\b( with changes)?"), "DIGEST"),
]


def record(columns: int, session: list[str], folder: Path) -> str:
    """Returns the screens of a session.

    Args:
        columns: Width of the terminal.
        session: Command lines for a shell.
        folder: An empty folder, in which the commands run.
    """
    program = shlex.join([sys.executable, "-m", "gmd_vae"])
    parts = [HEAD.format(columns=columns)]
    for line in session:
        # the shell's own words cannot be seen: only what the command prints
        script = f'unset GMD_VAE_HOME GMD_VAE_CONFIGS; gmd-vae() {{ {program} "$@"; }}; {line}'
        with on_terminal(
            ["bash", "-c", script], columns, folder, HOME=str(folder), TF_CPP_MIN_LOG_LEVEL="3"
        ) as terminal:
            shown = terminal.run_to_end()
        status = terminal.process.returncode
        ended = [f"[exit status {status}]"] if status else []
        parts.append("\n".join([f"$ {line}", *(_stable(text, folder) for text in shown), *ended]) + "\n")
    return "\n".join(parts)


@contextlib.contextmanager
def session_folder() -> Iterator[Path]:
    """Yields an empty folder whose name is as long as ``FOLDER``; removes it."""
    with tempfile.TemporaryDirectory(prefix="/tmp/music") as folder:
        yield Path(folder)


def _stable(text: str, folder: Path) -> str:
    """Returns a line of the screen without what differs from run to run."""
    text = text.replace(str(folder.resolve()), FOLDER).replace(str(folder), FOLDER)
    for pattern, replacement in REPLACED:
        text = pattern.sub(replacement, text)
    return text


def main() -> None:
    """Writes the recordings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=TARGET, help="where the recordings go")
    parser.add_argument("--only", action="append", default=[], metavar="COMMAND", help="only this command")
    options = parser.parse_args()
    if options.only and options.folder == TARGET:
        parser.error("--only needs --folder: the recordings of the project have all commands")
    session = [line for line in SESSION if not options.only or set(line.split()[1:2]) & set(options.only)]
    options.folder.mkdir(parents=True, exist_ok=True)
    for columns in COLUMNS:
        with session_folder() as folder:
            text = record(columns, session, folder)
        (options.folder / f"{columns}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
