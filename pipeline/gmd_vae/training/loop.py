"""The training loop. Read it from top to bottom: build the graph, run steps, log, validate, save.

Where to change something:

- the update (optimizer, clipping): ``graph.py``, ``_update``; the average of the weights: ``average.py``;
- the schedules: ``configuration/schedules.py`` and ``scheduled_hparams.py``;
- the weights that are validated: ``validation.py``, ``Validator._build``;
- the rule for ``best/`` and for patience: ``history.py``, ``improves``;
- the checkpoints: ``saving.py``; when each thing happens: ``milestones.py``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.configuration import schedules
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.sessions import session_config
from gmd_vae.training import history as metrics
from gmd_vae.training import tensorboard_events
from gmd_vae.training.examples import Examples
from gmd_vae.training.execution import Execution, SingleProcess
from gmd_vae.training.graph import TrainingGraph, build
from gmd_vae.training.history import History, Measurements, Validation
from gmd_vae.training.milestones import Milestones
from gmd_vae.training.prior import fit_best
from gmd_vae.training.progress import TrainingProgress, note
from gmd_vae.training.progress_plot import draw_progress
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.saving import CheckpointHook, keep_best, remove_partial_files
from gmd_vae.training.session import initial_checkpoint, last_checkpoint, open_session
from gmd_vae.training.stopping import one_line_errors, stop_event
from gmd_vae.training.tensorboard_events import Events
from gmd_vae.training.validation import Validator

_SECONDS_BETWEEN_PLOTS = 30.0  # drawing progress.png takes more than a second
_MAX_SKIPPED_UPDATES = 100  # consecutive skipped updates before training stops; single gradient explosions recover
_RECENT = 100  # steps in the mean loss of the outcome


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Result of a training run.

    Attributes:
        first_step: Step at which it started: 0, or that of the checkpoint it resumed from.
        last_step: Step of the last checkpoint.
        loss: Mean loss of the last steps (up to 100), nats per window; ``None`` if no step was left.
        first_loss: Loss of the first step, nats per window; ``None`` if no step was left.
        checkpoint: Prefix of the last checkpoint.
        best: The best validation; ``None`` without a validation split. Its step is 0 if no step was better than the
            weights of ``run.init_from``.
        stopped: Reason for stopping before the last step: ``interrupted``, ``patience``, or ``None``.
        skipped_updates: Number of steps whose gradient norm reached ``grad_norm_clip_to_zero``, so that Magenta's
            clipping made the update zero.
        before: The validation of the weights of ``run.init_from``; ``None`` without them or without a validation split.
    """

    first_step: int
    last_step: int
    loss: float | None
    first_loss: float | None
    checkpoint: Path
    best: Validation | None
    stopped: str | None
    skipped_updates: int
    before: Validation | None


def train(
    run: Run,
    examples: Examples,
    plan: Plan,
    listener: Callable[[str], None] | None = None,
    execution: Execution | None = None,
) -> Outcome:
    """Trains until the planned number of steps, until patience is exhausted, or until Ctrl-C or SIGTERM.

    Resumes from the last undamaged checkpoint of the run folder, if there is one. On a CPU the result is bit for bit
    that of a run that never stopped. Weights of ``run.init_from`` are validated as step 0, before the first step, and
    are the first that ``best/`` holds.

    Args:
        run: Config, hyperparameters, seed and run folder.
        examples: Training and validation examples; at least one batch of training examples.
        plan: Number of steps; validation and checkpoint intervals; patience.
        listener: Receives every line of ``metrics.jsonl``.
        execution: Processes that execute the run; by default this one alone.

    Raises:
        GmdVaeError: The run was trained before and has no readable checkpoint, the last checkpoint does not fit the
            config, the loss is not finite, ``_MAX_SKIPPED_UPDATES`` updates in a row were skipped, or memory or disk
            space ran out.
        Interrupted: Stopped before the first step.
    """
    execution = execution or SingleProcess()
    resumed_from = last_checkpoint(run)
    run.train_folder.mkdir(parents=True, exist_ok=True)
    for folder in (run.folder, run.train_folder, run.best_folder):
        remove_partial_files(folder)
    first_step = (checkpoints.step_of(resumed_from) or 0) if resumed_from else 0
    config = session_config(select_layers(run.config, run.hparams, run.layers))
    validator = Validator(run, examples.validation) if examples.validation.count else None
    with one_line_errors(run), stop_event() as stop:
        with (
            execution.start(config, stop),
            History(run.folder / metrics.NAME, first_step, listener) as history,
            contextlib.closing(Events(run)) as events,
            validator or contextlib.nullcontext(),
        ):
            loop = _Loop(run, plan, history, events, validator, first_step)
            if resumed_from and loop.milestones.validate_at(first_step):  # killed between checkpoint and validation
                loop.validate(resumed_from, first_step)
            elif run.init_from and not resumed_from and loop.milestones.validate_at(0):
                with initial_checkpoint(run, run.init_from) as checkpoint:
                    loop.validate(checkpoint, 0)
            last_step = first_step
            if loop.milestones.is_over(first_step):
                execution.finish_without_session()
            else:
                last_step = loop.run_steps(examples, execution, stop)
        fit_best(run, examples)
        return loop.outcome(last_step)


