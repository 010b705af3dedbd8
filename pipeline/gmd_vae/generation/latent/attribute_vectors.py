"""The attribute vectors of a run: made once from its training windows, kept beside its checkpoints."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.latent.attributes import attribute_vectors, drum_attributes
from gmd_vae.evaluation.latent.space import choose_by_file
from gmd_vae.models import checkpoints
from gmd_vae.windows.label_windows import load_windows

STAGE = "attributes"
_WINDOWS = 4000  # training windows that are encoded, as many from each file as there are
_FILE = "vectors.npz"

Floats = npt.NDArray[np.float32]
Encode = Callable[[Labels], Floats]
Vectors = dict[str, npt.NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class AttributeSource:
    """What attribute vectors are made from, and where they are kept.

    Attributes:
        examples: folder of the training windows; ``None`` where it is not there any more.
        digest: of that folder's manifest.
        keep: the folder for them; ``None``: they are made anew each time.
    """

    examples: Path | None
    digest: str
    keep: Path | None


def vectors_for(source: AttributeSource, checkpoint: Path, spec: DrumWindows, encode: Encode) -> Vectors:
    """The vectors of all attributes that vary in the training windows.

    Args:
        source: training windows.
        checkpoint: prefix.
        spec: the windows of the config.
        encode: labels ``[n, steps]`` to the posterior's means ``[n, z_size]``.

    Raises:
        GmdVaeError: they are not kept, and the training windows are gone.
    """
    identity = {
        "checkpoint": {piece.name: files.sha256(piece) for piece in checkpoints.files_of(checkpoint)},
        "examples": source.digest,
        "windows": _WINDOWS,
    }
    if source.keep is not None and (known := _read(source.keep, identity)) is not None:
        return known
    if source.examples is None:
        raise GmdVaeError(
            "Attribute vectors are made from the windows that the run was trained on, and these are gone",
            "Put the examples back where the run was trained ('gmd-vae preprocess' makes them again).",
        )
    if source.keep is not None:
        manifest.check_replaceable(source.keep, STAGE)
    training = load_windows(source.examples, "train")
    if not len(training):
        raise GmdVaeError(f"Split 'train' of '{source.examples}' has no windows", "Choose other examples.")
    chosen = training.labels[choose_by_file(training.files, _WINDOWS, seed=0)]
    vectors = attribute_vectors(encode(chosen), drum_attributes(chosen, spec.voice_names, spec.steps_per_bar))
    if source.keep is not None:
        with files.whole_folder(source.keep) as folder:
            arrays: dict[str, Any] = dict(vectors)
            np.savez(folder / _FILE, **arrays)
            manifest.write(
                folder,
                STAGE,
                {
                    **identity,
                    "attributes": list(vectors),
                    "versions": manifest.versions("magenta", "tensorflow", "numpy"),
                    "files": [manifest.describe_file(folder / _FILE)],
                },
            )
    return vectors


def _read(folder: Path, identity: dict[str, Any]) -> Vectors | None:
    """The vectors in a folder, or ``None`` where they are of something else, or damaged: they are made again."""
    try:
        content = manifest.read(folder, STAGE, "")
        if {name: content.get(name) for name in identity} != identity:
            return None
        if content["files"][0]["sha256"] != files.sha256(folder / _FILE):
            return None
        with np.load(folder / _FILE, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name], np.float64) for name in content["attributes"]}
    except (OSError, ValueError, KeyError, IndexError, TypeError, GmdVaeError):
        return None
