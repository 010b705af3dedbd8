"""The training loop: runs the graph step by step, saves, validates, keeps the best, knows when to stop."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common.errors import GmdVaeError, Interrupted
from gmd_vae.configuration import schedules
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.checkpoint_check import check_fits, graph_variables, last_undamaged, without_optimizer
from gmd_vae.models.sessions import session_config
from gmd_vae.training import history, tensorboard_events
from gmd_vae.training.cluster.replica import Replica
from gmd_vae.training.cluster.roles import Cluster
from gmd_vae.training.examples import Examples
from gmd_vae.training.graph import TrainingGraph, build
from gmd_vae.training.history import History, Measurements, Validation
from gmd_vae.training.progress import TrainingProgress, note, speak_as
from gmd_vae.training.progress_plot import draw_progress
from gmd_vae.training.run.folder import KEEP, Plan, Run
from gmd_vae.training.saving import CheckpointHook, keep_best, remove_half_written
from gmd_vae.training.stopping import errors_in_words, stop_signals
from gmd_vae.training.tensorboard_events import Events
from gmd_vae.training.validation import Validator

_SECONDS_BETWEEN_DRAWINGS = 30.0  # of progress.png, which takes more than a second
_SKIPPED_IN_A_ROW = 100  # updates, after which a run is given up: gradients that explode once and again recover


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a training run came to.

    Attributes:
        first_step: the step it started at: 0, or that of the checkpoint it went on from.
        last_step: the step of the last checkpoint.
        loss: mean loss over the last steps (up to 100), nats per window; ``None`` if no step was left.
        first_loss: loss of the first step; ``None`` if no step was left.
        checkpoint: prefix of the last checkpoint.
        best: the best validation; ``None`` without a validation split.
        stopped: why it ended before the last step: ``interrupted``, ``patience``, or ``None``.
        skipped_updates: steps whose gradient was so large that Magenta's clipping made it zero.
    """

    first_step: int
    last_step: int
    loss: float | None
    first_loss: float | None
    checkpoint: Path
    best: Validation | None
    stopped: str | None
    skipped_updates: int


def train(
    run: Run,
    examples: Examples,
    plan: Plan,
    listener: Callable[[str], None] | None = None,
    cluster: Cluster | None = None,
) -> Outcome:
    """Trains until the plan is fulfilled, validation stops getting better, or Ctrl-C or SIGTERM.

    Goes on from the last checkpoint of the run folder that can be read, if there is one; the result
    is the same, bit for bit on a CPU, as if the run had never stopped.

    Args:
        run: what is trained and where.
        examples: what it is trained on; at least one batch.
        plan: how long, and when it validates and saves.
        listener: is given every line of ``metrics.jsonl``.
        cluster: of a chief; ``None`` trains on this machine alone.

    Raises:
        GmdVaeError: the loss is not a number, the gradient stays too large for Magenta's clipping,
            memory or disk ran out, or the last checkpoint does not fit the config.
        Interrupted: it was stopped before its first step.
    """
    if cluster:
        speak_as(cluster.role)
    run.train_folder.mkdir(parents=True, exist_ok=True)
    for folder in (run.folder, run.train_folder, run.best_folder):
        remove_half_written(folder)
    start = last_checkpoint(run)
    first = (checkpoints.step_of(start) or 0) if start else 0
    validator = Validator(run, examples.validation) if examples.validation.count else contextlib.nullcontext()
    with (
        errors_in_words(run),
        stop_signals() as stop,
        Replica(cluster, session_config(select_layers(run.config, run.hparams, run.layers)), stop, note) as replica,
        History(run.folder / history.NAME, first, listener) as past,
        contextlib.closing(Events(run)) as board,
        validator as validating,
    ):
        return _Training(run, plan, past, board, validating, replica, stop).train(examples, start, first)


def last_checkpoint(run: Run) -> Path | None:
    """The checkpoint that a run goes on from: the last one that can be read. Says which are passed over."""
    start, damaged = last_undamaged(run.train_folder)
    for prefix, reason in damaged:
        note(f"Passed over checkpoint '{prefix}', which cannot be read ({reason})")
    return start


