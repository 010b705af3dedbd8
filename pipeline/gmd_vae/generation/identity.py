"""The identity of a request for ``generate``, and the check that keeps the beats of another request."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from typing import Any

import numpy as np

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.printable import counted
from gmd_vae.generation.inputs.input_windows import InputWindow
from gmd_vae.generation.job import GenerationJob
from gmd_vae.generation.model import ModelSource

STAGE = "generate"
IDENTITY, RENDERED = "identity", "rendered"  # entries of the manifest


def identity_of(job: GenerationJob) -> str:
    """Returns a SHA-256 of everything that the MIDI files of a job follow from, without names of files and folders."""
    playing, inputs = job.playing, job.inputs
    content = {
        "request": job.request.describe(),
        "config": job.source.config.name,
        "model": _weights(job.source),
        "humanizer": _weights(job.humanizer) if job.humanizer is not None else None,
        "windows": [_window(window) for window in inputs.all_windows],
        "songs": [[song.bars, len(song.windows)] for song in inputs.songs],
        "seeds": inputs.seeds,
        "vectors": None if inputs.vectors is None else _digest(inputs.vectors),
        "attributes": job.attributes.digest if job.attributes is not None else None,
        "playing": {
            field.name: getattr(playing, field.name) for field in dataclasses.fields(playing) if field.name != "feel"
        },
        "feel": playing.feel.name if playing.feel is not None else None,
        "layers": dataclasses.asdict(job.layers) if job.source.needs_tensorflow else None,
        "version": importlib.metadata.version("gmd-vae"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def check_same_request(job: GenerationJob) -> None:
    """Checks that the output folder holds no beats of another request, which would be lost.

    The folder of the same request may be replaced: its MIDI files get the same bytes. It may gain sound or pictures,
    and must not lose them.

    Raises:
        GmdVaeError: The folder holds the output of another request, or of one that cannot be compared.
    """
    folder = job.output_dir
    other = f"Choose another folder, for example --output-dir '{manifest.free_name(folder)}'. Nothing was changed."
    if not (folder / manifest.NAME).is_file():
        return
    earlier = manifest.read(folder, STAGE, other)
    rendered = earlier.get(RENDERED)
    is_kept = isinstance(rendered, list) and all(kind in job.rendered for kind in rendered)
    if is_kept and earlier.get(IDENTITY) == identity_of(job):
        return
    raise GmdVaeError(f"'{folder}' holds {_contents(earlier)}, made with another request", other)


def _contents(earlier: dict[str, Any]) -> str:
    """Returns the number of the beats in a folder and their seed, in words."""
    entries = earlier.get("files")
    listed = entries if isinstance(entries, list) else []
    beats = sum(1 for entry in listed if isinstance(entry, dict) and "notes" in entry)
    seed, mode = earlier.get("seed"), earlier.get("mode")
    of_seed = f" of seed {seed}" if isinstance(seed, int) else ""
    return f"{counted(beats, 'beat')}{of_seed}" + (f" (--mode {mode[:40]})" if isinstance(mode, str) else "")


def _weights(source: ModelSource) -> list[str]:
    return [file["sha256"] for file in source.describe()["files"]]


def _window(window: InputWindow) -> list[Any]:
    controls = None if window.controls is None else _digest(window.controls)
    hits = None if window.given_hits is None else _digest(window.given_hits)
    return [files.sha256(window.file), window.number, window.bar, _digest(window.inputs), controls, hits]


def _digest(values: np.ndarray[Any, Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
