"""``GenerationJob``, everything that ``generate`` takes, and ``GenerationResult``, everything that it returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gmd_vae.configuration.layers import ACCELERATED, Layers
from gmd_vae.generation.compose import no_progress
from gmd_vae.generation.decoded.fidelity import Fidelity
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.latent.attribute_vectors import AttributeChange, AttributeSource
from gmd_vae.generation.model import ModelSource
from gmd_vae.generation.performance.playing import Playing
from gmd_vae.generation.request import GenerationRequest

RenderBeside = Callable[[bytes, Path, Mapping[int, str]], Sequence[Path]]
"""Writes sound or pictures beside a MIDI file, from its bytes, its path and labels of bars; returns the new paths."""
Progress = Callable[[str, float], None]
"""Takes the name of the current task and its completed share, 0 to 1."""


@dataclasses.dataclass(frozen=True)
class GenerationJob:
    """One run of ``generate``; ``prepare.prepare`` makes it from command-line options.

    Attributes:
        request: Mode, counts and distances.
        source: Model that generates.
        output_dir: Folder to write.
        inputs: Windows, songs, seeds or latent vectors to start from.
        playing: Tempo, velocity, swing and feel.
        attributes: Training windows for attribute vectors; only in mode ``attribute``.
        humanizer: GrooVAE that performs the drum patterns; ``None`` for none.
        layers: Implementation of the layers.
        render: Writer of sound and pictures; ``None`` for none.
        rendered: Names of what ``render`` writes: ``wav``, ``wav with its tail``, ``png``.
        repeat: Command that writes one of the files again, for the manifest.
        progress: Progress callback.
    """

    request: GenerationRequest
    source: ModelSource
    output_dir: Path
    inputs: GenerationInputs = dataclasses.field(default_factory=GenerationInputs)
    playing: Playing = dataclasses.field(default_factory=Playing)
    attributes: AttributeSource | None = None
    humanizer: ModelSource | None = None
    layers: Layers = ACCELERATED
    render: RenderBeside | None = None
    rendered: tuple[str, ...] = ()
    repeat: str | None = None
    progress: Progress = no_progress


@dataclasses.dataclass(frozen=True)
class GeneratedFile:
    """One generated MIDI file.

    Attributes:
        path: Path of the file.
        notes: Number of notes.
        figures: Figures of the mode. ``steps_differing``: steps in which a variation differs from the model's version
            of the beat. ``steps_from_input``: steps in which a variation, or a beat near one, differs from the beat
            itself, the mean of its windows. In mode ``attribute``, the value of each attribute that was changed.
    """

    path: Path
    notes: int
    figures: dict[str, float]


@dataclasses.dataclass(frozen=True)
class GenerationResult:
    """The files of a job.

    Attributes:
        files: MIDI files; the joined file is the last one.
        fidelity: Agreement of the model's own version with each input file.
        early_notes: Notes that would begin before their file does; they are moved to its beginning.
        changes: Effect on each attribute that mode ``attribute`` moves.
    """

    files: list[GeneratedFile]
    fidelity: list[Fidelity]
    early_notes: int = 0
    changes: list[AttributeChange] = dataclasses.field(default_factory=list)
