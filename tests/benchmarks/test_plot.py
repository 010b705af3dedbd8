"""The picture is drawn with missing figures too."""

from __future__ import annotations

from pathlib import Path

from benchmarks import plot
from benchmarks.summary import Cost, Group, Row


def test_a_picture_with_a_failure_and_a_floor(tmp_path: Path) -> None:
    rows = [
        Row("training step, median", {"stock Magenta": None, "gmd-vae fp32": Cost(0.2, 0.3)}),
        Row("matrix products of a step (floor)", {"gmd-vae fp32": Cost(0.05, 0.1)}),
    ]
    plot.draw([Group("small", 64, rows)], tmp_path / "cpu.png", "a machine", gpu=False)
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")
