"""A run that is killed with SIGKILL and resumed ends with the weights of an uninterrupted one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.command_line import run_here
from fixtures.random_models import random_variables
from fixtures.tool_module import load_tool
from gmd_vae.configuration.config import Config
from gmd_vae.models.checkpoint_writer import write_checkpoint

pytestmark = [pytest.mark.tensorflow, pytest.mark.timeout(600)]

# random draws in addition to the latent noise; averages and schedules in the checkpoints
HPARAMS = (
    "sampling_schedule=constant,sampling_rate=0.5,mix_windows=0.5,drop_voices=0.3,swap_voices=0.2,blank_inputs=0.3,"
    "average_decay=0.9,warm_up_steps=10,learning_rate_schedule=cooldown,beta_warm_up_steps=40,free_bits=3,"
    "free_bits_until=50,best_by=objective"
)


def test_two_kills_change_nothing(
    short_config: str,
    short_model: Config,
    short_examples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed runs have a process of their own; the others run in this process."""
    tool = load_tool("kill_test")

    def train(run: Path, arguments: list[str]) -> None:
        run_here(tmp_path, "train", "--run-dir", str(run), *arguments)

    monkeypatch.setattr(tool, "train", train)
    weights = {**random_variables(short_model, short_model.hparams), "global_step": np.array(0, np.int64)}
    (tmp_path / "weights").mkdir()
    write_checkpoint(tmp_path / "weights" / "model.ckpt-0", weights)
    given = ["--folder", str(tmp_path), "--examples-path", str(short_examples), "--config", short_config]
    given += ["--init-from", str(tmp_path / "weights" / "model.ckpt-0")]
    given += ["--hparams", HPARAMS, "--kills", "2", "--seed", str(os.getpid())]
    monkeypatch.setattr(sys, "argv", ["kill_test.py", *given])
    code = tool.main()
    out = capsys.readouterr().out
    assert code == 0, out
    assert out.count("killed after step") == 2
    assert "equal, bit for bit, at step 60" in out
    killed, undisturbed = ((tmp_path / name / "metrics.jsonl").read_text() for name in ("killed", "undisturbed"))
    assert without_speed(killed) == without_speed(undisturbed)
    assert killed.count('"validation", "step": 0,') == 1


def without_speed(text: str) -> list[str]:
    return [line.split(', "steps_per_second"')[0] for line in text.splitlines()]
