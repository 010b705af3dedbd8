"""``gmd-vae generate``: options in, one call of ``generation.generate``, a summary or JSON out."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import shlex
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gmd_vae.commands.generate_options import GenerateCommand, generate_options
from gmd_vae.commands.options import configs_option, given_options, is_given, json_option, selected_reading
from gmd_vae.generation.request import GROOVE, MEASURED, RECONSTRUCT, check_options, parse_move

if TYPE_CHECKING:
    from gmd_vae.generation.find_model import FoundModel
    from gmd_vae.generation.job import GenerationJob, GenerationResult
    from gmd_vae.generation.model import ModelSource

_SHOWN = 12  # inputs or figures in one summary
_MODEL_OPTIONS = ("model_name", "run_dir", "checkpoint_file", "config_name")
_NOT_REPEATED = (*_MODEL_OPTIONS, "join", "only", "output_dir", "as_json", "wav", "png", "tail")


@click.command(cls=GenerateCommand)
@generate_options
@configs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    model_name: str | None,
    run_dir: Path | None,
    checkpoint_file: str | None,
    config_name: str | None,
    configs_file: Path | None,
    no_acceleration: bool,
    wav: bool,
    png: bool,
    tail: bool,
    output_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Generate beats as MIDI files, new ones or versions of yours.

    A beat is one window of the config: four bars of drums in the default config, with other configs
    a melody, a trio, or a bar of up to eight instruments. The same seed, checkpoint and options give
    the same bytes. The first beats do not depend on the number of beats. The output folder also has
    the latent vectors of the beats, and a manifest.json with all settings.

    docs/generation.md has the commands of every mode.

    \b
    Examples:
      gmd-vae generate
      gmd-vae generate -n 100 --temperature 0.8 --bars 32
      gmd-vae generate --wav --png --tempo 96 --swing 58
      gmd-vae generate --mode vary --input-midi song.mid --window 3 --distance 6
      gmd-vae generate --model humanize-2bar --mode groove --input-midi stiff.mid
    """
    given = {name: value for name, value in options.items() if is_given(ctx, name)}
    check_options(options["mode"], given)
    if tail and not wav:
        raise click.UsageError("--tail is for sound: add --wav, or leave it out.")
    moves = tuple(parse_move(text) for text in options["attribute"])
    options["reading"] = selected_reading(options["drum_channels"], options["drum_map"])

    from gmd_vae.common import console
    from gmd_vae.common.files import new_folder
    from gmd_vae.common.manifest import check_replaceable
    from gmd_vae.common.regular_files import check_no_link
    from gmd_vae.configuration.layers import Layers
    from gmd_vae.families import family_of
    from gmd_vae.generation.elsewhere import note_folder
    from gmd_vae.generation.find_model import find_humanizer
    from gmd_vae.generation.generate import generate
    from gmd_vae.generation.identity import check_same_request
    from gmd_vae.generation.prepare import prepare
    from gmd_vae.generation.size import file_seconds
    from gmd_vae.rendering.files import render_beside
    from gmd_vae.rendering.limits import check_renderable

    err = console.stderr()
    with contextlib.ExitStack() as opened:
        found, choice = _find_model(
            model_name, run_dir, checkpoint_file, config_name, configs_file, options, rendered=wav or png
        )
        model = opened.enter_context(found)
        config = model.source.config
        if no_acceleration and not model.source.needs_tensorflow:
            raise click.UsageError(f"--no-acceleration is for TensorFlow, and '{config.name}' does not need it here.")
        now = time.strftime("%Y-%m-%d_%H%M%S")
        dated = Path("generated") / now
        target = output_dir or (model.run.folder / dated if model.run else dated)
        if output_dir is None and model.run:
            check_no_link(target.parent)  # a run can come from somebody else
        humanized_by = None if options["humanize"] in (None, MEASURED) else options["humanize"]
        if output_dir is not None:
            inputs = (
                *options["input_midi"], options["around"], options["latents"], configs_file, model.path, humanized_by
            )  # fmt: skip
            check_replaceable(output_dir, "generate", inputs=[Path(path) for path in inputs if path is not None])
        job, notes = prepare(options, moves, model.source, model.run, target, rendered=wav or png)
        if wav or png:
            family = family_of(config)
            grid = family.drum_grid(config)
            bar_seconds = (grid.quarters_per_bar if grid else 4) * 60 / job.playing.tempo
            bars = family.output(config).bars
            check_renderable(file_seconds(job.request, job.inputs, bars, bar_seconds), target, wav=wav)
        humanizer = None
        if humanized_by is not None:
            humanizer = opened.enter_context(find_humanizer(humanized_by, config))
        job = dataclasses.replace(
            job,
            humanizer=humanizer,
            layers=Layers(not no_acceleration),
            render=functools.partial(render_beside, wav=wav, png=png, tail=tail) if wav or png else None,
            rendered=(*(["wav with its tail" if tail else "wav"] if wav else []), *(["png"] if png else [])),
            repeat=_repeat(ctx, model.options),
        )
        if output_dir is not None:
            check_same_request(job)
        for note in filter(None, (choice, *notes)):
            err.print(note)
        _print_model(model.options[1], job, humanizer)
        if output_dir is None:  # another command may have begun in the same second
            target = opened.enter_context(new_folder(target))
        with console.percent_progress() as progress:
            result = generate(dataclasses.replace(job, output_dir=target, progress=progress))
        if output_dir is not None and model.run:
            note_folder(model.run.folder / dated.parent, output_dir, now)
    if as_json:
        _print_notes(result)
        _print_json(model.options[1], job, result)
    else:
        _print_summary(job, result, wav=wav, png=png)