class _Training:
    """One call of `train`: what its parts share."""

    def __init__(
        self,
        run: Run,
        plan: Plan,
        past: History,
        board: Events,
        validator: Validator | None,
        replica: Replica,
        stop: threading.Event,
    ) -> None:
        self._run, self._plan, self._past, self._board = run, plan, past, board
        self._validator, self._replica, self._stop = validator, replica, stop
        self._losses: list[float] = []
        self._skipped = self._skipped_in_a_row = 0
        self._seen = 0  # the last step that was looked at
        self._drawn = time.monotonic()

    def train(self, examples: Examples, start: Path | None, first: int) -> Outcome:
        self._seen = first
        if start and self._validation_is_due(first):  # it was killed after this checkpoint, before its validation
            self._validate(start, first)
        last = first
        if self._is_over(first):
            self._replica.meet()
        else:
            with tf.Graph().as_default():
                graph = build(self._run, examples.train, self._replica)
                with self._session(graph) as (session, saving):
                    last = self._steps(session, graph, saving, first)
            if not self._losses:
                raise Interrupted("Interrupted before the first step", "The same command starts again.")
            self._draw()
        recent = self._losses[-100:]
        stopped = None
        if last < self._plan.num_steps:
            stopped = "patience" if self._patience_is_over else "interrupted"
        return Outcome(
            first_step=first,
            last_step=last,
            loss=sum(recent) / len(recent) if recent else None,
            first_loss=self._losses[0] if recent else None,
            checkpoint=self._run.train_folder / f"model.ckpt-{last}",
            best=self._past.best,
            stopped=stopped,
            skipped_updates=self._skipped,
        )

    def _steps(self, session: Any, graph: TrainingGraph, saving: CheckpointHook, step: int) -> int:
        """Trains from a step until the run is over or stopped; returns the last step, which is saved."""
        with TrainingProgress(step, self._plan.num_steps) as progress:
            while not self._is_over(step) and not self._stop.is_set():
                now, summaries = self._one_step(session, graph)
                if now.step <= step:  # a ps has lost its variables
                    self._past.rewind(now.step - 1)
                first_of_all, step = not self._losses, now.step
                self._losses.append(now.loss)
                if first_of_all or self._reaches_multiple(tensorboard_events.STEPS_BETWEEN, step):
                    self._board.train.add_summary(summaries, step)
                rate = progress.update(now)
                if step == 1 or self._reaches_multiple(history.LOG_EVERY, step) or step >= self._plan.num_steps:
                    self._past.train(now, rate)
                with progress.paused():
                    if self._validation_is_due(step):
                        self._validate(self._run.train_folder / f"model.ckpt-{step}", step)
                    if saving.saved == step and time.monotonic() - self._drawn > _SECONDS_BETWEEN_DRAWINGS:
                        self._draw()
                self._seen = step
        return step

    def _one_step(self, session: Any, graph: TrainingGraph) -> tuple[Measurements, bytes]:
        """One step's figures and summaries."""
        _, figures, summaries, step = session.run(
            [graph.step.operation, graph.figures, graph.summaries, graph.step.number]
        )
        step, hparams = int(step), self._run.hparams
        if not math.isfinite(figures["loss"]):
            raise GmdVaeError(
                f"The loss is {figures['loss']} at step {step}; the last checkpoint in "
                f"'{self._run.train_folder}' is from before",
                "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir.",
            )
        norm = float(figures["global_norm"])
        self._count_skipped(norm, step)
        reconstruction, kl_bits = float(figures["losses/r_loss"]), float(figures["losses/kl_bits"])
        now = Measurements(
            step=step,
            loss=float(figures["loss"]),
            reconstruction=reconstruction,
            kl_bits=kl_bits,
            elbo=history.elbo(reconstruction, kl_bits),
            learning_rate=float(figures["learning_rate"]),
            kl_beta=float(figures["losses/kl_beta"]),
            sampling_probability=schedules.sampling_probability(hparams, step - 1),
            gradient_norm=norm,
        )
        return now, summaries

    def _count_skipped(self, norm: float, step: int) -> None:
        """Counts the updates that Magenta's clipping makes nothing of, and gives up where there are no others."""
        limit = self._run.hparams["grad_norm_clip_to_zero"]
        if self._run.hparams["clip_mode"] != "global_norm" or norm < limit:
            self._skipped_in_a_row = 0
            return
        self._skipped += 1
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row == _SKIPPED_IN_A_ROW:
            raise GmdVaeError(
                f"The last {_SKIPPED_IN_A_ROW} steps, up to step {step:,}, changed nothing: their gradient was larger "
                f"than grad_norm_clip_to_zero={limit:g}, now {norm:.2g}",
                "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir.",
            )

    def _validate(self, checkpoint: Path, step: int) -> None:
        """Validates a checkpoint, and keeps it if it is the best so far."""
        assert self._validator is not None
        now, tags = self._validator.validate(checkpoint, step)
        best = self._past.best
        is_best = best is None or now.elbo > best.elbo
        if is_best:  # before the line: a run that is killed between the two does both again
            keep_best(self._run.best_folder, checkpoint, now)
        self._past.validation(now)
        self._board.validation(tags, step)
        accuracy = "" if now.accuracy is None else f", {now.accuracy:.1%} of steps right"
        verdict = "the best so far" if is_best else f"best: {best.elbo:.1f} at step {best.step:,}" if best else ""
        note(
            f"Validation at step {step:,}: ELBO {now.elbo:.1f} nats (reconstruction {now.reconstruction:.1f} nats, "
            f"KL {now.kl_bits:.1f} bits){accuracy}; {verdict}"
        )

    def _validation_is_due(self, step: int) -> bool:
        if self._validator is None or step in (one.step for one in self._past.validations):
            return False
        return self._reaches_multiple(self._plan.validate_every, step) or step >= self._plan.num_steps

    def _is_over(self, step: int) -> bool:
        return step >= self._plan.num_steps or self._patience_is_over

    @property
    def _patience_is_over(self) -> bool:
        """Whether validation has not become better for as long as the plan waits."""
        return self._plan.patience is not None and self._past.without_improvement >= self._plan.patience

    def _is_to_be_saved(self, step: int) -> bool:
        """Whether a step's checkpoint is wanted whatever the time."""
        every = self._plan.save_every
        return self._validation_is_due(step) or (every is not None and self._reaches_multiple(every, step))

    def _reaches_multiple(self, every: int, step: int) -> bool:
        """Whether this is a step of every so many, or the first after one that another worker did."""
        return step // every > min(self._seen, step - 1) // every

    def _draw(self) -> None:
        try:
            draw_progress(self._run.folder / history.NAME, self._run.folder / "progress.png", self._run.folder.name)
        except OSError as error:  # a picture is not worth a run: if the disk is full, the next checkpoint says so
            note(f"progress.png could not be drawn ({error})")
        self._drawn = time.monotonic()

    @contextlib.contextmanager
    def _session(self, graph: TrainingGraph) -> Iterator[tuple[Any, CheckpointHook]]:
        """A session on the default graph: from the last checkpoint, the run's ``init_from``, or the seed."""
        run = self._run
        with self._replica.devices():
            saver = tf.train.Saver(max_to_keep=KEEP)
        wanted = graph_variables()

        def latest() -> Path | None:
            start = last_checkpoint(run)
            if start:
                check_fits(start, wanted)
            return start

        # so that the saver removes the checkpoints of earlier starts in turn
        saver.recover_last_checkpoints([str(prefix) for prefix in checkpoints.complete(run.train_folder)])
        saving = CheckpointHook(run.train_folder, saver, graph.step.number, graph.figures["loss"], self._is_to_be_saved)
        counter = tf.train.StepCounterHook(
            every_n_steps=tensorboard_events.STEPS_BETWEEN, summary_writer=self._board.train
        )
        with _init_from(run, self._replica) as init_fn:
            scaffold = tf.train.Scaffold(saver=saver, init_fn=init_fn)
            description = json.dumps(run.identity)
            with self._replica.session(scaffold, [counter, saving], latest, description) as session:
                yield session, saving


@contextlib.contextmanager
def _init_from(run: Run, replica: Replica) -> Iterator[Callable[[Any, Any], None] | None]:
    """What gives new variables the weights that the run begins with, if any; TensorFlow calls it at step 0 only."""
    if not run.init_from:
        yield None
        return
    with checkpoints.open_checkpoint(run.init_from.path) as prefix:
        wanted = graph_variables()
        names = without_optimizer(wanted)
        check_fits(prefix, {name: wanted[name] for name in names})
        with replica.devices():
            weights = tf.train.Saver([variable for variable in tf.global_variables() if variable.op.name in names])

        def restore(scaffold: Any, session: Any) -> None:
            weights.restore(session, str(prefix))

        yield restore
