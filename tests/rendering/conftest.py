"""A run folder as ``train``, ``evaluate`` and ``generate`` leave it, written without TensorFlow, and a small model."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.random_models import random_variables, small
from fixtures.results import result_json
from gmd_vae.common import manifest
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.models.model_file import Card, ModelFile
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

MakeBeats = Callable[..., Path]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A run of 400 steps without beats or evaluations."""
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    config = get_config(DEFAULT_CONFIG)
    Run(folder, config, dict(config.hparams), 7, Path("data/examples/mine"), "ab" * 32).describe(Plan(400))
    lines: list[dict[str, Any]] = []
    for step in range(20, 401, 20):
        loss = 100 + 4000 / step
        lines.append({"split": "train", "step": step, "loss": loss, "elbo": -loss - 5, "learning_rate": 0.001})
        if step % 100 == 0:
            accuracy = step / 1000
            lines.append({"split": "validation", "step": step, "elbo": -loss - 9, "accuracy": accuracy, "windows": 5})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def make_beats(run_folder: Path) -> MakeBeats:
    """Writes a folder as ``gmd-vae generate`` does: ``make_beats("sample", {"sample-000.mid": data})``."""

    def make(mode: str, beats: Mapping[str, bytes], name: str = "2026-11-22_180000", **facts: Any) -> Path:
        folder = run_folder / "generated" / name
        folder.mkdir(parents=True)
        for file, data in beats.items():
            (folder / file).write_bytes(data)
        files = [manifest.describe_file(folder / file, notes=3) for file in beats]
        content = {"mode": mode, "count": len(beats), "temperature": 0.5, "seed": 3, "inputs": [], **facts}
        manifest.write(folder, "generate", {**content, "files": files})
        return folder

    return make


@pytest.fixture
def evaluated(run_folder: Path) -> Path:
    """Adds an evaluation to the run, and returns its ``result.json``."""
    folder = run_folder / "eval" / "test-400"
    folder.mkdir(parents=True)
    content = result_json()
    figure = {"value": 0.4321, "low": 0.4, "high": 0.45}
    content |= {"run": "runs/mine", "config": DEFAULT_CONFIG, "windows": 1234}
    content["checkpoint"] |= {"name": "model.ckpt-400", "step": 400}
    content["training"] |= {"folder": "data/examples/mine", "windows": 5678}
    content["likelihood"] |= {"reconstruction": figure, "elbo": {"value": -110.5, "low": -120.0, "high": -100.0}}
    for name in ("teacher_forced", "free_running"):
        content["reconstruction"][name]["steps_right"] = figure
    manifest.write(folder, "evaluate", {"files": []})
    manifest.write_json(folder / "result.json", content)
    return folder / "result.json"


@pytest.fixture(scope="session")
def tiny_model() -> ModelFile:
    """A model of the default config with random weights, for the studio."""
    config = get_config("hierdec-drum_4bar_small")
    hparams = small(config)
    vectors = {name: np.linspace(low, 3.0, hparams["z_size"]) for name, low in (("busier", -2.0), ("syncopation", 1.0))}
    variables = random_variables(config, hparams, 2)
    return ModelFile(config, hparams, variables, Card("mine", data="groove"), step=12, attribute_vectors=vectors)
