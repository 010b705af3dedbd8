"""Checks the disk space for checkpoints before the training starts. No TensorFlow here."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.common.disk_space import free_bytes, size_in_words
from gmd_vae.common.errors import GmdVaeError


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
    free = free_bytes(folder)
    if needed > free:
        checkpoints = "one checkpoint" if count == 1 else f"{count} checkpoints of {size_in_words(checkpoint_bytes)}"
        raise GmdVaeError(
            f"The disk of '{folder}' is too full: training needs about {size_in_words(needed)} for {checkpoints}, "
            f"{size_in_words(free)} are free",
            "Free some space, or choose a --run-dir on another disk.",
        )
