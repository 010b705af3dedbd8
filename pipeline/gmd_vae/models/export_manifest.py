"""The manifest of an exported folder: the card of a checkpoint that has no place for one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.models import checkpoints
from gmd_vae.models.card import Card, Digest

STAGE = "export"


class _ListedFile(msgspec.Struct, frozen=True):
    """A file of the folder.

    Attributes:
        name: Name of the file.
        sha256: SHA-256 of its content.
    """

    name: str
    sha256: Digest


class ExportManifest(msgspec.Struct, frozen=True):
    """The entries of the manifest that are read.

    Attributes:
        card: Card of the model; ``null`` in folders of version 0.17 and earlier.
        licence: Licence of the weights; ``null``: not stated.
        other_files: Files of the folder.
    """

    card: Card | None = None
    licence: str | None = None
    other_files: Annotated[list[_ListedFile], msgspec.Meta(max_length=10_000)] = []


def read_exported_card(prefix: Path) -> tuple[Card, str | None] | None:
    """Reads card and licence of a checkpoint that ``gmd-vae export --format magenta`` wrote.

    Args:
        prefix: Prefix of the checkpoint.

    Returns:
        ``None`` if there are none, or if the checkpoint is not the one that was exported.
    """
    try:
        content = manifest.read(prefix.parent, STAGE, "", ExportManifest)
    except GmdVaeError:
        return None
    listed = {file.name: file.sha256 for file in content.other_files}
    if content.card is None or any(
        listed.get(piece.name) != files.sha256(piece) for piece in checkpoints.files_of(prefix)
    ):
        return None
    return content.card, content.licence
