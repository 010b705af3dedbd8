"""Generates music with a trained model and writes it: MIDI files, their latent vectors, and a manifest.

``generate`` reads from top to bottom: encode the inputs, place the latent vectors, decode them, write the files.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gmd_vae.common import manifest
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.evaluation.latent.attributes import drum_attributes
from gmd_vae.evaluation.model import LIKELIEST
from gmd_vae.families import family_of
from gmd_vae.generation.decoded.decoded_music import DecodedMusic
from gmd_vae.generation.decoded.fidelity import Fidelity
from gmd_vae.generation.decoded.midi_files import FilePlan, MidiOutput
from gmd_vae.generation.decoder_conditions import DecoderConditions, RowConditions
from gmd_vae.generation.job import GeneratedFile, GenerationJob, GenerationResult
from gmd_vae.generation.latent import latent_files
from gmd_vae.generation.latent.attribute_vectors import Vectors, vectors_for_moves
from gmd_vae.generation.latent.modes import FileLatents, Steps, file_latents
from gmd_vae.generation.model import Floats, OpenedModel, Window
from gmd_vae.generation.performance.humanizer import Humanizer
from gmd_vae.generation.performance.playing import TEMPO_RANGE
from gmd_vae.generation.request import ATTRIBUTE, GROOVE, RECONSTRUCT, VARY
from gmd_vae.generation.size import check_size

_ROWS_AT_ONCE = 4096  # windows between two progress updates, whole batches of the sampler


def generate(job: GenerationJob) -> GenerationResult:
    """Generates and writes ``job.output_dir`` whole: ``sample-000.mid`` ..., ``latents.npz`` and ``manifest.json``.

    Starts TensorFlow.

    Args:
        job: Model, request, inputs and options.

    Returns:
        The files, and the fidelity of the model's version of each input.

    Raises:
        GmdVaeError: The checkpoint does not fit the config, the request is too large, or it asks for a variation or an
            attribute that the model does not have.
        UsageError: There is no file with the number ``request.only``.
    """
    request, inputs, config = job.request, job.inputs, job.source.config
    check_size(request, inputs, family_of(config).output(config).bars)
    music = family_of(config).decoded_music(config)
    conditions = DecoderConditions(config, request, inputs)
    with contextlib.ExitStack() as opened:
        replaceable = opened.enter_context(open_output(job.output_dir, "generate"))
        model = opened.enter_context(_open_sampler(job))
        first_controls = conditions.for_first_window()

        def likeliest_steps(z: Floats) -> list[Steps]:
            controls = None if first_controls is None else [first_controls] * len(z)
            return [music.steps(window) for window in model.decode(z, LIKELIEST, controls=controls)]

        # inputs and request to latent vectors
        encoded = inputs.encode(model)
        latents = file_latents(
            request, encoded, inputs, _attribute_vectors(job, model), music.output.bars, likeliest_steps
        )
        latents = conditions.repeat_for_chords(latents)

        # latent vectors to windows, only for the files to write
        numbers = request.numbers(len(latents.rows))
        rows = [latents.rows[number] for number in numbers]
        row_conditions = conditions.for_rows(latents.rows)
        windows = _decode(job, model, music, latents, rows, row_conditions)
        fidelity = _fidelity(job, model, music, encoded, conditions.for_inputs(), windows)
        if request.mode == VARY:
            figures = _differing_steps(likeliest_steps(encoded)[0], windows, music)
        else:
            figures = _attribute_values(job, windows, music)
        chords = conditions.chords_of_files(row_conditions, latents.rows)

        # windows to files
        plan = FilePlan(
            mode=request.mode,
            numbers=numbers,
            total=len(latents.rows),
            windows=windows,
            songs=inputs.songs,
            bars=request.bars,
            chords=[chords[number] for number in numbers],
            tempos=_tempos(job),
            playing=job.playing,
            join=request.join,
        )
        humanizer = opened.enter_context(_open_humanizer(job))
        with whole_folder(job.output_dir, replaceable) as folder:
            written, entries, early_notes = _write_midi(
                job, folder, music.midi_files(plan, model, humanizer), len(numbers), figures
            )
            latents_entry = _write_latents(folder / latent_files.NAME, latents, numbers)
            described_inputs = inputs.describe([entry.figures() for entry in fidelity], conditions.chord_bars)
            _write_manifest(job, folder, model, described_inputs, latents_entry, entries)
    return GenerationResult(written, fidelity, early_notes)


def _open_sampler(job: GenerationJob) -> contextlib.AbstractContextManager[OpenedModel]:
    # TensorFlow takes seconds to import: only for a job that runs
    from gmd_vae.models.inference.sampler import Sampler

    source = job.source
    return Sampler(source.config, source.hparams, source.checkpoint, job.request.seed, job.layers)


@contextlib.contextmanager
def _open_humanizer(job: GenerationJob) -> Iterator[Humanizer | None]:
    """Opens the model that performs the drum patterns, if the job names one. It draws nothing at random."""
    source = job.humanizer
    if source is None:
        yield None
        return
    from gmd_vae.models.inference.sampler import Sampler

    with Sampler(source.config, source.hparams, source.checkpoint, 0, job.layers) as model:
        yield family_of(source.config).humanizer(source.config, model)


def _attribute_vectors(job: GenerationJob, model: OpenedModel) -> Vectors:
    """Returns the vectors of the requested attributes; empty in other modes."""
    if job.attributes is None:
        return {}
    source = job.source
    return vectors_for_moves(job.attributes, source.checkpoint, source.config.drum_windows, model, job.request.moves)


def _decode(
    job: GenerationJob,
    model: OpenedModel,
    music: DecodedMusic,
    latents: FileLatents,
    rows: Sequence[range],
    conditions: RowConditions,
) -> list[list[Window]]:
    """Returns the decoded windows of each file in ``rows``, which are consecutive."""
    wanted = range(rows[0].start, rows[-1].stop)
    temperature = job.request.temperature or LIKELIEST
    windows: list[Window] = []
    for start in range(wanted.start, wanted.stop, _ROWS_AT_ONCE):
        part = range(start, min(start + _ROWS_AT_ONCE, wanted.stop))
        decoded = model.decode(latents.z, temperature, part, conditions.controls, conditions.hits)
        windows += [music.compact(window) for window in decoded]
        job.progress("Decoding", len(windows) / len(wanted))
    return [windows[span.start - wanted.start : span.stop - wanted.start] for span in rows]


def _fidelity(
    job: GenerationJob,
    model: OpenedModel,
    music: DecodedMusic,
    encoded: Floats,
    controls: list[Window] | None,
    decoded: Sequence[Sequence[Window]],
) -> list[Fidelity]:
    """Returns the fidelity of each input file: of songs as they were decoded, of windows at temperature 0."""
    if job.request.mode == GROOVE:
        return []
    windows, songs = job.inputs.windows, job.inputs.songs
    versions: list[Window] = []
    if windows:
        versions = model.decode(encoded[: len(windows)], LIKELIEST, controls=controls)
    found = [music.window_fidelity(window, version) for window, version in zip(windows, versions, strict=True)]
    found += [
        music.song_fidelity(song, song_windows)
        for song, song_windows in zip(songs, decoded[len(windows) :], strict=False)
    ]
    return [fidelity for fidelity in found if fidelity is not None]


def _differing_steps(
    reference: Steps, windows: Sequence[Sequence[Window]], music: DecodedMusic
) -> list[dict[str, float]]:
    """Returns for each file the number of steps that differ from ``reference``, the model's version of the beat."""
    steps = [music.steps(file_windows[0]) for file_windows in windows]
    return [{"steps_differing": int((file_steps != reference).sum())} for file_steps in steps]


