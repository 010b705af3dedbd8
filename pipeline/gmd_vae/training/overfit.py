"""Smoke test of the path from examples to weights: overfits one batch."""

from __future__ import annotations

import dataclasses

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.sessions import session_config
from gmd_vae.training.examples import Split
from gmd_vae.training.execution import SingleProcess
from gmd_vae.training.graph import build
from gmd_vae.training.progress import note
from gmd_vae.training.run.folder import Run
from gmd_vae.training.stopping import one_line_errors

NUM_STEPS = 3_000
WINDOWS = 8  # a small batch: memorised in minutes
_MEMORISED = 0.1  # fraction of the first loss below which the batch counts as memorised


@dataclasses.dataclass(frozen=True)
class Result:
    """Outcome of the smoke test.

    Attributes:
        first: Reconstruction loss at the first step, nats per window.
        last: Reconstruction loss at the last step, nats per window.
        steps: Number of steps done.
        windows: Number of windows in the batch.
    """

    first: float
    last: float
    steps: int
    windows: int

    @property
    def learns(self) -> bool:
        """True if the reconstruction loss fell by nine tenths."""
        return self.last < _MEMORISED * self.first


def overfit(run: Run, split: Split, num_steps: int) -> Result:
    """Trains on the first batch until 1% of the reconstruction loss is left. Writes nothing.

    The test passes at 10% already (`Result.learns`). The KL divergence above the free bits does not vanish on a
    memorised batch, so the criterion is the reconstruction loss alone.

    Args:
        run: Config, hyperparameters and seed; the folder is not used.
        split: Training examples.
        num_steps: Maximum number of steps, at least 1.

    Returns:
        Reconstruction losses of the first and the last step.

    Raises:
        GmdVaeError: Memory ran out, or a file of examples is damaged.
    """
    windows = min(WINDOWS, run.hparams["batch_size"])
    run = dataclasses.replace(run, hparams={**run.hparams, "batch_size": windows})
    with one_line_errors(run), tf.Graph().as_default():
        graph = build(run, split, SingleProcess(), one_batch=True)
        with tf.Session(config=session_config(select_layers(run.config, run.hparams, run.layers))) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            first = last = float("nan")
            for step in range(1, num_steps + 1):
                _, figures = session.run([graph.train_op, graph.figures])
                last = float(figures["losses/r_loss"])
                first = last if step == 1 else first
                if step == 1 or step % 50 == 0:
                    note(f"step {step}/{num_steps}  reconstruction {last:.2f} nats  loss {figures['loss']:.2f}")
                if last < _MEMORISED**2 * first:
                    break
    return Result(first, last, step, windows)
