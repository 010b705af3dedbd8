"""The folders of a user: MIDI files, an archive, and one output of every command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from fixtures.command_line import in_turn

ROOT = Path(__file__).parent.parent.parent
TINY = "enc_rnn_size=[16],dec_rnn_size=[12,8],z_size=4,batch_size=16,prior_components=0"
CONFIG = "flat-drum_1bar_small"  # 16 unrolled steps build four times as fast as the 64 of the default

# The command line that makes each output. A second run with the same arguments may replace it.
COMMANDS: dict[str, list[str]] = {
    "grooves": ["fetch", "starter", "--output-dir", "grooves"],
    "notes": ["convert", "grooves", "--output-dir", "notes"],
    "examples": ["preprocess", "notes", "--config", CONFIG, "--output-dir", "examples"],
    "run": ["train", "--config", CONFIG, "--examples-path", "examples", "--run-dir", "run", "--hparams", TINY,
            "--validate-every", "1", "--num-steps", "2"],
    "beats": ["generate", "--run-dir", "run", "-n", "2", "--seed", "1", "--output-dir", "beats"],
    "run/eval": ["evaluate", "run", "--samples", "10", "--importance-samples", "2", "--split", "train"],
}  # fmt: skip

MY_CONFIGS = """\
from gmd_vae.configs import FLAT_1_SMALL

CONFIGS = [FLAT_1_SMALL.replace(name="mine", z_size=32)]
"""


def program() -> list[str]:
    """Returns the installed command, or the module where the command is not installed."""
    installed = Path(sys.executable).with_name("gmd-vae")
    return [str(installed)] if installed.exists() else [sys.executable, "-m", "gmd_vae"]


def environment(sandbox: Path) -> dict[str, str]:
    """Returns the environment of a command whose home and temporary folder lie in the sandbox."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "pipeline"),
        "HOME": str(sandbox / "user"),
        "TMPDIR": str(sandbox / "tmp"),
        "MPLCONFIGDIR": str(sandbox / "user"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "2",
    }


def build(sandbox: Path) -> None:
    """Makes ``sandbox/home`` with the outputs of ``COMMANDS``, and the folders beside it.

    Raises:
        RuntimeError: A command failed.
    """
    home = sandbox / "home"
    for folder in (home, sandbox / "tmp", sandbox / "user", sandbox / "outside"):
        folder.mkdir(parents=True)
    (sandbox / "outside" / "diary.txt").write_text("private\n")
    (home / "letter.txt").write_text("to a friend\n")
    (home / "my_configs.py").write_text(MY_CONFIGS)
    done = subprocess.run(
        in_turn(list(COMMANDS.values())),
        cwd=home,
        env=environment(sandbox),
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    songs = sorted((home / "grooves").rglob("*.mid"))[:12]
    (home / "mine").mkdir()
    for song in songs:
        shutil.copy(song, home / "mine" / song.name)
    shutil.copy(songs[0], home / "song.mid")
    with zipfile.ZipFile(home / "mine.zip", "w") as archive:
        for song in songs:
            archive.write(song, f"mine/{song.name}")


def copy(template: Path, sandbox: Path) -> Path:
    """Copies a built sandbox, links and all; returns its home."""
    shutil.copytree(template, sandbox, symlinks=True)
    return sandbox / "home"


def evaluation(home: Path) -> str:
    """Returns the place of the evaluation's result in a home."""
    return str(next((home / "run" / "eval").rglob("result.json")).relative_to(home))
