"""Tells whether a run was trained on the windows in a folder of examples. No TensorFlow here."""

from __future__ import annotations

from pathlib import Path

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.training.run.folder import Run
from gmd_vae.windows.storage.earlier_manifests import earlier_digests
from gmd_vae.windows.storage.shards import windows_digests


def was_trained_on(run: Run, folder: Path) -> bool:
    """Returns True if a folder has the windows of a run's examples, in every split and in the same order.

    Its manifest may be another one: that of another version, or with other files. Until version 0.18 ``run.json`` has
    no digests of the windows. Then the manifest must be the same but for what versions changed in it.

    Args:
        run: The run.
        folder: Folder of examples.
    """
    if manifest.digest(folder) == run.examples_digest:
        return True
    if not run.windows_sha256:
        return run.examples_digest in earlier_digests(folder)
    try:
        return windows_digests(folder) == run.windows_sha256
    except GmdVaeError:  # no examples, or damaged ones
        return False


def changed_splits(run: Run, folder: Path) -> list[str]:
    """Returns the splits of a folder whose windows are not those of a run's examples; none where that is not known."""
    try:
        found = windows_digests(folder)
    except GmdVaeError:
        return []
    recorded = run.windows_sha256
    return [name for name in dict.fromkeys((*recorded, *found)) if recorded and recorded.get(name) != found.get(name)]
