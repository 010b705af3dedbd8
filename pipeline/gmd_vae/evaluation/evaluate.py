"""Evaluates a checkpoint once, and keeps the result in ``RUN/eval/SPLIT-STEP``: figures, tables and charts.

A result of other settings has their names in its folder, and a result of other weights or data a number.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gmd_vae.common import files, manifest
from gmd_vae.common.code_state import Code, code_state
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.json_formats import read_json
from gmd_vae.common.newer_files import NewerFileError
from gmd_vae.common.output_folder import open_output
from gmd_vae.common.priors import NORMAL
from gmd_vae.evaluation.data.target import Target
from gmd_vae.evaluation.likelihood import Advance
from gmd_vae.evaluation.model import open_model
from gmd_vae.evaluation.plots import draw_all
from gmd_vae.evaluation.result import Result, origin
from gmd_vae.evaluation.settings import Settings
from gmd_vae.evaluation.tables.details import details
from gmd_vae.evaluation.tables.differences import differences
from gmd_vae.evaluation.tables.formats import to_markdown
from gmd_vae.evaluation.tables.overview import overview
from gmd_vae.families import family_of

NAME = "result.json"
STAGE = "evaluate"
_VERSIONS = ("figures", "versions")  # of the inputs: a result of other versions is measured again, into its folder


def evaluate(
    target: Target,
    split: str,
    settings: Settings,
    starts: Callable[[], None] = lambda: None,
    advance: Advance = lambda stage, share: None,
) -> tuple[Result, Path, bool]:
    """Returns the result of a checkpoint on a split: the valid one on disk, or a new one.

    Args:
        target: Checkpoint and examples.
        split: Name of the split.
        settings: Seed and sample sizes.
        starts: Callback before TensorFlow starts, if the model has to be evaluated.
        advance: Progress callback: name of the stage, and the share of it that is done (0 to 1).

    Returns:
        The result, its folder, and True if it was on disk already. Its paths are as they are named now.

    Raises:
        GmdVaeError: The data or the checkpoint cannot be evaluated, or the folder holds other files, or a result of a
            newer version.
    """
    identity = target.identity(split)
    versions = manifest.versions("magenta", "tensorflow", "numpy", "scipy", "scikit-learn")
    inputs = origin(identity, settings, versions)
    folder, known = _find(target.folder(split, settings), inputs, target.same_windows)
    if known is not None:
        return dataclasses.replace(known, identity=identity), folder, True
    with open_output(folder, STAGE, option="") as replaceable:
        known = _read_valid(folder, inputs, target.same_windows)
        if known is not None:  # another process finished it just now
            return dataclasses.replace(known, identity=identity), folder, True
        data = target.load(split)
        starts()
        run = target.run
        with open_model(run.config, run.hparams, target.checkpoint, settings.seed, run.layers, target.density) as model:
            figures = family_of(run.config).evaluate(run.config, model, data, settings, advance)
        # as JSON has it, without infinities: a new result and one from disk look the same
        result = Result.from_json(Result(identity, settings, versions, figures, Code(**code_state())).to_json())
        with whole_folder(folder, replaceable) as temporary:
            manifest.write_json(temporary / NAME, result.to_json())
            tables = [overview([result]), *filter(None, [differences([result])]), *details(result)]
            (temporary / "tables.md").write_text("\n".join(map(to_markdown, tables)), encoding="utf-8")
            draw_all(result, temporary)
            written = [manifest.describe_file(path) for path in sorted(temporary.iterdir())]
            manifest.write(temporary, STAGE, {**inputs, "files": written})
    return result, folder, False


def _find(preferred: Path, inputs: dict[str, Any], same: Mapping[str, str]) -> tuple[Path, Result | None]:
    """Finds the valid result, or the folder for a new one: a result of other weights, data or settings stays.

    Args:
        preferred: The usual folder. Others are ``preferred-2`` and so on.
        inputs: All that the result follows from.
        same: Digest of an earlier manifest → that of the manifest of the same windows in ``inputs``.

    Returns:
        The folder, and its result if that is valid.
    """
    folder = next(place for place in files.numbered(preferred) if not _is_of_another_question(place, inputs, same))
    return folder, _read_valid(folder, inputs, same)


def _is_of_another_question(folder: Path, inputs: dict[str, Any], same: Mapping[str, str]) -> bool:
    """Returns True for a result of other weights, data or settings, False for one of other versions or none.

    Raises:
        NewerFileError: The result is of a newer version: measuring again would replace it.
    """
    try:
        content, _ = _read(folder)
        return _question(content, same) != _question(inputs, same)
    except NewerFileError:
        raise
    except (OSError, GmdVaeError):
        return False


def _question(inputs: dict[str, Any], same: Mapping[str, str]) -> tuple[Any, ...]:
    """Returns what a result is about: contents and settings, without paths and versions."""
    examples = (inputs[name]["sha256"] for name in ("examples", "training"))
    contents = [inputs["checkpoint"]["files"], *(same.get(digest, digest) for digest in examples)]
    others = (sorted(inputs["catalogues"]), inputs.get("prior", {"name": NORMAL}), inputs["settings"])
    return (inputs["config"], inputs["split"], *contents, *others)


def _read_valid(folder: Path, inputs: dict[str, Any], same: Mapping[str, str]) -> Result | None:
    """Reads the result in a folder; ``None`` if it is missing, damaged, or follows from other inputs.

    The inputs are compared by their contents. Their paths depend on the folder in which the command was started.

    Raises:
        NewerFileError: The result is of a newer version.
    """
    try:
        content, result = _read(folder)
        is_current = all(content.get(name) == inputs[name] for name in _VERSIONS)
        return result if is_current and _question(content, same) == _question(inputs, same) else None
    except NewerFileError:
        raise
    except (OSError, GmdVaeError):
        return None


def _read(folder: Path) -> tuple[dict[str, Any], Result]:
    """Reads ``result.json``, as JSON and as a result.

    Raises:
        NewerFileError: A newer version wrote it.
        GmdVaeError: It or the manifest is damaged, or the manifest is missing.
        OSError: It is missing.
    """
    manifest.read(folder, STAGE, "")
    content = read_json(folder / NAME, dict[str, Any], "")
    return content, Result.from_json(content, f"'{folder / NAME}'")
