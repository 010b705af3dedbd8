"""Checkpoints between Magenta's own scripts and ours: trained there, generated here, and the other way round."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from pipeline.models import checkpoints

pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parent.parent.parent

# the sizes of the tiny run, as a config of its own: Magenta's scripts take checkpoints of a config only
CONFIGS = """
from dataclasses import replace
from configs import HIERDEC_SMALL
CONFIGS = [replace(HIERDEC_SMALL, name="tiny", summary="a test", source="a test", encoder_sizes=(16,),
                   decoder_sizes=(12, 8), z_size=4, batch_size=16)]
"""

# Runs one of Magenta's scripts as its console entry point does, in a process that TensorFlow starts in the way
# Magenta needs, with our configs in Magenta's map and its faults repaired.
SCRIPT = """
import importlib, sys
from pipeline.models import magenta
script = importlib.import_module("magenta.models.music_vae." + sys.argv[1])
script.FLAGS(sys.argv[1:])
script.run(magenta.configs.CONFIG_MAP)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "own.py").write_text(CONFIGS)
    return {**os.environ, "GMD_VAE_CONFIGS": str(tmp_path / "own.py")}


def run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def drums(path: Path) -> int:
    """Note-ons on channel 10."""
    return sum(
        message.type == "note_on" and message.channel == 9 and message.velocity > 0 for message in mido.MidiFile(path)
    )


def test_what_magentas_script_trained_makes_beats_here(
    tmp_path: Path, environment: dict[str, str], starter_notes: Path
) -> None:
    windows = tmp_path / "windows"  # as Magenta's preprocess_tfrecord writes them
    command = ["preprocess", str(starter_notes), "--stock", "--config", "tiny", "--output-dir", str(windows)]
    run(environment, "-m", "pipeline", *command)
    flags = ["--config=tiny", "--mode=train", "--num_steps=2", f"--run_dir={tmp_path / 'stock'}"]
    flags += [f"--examples_path={windows / 'train.tfrecord'}", "--cache_dataset=false"]
    run(environment, "-c", SCRIPT, "music_vae_train", *flags)
    beats = tmp_path / "beats"
    arguments = ["--checkpoint-file", str(tmp_path / "stock" / "train"), "--config", "tiny", "-n", "3"]
    run(environment, "-m", "pipeline", "generate", *arguments, "--temperature", "1", "--output-dir", str(beats))
    assert [drums(path) > 0 for path in sorted(beats.glob("*.mid"))] == [True] * 3


def test_what_was_trained_here_makes_beats_in_magentas_script(
    tmp_path: Path, environment: dict[str, str], tiny_run: Path
) -> None:
    flags = ["--config=tiny", "--mode=sample", "--num_outputs=2", "--temperature=1.0"]
    flags += [f"--checkpoint_file={checkpoints.find(tiny_run)}", f"--output_dir={tmp_path / 'beats'}"]
    run(environment, "-c", SCRIPT, "music_vae_generate", *flags)
    beats = sorted((tmp_path / "beats").glob("*.mid"))
    assert len(beats) == 2
    assert all(drums(path) > 0 for path in beats)