def _attribute_values(
    job: GenerationJob, windows: Sequence[Sequence[Window]], music: DecodedMusic
) -> list[dict[str, float]]:
    """Returns for each file the values of the attributes that mode ``attribute`` changes; empty in other modes."""
    if job.request.mode != ATTRIBUTE:
        return []
    spec = job.source.config.drum_windows
    labels = np.array([music.steps(file_windows[0]) for file_windows in windows])
    values = drum_attributes(labels, spec.voice_names, spec.meter)
    names = dict.fromkeys(move.attribute for move in job.request.moves)
    return [{name: round(float(values[name][index]), 4) for name in names} for index in range(len(windows))]


def _tempos(job: GenerationJob) -> list[float]:
    """Returns the tempo of each file in modes where each file plays an input file; else nothing."""
    if job.request.mode not in (RECONSTRUCT, GROOVE):
        return []
    lowest, highest = TEMPO_RANGE
    tempos = [window.tempo or job.playing.tempo for window in job.inputs.windows]
    tempos += [song.tempo or job.playing.tempo for song in job.inputs.songs]
    return [job.request.tempo or min(max(tempo, lowest), highest) for tempo in tempos]


def _write_midi(
    job: GenerationJob, folder: Path, midi_files: Iterator[MidiOutput], total: int, figures: Sequence[dict[str, float]]
) -> tuple[list[GeneratedFile], list[dict[str, Any]], int]:
    """Writes the MIDI files, and what ``job.render`` writes beside them.

    Returns:
        The files, their entries for the manifest, and the number of early notes.
    """
    written: list[GeneratedFile] = []
    entries: list[dict[str, Any]] = []
    early_notes = 0
    for index, file in enumerate(midi_files):
        path = folder / file.name
        path.write_bytes(file.data)
        job.progress("Writing", index / total)
        own_figures = figures[index] if index < len(figures) else {}  # the joined file has none
        written.append(GeneratedFile(job.output_dir / file.name, file.notes, own_figures))
        early_notes += file.early_notes
        # from the bytes in memory: describe_file would read each of up to 100,000 files again
        digest = hashlib.sha256(file.data).hexdigest()
        entries.append(
            {"name": file.name, "bytes": len(file.data), "sha256": digest, "notes": file.notes, **own_figures}
        )
        if job.render:
            entries.extend(manifest.describe_file(other) for other in job.render(file.data, path))
    return written, entries, early_notes


