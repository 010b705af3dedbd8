"""Digests that the manifest of a folder of examples would have, had an earlier version written the same folder.

A run of version 0.18 or earlier names its examples by the digest of their manifest alone, and a manifest records the
version that wrote it. So ``convert`` and ``preprocess`` with a newer version gave other manifests for the same windows.
Versions 0.15 to 0.18 cut the same windows. Here each of their manifests is written again from the current one: where
one of these has the run's digest, it listed the same files with the same SHA-256, and nothing is guessed.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import data_folder
from gmd_vae.common.json_text import json_text
from gmd_vae.midi import notes_manifest
from gmd_vae.windows.storage.examples_manifest import STAGE

_VERSIONS = ("0.15.0", "0.16.0", "0.17.0", "0.18.0")  # later ones record the digests of the windows in run.json
_SOURCE = "data_source"  # since 0.18
_PASSED_OVER = "passed_over"


def earlier_digests(folder: Path) -> Iterator[str]:
    """Yields the digests of the manifests that versions 0.15 to 0.18 would have written.

    They need the notes that the examples were cut from, whose manifest's digest is in that of the examples: in
    ``data/notes``, or in the folder ``notes`` beside the folder ``examples`` that holds them.

    Args:
        folder: Folder of examples.
    """
    try:
        content = manifest.read(folder, STAGE, "")
    except GmdVaeError:
        return
    source = content.get("input")
    if not isinstance(source, dict) or _digest(content) != manifest.digest(folder):
        return
    for notes in _notes_of(folder, source):
        for notes_digest, has_source in _notes_digests(notes):
            earlier = content if has_source else _without(content, _SOURCE)
            for version in _written_by(earlier):
                yield _digest({**version, "input": {**source, "manifest": notes_digest}})


def _notes_of(folder: Path, source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields the manifest of the notes that the examples were cut from, if it is there and unchanged."""
    name = str(source.get("name"))
    beside = (parent.parent / "notes" for parent in folder.resolve().parents if parent.name == "examples")
    for place in dict.fromkeys(parent / name for parent in (data_folder("notes"), *beside)):
        try:
            content = manifest.read(place, notes_manifest.STAGE, "")
            found = manifest.digest(place)
        except (OSError, GmdVaeError):
            continue
        if found == source.get("manifest") == _digest(content):
            yield content
            return


def _notes_digests(content: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yields the digests that the manifest of the notes would have had, and True for those with the data source."""
    others = ({**content, _PASSED_OVER: counts} for counts in _with_fetch_manifest(content.get(_PASSED_OVER)))
    for kept, has_source in itertools.product((content, *others), (True, False)):
        for version in _written_by(kept if has_source else _without(kept, _SOURCE)):
            yield _digest(version), has_source


def _with_fetch_manifest(counts: Any) -> Iterator[dict[str, int]]:
    """Yields the counts of other files by suffix, as until 0.16: with the ``manifest.json`` that ``fetch`` wrote.

    The most frequent come first; of equal ones, that which was seen first, so that there are two orders.
    """
    if isinstance(counts, dict) and all(isinstance(count, int) for count in counts.values()):
        more = {".json": counts.get(".json", 0) + 1}
        for ordered in ({**counts, **more}, {**more, **counts, **more}):
            yield dict(sorted(ordered.items(), key=lambda item: -item[1]))


def _written_by(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields a manifest with each of the versions that may have written it; the own one first."""
    yield content
    versions = content.get("versions")
    if isinstance(versions, dict):
        yield from ({**content, "versions": {**versions, "gmd-vae": version}} for version in _VERSIONS)


def _without(content: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != name}


def _digest(content: dict[str, Any]) -> str:
    """Returns the SHA-256 of a manifest as ``manifest.write_json`` writes it."""
    return hashlib.sha256((json_text(content, indent=2) + "\n").encode()).hexdigest()
