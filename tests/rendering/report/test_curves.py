"""The training curves of the report page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gmd_vae.rendering.report.curves import read_curves


@pytest.mark.parametrize("lines", [1, 3_000])
def test_charts_are_the_same_every_time_and_stay_small(lines: int, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    rng = np.random.default_rng(1)
    path.write_text(
        "".join(
            json.dumps({"split": "train", "step": step, "loss": loss, "elbo": -loss}) + "\n"
            for step, loss in enumerate(rng.normal(100, 5, lines).tolist(), start=1)
        )
    )
    first, second = read_curves(path), read_curves(path)
    assert first == second
    assert (len(first.charts), first.last_step, first.accuracy) == (2, lines, None)
    assert max(map(len, first.charts)) < 16_000
