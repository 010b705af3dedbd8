"""From a user's wishes to what ``generate`` takes: what can be wrong is found here, without TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import GmdVaeError, UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.evaluation.data.target import training_examples
from gmd_vae.evaluation.latent.attributes import attribute_names
from gmd_vae.families import family_of
from gmd_vae.families.output_spec import Output, output_of
from gmd_vae.generation.decoded import plays_labels
from gmd_vae.generation.inputs.chords import EXAMPLE, parse_chords
from gmd_vae.generation.inputs.conditioning import Originals
from gmd_vae.generation.inputs.groove import GrooveSong, read_groove
from gmd_vae.generation.inputs.midi_file import InputWindow, name_of
from gmd_vae.generation.inputs.windows import Song, read_last_window, read_song, read_window, read_windows
from gmd_vae.generation.latent.attribute_vectors import AttributeSource
from gmd_vae.generation.latent.latent_files import read_latents
from gmd_vae.generation.performance.feel import load_feel
from gmd_vae.generation.performance.playing import TEMPO_RANGE, Playing
from gmd_vae.generation.request import (
    ATTRIBUTE,
    BARS,
    CONTINUE,
    GROOVE,
    INTERPOLATE,
    MEASURED,
    RECONSTRUCT,
    TEMPERATURES,
    VARY,
    Move,
    Request,
    check_attributes,
    which_windows,
)
from gmd_vae.models import checkpoints
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run


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
    output = output_of(config)
    chords = _check_config(options, config, output, rendered=rendered)
    given, notes = _originals(options, config, output, hparams)
    if moves:
        spec = config.drum_windows
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
        chords=chords,
    )
    playing = _playing(options, given)
    if not config.windows.converter and (obstacle := playing.obstacle(config.drum_windows)):
        raise UsageError(f"'{config.name}' cannot be played so: {obstacle}", "Leave --humanize and --swing out.")
    _check_numbers(request, given, output)
    attributes = _attribute_source(options["examples_path"], config, run, checkpoint) if mode == ATTRIBUTE else None
    return Prepared(request, given, playing, attributes, tuple(notes))


def _originals(
    options: Mapping[str, Any], config: Config, output: Output, hparams: Mapping[str, Any]
) -> tuple[Originals, list[str]]:
    """What is started from, and what the user should know about it."""
    mode, numbers = options["mode"], options["window"]
    paths = (*options["input_midi"], *filter(None, [options["around"]]))
    if mode == GROOVE or (mode == RECONSTRUCT and not numbers and plays_labels(output)):
        read = read_groove if output.kind == "groove" else read_song
        songs = tuple(read(path, config) for path in paths)
        return Originals(songs=songs), [line for song in songs for line in _of_song(song)]
    notes: list[str] = []
    windows: list[InputWindow] = []
    for path, number in zip(paths, which_windows(numbers, paths), strict=True):
        if mode == RECONSTRUCT and number is None:
            windows += read_windows(path, config)
            notes.append(f"{name_of(path)}: {windows[-1].found:,} windows, a file for each")
            continue
        if mode == CONTINUE and number is None:
            windows.append(read_last_window(path, config))
            continue
        windows.append(read_window(path, config, number))
        if windows[-1].found > 1 and number is None:
            notes.append(f"{name_of(path)}: {windows[-1].found:,} windows, taking the first; --window K takes another")
    vectors = read_latents(options["latents"], hparams["z_size"]) if options["latents"] else None
    return Originals(tuple(windows), (), options["input_seed"], vectors), notes


def _of_song(song: Song | GrooveSong) -> list[str]:
    line = f"{name_of(song.file)}: {song.bars:,} bars in {len(song.pieces):,} windows"
    return [line, *(f"{name_of(song.file)}: left out: {missing}" for missing in song.missing)]


def _playing(options: Mapping[str, Any], given: Originals) -> Playing:
    lowest, highest = TEMPO_RANGE
    tempo = options["tempo"] or min(max(given.tempo or Playing.tempo, lowest), highest)
    settings = {name: options[name] for name in ("velocity", "swing") if options[name] is not None}
    feel = load_feel() if options["humanize"] == MEASURED else None
    return Playing(tempo, seed=options["seed"], feel=feel, **settings)


def _check_numbers(request: Request, given: Originals, output: Output) -> None:
    """Refuses a file that will not be there, and a distance that no beat has, before the model is loaded."""
    if request.mode == INTERPOLATE:
        ends = len(given.windows) + len(given.seeds)
        total = (ends - 1) * (request.count - 1) + 1
    else:
        total = request.count if given.vectors is None else len(given.vectors)
    request.numbers(total)
    if request.mode == VARY and request.distance > output.steps:
        raise UsageError(
            f"No variation can differ in {request.distance} of {output.steps} steps", "Choose a smaller --distance."
        )


def _check_config(options: Mapping[str, Any], config: Config, output: Output, *, rendered: bool) -> tuple[str, ...]:
    """Refuses what a config cannot do; the chords that it is given."""
    if rendered and not family_of(config).only_drums:
        raise UsageError(
            f"--wav and --png are of drums, and '{config.name}' does not only play drums", "Leave them out."
        )
    mode, groove = options["mode"], output.kind == "groove"
    if mode == ATTRIBUTE and output.kind != "labels":
        raise _other_model("--mode attribute is for drum configs with one label a step", config)
    if mode == GROOVE and not groove:
        raise UsageError(
            f"--mode groove is for GrooVAE, and '{config.name}' is none",
            "Train one, for example 'gmd-vae train --config groovae_2bar_humanize_small'.",
        )
    if options["velocity"] is not None and (groove or output.is_events):
        raise UsageError(f"'{config.name}' gives each note a velocity of its own", "Leave --velocity out.")
    for name in ("swing", "humanize"):
        if options[name] and (groove or not plays_labels(output)):
            why = "gives hits a timing of its own" if groove else "does not only play drums"
            raise UsageError(f"--{name} is for drums on the grid, and '{config.name}' {why}", f"Leave --{name} out.")
    _check_hits(options, config, output)
    return _check_chords(options, config, output)


def _check_hits(options: Mapping[str, Any], config: Config, output: Output) -> None:
    """A model that plays given hits needs a file with them."""
    if output.controls != "hits" or (options["mode"] != VARY and (options["input_midi"] or options["around"])):
        return
    raise UsageError(
        f"'{config.name}' plays hits that it is given, and --mode {options['mode']} gives it none",
        "Give them: --mode groove --input-midi FILE, or --around FILE to hear them played in several ways.",
    )


def _check_chords(options: Mapping[str, Any], config: Config, output: Output) -> tuple[str, ...]:
    if output.controls != "chords":
        if options["chords"] is not None:
            raise _other_model("--chords is for configs that are given chords", config)
        return ()
    if options["chords"] is not None:
        return parse_chords(options["chords"])
    if options["mode"] in (RECONSTRUCT, VARY, CONTINUE) and options["input_midi"]:
        return ()  # those of the file
    raise UsageError(f"'{config.name}' plays to chords, and needs to know which", f"Give one a bar, such as {EXAMPLE}.")


def _other_model(what: str, config: Config) -> UsageError:
    return UsageError(
        f"{what}, and '{config.name}' is none",
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
