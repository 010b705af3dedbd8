"""Small configs and a trained run, for tests that start training many times."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import VARIABLE, get_config
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan

SHORT, SHORT_HIERARCHICAL = "flat-drum_1bar_test", "hierdec-drum_1bar_test"
_CONFIGS = f"""
from gmd_vae.configs import AR_SMALL, FLAT_SMALL
from gmd_vae.configuration.window_specs import DrumWindows

SIZES = dict(windows=DrumWindows(slice_bars=1), z_size=4, enc_rnn_size=[16], dec_rnn_size=[12, 8], batch_size=16)
CONFIGS = [
    FLAT_SMALL.replace(name="{SHORT}", **SIZES),
    AR_SMALL.replace(name="{SHORT_HIERARCHICAL}", levels=(4, 4), **SIZES),
]
"""


@pytest.fixture(autouse=True)
def _without_pictures(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("tensorflow"):
        request.getfixturevalue("without_pictures")


@pytest.fixture(scope="session")
def short_configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File with two configs of one-bar windows: 16 unrolled steps build four times as fast as 64."""
    path = tmp_path_factory.mktemp("configs") / "short.py"
    path.write_text(_CONFIGS)
    return path


@pytest.fixture(scope="session")
def short_model(short_configs: Path) -> Config:
    """The flat config, for tests that call no command."""
    return get_config(SHORT, short_configs)


@pytest.fixture
def short_config(short_configs: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of the flat config, registered for commands."""
    monkeypatch.setenv(VARIABLE, str(short_configs))
    return SHORT


@pytest.fixture(scope="session")
def short_examples(short_model: Config, starter_notes: Path, made_once: Callable[..., Path]) -> Path:
    """One-bar windows of the starter set. Do not write to them."""
    from gmd_vae.families import family_of
    from gmd_vae.windows.preprocess import preprocess

    def make(folder: Path) -> None:
        preprocess(starter_notes, folder, family_of(short_model).extractor(short_model), config=SHORT)

    return made_once(f"examples/starter-windows/{SHORT}", make)


@pytest.fixture(scope="session")
def short_run(short_configs: Path, short_examples: Path, made_once: Callable[..., Path]) -> Run:
    """A run of the hierarchical config, trained for three steps. Do not write to it."""
    from gmd_vae.training.examples import open_examples
    from gmd_vae.training.loop import train

    config = get_config(SHORT_HIERARCHICAL, short_configs)
    examples = open_examples(short_examples, config)

    def run_in(folder: Path) -> Run:
        return Run(folder, config, config.hparams, 1, examples.folder, examples.digest)

    def make(folder: Path) -> None:
        folder.mkdir()
        run = run_in(folder)
        run.describe(Plan(3))
        train(run, examples, Plan(3))

    return run_in(made_once("runs/short", make))
