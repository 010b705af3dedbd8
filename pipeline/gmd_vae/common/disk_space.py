"""Free disk space, for checks before long work."""

from __future__ import annotations

import shutil
from pathlib import Path

_GB = 1e9


def free_bytes(folder: Path) -> int:
    """Returns the free bytes of the file system of a folder, which need not exist yet. Quotas are not considered."""
    existing = folder.absolute()
    while not existing.exists():
        existing = existing.parent
    return shutil.disk_usage(existing).free


def size_in_words(size: int) -> str:
    """Returns a number of bytes for people, for example ``1.5 GB`` or ``3.2 MB``."""
    return f"{size / _GB:.1f} GB" if size >= _GB / 10 else f"{size / 1e6:.1f} MB"
