"""``gmd-vae generate``."""

from __future__ import annotations

import functools
import time
from pathlib import Path

import click

from pipeline.commands.options import configs_option, json_option


@click.command()
@click.option("--run-dir", type=click.Path(path_type=Path), help="A run folder.  [default: the latest in runs/]")
@click.option(
    "--checkpoint-file",
    type=click.Path(),  # text: a path would make "./best" into "best"
    help="'best' or 'latest' of the run, or a checkpoint instead of a run: prefix, .index file, folder or "
    "Magenta's .tar.  [default: best, or latest in a run without validation]",
)
@click.option("--config", "config_name", metavar="NAME", help="The config of a checkpoint instead of a run.")
@click.option("--mode", type=click.Choice(["sample", "interpolate"]), default="sample", show_default=True)
@click.option("--num-outputs", "-n", type=click.IntRange(1, 100_000), default=8, show_default=True, help="MIDI files.")
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True, max=10),
    default=0.5,
    show_default=True,
    help="Lower is safer, higher is wilder.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--input-midi",
    "input_midi",
    type=click.Path(path_type=Path),
    multiple=True,
    help="With --mode interpolate, twice: from this file, to this file.",
)
@click.option("--wav", is_flag=True, help="Write each beat as sound too (.wav).")
@click.option("--png", is_flag=True, help="Draw each beat too, as a grid (.png).")
@click.option(
    "--no-acceleration", is_flag=True, help="Compute with Magenta's own layers: slower, to compare.  [default: ours]"
)
@click.option(
    "--output-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder to make.  [default: generated/TIME, in the run folder if there is one]",
)
@configs_option
@json_option
def command(
    run_dir: Path | None,
    checkpoint_file: str | None,
    config_name: str | None,
    mode: str,
    num_outputs: int,
    temperature: float,
    seed: int,
    input_midi: tuple[Path, ...],
    wav: bool,
    png: bool,
    no_acceleration: bool,
    output_dir: Path | None,
    configs_file: Path | None,
    as_json: bool,
) -> None:
    """Write new beats, or a walk between two beats, as MIDI files.

    A beat is one window of the config, four bars in the default. The same seed, checkpoint and
    options give the same bytes, and the first beats do not depend on how many are made.

    \b
    Examples:
      gmd-vae generate
      gmd-vae generate --run-dir runs/hierdec-drum_4bar_v2 -n 100 --temperature 0.8
      gmd-vae generate --wav --png
      gmd-vae generate --checkpoint-file latest
      gmd-vae generate --mode interpolate --input-midi a.mid --input-midi b.mid -n 9
      gmd-vae generate --checkpoint-file groovae_4bar.tar --config groovae_4bar
    """
    if mode == "interpolate" and len(input_midi) != 2:
        raise click.UsageError("--mode interpolate takes --input-midi twice: from where, and to where.")
    if mode == "sample" and input_midi:
        raise click.UsageError("--input-midi goes with --mode interpolate.")

    from pipeline.models.checkpoints import BEST, LATEST, open_checkpoint

    of_run = checkpoint_file if checkpoint_file in (BEST, LATEST) else None
    if run_dir and checkpoint_file and not of_run:
        raise click.UsageError("With --run-dir, --checkpoint-file is 'best' or 'latest'; a path stands alone.")
    if config_name and (of_run or not checkpoint_file):
        raise click.UsageError("--config goes with a path in --checkpoint-file; a run folder knows its own.")
    if checkpoint_file and not of_run and not config_name:
        raise click.UsageError("A path in --checkpoint-file needs --config, the config it was trained with.")

    from pipeline import console
    from pipeline.generation.inputs import first_window
    from pipeline.models.layers import Layers
    from pipeline.models.registry import get_config, plays_drums
    from pipeline.training.run import latest_run, read_config

    when = time.strftime("%Y-%m-%d_%H%M%S")
    if checkpoint_file and not of_run:
        config = get_config(config_name or "", configs_file)
        hparams = config.hparams
        source, target = Path(checkpoint_file), Path("generated") / when
    else:
        run = run_dir or latest_run(Path("runs"))
        config, hparams = read_config(run)
        source, target = (run / of_run if of_run else run), run / "generated" / when
    target = output_dir or target
    if (wav or png) and not plays_drums(config):
        raise click.UsageError(f"--wav and --png are of drums, and '{config.name}' does not only play drums.")

    err = console.stderr()
    with open_checkpoint(source) as checkpoint:
        inputs = [first_window(path, config) for path in input_midi]
        for window in inputs:
            if window.found > 1:
                err.print(f"{window.file}: {window.found} windows, taking the first", markup=False)
        err.print(f"{config.name}, checkpoint {checkpoint}", markup=False)
        err.print("Starting TensorFlow and loading the model: about 10 seconds ...")
        # TensorFlow takes seconds to import: only now that nothing else can be wrong
        from pipeline.generation.generate import Request, generate
        from pipeline.rendering.files import render_beside

        request = Request(mode, num_outputs, temperature, seed)
        # without them no beat is read again: a thousand would take seconds
        render = functools.partial(render_beside, wav=wav, png=png) if wav or png else None
        beats = generate(request, config, hparams, checkpoint, inputs, target, Layers(not no_acceleration), render)

    if as_json:
        files = [{"path": str(beat.path), "notes": beat.notes} for beat in beats]
        console.print_json({"output_dir": str(target), "config": config.name, "seed": seed, "files": files})
        return
    out = console.stdout()
    silent = sum(1 for beat in beats if not beat.notes)
    if silent:
        err.print(f"Note: {silent} of {len(beats)} have no notes; train longer or raise --temperature.", markup=False)
    more = " and ".join(kind for kind, wanted in (("sound", wav), ("pictures", png)) if wanted)
    out.print(f"Wrote {len(beats)} MIDI files{f', with {more},' if more else ''} to {target}", markup=False)
