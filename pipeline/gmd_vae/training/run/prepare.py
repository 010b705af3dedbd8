"""Combines the options with an existing run folder and checks that training can start. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

from gmd_vae.common import extras
from gmd_vae.common.errors import GmdVaeError
from gmd_vae.common.home import runs_folder
from gmd_vae.common.machine import best_precision, gpus, memory
from gmd_vae.common.printable import counted
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.hparams import as_typed, changed, resolve
from gmd_vae.configuration.layers import ACCELERATED, STOCK, Layers
from gmd_vae.configuration.own_hparams import PLANNED
from gmd_vae.configuration.registry import DEFAULT_CONFIG, get_config
from gmd_vae.configuration.schedules import schedule_notes
from gmd_vae.families import family_of
from gmd_vae.families.parameters import checkpoint_bytes, count_parameters
from gmd_vae.models import checkpoints
from gmd_vae.training.examples import Examples, find_examples
from gmd_vae.training.run.disk_space import check_space
from gmd_vae.training.run.folder import KEEP, Run, read_plan, read_run
from gmd_vae.training.run.folder_checks import check_no_file
from gmd_vae.training.run.initial_weights import resolve_init_from
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.run.trained_on import was_trained_on
from gmd_vae.windows.storage.shards import windows_digests

# Patience of a new run by default; docs/training.md has a training that it stops
_PATIENT_STEPS = 2_000
_FEWEST_VALIDATIONS = 5  # one validation may be worse by chance


@dataclasses.dataclass(frozen=True)
class Request:
    """Options of ``gmd-vae train``. ``None`` and "" stand for the value in an existing run folder, else the default.

    Attributes:
        config: Name of a config.
        configs_file: File with configs of the user.
        run_dir: Run folder.
        examples_path: Examples or NoteSequences; see ``examples.find_examples``.
        hparams: Changed hyperparameters, ``name=value,...``.
        seed: Seed of the initial weights, the order of the data and every random draw.
        init_from: Initial weights: a bundled model by name, as text; a model file; a checkpoint in any spelling of
            ``models.checkpoints``.
        num_steps: Last step; see ``folder.Plan``, as for the next three.
        validate_every: Steps between two validations.
        patience: Validations without a new best before training stops; 0: it never stops by them.
        save_every: Steps between two checkpoints.
        precision: Precision of matrix products: ``fp32``, ``bf16``, or ``auto`` for the device's best.
        accelerated: False to compute with Magenta's layers.
    """

    config: str | None = None
    configs_file: Path | None = None
    run_dir: Path | None = None
    examples_path: Path | None = None
    hparams: str = ""
    seed: int | None = None
    init_from: str | Path | None = None
    num_steps: int | None = None
    validate_every: int | None = None
    patience: int | None = None
    save_every: int | None = None
    precision: str | None = None
    accelerated: bool | None = None


@dataclasses.dataclass(frozen=True)
class Job:
    """A run that can start.

    Attributes:
        run: Config, hyperparameters, seed and run folder.
        examples: Training and validation examples.
        plan: Length and intervals.
    """

    run: Run
    examples: Examples
    plan: Plan


def prepare(request: Request, cut: Callable[[Config, Path, Path], None]) -> Job:
    """Prepares a run. Writes nothing into the run folder.

    Args:
        request: Options. An existing run folder supplies those that are not given.
        cut: Runs ``preprocess``; arguments: config, path of NoteSequences, new folder of examples.

    Raises:
        GmdVaeError: Training cannot start, for example for lack of examples, memory, disk space or packages.
    """
    extras.require("Training")
    config = get_config(request.config or DEFAULT_CONFIG, request.configs_file)
    hparams = resolve(config, request.hparams)
    folder = request.run_dir or runs_folder() / config.name
    check_no_file(folder)
    before = read_run(folder)
    examples_path, seed, init_from = request.examples_path, request.seed, None
    if before and request.run_dir:
        if not request.config:
            config = before.config
            hparams = resolve(config, request.hparams) if request.hparams else before.hparams
        elif config.name == before.config.name and not request.hparams:
            hparams = before.hparams
        seed = before.seed if seed is None else seed
        examples_path = examples_path or (before.examples if before.examples.exists() else None)
        init_from = before.init_from
    if request.init_from:
        init_from = resolve_init_from(request.init_from)
    examples = find_examples(config, examples_path, lambda notes, new_folder: cut(config, notes, new_folder))
    layers = _layers(request, before)
    run = Run(
        folder,
        config,
        hparams,
        seed or 0,
        examples.folder,
        # the same windows in a manifest of another version are the same examples
        before.examples_digest if before and was_trained_on(before, examples.folder) else examples.digest,
        init_from,
        layers,
        data_source=examples.data_source,
        windows_sha256=windows_digests(examples.folder),
    )
    _check_examples(run, examples)
    _check_memory(run)
    # in addition to the checkpoints that are kept, one is being written and one is the best
    check_space(folder, _checkpoint_bytes(run), max(1, KEEP + 2 - len(checkpoints.complete(run.train_folder))))
    plan = _plan(request, run)
    return Job(dataclasses.replace(run, schedule_steps=_schedule_steps(run, before, plan)), examples, plan)


def describe(job: Job, *, keeps: bool = True) -> list[str]:
    """Returns the lines that ``gmd-vae train`` prints before the first step.

    Args:
        job: The training.
        keeps: False for a test that writes no run folder and does not validate: these have no lines.
    """
    run, examples, plan = job.run, job.examples, job.plan
    batch_size = run.hparams["batch_size"]
    changes = changed(run.config, run.hparams)
    differences = ", ".join(as_typed(changes))
    lines = [
        f"Config: {run.config.name}" + (f" with {differences}" if differences else ""),
        f"Examples: {examples.folder}, {examples.train.count:,} for training, "
        f"{examples.train.count / batch_size:.1f} steps of {batch_size} an epoch",
    ]
    parameters = count_parameters(run.config, run.hparams)
    if not keeps:
        return [*lines, f"Model: {parameters:,} parameters; no run folder is written"]
    if examples.validation.count:
        patience = f", stops after {plan.patience} without a new best" if plan.patience else ""
        rule = ", the best by the objective" if run.hparams["best_by"] == "objective" else ""
        windows, steps = counted(examples.validation.count, "window"), counted(plan.validate_every, "step")
        first = "before the first step, " if run.init_from else ""
        lines.append(f"Validation: {windows}, {first}every {steps} and at the end{patience}{rule}")
    else:
        lines.append("Validation: none, the examples have no validation windows; the last checkpoint counts")
    size = _checkpoint_bytes(run) / 1e6
    lines.append(
        f"Model: {parameters:,} parameters, {size:,.1f} MB per checkpoint; keeps {KEEP} and the best, "
        f"{(KEEP + 1) * size:,.0f} MB"
    )
    schedule = run.hparams["learning_rate_schedule"]
    if schedule in PLANNED and "decay_rate" in changes:
        lines.append(f"Note: decay_rate has no effect with learning_rate_schedule={schedule}.")
    lines += [f"Note: {text}" for text in schedule_notes(run.hparams, plan.num_steps)]
    if run.schedule_steps:
        steps = counted(run.schedule_steps, "step")
        lines.append(f"Learning rate: a {schedule} over {steps}, planned when the run was created")
        if plan.num_steps > run.schedule_steps:
            lines.append(
                f"Note: after step {run.schedule_steps:,} the learning rate stays at its minimum, "
                f"{run.hparams['min_learning_rate']:g}, and little changes. To train for longer, begin a new run with "
                f"--num-steps {plan.num_steps}."
            )
    if run.config.augmented and not run.hparams["transpose"]:
        lines.append(
            "Note: Magenta transposes this config's training data at random; here --hparams transpose=3 does, now off."
        )
    if run.init_from:
        lines.append(f"Initial weights: {run.init_from.path}")
    reached = _last_step(run)
    resumed = f", which goes on after step {reached:,} of {plan.num_steps:,}" if reached < plan.num_steps else ""
    lines.append(f"Run folder: {run.folder}{resumed if reached else ''}")
    return lines


def _layers(request: Request, before: Run | None) -> Layers:
    """Returns the layers of the options; those of the existing run if not given."""
    if request.accelerated is False:
        return STOCK
    layers = before.layers if before else ACCELERATED
    if request.precision is None:
        return layers
    return Layers(precision=best_precision() if request.precision == "auto" else request.precision)


def _plan(request: Request, run: Run) -> Plan:
    """Returns the plan: options, else those of the existing run, else the defaults.

    If the existing run has reached its last step, the number of steps is the config's again. A number of steps that is
    asked for is trained in full, and Magenta's own configs train as Magenta trains them: without patience.
    """
    before = read_plan(run.folder)
    num_steps = run.config.num_steps
    if before:
        num_steps = before.num_steps if _last_step(run) < before.num_steps else max(num_steps, before.num_steps)
    given = {name: getattr(request, name) for name in ("num_steps", "validate_every", "patience", "save_every")}
    plan = dataclasses.replace(
        before or Plan(num_steps),
        **{"num_steps": num_steps, **{name: value for name, value in given.items() if value is not None}},
    )
    if request.patience == 0:
        return dataclasses.replace(plan, patience=None)
    if before is None and request.patience is None and request.num_steps is None and not run.config.is_magentas:
        return dataclasses.replace(plan, patience=_default_patience(plan))
    return plan


def _last_step(run: Run) -> int:
    """Returns the step of the last checkpoint of a run; 0 if it has none."""
    return max((checkpoints.step_of(prefix) or 0 for prefix in checkpoints.complete(run.train_folder)), default=0)


def _default_patience(plan: Plan) -> int:
    """Returns the patience of a run whose length is the config's own: a number of steps, in validations."""
    return max(_FEWEST_VALIDATIONS, math.ceil(_PATIENT_STEPS / plan.validate_every))


