"""Exchange of checkpoints between Magenta's scripts and ours, in both directions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mido
import pytest
from fixtures.command_line import run_here
from gmd_vae.configuration.registry import VARIABLE
from gmd_vae.models import checkpoints

pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).parent.parent.parent

# a config with the sizes of the tiny run: Magenta's scripts have no option for sizes
CONFIGS = """
from gmd_vae.configs import HIERDEC_SMALL
CONFIGS = [HIERDEC_SMALL.replace(name="tiny", summary="a test", source="a test", enc_rnn_size=[16],
                                 dec_rnn_size=[12, 8], z_size=4, batch_size=16)]
"""

# Runs one of Magenta's scripts as its console entry point does, in a process with our patches and our configs in
# Magenta's map.
SCRIPT = """
import importlib, sys
from gmd_vae.magenta import api
script = importlib.import_module("magenta.models.music_vae." + sys.argv[1])
script.FLAGS(sys.argv[1:])
script.run(api.configs.CONFIG_MAP)
"""


@pytest.fixture(autouse=True)
def own_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.py").write_text(CONFIGS)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "own.py"))


def run_script(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def drums(path: Path) -> int:
    """Note-ons on channel 10."""
    return sum(
        message.type == "note_on" and message.channel == 9 and message.velocity > 0 for message in mido.MidiFile(path)
    )


def test_a_checkpoint_of_magentas_script_generates_here(tmp_path: Path, starter_notes: Path) -> None:
    windows = tmp_path / "windows"  # as Magenta's preprocess_tfrecord writes them
    run_here(tmp_path, "preprocess", str(starter_notes), "--stock", "--config", "tiny", "--output-dir", str(windows))
    flags = ["--config=tiny", "--mode=train", "--num_steps=2", f"--run_dir={tmp_path / 'stock'}"]
    flags += [f"--examples_path={windows / 'train.tfrecord'}", "--cache_dataset=false"]
    run_script("music_vae_train", *flags)
    beats = tmp_path / "beats"
    arguments = ["--checkpoint-file", str(tmp_path / "stock" / "train"), "--config", "tiny", "-n", "3"]
    run_here(tmp_path, "generate", *arguments, "--temperature", "1", "--output-dir", str(beats))
    assert [drums(path) > 0 for path in sorted(beats.glob("*.mid"))] == [True] * 3


def test_a_checkpoint_of_ours_generates_in_magentas_script(tmp_path: Path, tiny_run: Path) -> None:
    flags = ["--config=tiny", "--mode=sample", "--num_outputs=2", "--temperature=1.0"]
    flags += [f"--checkpoint_file={checkpoints.find(tiny_run)}", f"--output_dir={tmp_path / 'beats'}"]
    run_script("music_vae_generate", *flags)
    beats = sorted((tmp_path / "beats").glob("*.mid"))
    assert len(beats) == 2
    assert all(drums(path) > 0 for path in beats)
