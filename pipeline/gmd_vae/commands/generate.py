"""``gmd-vae generate``."""

from __future__ import annotations

import contextlib
import functools
import shlex
import time
from pathlib import Path
from typing import Any

import click

from gmd_vae.commands.generate_options import generate_options
from gmd_vae.commands.options import GroupedCommand, configs_option, json_option
from gmd_vae.generation import request as wishes

_SHOWN = 12  # values of a row of files
_NOT_REPEATED = ("join", "only", "output_dir", "as_json", "wav", "png")


@click.command(cls=GroupedCommand)
@generate_options
@configs_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    run_dir: Path | None,
    checkpoint_file: str | None,
    config_name: str | None,
    configs_file: Path | None,
    no_acceleration: bool,
    wav: bool,
    png: bool,
    output_dir: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write beats as MIDI files: new ones, or what the model makes of yours.

    A beat is one window of the config, four bars in the default; with other configs it is a melody,
    a trio, or a bar of up to eight instruments. The same seed, checkpoint and options give the same
    bytes, and the first beats do not depend on how many are made. Beside the beats are their latent
    vectors and a manifest.json that says how they were made.

    \b
    Examples:
      gmd-vae generate
      gmd-vae generate --run-dir runs/hierdec-drum_4bar_v2 -n 100 --temperature 0.8
      gmd-vae generate --wav --png --tempo 96 --humanize
      gmd-vae generate --bars 32 -n 2
      gmd-vae generate --around beat.mid --radius 0.3
      gmd-vae generate --mode interpolate --input-midi a.mid --input-midi b.mid --join
      gmd-vae generate --mode reconstruct --input-midi song.mid
      gmd-vae generate --mode vary --input-midi song.mid --window 3 --distance 6
      gmd-vae generate --mode attribute --attribute ride=-1:1 --attribute busier=0.5 -n 5
      gmd-vae generate --mode continue --input-midi song.mid --bars 16
      gmd-vae generate --checkpoint-file latest
      gmd-vae generate --checkpoint-file groovae_4bar.tar --config groovae_4bar
      gmd-vae generate --run-dir runs/cat-mel_2bar_small_chords --chords "C G Am F"
      gmd-vae generate --run-dir runs/groovae_2bar_humanize_small --mode groove --input-midi stiff.mid
      gmd-vae generate --run-dir runs/groovae_2bar_tap_fixed_velocity_small --mode groove --input-midi taps.mid
      gmd-vae generate --humanize runs/groovae_2bar_humanize_small
    """
    wished = {name: value for name, value in options.items() if _is_given(ctx, name)}
    wishes.check_wishes(options["mode"], wished)
    moves = tuple(wishes.parse_move(text) for text in options["attribute"])

    from gmd_vae.models.checkpoints import BEST, LATEST, config_from_name, open_checkpoint

    of_run = checkpoint_file if checkpoint_file in (BEST, LATEST) else None
    if run_dir and checkpoint_file and not of_run:
        raise click.UsageError("With --run-dir, --checkpoint-file is 'best' or 'latest'; a path stands alone.")
    if config_name and (of_run or not checkpoint_file):
        raise click.UsageError("--config goes with a path in --checkpoint-file; a run folder knows its own.")

    from gmd_vae.common import console
    from gmd_vae.configuration.layers import Layers
    from gmd_vae.configuration.registry import all_configs, get_config
    from gmd_vae.families.output_spec import output_of
    from gmd_vae.generation.performance.humanizer import open_humanizer
    from gmd_vae.generation.prepare import prepare
    from gmd_vae.training.run.folder import latest_run, open_run

    when = time.strftime("%Y-%m-%d_%H%M%S")
    run = None
    if checkpoint_file and not of_run:
        # Magenta's archives bear the name of their config
        name = config_name or config_from_name(Path(checkpoint_file), all_configs(configs_file))
        if name is None:
            raise click.UsageError("A path in --checkpoint-file needs --config, the config it was trained with.")
        config = get_config(name, configs_file)
        hparams = config.hparams
        source, target = Path(checkpoint_file), Path("generated") / when
    else:
        run = open_run(run_dir or latest_run(Path("runs")))
        config, hparams = run.config, run.hparams
        source, target = (run.folder / of_run if of_run else run.folder), run.folder / "generated" / when
    target = output_dir or target

    err = console.stderr()
    with contextlib.ExitStack() as opened:
        checkpoint = opened.enter_context(open_checkpoint(source))
        prepared = prepare(options, moves, config, hparams, run, checkpoint, rendered=wav or png)
        for note in prepared.notes:
            err.print(note, markup=False)
        humanizer = None
        if options["humanize"] not in (None, wishes.MEASURED):
            humanizer = opened.enter_context(open_humanizer(Path(options["humanize"]), config))
        err.print(f"{config.name}, checkpoint {checkpoint}", markup=False)
        if humanizer is not None:
            err.print(f"Played by {humanizer.config.name}, checkpoint {humanizer.checkpoint}", markup=False)
        err.print("Starting TensorFlow and loading the model: about 10 seconds ...")
        # TensorFlow takes seconds to import: only now that nothing else can be wrong
        from gmd_vae.generation.generate import generate
        from gmd_vae.rendering.files import render_beside

        with console.percent_progress() as progress:
            made = generate(
                prepared.request,
                config,
                hparams,
                checkpoint,
                target,
                prepared.originals,
                prepared.playing,
                prepared.attributes,
                humanizer,
                Layers(not no_acceleration),
                # without them no beat is read again: a thousand would take seconds
                functools.partial(render_beside, wav=wav, png=png) if wav or png else None,
                _repeat(ctx, source),
                progress,
            )

    if as_json:
        files = [{"path": str(beat.path), "notes": beat.notes, **beat.facts} for beat in made.beats]
        inputs = prepared.originals.describe(made.fidelity, output_of(config))
        content = {"output_dir": str(target), "config": config.name, "mode": options["mode"], "seed": options["seed"]}
        console.print_json({**content, "inputs": inputs, "files": files})
        return
    out = console.stdout()
    for known in made.fidelity[:_SHOWN]:
        err.print(f"{known.file}: {known}", markup=False)
    if len(made.fidelity) > _SHOWN:
        err.print(f"... and so on for all {len(made.fidelity):,}: see manifest.json", markup=False)
    facts = [beat.facts for beat in made.beats if beat.facts]
    for name in facts[0] if facts else ():
        values = [of_beat[name] for of_beat in facts]
        shown = ", ".join(f"{value:g}" for value in values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")
        what = "steps in which they differ from that version" if name == "steps_differing" else f"{name} in the files"
        err.print(f"{what}: {shown}", markup=False)
    silent = sum(1 for beat in made.beats if not beat.notes)
    if silent:
        err.print(
            f"Note: {silent} of {len(made.beats)} have no notes; train longer or raise --temperature.", markup=False
        )
    if made.early:
        err.print(f"Note: {made.early} notes would begin before the file does; they begin with it.", markup=False)
    more = " and ".join(kind for kind, wanted in (("sound", wav), ("pictures", png)) if wanted)
    count = f"{len(made.beats)} MIDI file{'' if len(made.beats) == 1 else 's'}"
    out.print(f"Wrote {count}{f', with {more},' if more else ''} to {target}", markup=False)


def _is_given(ctx: click.Context, name: str) -> bool:
    return ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT


def _repeat(ctx: click.Context, source: Path) -> str:
    """The command that makes one of the files again: every option that was given, and ``--only``."""
    words = ["gmd-vae", "generate"]
    if ctx.params["run_dir"] is None and not ctx.params["config_name"]:
        words += ["--run-dir", str(source.parent if ctx.params["checkpoint_file"] else source)]
    for option in ctx.command.params:
        name = option.name or ""
        if not _is_given(ctx, name) or name in _NOT_REPEATED:
            continue
        value = ctx.params[name]
        if value is True or value == getattr(option, "flag_value", None):
            words.append(option.opts[0])
        else:
            for one in value if isinstance(value, tuple) else (value,):
                words += [option.opts[0], str(one)]
    whole = ctx.params["mode"] in (wishes.RECONSTRUCT, wishes.GROOVE)
    return shlex.join(words) + ("" if whole else " --only NUMBER")
