"""Decisions that depend on the step: when to log, save, validate and stop. No TensorFlow here."""

from __future__ import annotations

from gmd_vae.training.history import LOG_EVERY, History
from gmd_vae.training.run.run_file import Plan


class Milestones:
    """Answers, for each step, which of the loop's periodic actions are due.

    Args:
        plan: Number of steps, validation and checkpoint intervals, patience.
        history: Validations so far.
        validates: True if there are validation examples.
        first_step: Step at which the loop starts.
    """

    def __init__(self, plan: Plan, history: History, *, validates: bool, first_step: int) -> None:
        self._plan, self._history, self._validates = plan, history, validates
        self._previous = first_step

    def advance(self, step: int) -> None:
        """Marks a step as handled: intervals count from there."""
        self._previous = step

    def is_over(self, step: int) -> bool:
        """Returns True if no step is left to do after this one."""
        return step >= self._plan.num_steps or self.patience_is_exhausted

    @property
    def patience_is_exhausted(self) -> bool:
        """True after ``Plan.patience`` validations in a row without a new best."""
        return self._plan.patience is not None and self._history.without_improvement >= self._plan.patience

    def log_at(self, step: int) -> bool:
        """Returns True if a line of the training split is due in ``metrics.jsonl``."""
        return step == 1 or self.reaches_multiple(LOG_EVERY, step) or step >= self._plan.num_steps

    def validate_at(self, step: int) -> bool:
        """Returns True if a validation is due, as at step 0; False if this step was validated before."""
        if not self._validates or step in (one.step for one in self._history.validations):
            return False
        return self.reaches_multiple(self._plan.validate_every, step) or step >= self._plan.num_steps

    def save_at(self, step: int) -> bool:
        """Returns True if a checkpoint is due at this step, whatever the time since the last one."""
        every = self._plan.save_every
        return self.validate_at(step) or (every is not None and self.reaches_multiple(every, step))

    def reaches_multiple(self, every: int, step: int) -> bool:
        """Returns True if a multiple of ``every`` lies after the previous step and not after this one.

        Steps need not follow one another: with asynchronous updates (docs/cluster.md) some are done elsewhere, and a
        session that was recreated starts from an earlier step.
        """
        return step // every > min(self._previous, step - 1) // every
