"""The folders ``data`` and ``runs``, where commands read and write unless a path is given."""

from __future__ import annotations

import os
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError

VARIABLE = "GMD_VAE_HOME"


def home() -> Path:
    """Returns the folder of ``data`` and ``runs``: that of ``GMD_VAE_HOME``, else the current folder.

    Raises:
        FileNotFoundError: The variable has a relative path, and the current folder was deleted.
    """
    named = os.environ.get(VARIABLE)
    return user_path(named).absolute() if named else Path()


def user_path(text: str) -> Path:
    """Returns the path of a text, with the home folder for ``~``. ``Path.expanduser`` fails for ``~nobody``."""
    return Path(os.path.expanduser(text))  # noqa: PTH111


def runs_folder() -> Path:
    """Returns the folder of the runs, ``runs``."""
    return home() / "runs"


def data_folder(stage: str) -> Path:
    """Returns the folder of a stage's output, such as ``data/notes``.

    Args:
        stage: ``raw`` (datasets as published), ``notes`` (NoteSequences) or ``examples`` (training windows).
    """
    return home() / "data" / stage


def default_input(stage: str, action: str) -> Path:
    """Returns the folder of the Groove MIDI Dataset after a stage, the input of a command that names none.

    Args:
        stage: As for ``data_folder``.
        action: The user's next action where there is no such folder, a sentence.

    Raises:
        GmdVaeError: There is none.
    """
    folder = data_folder(stage) / "groove"
    if not folder.exists():
        raise GmdVaeError(f"'{folder}' does not exist", f"{action} {place_in_words()}")
    return folder


def place_in_words() -> str:
    """Returns the place of ``data`` and ``runs`` and the way to change it, as a sentence for errors."""
    if os.environ.get(VARIABLE):
        return f"data/ and runs/ are searched in the folder of {VARIABLE}, '{home()}'."
    return f"data/ and runs/ are searched in the current folder, '{Path.cwd()}'; {VARIABLE} names another."
