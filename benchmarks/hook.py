"""The hook that measures every training step of both contenders, and records the loss."""

from __future__ import annotations

from typing import Any

from gmd_vae.magenta.api import tf

from benchmarks.clock import Clock


class StepTimer(tf.train.SessionRunHook):  # type: ignore[misc]
    """Measures training steps. It is the last of a session's hooks, so that the work of the others counts.

    Args:
        clock: Receives the stages ``data ready`` and ``first step``, and the steps after it.
        loss: Loss tensor.
        first_batch: Input tensors, where the input is an iterator that must be filled.
    """

    def __init__(self, clock: Clock, loss: Any, first_batch: Any = ()) -> None:
        self._clock, self._loss, self._first_batch = clock, loss, first_batch

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Runs the input once, which ends the stage ``data ready``."""
        self._clock.operations = len(session.graph.get_operations())
        session.run(self._first_batch)
        self._clock.stage("data ready")

    def before_run(self, run_context: Any) -> Any:
        """Adds the loss to the fetched tensors."""
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Ends a step."""
        self._clock.losses.append(float(run_values.results))
        if len(self._clock.losses) == 1:
            self._clock.stage("first step")
        else:
            self._clock.step()
