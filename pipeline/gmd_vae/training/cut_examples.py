"""Prepares the examples that ``gmd-vae train`` finds only as NoteSequences."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.configuration.config import Config
from gmd_vae.engines.resumable import Progress, silent
from gmd_vae.families import family_of
from gmd_vae.inspection.fitting_configs import fitting_configs
from gmd_vae.windows.preprocess import preprocess


def cut_examples(config: Config, notes: Path, folder: Path, on_progress: Progress = silent) -> None:
    """Runs ``preprocess`` for a config, as ``gmd-vae preprocess`` does.

    Args:
        config: The config.
        notes: NoteSequences.
        folder: New folder of examples.
        on_progress: Progress callback.

    Raises:
        GmdVaeError: The NoteSequences hold no windows of the config.
    """
    extractor = family_of(config).extractor(config)

    def advice(path: Path) -> str:
        return fitting_configs(path, "train", "--examples-path", path)

    preprocess(notes, folder, extractor, config=config.name, advice=advice, option="", on_progress=on_progress)
