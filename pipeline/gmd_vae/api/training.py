"""``train``: what ``gmd-vae train`` does, from Python."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gmd_vae.api.arguments import MAX_STEPS, path_text, shown, whole
from gmd_vae.api.errors import in_python
from gmd_vae.common.errors import Interrupted, UsageError
from gmd_vae.training.cut_examples import cut_examples
from gmd_vae.training.run.prepare import Request, prepare
from gmd_vae.training.start import start
from gmd_vae.training.threads import share_processors

PRECISIONS = ("fp32", "bf16", "auto")


@dataclasses.dataclass(frozen=True)
class Training:
    """A finished training.

    Attributes:
        run_dir: Run folder; ``gmd_vae.load(training.run_dir)`` loads its best model.
        last_step: Step of the last checkpoint.
        checkpoint: Prefix of the last checkpoint.
        best_step: Step of the best checkpoint, by the rule ``best_by`` (docs/training.md); 0 if no step was better than
            the weights of ``init_from``; ``None`` without validation windows.
        best_elbo: Its ELBO in nats per window; ``None`` without validation windows.
    """

    run_dir: Path
    last_step: int
    checkpoint: Path
    best_step: int | None
    best_elbo: float | None


@in_python
def train(
    config: str | None = None,
    *,
    examples_path: str | Path | None = None,
    run_dir: str | Path | None = None,
    num_steps: int | None = None,
    hparams: Mapping[str, Any] | None = None,
    seed: int | None = None,
    init_from: str | Path | None = None,
    validate_every: int | None = None,
    patience: int | None = None,
    save_every: int | None = None,
    precision: str | None = None,
    configs_file: str | Path | None = None,
    on_metrics: Callable[[dict[str, Any]], None] | None = None,
) -> Training:
    """Trains a model on prepared windows, or resumes a run; the options are those of ``gmd-vae train``.

    Starts TensorFlow in this process. A process can train once: a model of other sizes needs a new process.

    Args:
        config: Name of a config; ``None``: that of the run, or the default.
        examples_path: Examples, or NoteSequences; ``None``: ``data/`` is searched.
        run_dir: Run folder; ``None``: ``runs/CONFIG``.
        num_steps: Last step; ``None``: that of the run, or of the config.
        hparams: Changed hyperparameters by name.
        seed: Seed of initial weights, data order and random draws.
        init_from: Initial weights: the name of a model of the package as ``str``, a model file, a run or a checkpoint.
        validate_every: Steps between two validations.
        patience: Validations without a new best before training stops; 0: it never stops by them.
        save_every: Steps between two checkpoints.
        precision: ``fp32``, ``bf16`` or ``auto``.
        configs_file: Python file with configs of your own.
        on_metrics: Receives each line of ``metrics.jsonl`` as a dict.

    Returns:
        The run and its best step.

    Raises:
        UsageError: An argument has a wrong value, or names a config that is not there.
        GmdVaeError: Training cannot start or go on; the message is that of the command, with these arguments in the
            place of its options.
        Interrupted: Ctrl-C or a signal stopped it; a checkpoint is saved, and the same call resumes.
    """

    def path(name: str, value: str | Path | None) -> Path | None:
        return None if value is None else Path(path_text(name, value))

    def steps(name: str, value: int | None, least: int = 1) -> int | None:
        return None if value is None else whole(name, value, least, MAX_STEPS)

    if config is not None and not isinstance(config, str):
        raise UsageError("config is no text", "Give the name of a config: 'gmd-vae configs' lists them.")
    if not isinstance(hparams, Mapping | None):
        raise UsageError("hparams is no dict", "Give hyperparameters by name, such as {'z_size': 64}.")
    if not isinstance(precision, str | None) or precision not in (None, *PRECISIONS):
        raise UsageError("precision is none of " + ", ".join(PRECISIONS), "Leave it out, or give one of them.")
    if on_metrics is not None and not callable(on_metrics):
        raise UsageError(
            f"on_metrics is no function: {shown(on_metrics)}", "Give one that takes a dict, such as print."
        )
    request = Request(
        config=config,
        configs_file=path("configs_file", configs_file),
        run_dir=path("run_dir", run_dir),
        examples_path=path("examples_path", examples_path),
        hparams=",".join(f"{name}={_text(value)}" for name, value in (hparams or {}).items()),
        seed=steps("seed", seed, 0),
        init_from=path_text("init_from", init_from) if isinstance(init_from, str) else path("init_from", init_from),
        num_steps=steps("num_steps", num_steps),
        validate_every=steps("validate_every", validate_every),
        patience=steps("patience", patience, 0),
        save_every=steps("save_every", save_every),
        precision=precision,
    )
    job = prepare(request, cut_examples)
    share_processors()
    outcome = start(job, _listener(on_metrics), lambda line: None)
    if outcome.stopped == "interrupted":
        raise Interrupted(
            f"Interrupted at step {outcome.last_step} of {job.plan.num_steps}; saved as '{outcome.checkpoint}'",
            "The same call resumes from there.",
        )
    best = outcome.best
    return Training(
        job.run.folder,
        outcome.last_step,
        outcome.checkpoint,
        best.step if best else None,
        best.elbo if best else None,
    )


def _text(value: Any) -> str:
    """Returns a hyperparameter as ``--hparams`` takes it: lists in brackets, without spaces."""
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    return "[" + ",".join(map(str, value)) + "]" if isinstance(value, (list, tuple)) else str(value)


def _listener(on_metrics: Callable[[dict[str, Any]], None] | None) -> Callable[[str], None] | None:
    return None if on_metrics is None else lambda line: on_metrics(json.loads(line))
