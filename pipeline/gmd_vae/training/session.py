"""Opens the session of a training run: which weights it starts from, and the hooks that run with every step."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.common.scratch_folder import scratch_folder
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.models.averaged_weights import SUFFIX
from gmd_vae.models.checkpoint_check import check_fits, last_undamaged, without_optimizer
from gmd_vae.models.checkpoint_variables import read_model_variables
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_checkpoint import open_weights
from gmd_vae.models.sessions import graph_variables, weights_saver
from gmd_vae.models.tensorflow_paths import tensorflow_path
from gmd_vae.training import tensorboard_events
from gmd_vae.training.execution import Execution
from gmd_vae.training.graph import TrainingGraph
from gmd_vae.training.progress import note
from gmd_vae.training.run.folder import KEEP, InitFrom, Run
from gmd_vae.training.run.folder_checks import check_progress
from gmd_vae.training.saving import CheckpointHook


def last_checkpoint(run: Run) -> Path | None:
    """Returns the prefix of the newest undamaged checkpoint of a run; prints which newer ones are skipped.

    Returns:
        ``None`` if the run was not trained yet.

    Raises:
        GmdVaeError: The run was trained, and has no readable checkpoint.
    """
    prefix, damaged = last_undamaged(run.train_folder)
    if prefix is None:
        check_progress(run, damaged)
    for skipped, reason in damaged:
        note(f"Skipped checkpoint '{skipped}', which cannot be read ({reason})")
    return prefix


@contextlib.contextmanager
def open_session(
    run: Run, graph: TrainingGraph, execution: Execution, save_at: Callable[[int], bool], summary_writer: Any
) -> Iterator[tuple[Any, CheckpointHook]]:
    """Opens a session on the default graph.

    The variables come from the last checkpoint of the run. Without one they are initialised from the seed, and the
    weights of ``run.init_from``, if given, replace those of the model.

    Args:
        run: Run folder and initial weights.
        graph: From `graph.build`, in the default graph.
        execution: Creates the session.
        save_at: Returns True if a checkpoint is due at a step, whatever the time since the last one.
        summary_writer: ``tf.summary.FileWriter`` for the steps per second.

    Yields:
        The session; and the hook that writes the checkpoints, at the latest when the block ends without an exception.

    Raises:
        GmdVaeError: A checkpoint does not fit the config.
    """
    with execution.devices():
        saver = tf.train.Saver(max_to_keep=KEEP, save_relative_paths=True)  # the folder may be moved
    # the saver deletes the oldest checkpoint; it must count those of earlier starts
    saver.recover_last_checkpoints([tensorflow_path(prefix) for prefix in checkpoints.complete(run.train_folder)])
    wanted = graph_variables()

    def latest() -> Path | None:
        prefix = last_checkpoint(run)
        if prefix:
            check_fits(prefix, wanted)
        return prefix

    saving = CheckpointHook(run.train_folder, saver, graph.step, graph.figures["loss"], save_at)
    counter = tf.train.StepCounterHook(every_n_steps=tensorboard_events.STEPS_BETWEEN, summary_writer=summary_writer)
    with _initial_weights(run, execution) as init_fn:
        scaffold = tf.train.Scaffold(saver=saver, init_fn=init_fn)
        with execution.session(scaffold, [counter, saving], latest, json.dumps(run.identity_for_workers)) as session:
            yield session, saving


@contextlib.contextmanager
def initial_checkpoint(run: Run, init_from: InitFrom) -> Iterator[Path]:
    """Writes the initial weights of a run as its checkpoint of step 0, without the variables of the optimiser.

    Args:
        run: The run. With ``average_decay`` the checkpoint has averages, as every other one: the weights themselves.
        init_from: Its initial weights.

    Yields:
        The prefix of the checkpoint, in a temporary folder.

    Raises:
        GmdVaeError: The weights cannot be read, or do not fit the config.
    """
    with open_weights(init_from.path) as prefix:
        variables = read_model_variables(prefix, variable_shapes(run.config, run.hparams))
    tensors: dict[str, npt.NDArray[Any]] = {**variables, "global_step": np.array(0, np.int64)}
    if run.hparams["average_decay"]:
        tensors |= {f"{name}{SUFFIX}": values for name, values in variables.items()}
    with scratch_folder() as folder:
        write_checkpoint(folder / "model.ckpt-0", tensors)
        yield folder / "model.ckpt-0"


@contextlib.contextmanager
def _initial_weights(run: Run, execution: Execution) -> Iterator[Callable[[Any, Any], None] | None]:
    """Yields the ``init_fn`` that restores ``run.init_from``; ``tf.train.Scaffold`` calls it at step 0 only.

    ``start.check_folder`` has checked that the weights fit the config.
    """
    if not run.init_from:
        yield None
        return
    with open_weights(run.init_from.path) as prefix:
        with execution.devices():
            weights = weights_saver(prefix, without_optimizer(graph_variables()))

        def restore(scaffold: Any, session: Any) -> None:
            weights.restore(session, tensorflow_path(prefix))

        yield restore
