"""Checkpoints of a run: when they are written, how many stay, which is the best."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.models import checkpoints
from pipeline.models.magenta import tf
from pipeline.training.history import Validation

SECONDS_BETWEEN = 120  # what a kill -9 can cost; stock Magenta writes every minute


class CheckpointHook(tf.train.SessionRunHook):  # type: ignore[misc]
    """Writes checkpoints when the training loop says so.

    TensorFlow's own hook also saves at step 0, and writes the graph to disk again and again: 6 to
    12 MB that nothing reads, as the graph is rebuilt from ``run.json``.

    Args:
        folder: where; ``RUN/train``.
        saver: of every variable. It removes the oldest itself.
        save_every: steps between two checkpoints, beside the one every two minutes.
    """

    def __init__(self, folder: Path, saver: Any, save_every: int | None) -> None:
        self._folder, self._saver, self._save_every = folder, saver, save_every
        self._saved_step = -1
        self._session: Any = None

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Remembers the session behind the monitored one, which alone can save."""
        self._session, self._saved_at = session, time.monotonic()

    def due(self, step: int) -> bool:
        """Whether it is time to save."""
        by_step = self._save_every is not None and step % self._save_every == 0
        return by_step or time.monotonic() - self._saved_at >= SECONDS_BETWEEN

    def save(self, step: int) -> Path:
        """Saves the model as it is at a step; once, however often it is asked."""
        prefix = self._folder / "model.ckpt"
        if step != self._saved_step:
            with _without_half_written(self._folder):
                self._saver.save(self._session, str(prefix), global_step=step, write_meta_graph=False)
            self._saved_step, self._saved_at = step, time.monotonic()
        return prefix.with_name(f"model.ckpt-{step}")


def remove_half_written(folder: Path) -> None:
    """Removes what a killed run left of the files it was writing into a folder."""
    for leftover in (*folder.glob("*.tempstate*"), *folder.glob(f".*{files.PARTIAL}")):
        leftover.unlink()


def keep_best(folder: Path, checkpoint: Path, validation: Validation) -> None:
    """Makes a checkpoint the one in ``RUN/best``; killed at any moment, the old or the new one is whole.

    Args:
        folder: ``RUN/best``.
        checkpoint: prefix of the checkpoint in ``RUN/train``.
        validation: its figures; they stand beside it in ``validation.json``.
    """
    folder.mkdir(exist_ok=True)
    pieces = checkpoints.files_of(checkpoint)
    for piece in sorted(pieces, key=lambda piece: piece.suffix == ".index"):  # the index makes it whole
        with files.whole_file(folder / piece.name) as partial:
            partial.unlink()
            try:
                os.link(piece, partial)
            except OSError:  # a file system without links
                shutil.copyfile(piece, partial)
    with files.whole_file(folder / "checkpoint") as partial:  # TensorFlow's tf.train.latest_checkpoint reads it
        partial.write_text(f'model_checkpoint_path: "{checkpoint.name}"\n', encoding="utf-8")
    with files.whole_file(folder / "validation.json") as partial:
        partial.write_text(json.dumps(dataclasses.asdict(validation), indent=2) + "\n", encoding="utf-8")
    for older in folder.glob("model.ckpt-*"):
        if not older.name.startswith(f"{checkpoint.name}."):
            older.unlink()


@contextlib.contextmanager
def _without_half_written(folder: Path) -> Iterator[None]:
    try:
        yield
    except Exception:
        remove_half_written(folder)
        raise
