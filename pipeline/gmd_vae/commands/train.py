"""``gmd-vae train``: parses the options, prepares the run, then imports TensorFlow and trains."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gmd_vae.commands.help_text import HelpCommand
from gmd_vae.commands.options import Name, configs_option
from gmd_vae.commands.paths import UserPath
from gmd_vae.commands.train_seeds import SeedList
from gmd_vae.common.printable import as_command, counted

if TYPE_CHECKING:
    from gmd_vae.configuration.config import Config
    from gmd_vae.training.cluster.roles import Cluster
    from gmd_vae.training.loop import Outcome
    from gmd_vae.training.run.prepare import Job


@click.command(cls=HelpCommand)
@click.option(
    "--config", "config_name", metavar="NAME", type=Name(), help="Config to train.  [default: hierdec-drum_4bar_small]"
)
@click.option(
    "--examples-path",
    type=UserPath(path_type=Path),
    help="Examples from preprocess, or NoteSequences from convert.  [default: search data/]",
)
@click.option("--run-dir", type=UserPath(path_type=Path, file_okay=False), help="Run folder.  [default: runs/CONFIG]")
@click.option("--num-steps", type=click.IntRange(min=1), help="Train up to this step.  [default: the config's]")
@click.option(
    "--hparams",
    default="",
    metavar="NAME=VALUE,...",
    help="Change hyperparameters, Magenta's or ours.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="Seed of initial weights, data order and random draws.  [default: 0]",
)
@click.option(
    "--seeds",
    type=SeedList(),
    metavar="SEED,...",
    help="Train a run for each of these seeds, one after the other, into RUN-seed0 and so on.",
)
@click.option(
    "--init-from",
    type=UserPath(),  # text: a path would make "./groove-4bar" into "groove-4bar"
    metavar="MODEL",
    help="Start from these weights (fine-tuning): a model of the package (groove-4bar), a run, RUN/best, RUN/latest, a "
    "prefix, a .safetensors file, or Magenta's .tar.",
)
@click.option(
    "--validate-every", type=click.IntRange(min=1), metavar="STEPS", help="Validate every STEPS steps.  [default: 200]"
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    metavar="N",
    help="Stop after N validations without a new best; 0: never.  [default: 2,000 steps of them, 0 with --num-steps]",
)
@click.option(
    "--save-every",
    type=click.IntRange(min=1),
    metavar="STEPS",
    help="Also save every STEPS steps.  [default: every 2 minutes and at each validation]",
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16", "auto"]),
    help="Precision of matrix products. bf16 is faster on hardware that supports it; auto selects it there.  "
    "[default: fp32]",
)
@click.option("--no-acceleration", is_flag=True, help="Compute with Magenta's own layers (slower; for comparison).")
@click.option("--overfit-batch", is_flag=True, help="Smoke test: memorise one batch, keep nothing.")
@click.option("--gpu", type=click.IntRange(min=0), metavar="K", help="Use this GPU, counted from 0.  [default: all]")
@click.option("--require-gpu", is_flag=True, help="Refuse to train on the CPU.")
@click.option(
    "--num-sync-workers",
    type=click.IntRange(min=0),
    metavar="N",
    help="Cluster: gradients averaged into one update; 0 trains asynchronously.  [default: one per worker]",
)
@click.option(
    "--num-ps-tasks",
    type=click.IntRange(min=0),
    metavar="N",
    help="Number of parameter servers.  [default: from TF_CONFIG]",
)
@click.option(
    "--task", type=click.IntRange(min=0), metavar="K", help="Number of this worker.  [default: from TF_CONFIG]"
)
@click.option(
    "--master",
    metavar="ADDRESS",
    type=Name(),
    help="TensorFlow server that runs elsewhere, such as grpc://host:2222.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line per log step and one at the end.")
@configs_option
def command(
    config_name: str | None,
    examples_path: Path | None,
    run_dir: Path | None,
    num_steps: int | None,
    hparams: str,
    seed: int | None,
    seeds: tuple[int, ...] | None,
    init_from: str | None,
    validate_every: int | None,
    patience: int | None,
    save_every: int | None,
    precision: str | None,
    no_acceleration: bool,
    overfit_batch: bool,
    gpu: int | None,
    require_gpu: bool,
    num_sync_workers: int | None,
    num_ps_tasks: int | None,
    task: int | None,
    master: str | None,
    as_json: bool,
    configs_file: Path | None,
) -> None:
    """Train a MusicVAE on prepared windows, or resume a run.

    Without --examples-path, data/examples and then data/notes are searched. 'gmd-vae configs' lists the
    configs. Ctrl-C saves a checkpoint first.

    The validation windows are evaluated every 200 steps; RUN/best keeps the best checkpoint. The run
    folder also has progress.png, metrics.jsonl, run.json and TensorBoard events.

    To resume from the last checkpoint, run the same command again, or give only --run-dir: options
    that are not given keep their values. --num-steps counts from the beginning of the run. A resumed
    run ends with the same weights as an uninterrupted one.

    On several machines, start this command on each, with TensorFlow's TF_CONFIG set (docs/cluster.md).

    \b
    Examples:
      gmd-vae train
      gmd-vae train --num-steps 20000 --patience 5
      gmd-vae train --run-dir runs/hierdec-drum_4bar_v2 --num-steps 20000
      gmd-vae train --config flat-drum_4bar_small --seeds 0,1,2
      gmd-vae train --init-from groove-4bar --hparams learning_rate=0.0003 --run-dir runs/tuned --examples-path notes
    """
    from gmd_vae.commands.train_seeds import prepare_seeds
    from gmd_vae.common import console, extras
    from gmd_vae.training.run.prepare import Request, describe, prepare
    from gmd_vae.training.start import STARTING
    from gmd_vae.training.threads import share_processors

    if no_acceleration and precision not in (None, "fp32"):
        raise click.UsageError("--no-acceleration computes in fp32 only; leave out --precision.")
    if overfit_batch and as_json:
        raise click.UsageError("--overfit-batch logs no steps; leave out --json.")
    cluster = _cluster(num_sync_workers, num_ps_tasks, task, master)
    if cluster and cluster.is_ps:
        extras.require("Training")
        console.stderr().print(cluster.describe())
        console.stderr().print(STARTING)
        from gmd_vae.training.cluster.members import serve

        serve(cluster)
        return
    request = Request(
        config=config_name,
        configs_file=configs_file,
        run_dir=run_dir,
        examples_path=examples_path,
        hparams=hparams,
        seed=seed,
        init_from=init_from,
        num_steps=num_steps,
        validate_every=validate_every,
        patience=patience,
        save_every=save_every,
        precision=precision,
        accelerated=False if no_acceleration else None,
    )
    if seeds is not None:
        _check_seeds(seed, cluster, overfit_batch=overfit_batch)
        jobs = prepare_seeds(request, seeds, _cut)
        job = next(iter(jobs.values()))
    else:
        job = prepare(request, _cut)
    if cluster:
        cluster.rows(job.run.hparams["batch_size"])  # raises if the batch cannot be shared equally
        cluster.check_levers(job.run.hparams)
        _check_cluster_folder(job.run.folder)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)  # TensorFlow reads it once, at import
    if gpu is not None or require_gpu:
        _check_gpu(gpu)
    share_processors()
    lines = [*describe(job, keeps=not overfit_batch), *([cluster.describe()] if cluster else [])]
    err = console.stderr()
    if overfit_batch:
        _overfit(job, num_steps, lines)
    elif seeds is not None:
        _train_seeds(jobs, lines, as_json)
    elif cluster and not cluster.is_chief:
        for line in (*lines, STARTING):
            err.print(line)
        from gmd_vae.training.cluster.members import work

        last_step = work(job.run, job.examples, cluster)
        err.print(
            f"The job has ended at step {last_step:,}. The run folder is on the chief's machine."
            if last_step
            else "The job had ended before this worker could do a step."
        )
    else:
        _train(job, cluster, lines, as_json)


def _cluster(
    num_sync_workers: int | None, num_ps_tasks: int | None, task: int | None, master: str | None
) -> Cluster | None:
    """Returns the cluster of TF_CONFIG or the options; ``None``, without importing cluster code, if there is none."""
    options = (num_sync_workers, num_ps_tasks, task, master)
    if not os.environ.get("TF_CONFIG") and all(option is None for option in options):
        return None
    from gmd_vae.training.cluster.roles import VARIABLE, Flags, read_cluster

    flags = Flags(num_sync_workers=num_sync_workers, num_ps_tasks=num_ps_tasks, task=task, master=master)
    return read_cluster(os.environ.get(VARIABLE), flags)


def _check_cluster_folder(folder: Path) -> None:
    """Refuses a run folder for which TensorFlow needs a link: the machines of a cluster do not share such links."""
    from gmd_vae.common.errors import UsageError
    from gmd_vae.models.tensorflow_paths import is_pattern

    if is_pattern(folder):
        raise UsageError(
            f"A cluster cannot save into '{folder}': TensorFlow searches for files by patterns, and * ? [ ] {{ }} \\ "
            "stand for others in them",
            "Choose a --run-dir without these characters.",
        )


def _train(job: Job, cluster: Cluster | None, lines: list[str], as_json: bool) -> None:
    from gmd_vae.commands.train_report import next_command, report
    from gmd_vae.common import console
    from gmd_vae.training.start import start, train_alone

    def lead_cluster(job: Job, listener: Callable[[str], None] | None) -> Outcome:
        from gmd_vae.training.cluster.members import lead

        assert cluster is not None
        return lead(job.run, job.examples, job.plan, listener, cluster)

    train = lead_cluster if cluster else train_alone
    listener = _print_line if as_json else None
    report(job, start(job, listener, console.stderr().print, train, lines), listener)
    if not as_json:
        console.print_next(next_command(job.run))


def _check_seeds(seed: int | None, cluster: Cluster | None, *, overfit_batch: bool) -> None:
    """Refuses options that train no run or another kind of run than those of ``--seeds``."""
    if seed is not None:
        raise click.UsageError("--seeds names the seeds; leave out --seed.")
    if overfit_batch:
        raise click.UsageError("--overfit-batch keeps no run; leave out --seeds.")
    if cluster:
        raise click.UsageError("A cluster trains one run; start it once for each --seed.")


def _train_seeds(jobs: dict[int, Job], lines: list[str], as_json: bool) -> None:
    """Trains the runs one after the other; Ctrl-C stops all of them. Prints the lines once."""
    from gmd_vae.commands.train_report import report
    from gmd_vae.commands.train_seeds import with_seed
    from gmd_vae.common import console
    from gmd_vae.training.progress import prefix_lines
    from gmd_vae.training.start import check_folder, start, train_alone

    for job in jobs.values():  # before the first one trains for hours
        check_folder(job.run)
    for number, (seed, job) in enumerate(jobs.items(), start=1):
        lines = [*(lines if number == 1 else []), f"Run {number} of {len(jobs)}: seed {seed}, {job.run.folder}"]
        listener = with_seed(_print_line, seed) if as_json else None
        with prefix_lines(f"seed {seed}, {number} of {len(jobs)}"):
            report(job, start(job, listener, console.stderr().print, train_alone, lines), listener)
    if not as_json:
        console.print_next(as_command("evaluate", *(job.run.folder for job in jobs.values())))


def _overfit(job: Job, num_steps: int | None, lines: list[str]) -> None:
    from gmd_vae.common import console
    from gmd_vae.common.errors import GmdVaeError
    from gmd_vae.training.start import STARTING

    for line in (*lines, STARTING):
        console.stderr().print(line)
    from gmd_vae.training.overfit import NUM_STEPS, overfit

    result = overfit(job.run, job.examples.train, num_steps or NUM_STEPS)
    steps = counted(result.steps, "step")
    figures = f"reconstruction {result.first:.1f} → {result.last:.2f} nats per window in {steps}"
    if not result.learns:
        raise GmdVaeError(
            f"The pipeline does not memorise one batch of {result.windows} windows: {figures}",
            "Give more --num-steps, or check the learning_rate and the examples.",
        )
    console.stdout().print(f"The pipeline learns: {figures}, on one batch of {result.windows}.")
    console.print_next("the same command without --overfit-batch")


def _check_gpu(gpu: int | None) -> None:
    from gmd_vae.common.errors import GmdVaeError
    from gmd_vae.common.extras import install_gpu
    from gmd_vae.magenta.api import gpus

    if not gpus:
        named = "GPU" if gpu is None else f"GPU {gpu}"
        raise GmdVaeError(
            f"TensorFlow finds no {named}", f"'gmd-vae doctor' shows what is missing ('{install_gpu()}' installs CUDA)."
        )


def _print_line(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _cut(config: Config, notes: Path, folder: Path) -> None:
    """Runs ``preprocess`` for a config, as ``gmd-vae preprocess`` does."""
    from gmd_vae.common import console
    from gmd_vae.training.cut_examples import cut_examples

    console.stderr().print(f"Preparing examples for {config.name} from {notes}")
    with console.count_progress("Cutting windows", "NoteSequences") as progress:
        cut_examples(config, notes, folder, progress)
