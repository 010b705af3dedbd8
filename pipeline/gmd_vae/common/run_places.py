"""Names in a run folder, and the places in it that belong to training alone."""

from __future__ import annotations

import os
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import printable

RUN_FILE = "run.json"
TRAIN = "train"  # the last checkpoints
BEST = "best"  # the best checkpoint; also the spelling of it


def check_not_of_training(output: Path, option: str) -> None:
    """Checks that an output of the user's choice is not in ``train/`` or ``best/`` of a run.

    What training wrote there is a file of gmd-vae, which most commands may replace, but the run would lose its model.

    Args:
        output: File or folder to write.
        option: Option that chooses another place, for the message.

    Raises:
        GmdVaeError: It is in one of them, or is one of them.
    """
    target = _real(output)
    for place in (target, *target.parents):
        if place.name in (TRAIN, BEST) and (place.parent / RUN_FILE).is_file():
            run = next((parent for parent in output.parents if _real(parent) == place.parent), place.parent)
            example = run / (output.name if place != target else "output")
            raise GmdVaeError(
                f"'{printable(str(output), limit=None)}' is in '{place.name}' of a run, which belongs to its training",
                f"Choose another {option}, for example '{printable(str(example), limit=None)}'. Nothing was changed.",
            )


def run_around(folder: Path) -> Path | None:
    """Returns the run that a folder is in; ``None`` if it is in none. A run has ``run.json`` and ``train/``.

    Args:
        folder: A folder, which need not exist.
    """
    for place in _real(folder).parents:
        if (place / RUN_FILE).is_file() and (place / TRAIN).is_dir():
            return next((parent for parent in folder.parents if _real(parent) == place), place)
    return None


def _real(path: Path) -> Path:
    """Returns a path without links. ``Path.resolve`` raises an error for links in a circle."""
    return Path(os.path.realpath(path))
