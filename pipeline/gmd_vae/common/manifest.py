"""``manifest.json``: the input, options and versions that a folder was made with.

A manifest holds no clock time and no absolute path, so that equal input, options and versions give equal
bytes.
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
    """Returns the installed versions of gmd-vae and of the packages that affect the output."""
    installed = {}
    for package in ("gmd-vae", *packages):
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = "not installed"
    return installed


def describe_file(path: Path, **facts: Any) -> dict[str, Any]:
    """Describes an output file: name, size in bytes, SHA-256, and the stage's own facts.

    Args:
        path: The file.
        **facts: Further entries, such as ``rows``.
    """
    return {"name": path.name, "bytes": path.stat().st_size, "sha256": sha256(path), **facts}


def write_json(path: Path, content: Any) -> None:
    """Writes JSON for people and programs: indented, keys in the given order, complete or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write(folder: Path, stage: str, content: dict[str, Any]) -> None:
    """Writes ``folder/manifest.json`` for a stage (``fetch``, ``convert``, ``preprocess``, ...)."""
    write_json(folder / NAME, {"format": FORMAT, "stage": stage, **content})


def read(folder: Path, stage: str, next_action: str) -> dict[str, Any]:
    """Reads the manifest that ``stage`` wrote into ``folder``.

    Args:
        folder: Output folder of the stage.
        stage: Name of the stage, as given to ``write``.
        next_action: The user's way to make the folder, as a sentence for the error.

    Raises:
        GmdVaeError: The manifest is missing or damaged, or has another stage or format.
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
    """Checks that an output folder is missing, empty, or an earlier output of the stage.

    Args:
        folder: The output folder.
        stage: Name of the stage.
        source: The input, which must not lie in the folder.
        dataset: The data set that an earlier output must hold.

    Raises:
        GmdVaeError: The folder holds something else.
        UsageError: The source lies in the folder.
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
        content = read(target, stage, action)
    except GmdVaeError:
        raise GmdVaeError(f"'{folder}' holds files that 'gmd-vae {stage}' did not write", action) from None
    if dataset is not None and content.get("dataset") != dataset:
        raise GmdVaeError(f"'{folder}' holds the data set '{content.get('dataset')}', not '{dataset}'", action)


def digest(folder: Path) -> str:
    """Returns the SHA-256 of a folder's manifest, which in turn holds the digests of the folder's files."""
    return hashlib.sha256((folder / NAME).read_bytes()).hexdigest()
