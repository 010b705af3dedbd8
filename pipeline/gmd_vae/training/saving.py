"""Writes the checkpoints of a run: periodically into ``RUN/train``, the best one into ``RUN/best``."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gmd_vae.common import files
from gmd_vae.common.json_text import json_text
from gmd_vae.common.scratch_folder import scratch_folder
from gmd_vae.common.temporary_files import PARTIAL
from gmd_vae.families.parameters import variable_shapes
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.models.checkpoint_variables import read_model_variables
from gmd_vae.models.checkpoint_writer import write_checkpoint
from gmd_vae.models.model_file import write_model
from gmd_vae.models.tensorflow_paths import tensorflow_path
from gmd_vae.training.history import Validation
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.trained_model import MODEL_NAME, model_of_run

SECONDS_BETWEEN = 120  # training time that a kill -9 can cost; stock Magenta saves every minute


class CheckpointHook(tf.train.SessionRunHook):  # type: ignore[misc]
    """Saves checkpoints between steps and at the end; never a model whose loss is not finite.

    ``tf.train.CheckpointSaverHook`` also saves at step 0, and writes the graph each time: 6 to 12 MB that nothing
    reads, because the graph is rebuilt from ``run.json``.

    Args:
        folder: Folder for the checkpoints, ``RUN/train``.
        saver: ``tf.train.Saver`` of all variables; it deletes the oldest checkpoint.
        step: Number of steps done, int64 scalar tensor.
        loss: Loss of the step, float32 scalar tensor.
        save_at: Returns True if a checkpoint is due at a step, whatever the time since the last one.

    Attributes:
        saved: The last step that was saved; ``None`` before the first.
    """

    def __init__(self, folder: Path, saver: Any, step: Any, loss: Any, save_at: Callable[[int], bool]) -> None:
        self._folder, self._saver, self._save_at = folder, saver, save_at
        self._fetches = [step, loss]
        self._step: int | None = None
        self.saved: int | None = None

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Starts the clock of the periodic checkpoints."""
        self._saved_at = time.monotonic()

    def before_run(self, run_context: Any) -> Any:
        """Fetches step and loss with every run."""
        return tf.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Saves if a checkpoint is due.

        Within ``session.run``, because TensorFlow repeats the step in a new session if saving fails for lack of a
        machine of a cluster.
        """
        step, loss = run_values.results
        self._step = int(step) if math.isfinite(loss) else None
        if self._step and (self._save_at(self._step) or time.monotonic() - self._saved_at >= SECONDS_BETWEEN):
            self._save(run_context.session)

    def end(self, session: Any) -> None:
        """Saves the last step, unless it was saved before."""
        if self._step and self._step != self.saved:
            self._save(session)

    def _save(self, session: Any) -> None:
        with _without_partial_files(self._folder):
            prefix = tensorflow_path(self._folder / "model.ckpt")
            self._saver.save(session, prefix, global_step=self._step, write_meta_graph=False)
        self.saved, self._saved_at = self._step, time.monotonic()


def remove_partial_files(folder: Path) -> None:
    """Removes partial files that a killed run left in a folder."""
    for leftover in (*folder.glob("*.tempstate*"), *folder.glob(f".*{PARTIAL}")):
        leftover.unlink()


def keep_best(run: Run, checkpoint: Path, validation: Validation) -> None:
    """Replaces the checkpoint in ``RUN/best``. After a kill at any moment, the old or the new one is complete.

    Of a run with ``average_decay`` it holds the averages of the weights under Magenta's names, and the global step.
    Beside it are the same model as one file, ``model.safetensors``, and ``validation.json``.

    Args:
        run: The run; its folder ``best`` is created if absent.
        checkpoint: Prefix of the checkpoint in ``RUN/train``. Without averages it is hard-linked, or copied where links
            are not supported.
        validation: Figures of the checkpoint.

    Raises:
        GmdVaeError: The checkpoint was changed since it was written.
        OSError: The files cannot be written, for example because the disk is full.
    """
    folder = run.best_folder
    folder.mkdir(exist_ok=True)
    with _model_checkpoint(run, checkpoint) as model:
        pieces = checkpoints.files_of(model)
        for piece in sorted(
            pieces, key=lambda piece: piece.suffix == ".index"
        ):  # the index last: it makes the checkpoint complete
            with files.whole_file(folder / piece.name) as partial:
                partial.unlink()
                try:
                    os.link(piece, partial)
                except OSError:  # the file system has no hard links
                    shutil.copyfile(piece, partial)
    with files.whole_file(folder / "checkpoint") as partial:  # read by tf.train.latest_checkpoint
        partial.write_text(f'model_checkpoint_path: "{checkpoint.name}"\n', encoding="utf-8")
    with files.whole_file(folder / "validation.json") as partial:
        partial.write_text(json_text(dataclasses.asdict(validation), indent=2) + "\n", encoding="utf-8")
    write_model(folder / MODEL_NAME, model_of_run(run, folder / checkpoint.name, validation))
    for older in folder.glob("model.ckpt-*"):
        if not older.name.startswith(f"{checkpoint.name}."):
            older.unlink()


@contextlib.contextmanager
def _model_checkpoint(run: Run, checkpoint: Path) -> Iterator[Path]:
    """Yields the prefix of a checkpoint of the model: the given one, or one with the averages of its weights."""
    if not run.hparams["average_decay"]:
        yield checkpoint
        return
    variables = read_model_variables(checkpoint, variable_shapes(run.config, run.hparams))
    step = np.array(checkpoints.step_of(checkpoint), np.int64)
    with scratch_folder() as folder:
        write_checkpoint(folder / checkpoint.name, {**variables, "global_step": step})
        yield folder / checkpoint.name


@contextlib.contextmanager
def _without_partial_files(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception:
        remove_partial_files(folder)
        raise
