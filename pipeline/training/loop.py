"""The training loop: Magenta's model and optimiser, our input, checkpoints where Magenta puts them.

The graph is that of ``magenta.models.music_vae.music_vae_train.train``: same loss, Adam, gradient
clipping and summaries. What differs is around it: the input, when checkpoints are written, how it
stops, what it shows.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import math
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import GmdVaeError, Interrupted
from pipeline.models import checkpoints
from pipeline.models.magenta import build_config, tf
from pipeline.models.restore import check_fits, graph_variables
from pipeline.training.examples import Examples
from pipeline.training.input import Batch, label_batches, shuffled_records, tensor_batches
from pipeline.training.progress import Measurements, TrainingProgress
from pipeline.training.run import Run

# Stock Magenta writes every minute and keeps 100. Two minutes is what a kill -9 can cost; three
# checkpoints of the ancestor's sizes are half a gigabyte.
SECONDS_BETWEEN_CHECKPOINTS = 120
CHECKPOINTS_TO_KEEP = 3
STEPS_BETWEEN_SUMMARIES = 100  # as in stock Magenta


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a training run came to.

    Attributes:
        first_step: the step it started at: 0, or that of the checkpoint it went on from.
        last_step: the step of the last checkpoint.
        loss: mean loss over the last steps (up to 100), nats per window; ``None`` if no step was left.
        first_loss: loss of the first step; ``None`` if no step was left.
        checkpoint: prefix of the last checkpoint.
        interrupted: whether the user stopped it.
    """

    first_step: int
    last_step: int
    loss: float | None
    first_loss: float | None
    checkpoint: Path
    interrupted: bool


def train(run: Run, examples: Examples, num_steps: int) -> Outcome:
    """Trains until ``num_steps`` steps have been done since the run began, or until Ctrl-C or SIGTERM.

    Goes on from the last whole checkpoint of the run folder, if there is one.

    Args:
        run: what is trained and where.
        examples: what it is trained on; at least one batch.
        num_steps: the step to end at.

    Raises:
        GmdVaeError: the loss is not a number, memory or disk ran out, or the last checkpoint does
            not fit the config.
    """
    run.train_folder.mkdir(parents=True, exist_ok=True)
    for half_written in run.train_folder.glob("*.tempstate*"):  # a killed run was saving
        half_written.unlink()
    start = last_checkpoint(run)
    first = checkpoints.step_of(start) or 0 if start else 0
    if start and first >= num_steps:
        return Outcome(first, first, None, None, start, interrupted=False)

    with tf.Graph().as_default():
        tf.set_random_seed(run.seed)
        config = build_config(run.config, run.hparams)
        config.model.build(config.hparams, config.data_converter.output_depth, is_training=True)
        batch = _batches(run, examples, config, first)
        optimizer = config.model.train(**batch.arguments())
        train_op = _train_op(config, optimizer)
        fetches = {
            "loss": config.model.loss,
            **_summaries("losses/r_loss", "losses/kl_bits", "learning_rate"),
            # every step, though few are written: another set of fetches would be another graph to
            # optimise, which takes as long as dozens of steps
            "events": tf.summary.merge_all(),
        }

        saver = tf.train.Saver(max_to_keep=CHECKPOINTS_TO_KEEP)
        if start:
            check_fits(start, graph_variables())
            saver.recover_last_checkpoints(_kept(run.train_folder))
        scaffold = tf.train.Scaffold(saver=saver)
        # without the graph, which would add 12 MB at every start
        events = tf.summary.FileWriter(str(run.train_folder))
        hooks = [
            tf.train.StepCounterHook(every_n_steps=STEPS_BETWEEN_SUMMARIES, summary_writer=events),
            _SaveCheckpoints(run.train_folder, saver, config.model.global_step, config.model.loss),
        ]
        creator = tf.train.ChiefSessionCreator(
            scaffold, config=_session_config(), checkpoint_filename_with_path=str(start) if start else None
        )
        losses: list[float] = []
        step = first
        with (
            _stop_signals() as stop,
            _errors_in_words(run),
            tf.train.MonitoredSession(creator, hooks) as session,
            TrainingProgress(first, num_steps, run.folder / "metrics.jsonl") as progress,
        ):
            while step < num_steps and not stop.is_set():
                _, values, step = session.run([train_op, fetches, config.model.global_step])
                step = int(step)
                if not math.isfinite(values["loss"]):
                    raise GmdVaeError(
                        f"The loss is {values['loss']} at step {step}; the last checkpoint in "
                        f"'{run.train_folder}' is from before",
                        "Train again with a smaller learning_rate (--hparams learning_rate=...) in another --run-dir.",
                    )
                losses.append(float(values["loss"]))
                if step % STEPS_BETWEEN_SUMMARIES == 0 or step == first + 1:
                    events.add_summary(values["events"], step)
                progress.update(
                    Measurements(
                        step=step,
                        loss=float(values["loss"]),
                        reconstruction=float(values["losses/r_loss"]),
                        kl_bits=float(values["losses/kl_bits"]),
                        learning_rate=float(values["learning_rate"]),
                    )
                )
    events.close()
    if not losses:
        raise Interrupted("Interrupted before the first step", "The same command starts again.")
    recent = losses[-100:]
    return Outcome(
        first_step=first,
        last_step=step,
        loss=sum(recent) / len(recent),
        first_loss=losses[0],
        checkpoint=checkpoints.latest(run.train_folder, called=str(run.folder)),
        interrupted=stop.is_set() and step < num_steps,
    )


