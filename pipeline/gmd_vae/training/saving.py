"""Checkpoints of a run: when they are written, how many stay, which is the best."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common import files
from gmd_vae.magenta.api import tf
from gmd_vae.models import checkpoints
from gmd_vae.training.history import Validation

SECONDS_BETWEEN = 120  # what a kill -9 can cost; stock Magenta writes every minute


class CheckpointHook(tf.train.SessionRunHook):  # type: ignore[misc]
    """Writes checkpoints between the steps, and at the end; never of a model whose loss is no number.

    TensorFlow's own hook also saves at step 0, and writes the graph to disk again and again: 6 to
    12 MB that nothing reads, as the graph is rebuilt from ``run.json``.

    Args:
        folder: where; ``RUN/train``.
        saver: of every variable. It removes the oldest itself.
        step: tensor, the number of the step that is done.
        loss: tensor.
        wanted: whether a step is to be saved whatever the time.
    """

    def __init__(self, folder: Path, saver: Any, step: Any, loss: Any, wanted: Callable[[int], bool]) -> None:
        self._folder, self._saver, self._wanted = folder, saver, wanted
        self._fetches = [step, loss]
        self._now: int | None = None
        self.saved: int | None = None  # the last step that was

    def after_create_session(self, session: Any, coord: Any) -> None:
        """The clock starts."""
        self._saved_at = time.monotonic()

    def before_run(self, run_context: Any) -> Any:
        """Asks for the step and the loss."""
        return tf.train.SessionRunArgs(self._fetches)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Saves if it is time to; here, as what a ps that went away spoils is done again."""
        step, loss = run_values.results
        self._now = int(step) if math.isfinite(loss) else None
        if self._now and (self._wanted(self._now) or time.monotonic() - self._saved_at >= SECONDS_BETWEEN):
            self._save(run_context.session)

    def end(self, session: Any) -> None:
        """Saves the last step, unless it is."""
        if self._now and self._now != self.saved:
            self._save(session)

    def _save(self, session: Any) -> None:
        with _without_half_written(self._folder):
            self._saver.save(session, str(self._folder / "model.ckpt"), global_step=self._now, write_meta_graph=False)
        self.saved, self._saved_at = self._now, time.monotonic()


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
