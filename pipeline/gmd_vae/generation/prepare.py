"""From command-line options to a ``GenerationJob``: reads the inputs and finds every error that needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gmd_vae.common import manifest
from gmd_vae.common.errors import UsageError
from gmd_vae.common.printable import counted
from gmd_vae.configuration.config import Config
from gmd_vae.evaluation.latent.attributes import attribute_names
from gmd_vae.families import family_of
from gmd_vae.families.output_spec import bars_in_words
from gmd_vae.generation.config_checks import check_config, requested_chords
from gmd_vae.generation.inputs.generation_inputs import GenerationInputs
from gmd_vae.generation.inputs.input_windows import InputReader, InputSong, InputWindow
from gmd_vae.generation.inputs.midi_input import MidiInput, read_midi_file, shown_path
from gmd_vae.generation.job import GenerationJob
from gmd_vae.generation.kept_playing import has_hits, hits_of_files
from gmd_vae.generation.latent.attribute_vectors import AttributeSource, attributes_of_run
from gmd_vae.generation.latent.latent_files import read_latents
from gmd_vae.generation.model import ModelSource, choose_prior
from gmd_vae.generation.performance.feel import fitting_feel, load_feel
from gmd_vae.generation.performance.playing import TEMPO_RANGE, Playing
from gmd_vae.generation.request import (
    ATTRIBUTE,
    BARS,
    CONTINUE,
    GROOVE,
    MEASURED,
    RECONSTRUCT,
    SAMPLE,
    VARY,
    GenerationRequest,
    Move,
    check_attributes,
    default_temperature,
    window_numbers,
)
from gmd_vae.generation.size import check_size
from gmd_vae.midi.reading import EVERY_HIT
from gmd_vae.training.examples import open_examples
from gmd_vae.training.run.folder import Run


def prepare(
    options: Mapping[str, Any],
    moves: Sequence[Move],
    source: ModelSource,
    run: Run | None,
    output_dir: Path,
    *,
    rendered: bool,
) -> tuple[GenerationJob, list[str]]:
    """Reads the inputs and fills in the defaults.

    Args:
        options: Options of ``gmd-vae generate`` by name, checked by ``request.check_options``.
        moves: Moves along attribute vectors, with names as they were typed.
        source: Model that generates.
        run: Run of the model; ``None`` for a checkpoint outside a run.
        output_dir: Folder to write.
        rendered: True if sound or pictures are written.

    Returns:
        The job, and lines for the user about the inputs.

    Raises:
        UsageError: The config does not have what the options ask for.
        GmdVaeError: An input cannot be read or used.
    """
    config, mode = source.config, options["mode"]
    check_config(options, config, rendered=rendered)
    chords = requested_chords(options, config)
    paths = (*options["input_midi"], *filter(None, [options["around"]]))
    reading = options.get("reading", EVERY_HIT).for_files([str(path) for path in paths])
    # each once, also where it is given twice
    midi = {path: read_midi_file(path, reading.for_file(str(path))) for path in paths}
    inputs, notes = _find_inputs(options, source, [midi[path] for path in paths])
    inputs = dataclasses.replace(inputs, accounts={path: one.account for path, one in midi.items() if one.account})
    for path, account in inputs.accounts.items():
        notes += [f"{shown_path(path)}: {line}" for line in (*account.losses(), *account.assumptions())]
    grid = family_of(config).drum_grid(config)
    if moves:
        moves = check_attributes(moves, attribute_names(config.drum_windows.voice_names))
    draws = _draws_latents(options, inputs)
    if options["prior"] and not draws:
        raise UsageError("--prior chooses the z of new beats, and none are drawn here", "Leave it out.")
    request = GenerationRequest(
        mode=mode,
        count=options["num_outputs"],
        temperature=default_temperature(mode, family_of(config).sampling_temperature)
        if options["temperature"] is None
        else options["temperature"],
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
        prior=choose_prior(source, options["prior"]) if draws else None,
    )
    playing = _playing(options, inputs, config)
    if grid is not None and (obstacle := playing.obstacle(grid)):
        raise UsageError(f"'{config.name}' cannot be played so: {obstacle}", "Leave --humanize and --swing out.")
    if playing.kept and has_hits(hits_of_files(request, inputs, range(1))):
        notes.append(f"Hits of the input that stay keep their {' and '.join(playing.kept)}")
    output = family_of(config).output(config)
    check_size(request, inputs, output.bars)
    if mode == VARY and request.distance > output.steps:
        raise UsageError(
            f"No variation can differ in {request.distance} of {output.steps} steps", "Choose a smaller --distance."
        )
    attributes = _attribute_source(options["examples_path"], source, run) if mode == ATTRIBUTE else None
    return GenerationJob(request, source, output_dir, inputs, playing, attributes), notes


def _draws_latents(options: Mapping[str, Any], inputs: GenerationInputs) -> bool:
    """Returns True for a request that draws latent vectors from the prior, or whose walk stays within it."""
    mode = options["mode"]
    is_new = mode == SAMPLE and not options["around"] and not options["latents"]
    is_walk = mode == CONTINUE or bool(options["bars"])
    return is_new or is_walk or bool(inputs.seeds) or (mode == ATTRIBUTE and not inputs.windows)


def _find_inputs(
    options: Mapping[str, Any], source: ModelSource, files: Sequence[MidiInput]
) -> tuple[GenerationInputs, list[str]]:
    """Returns the inputs of the request, and lines for the user about them."""
    reader = family_of(source.config).input_reader(source.config)
    mode, numbers = options["mode"], options["window"]
    if mode == GROOVE or (mode == RECONSTRUCT and not numbers and reader.reads_songs):
        songs = tuple(reader.song(midi) for midi in files)
        return GenerationInputs(songs=songs), [
            line for song in songs for line in (*_describe_repeat(song.windows[0], reader), *_describe_song(song))
        ]
    notes: list[str] = []
    windows: list[InputWindow] = []
    for midi, number in zip(files, window_numbers(numbers, files), strict=True):
        if mode == RECONSTRUCT and number is None:
            windows += reader.windows(midi)
            notes.append(f"{midi.name}: {counted(windows[-1].count, 'window')}, a file for each")
            continue
        if mode == CONTINUE and number is None:
            windows.append(reader.last_window(midi))
            notes += _describe_repeat(windows[-1], reader)
            continue
        windows.append(reader.window(midi, number))
        notes += _describe_repeat(windows[-1], reader)
        if windows[-1].count > 1 and number is None:
            notes.append(_describe_choice(midi, windows[-1], reader))
    if mode == CONTINUE:
        start = _describe_continued(windows[0]) if windows else f"the first beat of seed {options['input_seed'][0]}"
        notes.append(f"Continues {start}. The files have only the bars that follow")
    vectors = read_latents(options["latents"], source.hparams["z_size"]) if options["latents"] else None
    return GenerationInputs(tuple(windows), (), options["input_seed"], vectors), notes


def _describe_choice(midi: MidiInput, window: InputWindow, reader: InputReader) -> str:
    """Returns the line about a window that was not named."""
    number = window.number or 1
    which = f"{number}" + (" (the first)" if number == 1 else "")
    if window.file_bars is not None:
        bars = family_of(reader.config).output(reader.config).bars
        which = f"{number}, the fullest regular one (from bar {window.file_bars[0]:,}, {bars_in_words(bars)})"
    return f"{midi.name}: {window.count:,} windows, taking {which}; --window K takes another"


def _describe_continued(window: InputWindow) -> str:
    """Returns the music that a continuation follows, in words."""
    file = shown_path(window.file)
    if window.file_bars is None:
        return f"window {window.number} of {window.count:,} of {file}"
    first, last = window.file_bars
    bars = f"bar {first:,}" if first == last else f"bars {first:,} to {last:,}"
    return f"{bars} of {file}" + (", the last with drums" if window.number is None else "")


def _describe_repeat(window: InputWindow, reader: InputReader) -> list[str]:
    """Returns the line about a loop that was repeated to the length of a window; [] for other music."""
    if window.loop_bars is None:
        return []
    bars = family_of(reader.config).output(reader.config).bars
    return [f"'{shown_path(window.file)}' has {counted(window.loop_bars, 'bar')}: repeated to {bars}"]


def _describe_song(song: InputSong) -> list[str]:
    line = f"{shown_path(song.file)}: {counted(song.bars, 'bar')} in {counted(len(song.windows), 'window')}"
    return [line, *(f"{shown_path(song.file)}: left out: {missing}" for missing in song.missing)]


def _playing(options: Mapping[str, Any], inputs: GenerationInputs, config: Config) -> Playing:
    """Returns the playing options. Drums that the measured feel fits are played with it, unless the options forbid."""
    lowest, highest = TEMPO_RANGE
    tempo = options["tempo"] or min(max(inputs.tempo or Playing.tempo, lowest), highest)
    settings = {name: options[name] for name in ("velocity", "swing") if options[name] is not None}
    feel = None
    if options["humanize"] == MEASURED:
        feel = load_feel()
    elif options["humanize"] is None and "humanize" in family_of(config).playing_options:
        feel = fitting_feel(family_of(config).drum_grid(config))
    return Playing(
        tempo,
        seed=options["seed"],
        feel=feel,
        quantize=options["quantize"],
        keeps_velocities=options["velocity"] is None,
        keeps_timing=options["swing"] is None and not options["quantize"],
        **settings,
    )


def _attribute_source(examples: Path | None, source: ModelSource, run: Run | None) -> AttributeSource | None:
    """Returns the windows of ``--examples-path``, or the run's own training windows.

    ``None`` for a model that has its attribute vectors with it.
    """
    if examples is not None:
        open_examples(examples, source.config)  # refuses windows that are cut in another way
        return AttributeSource(examples, manifest.digest(examples), None)
    if source.stored_vectors is not None:
        return None
    if run is None:
        raise UsageError(
            f"--mode attribute needs attribute vectors, and {source.name} has none with it",
            "Give --examples-path with training windows, a run folder, or a file that 'gmd-vae export RUN' wrote.",
        )
    return attributes_of_run(run, Path(source.describe()["name"]))
