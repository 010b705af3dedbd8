"""Limits of rendering that are checked before the music is made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gmd_vae.common.disk_space import free_bytes, size_in_words
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.rendering.drum_part import MAX_SECONDS
from gmd_vae.rendering.kit import RATE

_BYTES_PER_SAMPLE = 4  # 16 bit, stereo


def check_renderable(seconds: Sequence[float], folder: Path, *, wav: bool) -> None:
    """Checks that planned files are not too long to render, and that the disk has room for their sound.

    Args:
        seconds: Length of each file.
        folder: Folder of the output; need not exist.
        wav: True if sound is written.

    Raises:
        GmdVaeError: A file is too long, or the disk too full.
    """
    if (longest := max(seconds, default=0.0)) > MAX_SECONDS:
        raise GmdVaeError(
            f"A file would have {longest / 60:,.0f} minutes of music; {MAX_SECONDS / 60:.0f} can be rendered",
            "Make shorter files, or leave --wav and --png out.",
        )
    needed, free = round(sum(seconds) * RATE * _BYTES_PER_SAMPLE), free_bytes(folder)
    if wav and needed > free:
        raise GmdVaeError(
            f"The disk of '{folder}' is too full: the sound needs about {size_in_words(needed)}, "
            f"{size_in_words(free)} are free",
            "Make fewer or shorter files, or choose an --output-dir on another disk.",
        )