class _Loop:
    """State of one call of `train`."""

    def __init__(
        self, run: Run, plan: Plan, history: History, events: Events, validator: Validator | None, first_step: int
    ) -> None:
        self._run, self._plan, self._history, self._events = run, plan, history, events
        self._validator, self._first_step = validator, first_step
        self.milestones = Milestones(plan, history, validates=validator is not None, first_step=first_step)
        self._losses: list[float] = []
        self._skipped = self._skipped_in_a_row = 0
        self._plotted_at = time.monotonic()

    def run_steps(self, examples: Examples, execution: Execution, stop: threading.Event) -> int:
        """Builds the graph and trains; returns the last step, whose checkpoint is written.

        Raises:
            Interrupted: Stopped before the first step.
        """
        step = self._first_step
        with tf.Graph().as_default():
            graph = build(self._run, examples.train, execution)
            with (
                open_session(self._run, graph, execution, self.milestones.save_at, self._events.train) as (
                    session,
                    saving,
                ),
                TrainingProgress(step, self._plan.num_steps) as progress,
            ):
                while not self.milestones.is_over(step) and not stop.is_set():
                    # one step; CheckpointHook saves within this call if a checkpoint is due
                    measured, summaries = self._step(session, graph)
                    if measured.step <= step:  # the session was recreated from an earlier checkpoint
                        self._history.rewind(measured.step - 1)
                    step = measured.step
                    rate = progress.update(measured)
                    self._log(measured, summaries, rate)
                    with progress.paused():
                        if self.milestones.validate_at(step):
                            self.validate(self._run.train_folder / f"model.ckpt-{step}", step)
                        self._plot_after(saving, step)
                    self.milestones.advance(step)
        if not self._losses:
            raise Interrupted("Interrupted before the first step", "The same command starts again.")
        self._plot()
        return step

    def _step(self, session: Any, graph: TrainingGraph) -> tuple[Measurements, bytes]:
        """Runs one training step; returns its figures and its serialised summaries."""
        _, figures, summaries, step = session.run([graph.train_op, graph.figures, graph.summaries, graph.step])
        step, norm = int(step), float(figures["global_norm"])
        if not math.isfinite(figures["loss"]):
            raise GmdVaeError(
                f"The loss is {figures['loss']} at step {step}; the last checkpoint in "
                f"'{self._run.train_folder}' is from before",
                "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir.",
            )
        self._count_skipped_updates(norm, step)
        reconstruction, kl_bits = float(figures["losses/r_loss"]), float(figures["losses/kl_bits"])
        measured = Measurements(
            step=step,
            loss=float(figures["loss"]),
            reconstruction=reconstruction,
            kl_bits=kl_bits,
            elbo=metrics.elbo(reconstruction, kl_bits),
            learning_rate=float(figures["learning_rate"]),
            kl_beta=float(figures["losses/kl_beta"]),
            sampling_probability=schedules.sampling_probability(self._run.hparams, step - 1),
            gradient_norm=norm,
        )
        return measured, summaries

    def _count_skipped_updates(self, norm: float, step: int) -> None:
        """Counts updates that Magenta's clipping makes zero; stops a run in which there are no others."""
        limit = self._run.hparams["grad_norm_clip_to_zero"]
        if self._run.hparams["clip_mode"] != "global_norm" or norm < limit:
            self._skipped_in_a_row = 0
            return
        self._skipped += 1
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row == _MAX_SKIPPED_UPDATES:
            raise GmdVaeError(
                f"The last {_MAX_SKIPPED_UPDATES} steps, up to step {step:,}, changed nothing: their gradient norm was "
                f"larger than grad_norm_clip_to_zero={limit:g}, now {norm:.2g}",
                "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir.",
            )

    def _log(self, measured: Measurements, summaries: bytes, rate: float) -> None:
        """Writes TensorBoard events and ``metrics.jsonl`` where due."""
        is_first = not self._losses
        self._losses.append(measured.loss)
        if is_first or self.milestones.reaches_multiple(tensorboard_events.STEPS_BETWEEN, measured.step):
            self._events.train.add_summary(summaries, measured.step)
        if self.milestones.log_at(measured.step):
            self._history.train(measured, rate)

    def validate(self, checkpoint: Path, step: int) -> None:
        """Validates a checkpoint; copies it to ``best/`` if it is better than all before."""
        assert self._validator is not None
        measured, tags = self._validator.validate(checkpoint, step)
        if not math.isfinite(measured.elbo):
            action = "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir."
            raise GmdVaeError(
                f"The validation ELBO is {measured.elbo} at step {step}; it is not finite",
                action if step else "Begin with other weights (--init-from).",
            )
        best = self._history.best
        is_best = metrics.improves(measured, best)
        if is_best:  # before the line in metrics.jsonl: after a kill between the two, both are done again
            keep_best(self._run, checkpoint, measured)
        self._history.validation(measured)
        self._events.validation(tags, step)
        accuracy = "" if measured.accuracy is None else f", step accuracy {measured.accuracy:.1%}"
        objective = "" if measured.best_by == "elbo" else f", {measured.score_in_words}"
        verdict = "the best so far" if is_best else f"best: {best.score_in_words} at step {best.step:,}" if best else ""
        place, verdict = (f"{step:,}", f"; {verdict}") if step else ("0 (the weights it begins with)", "")
        note(
            f"Validation at step {place}: ELBO {measured.elbo:.1f} nats (reconstruction "
            f"{measured.reconstruction:.1f} nats, KL {measured.kl_bits:.1f} bits){objective}{accuracy}{verdict}"
        )

    def _plot_after(self, saving: CheckpointHook, step: int) -> None:
        """Draws ``progress.png`` after a checkpoint, unless it was drawn a moment ago."""
        if saving.saved == step and time.monotonic() - self._plotted_at > _SECONDS_BETWEEN_PLOTS:
            self._plot()

    def _plot(self) -> None:
        try:
            draw_progress(self._run.folder / metrics.NAME, self._run.folder / "progress.png", self._run.folder.name)
        except OSError as error:  # not worth the run: if the disk is full, the next checkpoint reports it
            note(f"progress.png could not be drawn ({error})")
        self._plotted_at = time.monotonic()

    def outcome(self, last_step: int) -> Outcome:
        """Returns the result of the run."""
        recent = self._losses[-_RECENT:]
        stopped = None
        if last_step < self._plan.num_steps:
            stopped = "patience" if self.milestones.patience_is_exhausted else "interrupted"
        return Outcome(
            first_step=self._first_step,
            last_step=last_step,
            loss=sum(recent) / len(recent) if recent else None,
            first_loss=self._losses[0] if recent else None,
            checkpoint=self._run.train_folder / f"model.ckpt-{last_step}",
            best=self._history.best,
            stopped=stopped,
            skipped_updates=self._skipped,
            before=next((one for one in self._history.validations if one.step == 0), None),
        )