def _write_latents(path: Path, latents: FileLatents, numbers: range) -> Mapping[str, Any]:
    """Writes the latent vectors of the written files; returns the entry for the manifest."""
    lengths = [len(latents.rows[number]) for number in numbers]
    row_numbers = np.repeat(np.array(numbers), lengths)
    first, last = latents.rows[numbers[0]].start, latents.rows[numbers[-1]].stop
    latent_files.write_latents(path, latents.z[first:last], row_numbers)
    return manifest.describe_file(path)


def _write_manifest(
    job: GenerationJob,
    folder: Path,
    model: OpenedModel,
    inputs: list[dict[str, Any]],
    latents: Mapping[str, Any],
    entries: list[dict[str, Any]],
) -> None:
    config, humanizer = job.source.config, job.humanizer
    humanizer_entry = None
    if humanizer is not None:
        humanizer_entry = {
            "config": humanizer.config.name,
            "checkpoint": humanizer.checkpoint.name,
            "files": humanizer.describe_checkpoint(),
        }
    manifest.write(
        folder,
        "generate",
        {
            **job.request.describe(),
            "config": config.name,
            "layers": model.layers,
            "checkpoint": {"name": job.source.checkpoint.name, "files": job.source.describe_checkpoint()},
            "humanizer": humanizer_entry,
            "inputs": inputs,
            "playing": job.playing.describe(family_of(config).playing_options, humanized=humanizer is not None),
            "repeat": job.repeat,
            "versions": manifest.versions("magenta", "tensorflow", "note-seq", "numpy"),
            "latents": latents,
            "files": entries,
        },
    )
