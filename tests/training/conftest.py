"""A config whose graph is small, for tests that start training again and again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHORT = "flat-drum_1bar_test"
_CONFIGS = f"""
from dataclasses import replace
from configs import FLAT_SMALL
from pipeline.examples.spec import DrumWindows

SIZES = dict(z_size=4, encoder_sizes=(16,), decoder_sizes=(12, 8), batch_size=16)
CONFIGS = [replace(FLAT_SMALL, name="{SHORT}", windows=DrumWindows(slice_bars=1), **SIZES)]
"""


@pytest.fixture
def short_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a flat model of one bar: 16 steps are built in a quarter of the time that 64 take."""
    path = tmp_path_factory.mktemp("configs") / "short.py"
    path.write_text(_CONFIGS)
    monkeypatch.setenv("GMD_VAE_CONFIGS", str(path))
    return SHORT


@pytest.fixture
def short_examples(short_config: str, starter_notes: Path, made_once: Callable[..., Path]) -> Path:
    """The starter set's windows for it. Do not write to them."""
    from pipeline.examples.preprocess import preprocess
    from pipeline.models.extraction import extractor_for
    from pipeline.models.registry import get_config

    def make(folder: Path) -> None:
        preprocess(starter_notes, folder, extractor_for(get_config(short_config)), config=short_config)

    return made_once(f"examples/starter-windows/{short_config}", make)
