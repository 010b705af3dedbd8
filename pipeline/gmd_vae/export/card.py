"""The card of a run's model: everything that the run folder knows about it. No TensorFlow."""

from __future__ import annotations

import dataclasses
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import read_json
from gmd_vae.evaluation.data.target import training_examples
from gmd_vae.evaluation.result import Result
from gmd_vae.evaluation.tables.card import held_out
from gmd_vae.families import family_of
from gmd_vae.models.card import Card, HeldOut
from gmd_vae.training import history
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import read_run_file
from gmd_vae.windows.storage.examples_manifest import read_examples_manifest
from gmd_vae.windows.storage.shards import windows_digests


def complete_card(card: Card, run: Run, checkpoint: dict[str, str]) -> Card:
    """Returns a card with the facts of the run, its training windows and its evaluation.

    Args:
        card: Card of the checkpoint.
        run: The run.
        checkpoint: Name and SHA-256 of each file of the checkpoint.
    """
    windows, digests = _windows(run) if card.data else (None, {})  # without data: initial weights, not trained
    found = read_run_file(run.folder)
    version = found[1].versions.get("gmd-vae") if found else None
    commit = found[1].code.commit_in_words if found and found[1].code else ""
    seconds = history.cpu_seconds_of(run.folder / history.NAME)
    return dataclasses.replace(
        card,
        training_windows=windows,
        windows_sha256=digests,
        held_out=_held_out(run, checkpoint),
        seed=run.seed,
        code=", ".join(filter(None, (f"gmd-vae {version[:50]}" if version else "", commit[:100]))),
        cpu_hours=round(seconds / 3600, 4) if seconds else None,
    )


def _windows(run: Run) -> tuple[int | None, dict[str, str]]:
    """Returns the number of training windows, and the digest of the windows of each split that has any."""
    try:
        folder = training_examples(run)
        return read_examples_manifest(folder).splits["train"].examples, windows_digests(folder)
    except (GmdVaeError, KeyError):  # the examples are gone or have changed
        return None, {}


def _held_out(run: Run, checkpoint: dict[str, str]) -> HeldOut | None:
    """Returns the figures of an evaluation of this checkpoint, on the test split if there is one.

    Of several evaluations of a split, the one with the usual settings comes first: its folder has the shortest name.

    Args:
        run: The run.
        checkpoint: Name and SHA-256 of each file of the checkpoint.
    """
    found = []
    for path in run.folder.glob("eval/*/result.json"):
        try:
            manifest.read(path.parent, "evaluate", "")
            result = Result.from_json(read_json(path, dict[str, Any], ""))
        except (OSError, GmdVaeError):  # damaged, or of another version
            continue
        if result.identity.checkpoint.files == checkpoint:
            found.append((result.identity.split != "test", len(path.parent.name), path.parent.name, result))
    if not found:
        return None
    new_music = family_of(run.config).writes_new_music(run.config)
    return held_out(min(found, key=lambda one: one[:3])[-1], new_music=new_music)
