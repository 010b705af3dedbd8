"""The hook that both sides train with: it takes the time of every step, and sees the loss."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf

from benchmarks.clock import Clock


class StepTimer(tf.train.SessionRunHook):  # type: ignore[misc]
    """Comes last among a session's hooks, so that what the others do counts too: saving, summaries.

    Args:
        clock: gets the stages ``data ready`` and ``first step``, and the steps after it.
        loss: tensor.
        first_batch: tensors of the input, where it is an iterator that has to be filled.
    """

    def __init__(self, clock: Clock, loss: Any, first_batch: Any = ()) -> None:
        self._clock, self._loss, self._first_batch = clock, loss, first_batch

    def after_create_session(self, session: Any, coord: Any) -> None:
        """The variables are there; now the data."""
        self._clock.operations = len(session.graph.get_operations())
        session.run(self._first_batch)
        self._clock.stage("data ready")

    def before_run(self, run_context: Any) -> Any:
        """Asks for the loss."""
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """A step has ended."""
        self._clock.losses.append(float(run_values.results))
        if len(self._clock.losses) == 1:
            self._clock.stage("first step")
        else:
            self._clock.step()
