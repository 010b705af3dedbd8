"""Generates beats and writes them: one MIDI file each, their latent vectors, and a manifest."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common import files, manifest
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.evaluation.latent.attributes import drum_attributes
from gmd_vae.evaluation.model import LIKELIEST
from gmd_vae.families import family_of
from gmd_vae.families.output_spec import Output, output_of
from gmd_vae.generation import midi_output
from gmd_vae.generation.decoded import Heard, labels_of, plays_labels, steps_of
from gmd_vae.generation.fidelity import Fidelity, song_fidelity, window_fidelity
from gmd_vae.generation.inputs.conditioning import Originals
from gmd_vae.generation.inputs.controls import (
    Steering,
    chords_of_files,
    first_controls,
    original_controls,
    steer,
    through_all_chords,
)
from gmd_vae.generation.inputs.windows import labels_to_inputs
from gmd_vae.generation.latent import latent_files
from gmd_vae.generation.latent.attribute_vectors import AttributeSource, Vectors, vectors_for
from gmd_vae.generation.latent.modes import Points, points
from gmd_vae.generation.performance.humanizer import GrooVaeHumanizer, HumanizerRun
from gmd_vae.generation.performance.playing import TEMPO_RANGE, Playing
from gmd_vae.generation.request import ATTRIBUTE, GROOVE, RECONSTRUCT, VARY, Move, Request
from gmd_vae.models import checkpoints
from gmd_vae.models.inference.sampler import BATCH_SIZE, TrainedVae

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
        fidelity: of each input file, how much of it the model plays right.
        early: notes that a GrooVAE would begin before their file does; they begin with it.
    """

    beats: list[Beat]
    fidelity: list[Fidelity]
    early: int = 0


def generate(
    request: Request,
    config: Config,
    hparams: dict[str, Any],
    checkpoint: Path,
    output_dir: Path,
    given: Originals | None = None,
    playing: Playing | None = None,
    attributes: AttributeSource | None = None,
    humanizer: HumanizerRun | None = None,
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
        playing: how what is decoded becomes notes.
        attributes: where the attributes' vectors come from, in that mode.
        humanizer: a GrooVAE that says how loud and when the hits of drum patterns are.
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
    output = output_of(config)
    with contextlib.ExitStack() as opened:
        model = opened.enter_context(TrainedVae(config, hparams, checkpoint, request.seed, layers))
        ends = given.encode(model, None if config.windows.converter else config.drum_windows)
        vectors = _vectors(request.moves, attributes, checkpoint, config, model)
        heard = Heard(model, output, first_controls(request, given, output))
        where = through_all_chords(points(request, ends, given, vectors, output.bars, heard), request, output)
        if len(where.z) > _MAX_WINDOWS:
            raise GmdVaeError(
                f"That is {len(where.z):,} windows, and {_MAX_WINDOWS:,} can be made at once",
                "Make fewer files, or shorter ones.",
            )
        numbers = request.numbers(len(where.rows))
        rows = range(where.rows[numbers[0]].start, where.rows[numbers[-1]].stop)
        steering = steer(request, given, output, where.rows)
        windows = _decode(model, output, where, rows, steering, request.temperature or LIKELIEST, advance)
        by_file = [
            windows[part.start - rows.start : part.stop - rows.start] for part in map(where.rows.__getitem__, numbers)
        ]
        known = _fidelity(request, given, ends, by_file, model, output)
        facts = _facts(request, config, ends, by_file, heard, output)
        wanted = midi_output.Files(
            request, numbers, len(where.rows), by_file, given.songs, _tempos(request, given, playing), playing
        )
        if plays_labels(output):
            spec = family_of(config).drum_grid(config)
            assert spec is not None
            made = midi_output.beat_files(wanted, spec, output, _humanizer(humanizer, layers, opened))
        else:
            chords = chords_of_files(steering, where.rows, output)
            made = midi_output.part_files(
                wanted, output, [chords[number] for number in numbers], model.to_note_sequences
            )
        beats: list[Beat] = []
        written: list[dict[str, Any]] = []
        early = 0
        with files.whole_folder(output_dir) as folder:
            for file in made:
                path = folder / file.name
                path.write_bytes(file.data)
                advance("Writing", len(beats) / len(numbers))
                beats.append(Beat(output_dir / file.name, file.notes, facts.get(len(beats), {})))
                early += file.early
                # from the bytes in hand: describe_file would read each of up to 100,000 files again
                digest = hashlib.sha256(file.data).hexdigest()
                entry = {"name": file.name, "bytes": len(file.data), "sha256": digest, "notes": file.notes}
                written.append({**entry, **beats[-1].facts})
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
                    "humanizer": humanizer.describe() if humanizer else None,
                    "inputs": given.describe(known, output),
                    "playing": playing.describe(output, humanized=humanizer is not None),
                    "repeat": repeat,
                    "versions": manifest.versions("magenta", "tensorflow", "note-seq", "numpy"),
                    "latents": _write_latents(folder / latent_files.NAME, where, numbers, rows),
                    "files": written,
                },
            )
    return Made(beats, known, early)