def _find_model(
    model_name: str | None,
    run_dir: Path | None,
    checkpoint_file: str | None,
    config_name: str | None,
    configs_file: Path | None,
    options: Mapping[str, Any],
    *,
    rendered: bool,
) -> tuple[contextlib.AbstractContextManager[FoundModel], str]:
    """Returns the model that the options name, else the newest that can do what they ask; and a line about the choice.

    The line is empty for a model that the options name.
    """
    from gmd_vae.common.run_places import BEST
    from gmd_vae.generation.find_model import find_checkpoint_model, find_model, find_run_model
    from gmd_vae.generation.newest_model import find_newest_model
    from gmd_vae.models.checkpoints import LATEST

    of_run = checkpoint_file in (BEST, LATEST)
    if model_name and (run_dir or checkpoint_file or config_name):
        raise click.UsageError("--model names the whole model: leave out --run-dir, --checkpoint-file and --config.")
    if run_dir and checkpoint_file and not of_run:
        raise click.UsageError("With --run-dir, --checkpoint-file is 'best' or 'latest'; a path stands alone.")
    if config_name and (of_run or not checkpoint_file):
        raise click.UsageError("--config goes with a path in --checkpoint-file; a run folder has its own config.")
    if checkpoint_file and not of_run:
        return find_checkpoint_model(Path(checkpoint_file), config_name, configs_file), ""
    if run_dir:
        return find_run_model(run_dir, checkpoint_file), ""
    if model_name is not None:
        return find_model(model_name), ""
    return find_newest_model(options, checkpoint_file, rendered=rendered)