def _batches(run: Run, examples: Examples, config: Any, first_step: int) -> Batch:
    """The training data from a step on, as the model takes it."""
    batch_size = run.hparams["batch_size"]
    records = shuffled_records(examples.train_files, examples.train_count, run.seed, first_step * batch_size)
    if run.config.windows is not None:
        return label_batches(records, run.config.windows, batch_size)
    return tensor_batches(records, config.data_converter, batch_size)


def last_checkpoint(run: Run) -> Path | None:
    """The checkpoint a run goes on from: the last whole one, or ``None`` at its beginning."""
    if not any(run.train_folder.glob("*.index")):
        return None
    return checkpoints.latest(run.train_folder, called=str(run.folder))


def _train_op(config: Any, optimizer: Any) -> Any:
    """Gradients, clipping and update as in ``music_vae_train.train``."""
    gradients, variables = zip(*optimizer.compute_gradients(config.model.loss), strict=True)
    global_norm = tf.global_norm(gradients)
    tf.summary.scalar("global_norm", global_norm)
    hparams = config.hparams
    if hparams.clip_mode == "value":
        limit = hparams.grad_clip
        clipped = [tf.clip_by_value(gradient, -limit, limit) for gradient in gradients]
    else:
        clipped = tf.cond(
            global_norm < hparams.grad_norm_clip_to_zero,
            lambda: tf.clip_by_global_norm(gradients, hparams.grad_clip, use_norm=global_norm)[0],
            lambda: [tf.zeros(tf.shape(gradient)) for gradient in gradients],
        )
    return optimizer.apply_gradients(
        list(zip(clipped, variables, strict=True)), global_step=config.model.global_step, name="train_step"
    )


def _summaries(*tags: str) -> dict[str, Any]:
    """The tensors behind Magenta's own scalar summaries, which ``MusicVAE.train`` does not return."""
    # a scalar summary's operation has two inputs: the tag and the value
    by_tag = {summary.op.name: summary.op.inputs[1] for summary in tf.get_collection(tf.GraphKeys.SUMMARIES)}
    return {tag: by_tag[tag] for tag in tags}


def _session_config() -> Any:
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True  # TensorFlow would take the whole GPU's memory at once
    return config


class _SaveCheckpoints(tf.train.SessionRunHook):  # type: ignore[misc]
    """Saves every two minutes and at the end of the session, but never a model whose loss is no number.

    TensorFlow's own hook also saves at step 0, and writes the graph to disk again and again: 6 to
    12 MB that nothing reads, as the graph is rebuilt from ``run.json``.
    """

    def __init__(self, folder: Path, saver: Any, step: Any, loss: Any) -> None:
        self._prefix, self._saver, self._step, self._loss = str(folder / "model.ckpt"), saver, step, loss

    def after_create_session(self, session: Any, coord: Any) -> None:
        self._saved_step, self._saved_at = session.run(self._step), time.monotonic()

    def before_run(self, run_context: Any) -> Any:
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        due = time.monotonic() - self._saved_at >= SECONDS_BETWEEN_CHECKPOINTS
        if due and math.isfinite(run_values.results):
            self._save(run_context.session)

    def end(self, session: Any) -> None:
        self._save(session)

    def _save(self, session: Any) -> None:
        step = session.run(self._step)
        if step > self._saved_step:
            self._saver.save(session, self._prefix, global_step=step, write_meta_graph=False)
        self._saved_step, self._saved_at = step, time.monotonic()


def _kept(folder: Path) -> list[str]:
    """The whole checkpoints of earlier starts, oldest first, so that the saver removes them in turn."""
    prefixes = [index.with_suffix("") for index in folder.glob("*.index")]
    whole = [prefix for prefix in prefixes if checkpoints.is_whole(prefix)]
    return [str(prefix) for prefix in sorted(whole, key=lambda prefix: checkpoints.step_of(prefix) or 0)]


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM finish the step and save; a second Ctrl-C stops at once."""
    stop = threading.Event()

    def ask(number: int, frame: Any) -> None:
        if stop.is_set():
            raise Interrupted("Interrupted", "The last checkpoint is kept; the same command goes on from there.")
        stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _errors_in_words(run: Run) -> Iterator[None]:
    """TensorFlow's errors that a user can act on, each as one line."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _disk_full(run) from None
    except tf.errors.OpError as error:
        text = str(error)
        if "No space left" in text or "quota" in text:
            raise _disk_full(run) from None
        if isinstance(error, tf.errors.ResourceExhaustedError):
            size = run.hparams["batch_size"]
            raise GmdVaeError(
                f"Memory ran out at batch size {size}", f"Train with --hparams batch_size={max(1, size // 2)}."
            ) from None
        if isinstance(error, tf.errors.DataLossError):
            raise GmdVaeError(
                f"A file in '{run.examples}' is damaged ({text.splitlines()[0]})", "Run 'gmd-vae preprocess' again."
            ) from None
        raise


def _disk_full(run: Run) -> GmdVaeError:
    return GmdVaeError(
        f"The disk is full: '{run.folder}' cannot be written",
        "Free some space; the same command goes on from the last checkpoint.",
    )
