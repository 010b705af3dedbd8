"""The last lines of ``gmd-vae train``: the step that a run has reached, why it ended there, and its best checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from gmd_vae.common.printable import as_command, counted

if TYPE_CHECKING:
    from gmd_vae.training.loop import Outcome
    from gmd_vae.training.run.folder import Run
    from gmd_vae.training.run.prepare import Job


def report(job: Job, outcome: Outcome, print_line: Callable[[str], None] | None) -> None:
    """Prints the outcome of a run.

    Args:
        job: The run.
        outcome: Its outcome.
        print_line: Prints a line of JSON in the place of the lines for people; ``None``: prints those.

    Raises:
        Interrupted: The run was interrupted.
    """
    from gmd_vae.common import console
    from gmd_vae.common.errors import Interrupted
    from gmd_vae.common.json_text import json_text

    run, best = job.run, outcome.best
    if print_line:
        print_line(json_text({"outcome": _facts(outcome)}) + "\n")
    if outcome.stopped == "interrupted":
        raise Interrupted(
            f"Interrupted at step {outcome.last_step} of {job.plan.num_steps}; saved as '{outcome.checkpoint}'",
            "The same command resumes from there.",
        )
    if outcome.skipped_updates:
        console.stderr().print(
            f"Note: {counted(outcome.skipped_updates, 'update')} skipped: the gradient norm was larger than "
            f"grad_norm_clip_to_zero={run.hparams['grad_norm_clip_to_zero']}. A smaller learning_rate helps.",
        )
    if print_line:
        return
    out = console.stdout()
    why = f": {_patience(job, outcome)}" if outcome.stopped else ""
    if outcome.loss is None:
        action = "--patience (0: never stop)" if outcome.stopped else "--num-steps"
        out.print(
            f"Nothing to do: '{run.folder}' is at step {outcome.last_step:,}{why}. Resume with a larger {action}.",
        )
    else:
        early = f" of {job.plan.num_steps:,}, stopped early{why}" if outcome.stopped else ""
        out.print(
            f"Trained {run.config.name} to step {outcome.last_step:,}{early}. Loss {outcome.first_loss:.1f} → "
            f"{outcome.loss:.1f} (mean of the last steps, nats per window)",
        )
        out.print(f"Checkpoint: {outcome.checkpoint}")
    if best and not best.step:
        out.print(
            f"Best: no step was better than the weights it began with (validation {best.score_in_words} per window), "
            f"so {run.best_folder} holds these. 'gmd-vae generate' takes the last step with --checkpoint-file latest.",
        )
    elif best:
        before = f" ({outcome.before.score_in_words} before training)" if outcome.before else ""
        out.print(
            f"Best: step {best.step:,}, validation {best.score_in_words} per window{before}, "
            f"in {run.best_folder / f'model.ckpt-{best.step}'}",
        )


def next_command(run: Run) -> str:
    """Returns the user's next command after training."""
    from gmd_vae.commands.next_steps import generate_words

    return as_command(*generate_words(run.config, "--run-dir", run.folder))


def _patience(job: Job, outcome: Outcome) -> str:
    """Returns why patience stopped a run, a clause."""
    best, patience = outcome.best, job.plan.patience
    assert best is not None
    figure = "objective" if best.best_by == "objective" else "ELBO"
    return f"no better {figure} in {patience} validations since step {best.step:,}"


def _facts(outcome: Outcome) -> dict[str, object]:
    """Returns the outcome as JSON values. A validation has the keys of its line in ``metrics.jsonl``."""
    best, before = (one and dataclasses.asdict(one) for one in (outcome.best, outcome.before))
    return {
        "first_step": outcome.first_step,
        "last_step": outcome.last_step,
        "first_loss": outcome.first_loss,
        "loss": outcome.loss,
        "stopped": outcome.stopped,
        "skipped_updates": outcome.skipped_updates,
        "checkpoint": str(outcome.checkpoint),
        "best": best,
        "before": before,
    }
