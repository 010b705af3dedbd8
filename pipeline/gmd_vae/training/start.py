"""Starts a prepared run: the checks and the lock of its folder, then TensorFlow and the training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from gmd_vae.models.checkpoint_check import last_undamaged
from gmd_vae.training.run.folder_checks import check_new_folder, check_no_links, check_progress
from gmd_vae.training.run.lock import run_lock
from gmd_vae.training.run.prepare import Job

if TYPE_CHECKING:
    from gmd_vae.training.loop import Outcome

Listener: TypeAlias = Callable[[str], None] | None
Train: TypeAlias = "Callable[[Job, Listener], Outcome]"

STARTING = "Starting TensorFlow and building the model: about half a minute ..."


def train_alone(job: Job, listener: Listener) -> Outcome:
    """Runs the training loop in this process."""
    from gmd_vae.training.loop import train

    return train(job.run, job.examples, job.plan, listener)


def start(job: Job, listener: Listener, show: Callable[[str], None], train: Train = train_alone) -> Outcome:
    """Trains a prepared run. Starts TensorFlow.

    Args:
        job: The run, from ``prepare``.
        listener: Receives every line of ``metrics.jsonl``.
        show: Receives lines about the device and the layers.
        train: Runs the training loop.

    Raises:
        GmdVaeError: The folder holds something else, another process trains in it, or training cannot go on.
    """
    check_new_folder(job.run.folder)
    check_no_links(job.run)
    job.run.folder.mkdir(parents=True, exist_ok=True)
    with run_lock(job.run.folder):
        prefix, damaged = last_undamaged(job.run.train_folder)
        if prefix is None:
            check_progress(job.run, damaged)  # before run.json gets the new plan
        job.run.describe(job.plan)
        show(STARTING)
        # TensorFlow takes seconds to import: after all other checks
        from gmd_vae.magenta.api import gpus
        from gmd_vae.models.accelerated.select_layers import select_layers

        device = ", ".join(gpus) or "CPU"
        layers = select_layers(job.run.config, job.run.hparams, job.run.layers).describe()
        show(f"Device: {device}")
        show(f"Layers: encoder {layers['encoder']}; decoder {layers['decoder']}")
        job.run.note_start(device, layers)
        return train(job, listener)
