"""A smoke test of the whole path from examples to weights: one batch, learnt by heart."""

from __future__ import annotations

import dataclasses
import threading

from gmd_vae.magenta.api import tf
from gmd_vae.models.accelerated.select_layers import select_layers
from gmd_vae.models.sessions import session_config
from gmd_vae.training.cluster.replica import Replica
from gmd_vae.training.examples import Split
from gmd_vae.training.graph import build
from gmd_vae.training.progress import note
from gmd_vae.training.run.folder import Run
from gmd_vae.training.stopping import errors_in_words

NUM_STEPS = 3_000
WINDOWS = 8  # few, so that it takes minutes: a step takes less than half the time of one of 64, with less to learn
_LEARNT = 0.1  # of the first loss: no model gets there on a batch without learning what is in it


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of it: the reconstruction loss at the first and last step, in nats per window; of how many windows."""

    first: float
    last: float
    steps: int
    windows: int

    @property
    def learns(self) -> bool:
        """Whether the loss fell by nine tenths."""
        return self.last < _LEARNT * self.first


def overfit(run: Run, split: Split, num_steps: int) -> Result:
    """Trains on a first batch of few windows again and again, until nearly nothing of the loss is left.

    Writes nothing.

    The loss looked at is the reconstruction's: the KL divergence above the free bits is a price that
    stays.

    Args:
        run: its config, hyperparameters and seed; its folder is not touched.
        split: the training examples.
        num_steps: when to give up.
    """
    windows = min(WINDOWS, run.hparams["batch_size"])
    run = dataclasses.replace(run, hparams={**run.hparams, "batch_size": windows})
    with errors_in_words(run), tf.Graph().as_default():
        graph = build(run, split, Replica(None, None, threading.Event(), note), one_batch=True)
        with tf.Session(config=session_config(select_layers(run.config, run.hparams, run.layers))) as session:
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            first = last = float("nan")
            for step in range(1, num_steps + 1):
                _, figures = session.run([graph.step.operation, graph.figures])
                last = float(figures["losses/r_loss"])
                first = last if step == 1 else first
                if step == 1 or step % 50 == 0:
                    note(f"step {step}/{num_steps}  reconstruction {last:.2f} nats  loss {figures['loss']:.2f}")
                if last < _LEARNT**2 * first:
                    break
    return Result(first, last, step, windows)
