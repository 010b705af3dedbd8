"""A run that is killed with SIGKILL and goes on ends with the weights of one that was never stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parent.parent.parent
# what draws random numbers in our layers: the latent noise and scheduled sampling
RANDOM = "sampling_schedule=constant,sampling_rate=0.5"


def test_three_kills_change_nothing(short_config: str, short_examples: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "tools" / "kill_test.py"), "--folder", str(tmp_path)),
            *("--examples-path", str(short_examples), "--hparams", RANDOM, "--seed", str(os.getpid())),
            *("--config", short_config),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("killed after step") == 3
    assert "equal, bit for bit, at step 60" in done.stdout
    metrics = [(tmp_path / name / "metrics.jsonl").read_text() for name in ("killed", "undisturbed")]
    assert [without_speed(text) for text in metrics[:1]] == [without_speed(text) for text in metrics[1:]]


def without_speed(text: str) -> list[str]:
    return [line.split(', "steps_per_second"')[0] for line in text.splitlines()]
