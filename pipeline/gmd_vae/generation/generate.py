"""Generates music with a trained model and writes it: MIDI files, their latent vectors, and a manifest.

``compose.py`` makes the music, this module the files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gmd_vae.common import manifest
from gmd_vae.common.folders import whole_folder
from gmd_vae.common.output_folder import open_output
from gmd_vae.families import family_of
from gmd_vae.generation.compose import Composition, compose
from gmd_vae.generation.decoded.midi_files import MidiOutput
from gmd_vae.generation.identity import IDENTITY, RENDERED, STAGE, check_same_request, identity_of
from gmd_vae.generation.job import GeneratedFile, GenerationJob, GenerationResult
from gmd_vae.generation.kept_playing import has_hits
from gmd_vae.generation.latent import latent_files
from gmd_vae.generation.model import OpenedModel
from gmd_vae.generation.performance.humanizer import Humanizer


def generate(job: GenerationJob) -> GenerationResult:
    """Generates and writes ``job.output_dir`` whole: MIDI files, ``latents.npz`` and ``manifest.json``.

    Starts TensorFlow for families whose models do not run in NumPy.

    Args:
        job: Model, request, inputs and options.

    Returns:
        The files, and the fidelity of the model's version of each input.

    Raises:
        GmdVaeError: The checkpoint does not fit the config, the request is too large, or it asks for a variation or an
            attribute that the model does not have. The folder holds the output of another request.
        UsageError: There is no file with the number ``request.only``.
    """
    request, inputs, config = job.request, job.inputs, job.source.config
    with contextlib.ExitStack() as opened:
        replaceable = opened.enter_context(open_output(job.output_dir, STAGE))
        check_same_request(job)
        model = opened.enter_context(job.source.open(request.seed, job.layers))
        composition = compose(job.source, model, request, inputs, job.attributes, job.progress)
        humanizer = opened.enter_context(_open_humanizer(job))
        plan = composition.plan(request, inputs, job.playing)
        midi_files = family_of(config).decoded_music(config).midi_files(plan, model, humanizer)
        with whole_folder(job.output_dir, replaceable) as folder:
            written, entries, early_notes = _write_midi(job, folder, midi_files, composition)
            latents_entry = _write_latents(folder / latent_files.NAME, composition)
            fidelity = [entry.figures() for entry in composition.fidelity]
            described_inputs = inputs.describe(fidelity, composition.chord_bars)
            playing = job.playing.describe(
                family_of(config).playing_options,
                humanized=job.humanizer is not None,
                has_input=has_hits(composition.played),
            )
            changes = [dataclasses.asdict(change) for change in composition.changes]
            _write_manifest(job, folder, model, playing, described_inputs, changes, latents_entry, entries)
    return GenerationResult(written, composition.fidelity, early_notes, composition.changes)


@contextlib.contextmanager
def _open_humanizer(job: GenerationJob) -> Iterator[Humanizer | None]:
    """Opens the model that performs the drum patterns, if the job names one. It draws nothing at random."""
    source = job.humanizer
    if source is None:
        yield None
        return
    with source.open(0, job.layers) as model:
        yield family_of(source.config).humanizer(source.config, model)


def _write_midi(
    job: GenerationJob, folder: Path, midi_files: Iterator[MidiOutput], composition: Composition
) -> tuple[list[GeneratedFile], list[dict[str, Any]], int]:
    """Writes the MIDI files, and what ``job.render`` writes beside them.

    Returns:
        The files, their entries for the manifest, and the number of early notes.
    """
    total, figures = len(composition.numbers), composition.figures
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
            entries.extend(manifest.describe_file(other) for other in job.render(file.data, path, file.bar_labels))
    return written, entries, early_notes


def _write_latents(path: Path, composition: Composition) -> Mapping[str, Any]:
    """Writes the latent vectors of the written files; returns the entry for the manifest."""
    latents, numbers = composition.latents, composition.numbers
    lengths = [len(latents.rows[number]) for number in numbers]
    row_numbers = np.repeat(np.array(numbers), lengths)
    first, last = latents.rows[numbers[0]].start, latents.rows[numbers[-1]].stop
    latent_files.write_latents(path, latents.z[first:last], row_numbers)
    return manifest.describe_file(path)


def _write_manifest(
    job: GenerationJob,
    folder: Path,
    model: OpenedModel,
    playing: Mapping[str, Any],
    inputs: list[dict[str, Any]],
    changes: list[dict[str, Any]],
    latents: Mapping[str, Any],
    entries: list[dict[str, Any]],
) -> None:
    config, humanizer = job.source.config, job.humanizer
    humanizer_entry = None
    if humanizer is not None:
        weights = humanizer.describe()
        humanizer_entry = {"config": humanizer.config.name, "checkpoint": weights["name"], "files": weights["files"]}
    manifest.write(
        folder,
        STAGE,
        {
            **job.request.describe(),
            "config": config.name,
            "layers": model.layers,
            "checkpoint": job.source.describe(),
            "humanizer": humanizer_entry,
            "inputs": inputs,
            "attribute_changes": changes or None,
            "playing": playing,
            "repeat": job.repeat,
            IDENTITY: identity_of(job),
            RENDERED: list(job.rendered),
            "versions": manifest.versions("magenta", "tensorflow", "note-seq", "numpy"),
            "latents": latents,
            "files": entries,
        },
    )
