"""Generates beats and writes them: one MIDI file each, and a manifest."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt

from pipeline import files, manifest
from pipeline.generation.drum_midi import drum_midi
from pipeline.generation.inputs import InputWindow
from pipeline.models import checkpoints, latents
from pipeline.models.layers import ACCELERATED, Layers
from pipeline.models.registry import Config
from pipeline.models.trained import TrainedVae
from pipeline.notes.midi import note_sequence_to_midi_bytes


@dataclasses.dataclass(frozen=True)
class Request:
    """What to generate.

    Attributes:
        mode: ``sample`` or ``interpolate``.
        count: files to write; an interpolation counts both ends.
        temperature: of the decoder's output distribution; lower is safer.
        seed: same seed, checkpoint and options: same bytes.
    """

    mode: str
    count: int
    temperature: float
    seed: int


@dataclasses.dataclass(frozen=True)
class Beat:
    """One generated file: its path and the number of notes in it."""

    path: Path
    notes: int


def generate(
    request: Request,
    config: Config,
    hparams: dict[str, Any],
    checkpoint: Path,
    inputs: Sequence[InputWindow],
    output_dir: Path,
    layers: Layers = ACCELERATED,
    render: Callable[[bytes, Path], Sequence[Path]] | None = None,
) -> list[Beat]:
    """Generates and writes ``output_dir`` whole: ``sample-000.mid`` ... and ``manifest.json``.

    Args:
        request: what to generate.
        config: the checkpoint's config.
        hparams: the checkpoint's hyperparameters.
        checkpoint: prefix of the checkpoint.
        inputs: the two ends of an interpolation; empty for samples.
        output_dir: a new folder.
        layers: what computes the model.
        render: writes more files beside a MIDI file, of which it is given the bytes and the path; says which.

    Raises:
        GmdVaeError: the checkpoint does not fit the config.
    """
    manifest.check_replaceable(output_dir, "generate")
    with TrainedVae(config, hparams, checkpoint, request.seed, layers) as model:
        if request.mode == "interpolate":
            ends = model.encode([window.inputs for window in inputs], [window.length for window in inputs])
            z = latents.slerp(ends[0], ends[1], request.count)
        else:
            z = latents.prior(request.count, model.z_size, request.seed)
        windows = model.decode(z, request.temperature)

    beats, written = [], []
    digits = max(3, len(str(request.count - 1)))
    with files.whole_folder(output_dir) as folder:
        for number, (data, notes) in enumerate(_midi_files(windows, config, model)):
            name = f"{request.mode}-{number:0{digits}d}.mid"
            (folder / name).write_bytes(data)
            beats.append(Beat(output_dir / name, notes))
            # from the bytes in hand: describe_file would read each of up to 100,000 files again
            digest = hashlib.sha256(data).hexdigest()
            written.append({"name": name, "bytes": len(data), "sha256": digest, "notes": notes})
            if render:
                written.extend(manifest.describe_file(path) for path in render(data, folder / name))
        manifest.write(
            folder,
            "generate",
            {
                **dataclasses.asdict(request),
                "config": config.name,
                "layers": model.layers,
                "checkpoint": {
                    "name": checkpoint.name,
                    "files": [manifest.describe_file(file) for file in checkpoints.files_of(checkpoint)],
                },
                "inputs": [{"name": window.file.name, "sha256": files.sha256(window.file)} for window in inputs],
                "versions": manifest.versions("magenta", "tensorflow", "note-seq", "numpy"),
                "files": written,
            },
        )
    return beats


def _midi_files(windows: list[npt.NDArray[Any]], config: Config, model: TrainedVae) -> Iterator[tuple[bytes, int]]:
    """Yields each decoded window as the bytes of a MIDI file and the number of its notes."""
    if config.windows is not None and model.makes_labels:
        for window in windows:
            yield drum_midi(window.tolist(), config.windows)
        return
    for sequence in model.to_note_sequences(windows):
        yield note_sequence_to_midi_bytes(sequence), len(sequence.notes)
