"""``gmd-vae train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.options import configs_option

if TYPE_CHECKING:
    from pipeline.models.registry import Config
    from pipeline.training.examples import Examples


@click.command()
@click.option("--config", "config_name", metavar="NAME", help="What to train.  [default: hierdec-drum_4bar_small]")
@click.option(
    "--examples-path",
    type=click.Path(path_type=Path),
    help="Examples from preprocess, or NoteSequences from convert.  [default: look in data/]",
)
@click.option("--run-dir", type=click.Path(path_type=Path, file_okay=False), help="[default: runs/CONFIG]")
@click.option("--num-steps", type=click.IntRange(min=1), help="Steps in all.  [default: the config's]")
@click.option("--hparams", default="", metavar="NAME=VALUE,...", help="Change hyperparameters, as in Magenta.")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), help="Of the weights and the order of the data.  [default: 0]"
)
@configs_option
def command(
    config_name: str | None,
    examples_path: Path | None,
    run_dir: Path | None,
    num_steps: int | None,
    hparams: str,
    seed: int | None,
    configs_file: Path | None,
) -> None:
    """Train a MusicVAE on prepared windows; goes on where it stopped.

    Without --examples-path it looks in data/examples, then in data/notes, where 'make data' puts
    them. 'gmd-vae configs' lists what can be trained. Ctrl-C saves first.

    To go on from the last checkpoint, run the same command again, or name the run folder alone:
    what is not given is as it was. --num-steps counts from the beginning of the run.

    \b
    Examples:
      gmd-vae train
      gmd-vae train --config hierdec-drum_4bar_v2
      gmd-vae train --run-dir runs/hierdec-drum_4bar_v2 --num-steps 20000
      gmd-vae train --config flat-drum_4bar_small --num-steps 3000 --hparams batch_size=32,z_size=128
    """
    from pipeline.models.hparams import resolve
    from pipeline.models.registry import DEFAULT_CONFIG, get_config

    config = get_config(config_name or DEFAULT_CONFIG, configs_file)
    settings = resolve(config, hparams)

    from pipeline import console
    from pipeline.errors import GmdVaeError, Interrupted
    from pipeline.training.examples import find_examples
    from pipeline.training.run import Run, read_run

    if run_dir and (before := read_run(run_dir)):
        if not config_name:
            config = before.config
            settings = resolve(config, hparams) if hparams else before.hparams
        elif config.name == before.config.name and not hparams:
            settings = before.hparams
        seed = before.seed if seed is None else seed
        examples_path = examples_path or (before.examples if before.examples.exists() else None)
    seed = seed or 0
    steps = num_steps or config.num_steps
    examples = find_examples(config, examples_path, lambda notes, folder: _prepare(notes, folder, config))
    batch_size = settings["batch_size"]
    if examples.train_count < batch_size:
        raise GmdVaeError(
            f"'{examples.folder}' holds {examples.train_count:,} training examples: too few for a batch of "
            f"{batch_size}",
            f"Train with --hparams batch_size={examples.train_count} or less, or prepare more music.",
        )
    folder = run_dir or Path("runs") / config.name
    run = Run(folder, config, settings, seed, examples.folder, examples.digest)
    folder.mkdir(parents=True, exist_ok=True)
    run.describe()

    err = console.stderr()
    for line in _before(config, settings, examples, folder):
        err.print(line, markup=False)
    err.print("Starting TensorFlow and building the model: about half a minute ...")
    # TensorFlow takes seconds to import: only now that nothing else can be wrong
    from pipeline.models.magenta import gpus
    from pipeline.training.loop import train

    err.print(f"Device: {', '.join(gpus) or 'CPU'}", markup=False)

    outcome = train(run, examples, steps)
    if outcome.interrupted:
        raise Interrupted(
            f"Interrupted at step {outcome.last_step} of {steps}; saved as '{outcome.checkpoint}'",
            "The same command goes on from there.",
        )
    out = console.stdout()
    if outcome.loss is None:
        out.print(f"Nothing to do: '{folder}' is at step {outcome.last_step:,}. Train on with a larger --num-steps.")
        return
    out.print(
        f"Trained {config.name} to step {outcome.last_step:,}: loss {outcome.first_loss:.1f} → {outcome.loss:.1f} "
        f"(mean of the last steps, nats per window)",
        markup=False,
    )
    out.print(f"Checkpoint: {outcome.checkpoint}", markup=False)
    out.print(f"Next: gmd-vae generate --run-dir {folder}", markup=False)


def _prepare(notes: Path, folder: Path, config: Config) -> None:
    """Runs ``preprocess`` for this config, as ``gmd-vae preprocess`` does."""
    from pipeline import console
    from pipeline.examples.preprocess import preprocess
    from pipeline.models.extraction import extractor_for

    console.stderr().print(f"Preparing examples for {config.name} from {notes}", markup=False)
    with console.progress("NoteSequences") as bar:
        task = bar.add_task("Cutting windows", total=None)
        preprocess(
            notes,
            folder,
            extractor_for(config),
            config=config.name,
            on_progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def _before(config: Config, hparams: dict[str, Any], examples: Examples, folder: Path) -> list[str]:
    """What will be trained on what, before the wait."""
    from pipeline.models.config import VaeConfig, checkpoint_bytes, count_parameters
    from pipeline.models.hparams import changed

    batch_size = hparams["batch_size"]
    differences = ", ".join(f"{name}={value}" for name, value in changed(config, hparams).items())
    lines = [
        f"Config: {config.name}" + (f" with {differences}" if differences else ""),
        f"Examples: {examples.folder}, {examples.train_count:,} for training, "
        f"{examples.train_count / batch_size:.1f} steps of {batch_size} an epoch",
    ]
    if isinstance(config, VaeConfig):
        parameters = count_parameters(config, hparams)
        size = checkpoint_bytes(parameters) / 1e6
        lines.append(f"Model: {parameters:,} parameters, {size:,.1f} MB a checkpoint")
    elif config.augmented:
        lines.append("Note: Magenta transposes this config's training data at random; prepared examples are not.")
    lines.append(f"Run folder: {folder}")
    return lines
