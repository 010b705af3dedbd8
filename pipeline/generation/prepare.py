"""From a user's wishes to what ``generate`` takes: what can be wrong is found here, without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline import manifest
from pipeline.errors import GmdVaeError, UsageError
from pipeline.evaluation.attributes import attribute_names
from pipeline.evaluation.subject import training_examples
from pipeline.generation.attribute_vectors import AttributeSource
from pipeline.generation.feel import load_feel
from pipeline.generation.inputs import InputWindow, Song, read_last_window, read_song, read_window
from pipeline.generation.latent_files import read_latents
from pipeline.generation.originals import Originals
from pipeline.generation.playing import TEMPO_RANGE, Playing
from pipeline.generation.request import (
    ATTRIBUTE,
    BARS,
    CONTINUE,
    INTERPOLATE,
    OF_LABELS,
    RECONSTRUCT,
    TEMPERATURES,
    VARY,
    Move,
    Request,
    check_attributes,
    which_windows,
)
from pipeline.models import checkpoints
from pipeline.models.registry import Config, label_windows, plays_drums, writes_labels
from pipeline.sources.names import printable
from pipeline.training.examples import open_examples
from pipeline.training.run import Run


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What ``generate`` takes, and what the user should know before it starts, a line each."""

    request: Request
    originals: Originals
    playing: Playing
    attributes: AttributeSource | None
    notes: tuple[str, ...]


def prepare(
    options: Mapping[str, Any],
    moves: Sequence[Move],
    config: Config,
    hparams: Mapping[str, Any],
    run: Run | None,
    checkpoint: Path,
    *,
    rendered: bool,
) -> Prepared:
    """Reads the inputs and settles what was left open.

    Args:
        options: of ``gmd-vae generate``, by name, checked by ``request.check_wishes``.
        moves: of the attributes, as the user named them.
        config: of the model.
        hparams: of the model.
        run: whose model it is; ``None``: a checkpoint's.
        checkpoint: prefix.
        rendered: whether sound or pictures are wanted.

    Raises:
        UsageError: the config cannot do what is asked for.
        GmdVaeError: an input cannot be read or used.
    """
    mode = options["mode"]
    given, notes = _originals(options, config, hparams)
    if moves:
        spec = label_windows(config)
        moves = check_attributes(moves, attribute_names(spec.voice_names))
    request = Request(
        mode=mode,
        count=options["num_outputs"],
        temperature=TEMPERATURES[mode] if options["temperature"] is None else options["temperature"],
        seed=options["seed"],
        radius=options["radius"] if options["around"] else None,
        same_z=options["same_z"],
        path=options["path"],
        distance=options["distance"],
        moves=tuple(moves),
        bars=BARS if mode == CONTINUE and options["bars"] is None else options["bars"],
        drift=options["drift"],
        join=options["join"],
        only=options["only"],
        tempo=options["tempo"],
    )
    playing = _playing(options, given)
    _check_config(request, playing, options, config, rendered)
    _check_numbers(request, given, config)
    attributes = _attribute_source(options["examples_path"], config, run, checkpoint) if mode == ATTRIBUTE else None
    return Prepared(request, given, playing, attributes, tuple(notes))


def _originals(options: Mapping[str, Any], config: Config, hparams: Mapping[str, Any]) -> tuple[Originals, list[str]]:
    """What is started from, and what the user should know about it."""
    mode, numbers = options["mode"], options["window"]
    paths = (*options["input_midi"], *filter(None, [options["around"]]))
    if mode == RECONSTRUCT and not numbers:
        songs = tuple(read_song(path, config) for path in paths)
        return Originals(songs=songs), [line for song in songs for line in _of_song(song)]
    notes: list[str] = []
    windows: list[InputWindow] = []
    for path, number in zip(paths, which_windows(numbers, paths), strict=True):
        if mode == CONTINUE and number is None:
            windows.append(read_last_window(path, config))
            continue
        windows.append(read_window(path, config, number))
        if windows[-1].found > 1 and number is None:
            notes.append(f"{_name(path)}: {windows[-1].found:,} windows, taking the first; --window K takes another")
    vectors = read_latents(options["latents"], hparams["z_size"]) if options["latents"] else None
    return Originals(tuple(windows), (), options["input_seed"], vectors), notes


def _of_song(song: Song) -> list[str]:
    line = f"{_name(song.file)}: {song.bars:,} bars in {len(song.pieces):,} windows"
    return [line, *(f"{_name(song.file)}: left out: {missing}" for missing in song.missing)]


def _playing(options: Mapping[str, Any], given: Originals) -> Playing:
    lowest, highest = TEMPO_RANGE
    tempo = options["tempo"] or min(max(given.tempo or Playing.tempo, lowest), highest)
    settings = {name: options[name] for name in ("velocity", "swing") if options[name] is not None}
    return Playing(tempo, seed=options["seed"], feel=load_feel() if options["humanize"] else None, **settings)


def _check_numbers(request: Request, given: Originals, config: Config) -> None:
    """Refuses a file that will not be there, and a distance that no beat has, before the model is loaded."""
    if request.mode == INTERPOLATE:
        ends = len(given.windows) + len(given.seeds)
        total = (ends - 1) * (request.count - 1) + 1
    else:
        total = request.count if given.vectors is None else len(given.vectors)
    request.numbers(total)
    if request.mode == VARY and request.distance > (steps := label_windows(config).steps):
        raise UsageError(
            f"No variation can differ in {request.distance} of {steps} steps", "Choose a smaller --distance."
        )


def _check_config(
    request: Request, playing: Playing, options: Mapping[str, Any], config: Config, rendered: bool
) -> None:
    if rendered and not plays_drums(config):
        raise UsageError(
            f"--wav and --png are of drums, and '{config.name}' does not only play drums", "Leave them out."
        )
    if writes_labels(config):
        if obstacle := playing.obstacle(label_windows(config)):
            raise UsageError(f"'{config.name}' cannot be played so: {obstacle}", "Leave --humanize and --swing out.")
        return
    played = [name for name in ("tempo", "velocity", "swing", "humanize", "join") if options[name]]
    if request.needs_labels or played:
        what = f"--{played[0]}" if played else f"--mode {request.mode}" if request.mode in OF_LABELS else "--bars"
        raise UsageError(
            f"{what} is for drum configs with one label a step, and '{config.name}' is none",
            "Leave it out, or choose another model: 'gmd-vae configs' lists them.",
        )


def _attribute_source(examples: Path | None, config: Config, run: Run | None, checkpoint: Path) -> AttributeSource:
    """Where the vectors come from: the run's own training windows, or others that the user names."""
    if examples is not None:
        open_examples(examples, config)  # refuses windows that are cut in another way
        return AttributeSource(examples, manifest.digest(examples), None)
    if run is None:
        raise UsageError(
            "--mode attribute needs windows that show what more and less of something is, and a checkpoint has none",
            "Give --examples-path, or a run in the place of the checkpoint.",
        )
    step = checkpoints.step_of(checkpoint)
    keep = run.folder / "attributes" / (f"step-{step}" if step is not None else checkpoint.name)
    try:
        return AttributeSource(training_examples(run), run.examples_digest, keep)
    except GmdVaeError:  # they are not needed where the vectors are kept
        return AttributeSource(None, run.examples_digest, keep)


def _name(path: Path) -> str:
    return printable(str(path), limit=None)
