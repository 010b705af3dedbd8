"""Results on disk: ``RUN/eval/test-6800`` with the figures, the tables and the plots; measured once."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.evaluation.data.label_data import Data
from gmd_vae.evaluation.data.target import Subject
from gmd_vae.evaluation.data.tensor_data import TensorData
from gmd_vae.evaluation.measure_groove import measure_groove
from gmd_vae.evaluation.measure_labels import measure
from gmd_vae.evaluation.measure_streams import measure_streams
from gmd_vae.evaluation.plots import draw_all
from gmd_vae.evaluation.settings import RESAMPLES, Settings
from gmd_vae.evaluation.tables.details import details, overview
from gmd_vae.evaluation.tables.formats import to_markdown

NAME = "result.json"
FORMAT = 3  # changes when a figure does
STAGE = "evaluate"


def result_of(
    subject: Subject,
    split: str,
    settings: Settings,
    starts: Callable[[], None] = lambda: None,
    advance: Callable[[str, float], None] = lambda what, done: None,
) -> tuple[dict[str, Any], Path, bool]:
    """The result of a checkpoint on a split: the one on disk if it is still true, or else measured now.

    Args:
        subject: what is evaluated.
        split: of its examples.
        settings: what is drawn, and how.
        starts: is called when it has to be measured, before TensorFlow is imported.
        advance: see ``evaluate.measure``.

    Returns:
        The result as JSON has it (``None`` for NaN), its folder, and whether it was there before.

    Raises:
        GmdVaeError: the data or the checkpoint cannot be evaluated, or something else is in the folder.
    """
    identity = _identity(subject, split, settings)
    folder = subject.folder(split)
    known = _read(folder)
    if known is not None and {name: known.get(name) for name in identity} == identity:
        return known, folder, True
    manifest.check_replaceable(folder, STAGE)
    data = subject.load(split)
    starts()
    figures = _measure(subject, data, settings, advance)
    result: dict[str, Any] = without_nan({**identity, **figures})
    with files.whole_folder(folder) as temporary:
        manifest.write_json(temporary / NAME, result)
        tables = [overview([result]), *details(result)]
        (temporary / "tables.md").write_text("\n".join(map(to_markdown, tables)), encoding="utf-8")
        draw_all(result, temporary)
        written = [manifest.describe_file(path) for path in sorted(temporary.iterdir())]
        manifest.write(temporary, STAGE, {**identity, "files": written})
    return result, folder, False


def _measure(
    subject: Subject, data: Data | TensorData, settings: Settings, advance: Callable[[str, float], None]
) -> dict[str, Any]:
    """The figures that fit what the model writes."""
    from gmd_vae.evaluation.model import open_model, open_tensor_model

    run = subject.run
    opened = run.config, run.hparams, subject.checkpoint, settings.seed, run.layers
    if isinstance(data, Data):
        with open_model(*opened) as model:
            return measure(model, data, settings, advance)
    with open_tensor_model(*opened) as other:
        kind = measure_groove if data.output.kind == "groove" else measure_streams
        return kind(other, data, settings, advance)


def without_nan(value: Any) -> Any:
    """The same with ``None`` in the place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {name: without_nan(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _identity(subject: Subject, split: str, settings: Settings) -> dict[str, Any]:
    """All that a result follows from, as JSON has it."""
    identity = {
        "figures": FORMAT,  # "format" is the manifest's own
        **subject.describe(split),
        "settings": {**dataclasses.asdict(settings), "resamples": RESAMPLES},
        "versions": manifest.versions("magenta", "tensorflow", "numpy", "scipy", "scikit-learn"),
    }
    as_json: dict[str, Any] = json.loads(json.dumps(identity))
    return as_json


def _read(folder: Path) -> dict[str, Any] | None:
    """The result in a folder, or ``None``: a damaged one is measured again."""
    try:
        manifest.read(folder, STAGE, "")
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, GmdVaeError):
        return None
    return content if isinstance(content, dict) else None
