"""Cores and precision of this machine; the tests of ``doctor`` cover the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gmd_vae.common import machine


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ({"avx2", "fma"}, "fp32"),
        ({"avx512f"}, "fp32"),
        ({"avx512f", "avx512_bf16"}, "bf16"),
        ({"amx_bf16"}, "bf16"),
        (None, "fp32"),  # not Linux
    ],
)
def test_a_processor_that_multiplies_bf16_gets_it(
    monkeypatch: pytest.MonkeyPatch, flags: set[str] | None, precision: str
) -> None:
    monkeypatch.setattr(machine, "gpus", list)

    def cpu_model(_: Path) -> tuple[str | None, set[str] | None]:
        return "a processor", flags

    monkeypatch.setattr(machine, "cpu_model", cpu_model)
    assert machine.best_precision() == precision


@pytest.mark.parametrize(
    ("capabilities", "precision"), [(["9.0"], "bf16"), (["8.0", "7.5"], "fp32"), (["7.5"], "fp32"), ([], "fp32")]
)
def test_all_gpus_must_have_tensor_cores_for_bf16(
    monkeypatch: pytest.MonkeyPatch, capabilities: list[str], precision: str
) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: [{"name": "a GPU"}])
    monkeypatch.setattr(machine, "_query_gpus", lambda fields: capabilities)
    assert machine.best_precision() == precision


def test_there_is_at_least_one_usable_core() -> None:
    assert 1 <= machine.usable_cores() <= (os.cpu_count() or 1)