def _decode(
    model: TrainedVae,
    output: Output,
    where: Points,
    rows: range,
    steering: Steering,
    temperature: float,
    advance: Callable[[str, float], None],
) -> list[npt.NDArray[Any]]:
    """The windows of some rows; of streams as bool, a quarter of the memory."""
    windows: list[npt.NDArray[Any]] = []
    for start in range(rows.start, rows.stop, _AT_ONCE):
        part = range(start, min(start + _AT_ONCE, rows.stop))
        decoded = model.decode(where.z, temperature, part, controls=steering.controls, hits=steering.hits)
        windows += [window.astype(bool) for window in decoded] if output.kind == "streams" else decoded
        advance("Decoding", len(windows) / len(rows))
    return windows


def _humanizer(run: HumanizerRun | None, layers: Layers, opened: contextlib.ExitStack) -> GrooVaeHumanizer | None:
    """The model of a run, open as long as ``opened`` is."""
    groove = family_of(run.config).groove(run.config) if run else None
    if run is None or groove is None:
        return None
    model = opened.enter_context(TrainedVae(run.config, run.hparams, run.checkpoint, 0, layers))
    return GrooVaeHumanizer(model, run.config.name, groove, output_of(run.config), BATCH_SIZE)


def _tempos(request: Request, given: Originals, playing: Playing) -> list[float]:
    """The tempo of each file, where files have one each: those that play a file of the user's."""
    if request.mode not in (RECONSTRUCT, GROOVE):
        return []
    lowest, highest = TEMPO_RANGE
    own = [source.tempo or playing.tempo for source in (*given.windows, *given.songs)]
    return [request.tempo or min(max(tempo, lowest), highest) for tempo in own]


def _vectors(
    moves: Sequence[Move], source: AttributeSource | None, checkpoint: Path, config: Config, model: TrainedVae
) -> Vectors:
    """The vectors of the attributes that are asked for.

    Raises:
        GmdVaeError: the training windows all have the same of one of them.
    """
    if not moves or source is None:
        return {}
    spec = config.drum_windows

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
    given: Originals,
    ends: npt.NDArray[np.float32],
    made: Sequence[Sequence[npt.NDArray[Any]]],
    model: TrainedVae,
    output: Output,
) -> list[Fidelity]:
    """How well the model knows what it was given: songs as they were made, windows as it likes them best."""
    if request.mode == GROOVE:
        return []
    own: list[npt.NDArray[Any]] = []
    if given.windows:
        controls = original_controls(request, given, output)
        own = model.decode(ends[: len(given.windows)], LIKELIEST, controls=controls)
    known = [window_fidelity(window, decoded, output) for window, decoded in zip(given.windows, own, strict=True)]
    known += [
        song_fidelity(song, windows, output) for song, windows in zip(given.songs, made[len(own) :], strict=False)
    ]
    return [fidelity for fidelity in known if fidelity is not None]


def _facts(
    request: Request,
    config: Config,
    ends: npt.NDArray[np.float32],
    made: Sequence[Sequence[npt.NDArray[Any]]],
    heard: Heard,
    output: Output,
) -> dict[int, dict[str, float]]:
    """What each beat is, by its place among those that are made; see ``Beat``."""
    if request.mode == VARY:
        (own,) = heard.decode(ends, LIKELIEST)
        firsts = [steps_of(windows[0], output) for windows in made]
        return {place: {"steps_differing": int((first != own).sum())} for place, first in enumerate(firsts)}
    if request.mode == ATTRIBUTE:
        spec = config.drum_windows
        labels = np.array([labels_of(windows[0], output) for windows in made])
        values = drum_attributes(labels, spec.voice_names, spec.steps_per_bar)
        moved = {move.attribute: values[move.attribute] for move in request.moves}
        return {
            place: {name: round(float(of_all[place]), 4) for name, of_all in moved.items()}
            for place in range(len(made))
        }
    return {}


def _write_latents(path: Path, where: Points, numbers: range, rows: range) -> Mapping[str, Any]:
    """Writes the latent vectors of the files that were written, and says what was written."""
    of_files = np.repeat(np.array(numbers), [len(where.rows[number]) for number in numbers])
    latent_files.write_latents(path, where.z[rows.start : rows.stop], of_files)
    return manifest.describe_file(path)
