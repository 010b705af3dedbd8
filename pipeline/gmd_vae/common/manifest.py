"""``manifest.json``: from what, how and with which versions a folder was made.

A manifest holds no clock time and no absolute path of its own, so that the same input, options and
versions give the same bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import sha256, whole_file

NAME = "manifest.json"
FORMAT = 1


def versions(*packages: str) -> dict[str, str]:
    """Installed versions of gmd-vae and of the packages that shaped the output."""
    found = {}
    for package in ("gmd-vae", *packages):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def describe_file(path: Path, **facts: Any) -> dict[str, Any]:
    """One output file: name, size in bytes, SHA-256, and what the stage knows about it."""
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path), **facts}


def write_json(path: Path, content: Any) -> None:
    """Writes JSON for people and programs: indented, keys in the given order, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write(folder: Path, stage: str, content: dict[str, Any]) -> None:
    """Writes ``folder/manifest.json`` for a stage (``fetch``, ``convert``, ``preprocess``, ...)."""
    write_json(folder / NAME, {"format": FORMAT, "stage": stage, **content})


def read(folder: Path, stage: str, next_action: str) -> dict[str, Any]:
    """Reads the manifest that ``stage`` left in ``folder``.

    Raises:
        GmdVaeError: there is none, it is damaged, or another stage or format wrote it.
            ``next_action`` tells the user how to make the folder.
    """
    path = folder / NAME
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GmdVaeError(f"'{folder}' has no {NAME}", next_action) from None
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise GmdVaeError(f"'{path}' cannot be read ({error})", next_action) from None
    if not isinstance(content, dict) or content.get("stage") != stage:
        made_by = content.get("stage", "something else") if isinstance(content, dict) else "something else"
        raise GmdVaeError(f"'{folder}' was made by '{made_by}', not by '{stage}'", next_action)
    if content.get("format") != FORMAT:
        raise GmdVaeError(
            f"'{path}' has format {content.get('format')}, this version of gmd-vae reads {FORMAT}", next_action
        )
    return content


def check_replaceable(folder: Path, stage: str, *, source: Path | None = None, dataset: str | None = None) -> None:
    """Makes sure that replacing an output folder destroys nothing but an earlier output of the stage.

    Args:
        folder: the folder to make.
        stage: what will make it.
        source: what it is made from, which must not lie in it.
        dataset: the data set that an earlier output must hold.

    Raises:
        GmdVaeError: there is something else.
        UsageError: the source lies in the folder.
    """
    target = folder.resolve()
    if source is not None and source.resolve().is_relative_to(target):
        raise UsageError(f"The input '{source}' lies in the output folder '{folder}'", "Choose another --output-dir.")
    action = "Choose another --output-dir, or move that one away. Nothing was changed."
    if target.exists() and not target.is_dir():
        raise GmdVaeError(f"'{folder}' exists and is not a folder", action)
    if not target.is_dir() or not any(target.iterdir()):
        return
    try:
        made = read(target, stage, action)
    except GmdVaeError:
        raise GmdVaeError(f"'{folder}' holds files that 'gmd-vae {stage}' did not write", action) from None
    if dataset is not None and made.get("dataset") != dataset:
        raise GmdVaeError(f"'{folder}' holds the data set '{made.get('dataset')}', not '{dataset}'", action)


def digest(folder: Path) -> str:
    """SHA-256 of the folder's manifest, which in turn holds the digests of the folder's content."""
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
