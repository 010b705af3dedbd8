"""The manifest of an exported folder: card and config of a checkpoint, which has no place for them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.registry import config_of_model
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
        config: Name of the config.
        declaration: All fields of the config.
        hparams: Every hyperparameter that is not off.
    """

    card: Card | None = None
    licence: str | None = None
    other_files: Annotated[list[_ListedFile], msgspec.Meta(max_length=10_000)] = []
    config: str = ""
    declaration: dict[str, Any] = {}
    hparams: dict[str, Any] = {}


def read_exported_card(prefix: Path) -> tuple[Card, str | None] | None:
    """Reads card and licence of a checkpoint that ``gmd-vae export --format magenta`` wrote.

    Args:
        prefix: Prefix of the checkpoint.

    Returns:
        ``None`` if there are none, or if the checkpoint is not the one that was exported.
    """
    content = _read(prefix)
    if content is None or content.card is None:
        return None
    return content.card.without_fitted_prior(), content.licence  # a checkpoint has no place for a fitted prior


def read_exported_config(prefix: Path) -> tuple[Config, dict[str, Any]] | None:
    """Reads config and hyperparameters of a checkpoint that ``gmd-vae export --format magenta`` wrote.

    Args:
        prefix: Prefix of the checkpoint.

    Returns:
        ``None`` if there are none, or if the checkpoint is not the one that was exported.
    """
    content = _read(prefix)
    try:
        return None if content is None else config_of_model(content.config, content.declaration, content.hparams)
    except (UsageError, ValueError):
        return None


def _read(prefix: Path) -> ExportManifest | None:
    """Reads the manifest; ``None`` if it is missing or damaged, or not of this checkpoint."""
    try:
        content = manifest.read(prefix.parent, STAGE, "", ExportManifest)
    except GmdVaeError:
        return None
    listed = {file.name: file.sha256 for file in content.other_files}
    same = all(listed.get(piece.name) == files.sha256(piece) for piece in checkpoints.files_of(prefix))
    return content if same else None
