"""Checks the disk space for checkpoints before the training starts. No TensorFlow here."""

from __future__ import annotations

import shutil
from pathlib import Path

from gmd_vae.common.errors import GmdVaeError

_GB = 1e9


def check_space(folder: Path, checkpoint_bytes: int, count: int) -> None:
    """Checks that the file system of a folder has room for more checkpoints. Quotas are not considered.

    Args:
        folder: Folder of the checkpoints; need not exist yet.
        checkpoint_bytes: Size of a checkpoint in bytes.
        count: Largest number of checkpoints that exist at the same time, without those that exist now. A saver that
            keeps three holds four while it writes, because it deletes the oldest last.

    Raises:
        GmdVaeError: Not enough space; names the bytes needed and free.
    """
    needed = checkpoint_bytes * count
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if needed > free:
        checkpoints = "one checkpoint" if count == 1 else f"{count} checkpoints of {_size(checkpoint_bytes)}"
        raise GmdVaeError(
            f"The disk of '{folder}' is too full: training needs about {_size(needed)} for {checkpoints}, "
            f"{_size(free)} are free",
            "Free some space, or choose a --run-dir on another disk.",
        )


def _size(size: int) -> str:
    return f"{size / _GB:.1f} GB" if size >= _GB / 10 else f"{size / 1e6:.1f} MB"