def _print_model(name: str, job: GenerationJob, humanizer: ModelSource | None) -> None:
    """Prints the model, as it was named, with its checkpoint if it has one, and the humanizer on stderr."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import printable
    from gmd_vae.generation.sources import CheckpointSource

    err, source = console.stderr(), job.source
    checkpoint = f", {printable(source.checkpoint.name)}" if isinstance(source, CheckpointSource) else ""
    err.print(f"Model: {name} ({source.config.name}{checkpoint})")
    if humanizer is not None:
        err.print(f"Performed by {humanizer.short_name} ({humanizer.config.name})")
    if source.needs_tensorflow:
        err.print("Starting TensorFlow and loading the model: about 10 seconds ...")


def _print_json(model: str, job: GenerationJob, result: GenerationResult) -> None:
    """Prints the answer of ``--json``, with the model as it was named."""
    from gmd_vae.common import console
    from gmd_vae.generation.decoder_conditions import DecoderConditions

    config = job.source.config
    chord_bars = DecoderConditions(config, job.request, job.inputs).chord_bars
    console.print_json(
        {
            "output_dir": str(job.output_dir),
            "config": config.name,
            "model": model,
            "prior": job.request.prior,
            "mode": job.request.mode,
            "seed": job.request.seed,
            "inputs": job.inputs.describe([fidelity.figures() for fidelity in result.fidelity], chord_bars),
            "attribute_changes": [dataclasses.asdict(change) for change in result.changes],
            "files": [{"path": str(file.path), "notes": file.notes, **file.figures} for file in result.files],
        }
    )


def _print_summary(job: GenerationJob, result: GenerationResult, *, wav: bool, png: bool) -> None:
    """Prints fidelity, figures and notes on stderr, and the number of files on stdout."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import as_command, counted, printable
    from gmd_vae.families import family_of
    from gmd_vae.generation.compose import STEPS_DIFFERING, STEPS_FROM_INPUT

    err = console.stderr()
    for fidelity in result.fidelity[:_SHOWN]:
        err.print(f"{fidelity.file}: {fidelity}")
    if len(result.fidelity) > _SHOWN:
        err.print(f"... and so on for all {len(result.fidelity):,}: see manifest.json")
    steps = family_of(job.source.config).output(job.source.config).steps
    headings = {
        STEPS_DIFFERING: "steps that differ from that version",
        STEPS_FROM_INPUT: f"steps that differ from your beat, of {steps}",
    }
    figures = [file.figures for file in result.files if file.figures]
    for name in figures[0] if figures else ():
        values = [file_figures[name] for file_figures in figures]
        shown = ", ".join(f"{value:g}" for value in values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")
        median = f" (median {statistics.median(values):g})" if name == STEPS_FROM_INPUT and len(values) > 1 else ""
        err.print(f"{headings.get(name, f'{name} in the files')}: {shown}{median}")
    _print_notes(result)
    more = " and ".join(kind for kind, wanted in (("sound", wav), ("pictures", png)) if wanted)
    written = counted(len(result.files), "MIDI file") + (f", with {more}," if more else "")
    console.stdout().print(f"Wrote {written} to {job.output_dir}")
    chosen = result.files[-1 if job.request.join else 0].path  # the joined file is the last one
    has_drums = family_of(job.source.config).drum_grid(job.source.config) is not None
    in_daw = f"open {printable(str(chosen), limit=None)} in your DAW"
    console.print_next(as_command("render", chosen) if has_drums and not wav else in_daw)


def _print_notes(result: GenerationResult) -> None:
    """Prints on stderr what may surprise about the beats."""
    from gmd_vae.common import console
    from gmd_vae.common.printable import counted

    err = console.stderr()
    for change in result.changes:
        for text in change.not_followed:
            err.print(f"Note: the model did not follow. {text}; another beat or a larger amount may do")
    if silent := sum(1 for file in result.files if not file.notes):
        err.print(f"Note: {silent} of {len(result.files)} have no notes; train longer or raise --temperature.")
    if result.early_notes:
        early = counted(result.early_notes, "note")
        err.print(f"Note: {early} would begin before the file: moved to its beginning.")


def _repeat(ctx: click.Context, model_options: Sequence[str]) -> str:
    """Returns the command that writes one of the files again: the model, every given option, and ``--only``."""
    words = ["gmd-vae", "generate", *model_options, *map(str, given_options(ctx, _NOT_REPEATED))]
    whole = ctx.params["mode"] in (RECONSTRUCT, GROOVE)
    return shlex.join(words) + ("" if whole else " --only NUMBER")
