"""Whether the checkpoints of a run fit on the disk, told before the training starts. No TensorFlow here."""

from __future__ import annotations

import shutil
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError

_GB = 1e9


def check_space(folder: Path, checkpoint_bytes: int, how_many: int) -> None:
    """Checks that a folder's file system has room for so many checkpoints more.

    A quota is not seen: the operating system tells only of the disk as a whole.

    Args:
        folder: where they will be written; need not exist yet.
        checkpoint_bytes: size of one of them.
        how_many: as many as lie there at the same moment at most, beside those that are there now.
            A saver that keeps three holds four while it writes, for the oldest goes last.

    Raises:
        GmdVaeError: there is less; says how much is needed and how much is free.
    """
    needed = checkpoint_bytes * how_many
    there = folder.absolute()
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if needed > free:
        of_what = "one checkpoint" if how_many == 1 else f"{how_many} checkpoints of {_size(checkpoint_bytes)}"
        raise GmdVaeError(
            f"The disk of '{folder}' is too full: training needs about {_size(needed)} for {of_what}, "
            f"{_size(free)} are free",
            "Free some space, or choose a --run-dir on another disk.",
        )


def _size(count: int) -> str:
    return f"{count / _GB:.1f} GB" if count >= _GB / 10 else f"{count / 1e6:.1f} MB"
