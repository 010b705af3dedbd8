"""Results of earlier evaluations of a run whose examples are gone: shown, and not measured again."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.json_formats import read_json
from gmd_vae.evaluation.data.target import prior_of
from gmd_vae.evaluation.evaluate import NAME, STAGE
from gmd_vae.evaluation.result import FORMAT, Result
from gmd_vae.evaluation.settings import Settings
from gmd_vae.models import checkpoints
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import density_of_run


@dataclasses.dataclass(frozen=True)
class Kept:
    """A result that was measured when the examples were there.

    Attributes:
        run: The run.
        result: The result; its run is named as it is now.
        folder: Its folder.
        written: Date of its file, in ISO 8601; a copy of the file may have another one.
    """

    run: Run
    result: Result
    folder: Path
    written: str

    @property
    def origin(self) -> str:
        """When the result was measured, and by which code, in words."""
        version = self.result.versions.get("gmd-vae")
        code = self.result.code
        commit = f" at {code.commit_in_words}" if code is not None and code.commit else ""
        by = f" by gmd-vae {version}{commit}" if version else ""
        return f"measured on {self.written}{by}"

    def to_json(self) -> dict[str, str]:
        """Returns the result's run, split and folder, and the date of its file."""
        identity = self.result.identity
        return {"run": identity.run, "split": identity.split, "folder": str(self.folder), "written": self.written}


def find_kept(run: Run, checkpoint: Path, split: str, settings: Settings, catalogue: Path | None) -> Kept | None:
    """Finds the result of exactly this measurement: the checkpoint on the run's own examples, with the same settings.

    The figures must be those of this version; the versions of the packages may be others.

    Args:
        run: The run.
        checkpoint: Prefix of the checkpoint.
        split: Name of the split.
        settings: Seed and sample sizes.
        catalogue: The ``info.csv`` that was asked for; ``None``: those that were there.

    Returns:
        The newest such result; ``None`` if none is kept.
    """
    contents = {piece.name: files.sha256(piece) for piece in checkpoints.files_of(checkpoint)}
    asked = (run.config.name, contents, split, settings, prior_of(density_of_run(run, checkpoint)))
    catalogues = None if catalogue is None else (files.sha256(catalogue),)
    found = []
    for path in sorted(run.folder.glob(f"eval/*/{NAME}")):
        result = _read(path)
        if result is None:
            continue
        identity = result.identity
        measured = (identity.config, identity.checkpoint.files, identity.split, result.settings, identity.prior)
        is_of_own_examples = identity.examples.sha256 == identity.training.sha256
        if measured == asked and is_of_own_examples and catalogues in (None, identity.catalogues):
            named = dataclasses.replace(result, identity=dataclasses.replace(identity, run=str(run.folder)))
            found.append((path.stat().st_mtime, Kept(run, named, path.parent, _date_of(path))))
    return max(found, key=lambda each: each[0])[1] if found else None


def _date_of(path: Path) -> str:
    return datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.timezone.utc).date().isoformat()


def _read(path: Path) -> Result | None:
    """Reads a result with the figures of this version; ``None`` for any other file."""
    try:
        manifest.read(path.parent, STAGE, "")
        content = read_json(path, dict[str, Any], "")
        return Result.from_json(content) if content.get("figures") == FORMAT else None
    except (OSError, GmdVaeError):
        return None
