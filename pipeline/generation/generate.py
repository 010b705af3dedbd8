"""Generates beats and writes them: one MIDI file each, their latent vectors, and a manifest."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline import files, manifest
from pipeline.errors import GmdVaeError
from pipeline.evaluation.attributes import drum_attributes
from pipeline.evaluation.model import LIKELIEST
from pipeline.generation import latent_files, music
from pipeline.generation.attribute_vectors import AttributeSource, Vectors, vectors_for
from pipeline.generation.inputs import labels_to_inputs
from pipeline.generation.modes import Points, points
from pipeline.generation.originals import Fidelity, Originals, fidelity, song_fidelity
from pipeline.generation.playing import Playing
from pipeline.generation.request import ATTRIBUTE, RECONSTRUCT, VARY, Move, Request
from pipeline.models import checkpoints
from pipeline.models.layers import ACCELERATED, Layers
from pipeline.models.registry import Config, label_windows, writes_labels
from pipeline.models.trained import BATCH_SIZE, TrainedVae

_AT_ONCE = 64 * BATCH_SIZE  # windows that are decoded between two looks at the clock
_MAX_WINDOWS = 200_000  # at once: 400 MB of latent vectors of 512 dimensions


@dataclasses.dataclass(frozen=True)
class Beat:
    """One generated file.

    Attributes:
        path: of it.
        notes: how many are in it.
        facts: what the mode has to say: ``steps_differing`` of a variation, from what the model makes of the
            beat; the attributes that were moved, in hits a bar or as the evaluation measures them.
    """

    path: Path
    notes: int
    facts: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Made:
    """What was generated.

    Attributes:
        beats: the files, that of all beats together at the end.
        fidelity: of each input file, how much of it the model plays right; empty where it has no labels.
    """

    beats: list[Beat]
    fidelity: list[Fidelity]


def generate(
    request: Request,
    config: Config,
    hparams: dict[str, Any],
    checkpoint: Path,
    output_dir: Path,
    given: Originals | None = None,
    playing: Playing | None = None,
    attributes: AttributeSource | None = None,
    layers: Layers = ACCELERATED,
    render: Callable[[bytes, Path], Sequence[Path]] | None = None,
    repeat: str | None = None,
    advance: Callable[[str, float], None] = lambda what, done: None,
) -> Made:
    """Generates and writes ``output_dir`` whole: ``sample-000.mid`` ..., ``latents.npz`` and ``manifest.json``.

    Args:
        request: what to generate.
        config: the checkpoint's config.
        hparams: the checkpoint's hyperparameters.
        checkpoint: prefix of the checkpoint.
        output_dir: a new folder.
        given: what it starts from.
        playing: how labels become notes.
        attributes: where the attributes' vectors come from, in that mode.
        layers: what computes the model.
        render: writes more files beside a MIDI file, of which it is given the bytes and the path; says which.
        repeat: the command that makes one of the files again, for the manifest.
        advance: is told what is being done, and how much of it is done (0 to 1).

    Raises:
        GmdVaeError: the checkpoint does not fit the config, or the config cannot do what is asked for.
        UsageError: there is no file of the number that is asked for.
    """
    given, playing = given or Originals(), playing or Playing()
    manifest.check_replaceable(output_dir, "generate")
    if request.needs_labels:
        label_windows(config)
    with TrainedVae(config, hparams, checkpoint, request.seed, layers) as model:
        ends = given.encode(model, config.windows)
        vectors = _vectors(request.moves, attributes, checkpoint, config, model)
        where = points(request, ends, given, vectors, config.windows.slice_bars if config.windows else 1, model)
        if len(where.z) > _MAX_WINDOWS:
            raise GmdVaeError(
                f"That is {len(where.z):,} windows, and {_MAX_WINDOWS:,} can be made at once",
                "Make fewer files, or shorter ones.",
            )
        numbers = request.numbers(len(where.rows))
        rows = range(where.rows[numbers[0]].start, where.rows[numbers[-1]].stop)
        windows: list[npt.NDArray[Any]] = []
        for start in range(rows.start, rows.stop, _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, rows.stop))
            windows += model.decode(where.z, request.temperature or LIKELIEST, part)
            advance("Decoding", len(windows) / len(rows))
        by_file = [
            windows[part.start - rows.start : part.stop - rows.start] for part in map(where.rows.__getitem__, numbers)
        ]
        known = _fidelity(request, config, given, ends, by_file, model)
        facts = _facts(request, config, ends, windows, model)

    if config.windows is not None and writes_labels(config):
        made = music.beat_files(request, numbers, len(where.rows), by_file, given.songs, config.windows, playing)
    else:
        made = music.converted_files(request, numbers, len(where.rows), windows, model)
    beats: list[Beat] = []
    written: list[dict[str, Any]] = []
    with files.whole_folder(output_dir) as folder:
        for file in made:
            path = folder / file.name
            path.write_bytes(file.data)
            advance("Writing", len(beats) / len(numbers))
            beats.append(Beat(output_dir / file.name, file.notes, facts.get(len(beats), {})))
            # from the bytes in hand: describe_file would read each of up to 100,000 files again
            digest = hashlib.sha256(file.data).hexdigest()
            written.append(
                {"name": file.name, "bytes": len(file.data), "sha256": digest, "notes": file.notes, **beats[-1].facts}
            )
            if render:
                written.extend(manifest.describe_file(other) for other in render(file.data, path))
        manifest.write(
            folder,
            "generate",
            {
                **request.describe(),
                "config": config.name,
                "layers": model.layers,
                "checkpoint": {
                    "name": checkpoint.name,
                    "files": [manifest.describe_file(file) for file in checkpoints.files_of(checkpoint)],
                },
                "inputs": given.describe(known),
                "playing": playing.describe() if writes_labels(config) else None,
                "repeat": repeat,
                "versions": manifest.versions("magenta", "tensorflow", "note-seq", "numpy"),
                "latents": _write_latents(folder / latent_files.NAME, where, numbers, rows),
                "files": written,
            },
        )
    return Made(beats, known)


def _vectors(
    moves: Sequence[Move], source: AttributeSource | None, checkpoint: Path, config: Config, model: TrainedVae
) -> Vectors:
    """The vectors of the attributes that are asked for.

    Raises:
        GmdVaeError: the training windows all have the same of one of them.
    """
    if not moves or source is None:
        return {}
    spec = label_windows(config)

    def encode(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.float32]:
        return model.encode(
            [labels_to_inputs(row.astype(np.int64), spec) for row in labels], [spec.steps] * len(labels)
        )

    vectors = vectors_for(source, checkpoint, spec, encode)
    for move in moves:
        if move.attribute not in vectors:
            raise GmdVaeError(
                f"The training windows have no more and no less of '{move.attribute}', so the model does not know it",
                f"Choose another attribute: {', '.join(vectors)}.",
            )
    return vectors


def _fidelity(
    request: Request,
    config: Config,
    given: Originals,
    ends: npt.NDArray[np.float32],
    made: Sequence[Sequence[npt.NDArray[Any]]],
    model: TrainedVae,
) -> list[Fidelity]:
    """How well the model knows what it was given: songs as they were made, windows as it likes them best."""
    if not writes_labels(config):
        return []
    if request.mode == RECONSTRUCT and given.songs:
        spec = label_windows(config)
        return [song_fidelity(song, windows, spec) for song, windows in zip(given.songs, made, strict=True)]
    own = model.decode(ends[: len(given.windows)], LIKELIEST) if given.windows else []
    return [
        fidelity(window.file, window.labels, labels)
        for window, labels in zip(given.windows, own, strict=True)
        if window.labels is not None
    ]


def _facts(
    request: Request, config: Config, ends: npt.NDArray[np.float32], windows: list[npt.NDArray[Any]], model: TrainedVae
) -> dict[int, dict[str, float]]:
    """What each beat is, by its place among those that are made; see ``Beat``."""
    if request.mode == VARY:
        (own,) = model.decode(ends, LIKELIEST)
        return {place: {"steps_differing": int((window != own).sum())} for place, window in enumerate(windows)}
    if request.mode == ATTRIBUTE:
        spec = label_windows(config)
        values = drum_attributes(np.array(windows), spec.voice_names, spec.steps_per_bar)
        moved = {move.attribute: values[move.attribute] for move in request.moves}
        return {
            place: {name: round(float(of_all[place]), 4) for name, of_all in moved.items()}
            for place in range(len(windows))
        }
    return {}


def _write_latents(path: Path, where: Points, numbers: range, rows: range) -> Mapping[str, Any]:
    """Writes the latent vectors of the files that were written, and says what was written."""
    of_files = np.repeat(np.array(numbers), [len(where.rows[number]) for number in numbers])
    latent_files.write_latents(path, where.z[rows.start : rows.stop], of_files)
    return manifest.describe_file(path)
