"""Composes the files of a request: inputs and request flow in, the decoded windows of each file flow out.

``compose`` reads from top to bottom: encode the inputs, place the latent vectors, decode them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from gmd_vae.common.priors import FITTED
from gmd_vae.evaluation.latent.attributes import drum_attributes
from gmd_vae.families import family_of
from gmd_vae.generation.decoded.decoded_music import DecodedMusic
from gmd_vae.generation.decoded.fidelity import Fidelity
from gmd_vae.generation.decoded.midi_files import FilePlan
from gmd_vae.generation.decoder_conditions import DecoderConditions, RowConditions
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.kept_playing import FileHits, hits_of_files
from gmd_vae.generation.latent.attribute_vectors import AttributeChange, AttributeSource, vectors_for_moves
from gmd_vae.generation.latent.modes import FileLatents, LikeliestSteps, Steps, file_latents
from gmd_vae.generation.model import Floats, ModelSource, OpenedModel, Vectors, Window
from gmd_vae.generation.performance.playing import TEMPO_RANGE, Playing
from gmd_vae.generation.request import ATTRIBUTE, GROOVE, RECONSTRUCT, VARY, GenerationRequest
from gmd_vae.generation.size import check_size

_ROWS_AT_ONCE = 4096  # windows between two progress updates, whole batches of the sampler
_LIKELIEST = 0.0  # temperature
STEPS_DIFFERING, STEPS_FROM_INPUT = "steps_differing", "steps_from_input"  # figures of a file


@dataclasses.dataclass(frozen=True)
class Composition:
    """The decoded files of a request.

    Attributes:
        model: Short name of the model.
        numbers: Numbers of the files.
        latents: Latent vectors of all files of the request. Those that are not among ``numbers`` may be zeros.
        windows: Decoded windows of each file.
        chords: Chord symbols of the bars of each file, empty for models without chords.
        fidelity: Agreement of the model's own version with each input file.
        figures: Figures of the mode for each file, see ``GeneratedFile.figures``; empty where it has none.
        chord_bars: Bar of each step, where controls are chords; else ``None``.
        played: Played hits of the inputs at the windows of each file; [] where none are kept.
        changes: Effect on each attribute that mode ``attribute`` moves; [] in other modes.
    """

    model: str
    numbers: range
    latents: FileLatents
    windows: list[list[Window]]
    chords: list[tuple[str, ...]]
    fidelity: list[Fidelity]
    figures: list[dict[str, float]]
    chord_bars: tuple[int, ...] | None
    played: list[FileHits]
    changes: list[AttributeChange] = dataclasses.field(default_factory=list)

    def plan(self, request: GenerationRequest, inputs: GenerationInputs, playing: Playing) -> FilePlan:
        """Returns the files to write, played as ``playing`` says."""
        return FilePlan(
            model=self.model,
            mode=request.mode,
            seed=request.seed,
            numbers=self.numbers,
            total=len(self.latents.rows),
            windows=self.windows,
            songs=inputs.songs,
            bars=request.bars,
            chords=self.chords,
            tempos=_tempos(request, inputs, playing),
            playing=playing,
            join=request.join,
            played=self.played,
            labels=request.labels(len(self.latents.rows)),
        )


def no_progress(task: str, share: float) -> None:
    """Shows no progress."""


def compose(
    source: ModelSource,
    model: OpenedModel,
    request: GenerationRequest,
    inputs: GenerationInputs,
    attributes: AttributeSource | None = None,
    progress: Callable[[str, float], None] = no_progress,
) -> Composition:
    """Composes the files of a request.

    Args:
        source: The model that ``model`` was opened from.
        model: The opened model.
        request: Mode, counts and distances.
        inputs: Windows, songs, seeds or latent vectors to start from.
        attributes: Training windows for attribute vectors, in mode ``attribute``; ``None``: those of the model.
        progress: Progress callback: the name of the task and its completed share, 0 to 1.

    Raises:
        GmdVaeError: The request is too large, or it asks for a variation or an attribute that the model does not have.
        UsageError: There is no file with the number ``request.only``.
    """
    config = source.config
    check_size(request, inputs, family_of(config).output(config).bars)
    music = family_of(config).decoded_music(config)
    conditions = DecoderConditions(config, request, inputs)
    first_controls = conditions.for_first_window()

    def likeliest_steps(z: Floats) -> list[Steps]:
        controls = None if first_controls is None else [first_controls] * len(z)
        return [music.steps(window) for window in model.decode(z, _LIKELIEST, controls=controls)]

    # inputs and request to latent vectors
    vectors: Vectors = {}
    if request.mode == ATTRIBUTE:
        vectors = vectors_for_moves(source, attributes, model, request.moves)
    density = source.density if request.prior == FITTED else None
    encoded = inputs.encode(model, density)
    latents = file_latents(request, encoded, inputs, vectors, music.output.bars, likeliest_steps, density)
    latents = conditions.repeat_for_chords(latents)

    # latent vectors to windows, only for the files to write
    numbers = request.numbers(len(latents.rows))
    rows = [latents.rows[number] for number in numbers]
    row_conditions = conditions.for_rows(latents.rows)
    windows = _decode(model, music, latents, rows, row_conditions, request.temperature, progress)
    if request.mode == VARY:
        figures = _differing_steps(STEPS_DIFFERING, likeliest_steps(encoded)[0], windows, music)
    else:
        figures = _attribute_values(source, request, windows, music)
    own_steps = music.target_steps(inputs.windows[0]) if inputs.windows else None
    if own_steps is not None and (request.mode == VARY or request.radius is not None):
        from_input = _differing_steps(STEPS_FROM_INPUT, own_steps, windows, music)
        figures = [{**own, **more} for own, more in zip(figures or [{}] * len(windows), from_input, strict=True)]
    chords = conditions.chords_of_files(row_conditions, latents.rows)
    return Composition(
        source.short_name,
        numbers,
        latents,
        windows,
        [chords[number] for number in numbers],
        _fidelity(request, inputs, model, music, encoded, conditions, windows),
        figures,
        conditions.chord_bars,
        hits_of_files(request, inputs, numbers),
        _attribute_changes(source, request, latents, vectors, likeliest_steps) if vectors else [],
    )


def _decode(
    model: OpenedModel,
    music: DecodedMusic,
    latents: FileLatents,
    rows: Sequence[range],
    conditions: RowConditions,
    temperature: float,
    progress: Callable[[str, float], None],
) -> list[list[Window]]:
    """Returns the decoded windows of each file in ``rows``, which are consecutive."""
    wanted = range(rows[0].start, rows[-1].stop)
    places = [(number, index) for number, span in enumerate(latents.rows) for index in range(len(span))]
    windows: list[Window] = []
    for start in range(wanted.start, wanted.stop, _ROWS_AT_ONCE):
        part = range(start, min(start + _ROWS_AT_ONCE, wanted.stop))
        decoded = model.decode(latents.z, temperature, part, conditions.controls, conditions.hits, places)
        windows += [music.compact(window) for window in decoded]
        progress("Decoding", len(windows) / len(wanted))
    return [windows[span.start - wanted.start : span.stop - wanted.start] for span in rows]


def _fidelity(
    request: GenerationRequest,
    inputs: GenerationInputs,
    model: OpenedModel,
    music: DecodedMusic,
    encoded: Floats,
    conditions: DecoderConditions,
    decoded: Sequence[Sequence[Window]],
) -> list[Fidelity]:
    """Returns the fidelity of each input file: of songs as they were decoded, of windows at temperature 0."""
    if request.mode == GROOVE:
        return []
    windows, songs = inputs.windows, inputs.songs
    versions: list[Window] = []
    if windows:
        versions = model.decode(encoded[: len(windows)], _LIKELIEST, controls=conditions.for_inputs())
    found = [music.window_fidelity(window, version) for window, version in zip(windows, versions, strict=True)]
    found += [
        music.song_fidelity(song, song_windows)
        for song, song_windows in zip(songs, decoded[len(windows) :], strict=False)
    ]
    return [fidelity for fidelity in found if fidelity is not None]


def _differing_steps(
    name: str, reference: Steps, windows: Sequence[Sequence[Window]], music: DecodedMusic
) -> list[dict[str, float]]:
    """Returns the steps of each file, under a name, that differ from ``reference``: the rounded mean of its windows."""
    counts = [[int((music.steps(window) != reference).sum()) for window in file_windows] for file_windows in windows]
    return [{name: round(sum(file_counts) / len(file_counts))} for file_counts in counts]


def _attribute_values(
    source: ModelSource, request: GenerationRequest, windows: Sequence[Sequence[Window]], music: DecodedMusic
) -> list[dict[str, float]]:
    """Returns for each file the values of the attributes that mode ``attribute`` changes; empty in other modes."""
    if request.mode != ATTRIBUTE:
        return []
    spec = source.config.drum_windows
    labels = np.array([music.steps(file_windows[0]) for file_windows in windows])
    values = drum_attributes(labels, spec.voice_names, spec.meter)
    names = dict.fromkeys(move.attribute for move in request.moves)
    return [{name: round(float(values[name][index]), 4) for name in names} for index in range(len(windows))]


def _attribute_changes(
    source: ModelSource,
    request: GenerationRequest,
    latents: FileLatents,
    vectors: Vectors,
    likeliest_steps: LikeliestSteps,
) -> list[AttributeChange]:
    """Returns the effect of all moves together on each attribute that is moved, from the first amounts to the last."""
    spec = source.config.drum_windows
    last = latents.z[-1].astype(np.float64)
    first = last - sum((move.end - move.start) * vectors[move.attribute] for move in request.moves)
    unmoved = last - sum(move.end * vectors[move.attribute] for move in request.moves)
    labels = np.array(likeliest_steps(np.stack([first, last, unmoved]).astype(np.float32)))
    values = drum_attributes(labels, spec.voice_names, spec.meter)
    changes = []
    for move in request.moves:
        before, after, itself = (round(float(value), 4) for value in values[move.attribute])
        changes.append(AttributeChange(move.attribute, move.end - move.start, before, after, move.start, itself))
    return changes


def _tempos(request: GenerationRequest, inputs: GenerationInputs, playing: Playing) -> list[float]:
    """Returns the tempo of each file in modes where each file plays an input file; else nothing."""
    if request.mode not in (RECONSTRUCT, GROOVE):
        return []
    lowest, highest = TEMPO_RANGE
    tempos = [window.tempo or playing.tempo for window in inputs.windows]
    tempos += [song.tempo or playing.tempo for song in inputs.songs]
    return [request.tempo or min(max(tempo, lowest), highest) for tempo in tempos]