def _schedule_steps(run: Run, before: Run | None, plan: Plan) -> int | None:
    """Returns the number of steps of the learning rate's schedule: planned when the run was created."""
    if run.hparams["learning_rate_schedule"] not in PLANNED:
        return None
    return before.schedule_steps if before and not before.has_no_result() else plan.num_steps


def _check_examples(run: Run, examples: Examples) -> None:
    count, batch_size = examples.train.count, run.hparams["batch_size"]
    if count < batch_size:
        raise GmdVaeError(
            f"'{examples.folder}' holds {count:,} training examples: too few for a batch of {batch_size}",
            f"Train with --hparams batch_size={count} or less, or prepare more music."
            if count
            else "Prepare more music.",
        )


def _check_memory(run: Run) -> None:
    """Refuses a run that needs more memory than the machine has: the kernel would kill it without a message."""
    needed = family_of(run.config).training_bytes(run.config, run.hparams)
    if needed is None or gpus():  # the estimate is of a CPU's memory
        return
    machine = memory([])
    available = machine["limit_bytes"] or machine["total_bytes"]
    if available is not None and needed > available:
        batch_size = run.hparams["batch_size"]
        raise GmdVaeError(
            f"Training '{run.config.name}' takes about {needed / 1e9:.1f} GB of memory at batch size {batch_size}, "
            f"and this machine has {available / 1e9:.1f}",
            f"Train with --hparams batch_size={max(1, batch_size // 2)} or less, or a smaller config.",
        )


def _checkpoint_bytes(run: Run) -> int:
    return checkpoint_bytes(count_parameters(run.config, run.hparams), averages=run.hparams["average_decay"] > 0)
