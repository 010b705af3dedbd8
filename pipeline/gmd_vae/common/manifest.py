"""``manifest.json``: the input, options, versions and files of an output folder.

A manifest holds no clock time and no absolute path, so that equal input, options and versions give equal
bytes. It lists every file of its folder with size and SHA-256: ``check_replaceable`` lets a command replace
a folder only if it holds nothing else.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, overload

from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.common.files import is_regular, numbered, sha256, walk, walk_lazily, whole_file
from gmd_vae.common.json_text import json_text
from gmd_vae.common.newer_files import unusable, wrong_number
from gmd_vae.common.printable import printable
from gmd_vae.common.run_places import check_not_of_training

T = TypeVar("T")

NAME = "manifest.json"
FORMAT = 1
_OTHERS = "other_files"  # the files that no other entry of the manifest describes
# Entries that describe files of the folder itself. Entries such as "inputs" describe files elsewhere.
_LISTS = ("files", "splits", "latents", "info", _OTHERS)
# Half-written files and folders of a killed command (``files``), its finished batches (``engines.resumable``),
# and the files that file managers leave behind
_WORTHLESS = re.compile(
    r"(.*/)?(\.[^/]+\.[0-9a-f]{8}\.partial(/.*)?|\.DS_Store|Thumbs\.db"
    r"|\.[^/]+\.parts/[0-9a-f]{16}/[0-9]{5}\.(part|[a-z0-9_]{8}))"
)


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
        temporary.write_text(json_text(content, indent=2) + "\n", encoding="utf-8")


def write(folder: Path, stage: str, content: dict[str, Any]) -> None:
    """Writes ``folder/manifest.json`` for a stage (``fetch``, ``convert``, ``preprocess``, ...), after all other files.

    Files that ``content`` does not describe are added as ``other_files``: relative name, size and SHA-256.

    Args:
        folder: The finished folder.
        stage: Name of the stage.
        content: Facts of the stage, as JSON values.
    """
    described = described_files(content)
    others = [
        {"name": name, "bytes": status.st_size, "sha256": sha256(folder / name)}
        for name, status in walk(folder).items()
        if name not in described and name != NAME and is_regular(status)
    ]
    added = {_OTHERS: others} if others else {}
    write_json(folder / NAME, {"format": FORMAT, "stage": stage, **content, **added})


@overload
def read(folder: Path, stage: str, next_action: str) -> dict[str, Any]: ...
@overload
def read(folder: Path, stage: str, next_action: str, kind: type[T]) -> T: ...
def read(folder: Path, stage: str, next_action: str, kind: type[T] | None = None) -> T | dict[str, Any]:
    """Reads the manifest that ``stage`` wrote into ``folder``.

    Args:
        folder: Output folder of the stage.
        stage: Name of the stage, as given to ``write``.
        next_action: The user's way to make the folder, as a sentence for the error.
        kind: Format of the content (see ``json_formats``); ``None``: a dictionary.

    Raises:
        NewerFileError: A newer version of gmd-vae wrote what this version cannot use.
        GmdVaeError: The manifest is missing or damaged, or has another stage or format.
    """
    from gmd_vae.common.json_formats import convert_json, read_json

    path = folder / NAME
    try:
        content = read_json(path, dict[str, Any], next_action)
    except FileNotFoundError:
        raise GmdVaeError(f"'{folder}' has no {NAME}", next_action) from None
    if content.get("stage") != stage:
        made_by = content.get("stage")
        named = f"'{made_by[:40]}'" if isinstance(made_by, str) else "something else"
        raise GmdVaeError(f"'{folder}' was made by {named}, not by '{stage}'", next_action)
    if content.get("format") != FORMAT:
        raise wrong_number(f"'{path}'", "format", content.get("format"), FORMAT, next_action)
    if kind is None:
        return content
    try:
        return convert_json(content, kind)
    except ValueError as error:
        raise unusable(f"'{path}' {error}", content, next_action) from None


def stage_of(folder: Path) -> str | None:
    """Returns the stage that wrote the manifest of a folder; ``None`` without a manifest that can be read."""
    from gmd_vae.common.json_formats import read_json

    try:
        stage = read_json(folder / NAME, dict[str, Any], "").get("stage")
    except (FileNotFoundError, GmdVaeError):
        return None
    return stage if isinstance(stage, str) else None


@dataclasses.dataclass(frozen=True)
class Replaceable:
    """An output folder that was checked before the work began. It checks again before the folder is replaced.

    Attributes:
        folder: The output folder, as the user gave it.
        stage: Name of the stage.
        option: Option that chooses another folder; empty without one.
        seen: Entries of the folder when it was checked, for a comparison without reading the files again.
    """

    folder: Path
    stage: str
    option: str
    seen: dict[str, tuple[int, ...]]

    def __call__(self, old: Path, new: Path) -> None:
        """Checks the earlier folder once more: files may have changed or appeared during the work.

        Args:
            old: The earlier folder, moved aside.
            new: The finished new folder. A file that is in both with equal bytes may be deleted from the old one.

        Raises:
            GmdVaeError: The earlier folder holds a foreign or changed file.
        """
        if not any(old.iterdir()) or (self.seen and _fingerprint(walk(old)) == self.seen):
            return
        self.check(old, new)

    def check(self, place: Path, new: Path | None) -> dict[str, os.stat_result]:
        """Checks that the manifest lists every file: names and sizes first, then digests.

        Args:
            place: The folder, which is not empty.
            new: The finished new folder; ``None`` before the work.

        Returns:
            The entries of the folder.

        Raises:
            GmdVaeError: The folder holds a foreign or changed file.
        """
        try:
            if (place / NAME).is_symlink():
                raise GmdVaeError("")
            content = read(place, self.stage, "")
        except GmdVaeError:
            names = (name for name, _ in walk_lazily(place) if name != NAME)
            raise self._foreign(next(names, next(place.iterdir()).name)) from None
        entries = walk(place)
        if new is None and _is_unlisted(content):
            return entries  # compared with the new folder, when that is finished
        described = described_files(content)
        copies = walk(new) if new is not None else {}
        files = {name: status for name, status in entries.items() if name != NAME and not is_worthless(name, status)}
        for name, status in files.items():
            sizes = {described[name]["bytes"]} if name in described else set()
            sizes |= {copies[name].st_size} if name in copies else set()
            if not is_regular(status) or not sizes:
                raise self._foreign(name)
            if status.st_size not in sizes:
                raise self._changed(name)
        for name in files:
            found = sha256(place / name)
            if name in described and described[name]["sha256"] == found:
                continue
            if new is None or name not in copies or sha256(new / name) != found:
                raise self._changed(name)
        return entries

    def _foreign(self, name: str) -> GmdVaeError:
        written = f"'gmd-vae {self.stage}' did not write"
        return GmdVaeError(f"'{self.folder}' holds '{printable(name)}', which {written}", self._action())

    def _changed(self, name: str) -> GmdVaeError:
        written = f"was changed after 'gmd-vae {self.stage}' wrote it"
        return GmdVaeError(f"'{printable(name)}' in '{self.folder}' {written}", self._action())

    def _action(self) -> str:
        other = (
            f"Choose another folder, for example {self.option} '{free_name(self.folder)}', or m" if self.option else "M"
        )
        return f"{other}ove that file away. Nothing was changed."


def check_replaceable(
    folder: Path,
    stage: str,
    *,
    inputs: Iterable[Path] = (),
    dataset: str | None = None,
    option: str = "--output-dir",
) -> Replaceable:
    """Checks that an output folder is missing, empty, or an earlier output of the stage and nothing else.

    An earlier output may be replaced if its manifest lists every file in it with the same digest. Links are
    foreign files and are never followed. Empty folders and leftovers of killed commands do not count.

    Args:
        folder: The output folder.
        stage: Name of the stage.
        inputs: The inputs of the command, none of which may lie in the folder.
        dataset: The data set that an earlier output must hold.
        option: Option that chooses another folder, for the message; empty without one.

    Returns:
        The second check, for ``folders.whole_folder``.

    Raises:
        GmdVaeError: The folder holds something else, or belongs to the training of a run.
        UsageError: An input lies in the folder.
    """
    check_inputs(folder, inputs, option)
    target = folder.resolve()
    if option:  # without one, the place is of gmd-vae's own choice
        check_not_of_training(folder, option)
    action = f"{f'Choose another {option}, or move that one' if option else 'Move it'} away. Nothing was changed."
    if target.exists() and not target.is_dir():
        raise GmdVaeError(f"'{folder}' exists and is not a folder", action)
    if not target.is_dir() or not any(target.iterdir()):
        return Replaceable(folder, stage, option, {})
    entries = Replaceable(folder, stage, option, {}).check(target, None)
    content = read(target, stage, action)
    if dataset is not None and content.get("dataset") != dataset:
        raise GmdVaeError(f"'{folder}' holds the data set '{content.get('dataset')}', not '{dataset}'", action)
    return Replaceable(folder, stage, option, {} if _is_unlisted(content) else _fingerprint(entries))


def check_inputs(folder: Path, inputs: Iterable[Path], option: str) -> None:
    """Checks that no input of a command lies in its output folder.

    Raises:
        UsageError: One does.
    """
    target = folder.resolve()
    choose = f"Choose another {option}." if option else "Move it away."
    for source in inputs:
        if source.resolve().is_relative_to(target):
            raise UsageError(f"The input '{source}' lies in the output folder '{folder}'", choose)


def free_name(folder: Path) -> Path:
    """Returns a name beside a folder that is not taken, for example ``beats-2``."""
    if folder.name in ("", ".."):
        folder = folder.resolve()
    if not folder.name:  # the root of the file system
        return Path("output")
    return next(path for path in numbered(folder) if path != folder and not os.path.lexists(path))


def _is_unlisted(content: dict[str, Any]) -> bool:
    """Tells manifests that do not list their files: those of ``fetch`` until version 0.8.3."""
    return content["stage"] == "fetch" and _OTHERS not in content


def described_files(content: Any) -> dict[str, dict[str, Any]]:
    """Returns the files of the folder that a manifest describes, with size and SHA-256, by name."""
    entries = (entry for key in _LISTS for entry in _file_entries(content.get(key)))
    return {entry["name"]: entry for entry in entries}


def _file_entries(value: Any) -> Iterator[dict[str, Any]]:
    """Yields the descriptions of files in a value, at any depth."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            kinds = (("name", str), ("bytes", int), ("sha256", str))
            if all(isinstance(value.get(key), kind) for key, kind in kinds):
                yield value
            else:
                waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def is_worthless(name: str, status: os.stat_result) -> bool:
    """Returns True for half-written files of killed commands and for files that file managers leave behind."""
    return is_regular(status) and _WORTHLESS.fullmatch(name) is not None


def _fingerprint(entries: dict[str, os.stat_result]) -> dict[str, tuple[int, ...]]:
    """Returns what changes when an entry is written, replaced or touched."""
    return {
        name: (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        for name, status in entries.items()
    }


def digest(folder: Path) -> str:
    """Returns the SHA-256 of a folder's manifest, which in turn holds the digests of the folder's files."""
    return sha256(folder / NAME)
