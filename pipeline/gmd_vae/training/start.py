"""Starts a prepared run: the checks and the lock of its folder, then TensorFlow and the training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from gmd_vae.families.parameters import variable_shapes
from gmd_vae.models.checkpoint_check import check_fits, check_undamaged, last_undamaged
from gmd_vae.models.model_checkpoint import open_weights
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.folder_checks import check_new_folder, check_places, check_progress
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


def check_folder(run: Run) -> None:
    """Checks that a prepared run can begin or go on in its folder. Writes nothing and does not start TensorFlow.

    Raises:
        GmdVaeError: The folder holds something else, another run, or a run that was trained and has no readable
            checkpoint; or the initial weights are damaged or do not fit the config.
    """
    check_new_folder(run.folder)
    check_places(run)
    run.check_described()
    prefix, damaged = last_undamaged(run.train_folder)
    if prefix is None:
        check_progress(run, damaged)
    if run.init_from and prefix is None:
        with open_weights(run.init_from.path) as weights:
            check_undamaged(weights)
            check_fits(weights, variable_shapes(run.config, run.hparams))


def start(
    job: Job,
    listener: Listener,
    show: Callable[[str], None],
    train: Train = train_alone,
    introduction: Sequence[str] = (),
) -> Outcome:
    """Trains a prepared run. Starts TensorFlow.

    Args:
        job: The run, from ``prepare``.
        listener: Receives every line of ``metrics.jsonl``.
        show: Receives the introduction, and lines about the device and the layers.
        train: Runs the training loop.
        introduction: Lines to show before TensorFlow starts, once nothing is left to refuse.

    Raises:
        GmdVaeError: The folder holds something else, another process trains in it, or training cannot go on.
    """
    check_folder(job.run)  # before the lock makes the folder
    job.run.folder.mkdir(parents=True, exist_ok=True)
    with run_lock(job.run.folder):
        job.run.describe(job.plan)
        for line in (*introduction, STARTING):
            show(line)
        # TensorFlow takes seconds to import: after all other checks
        from gmd_vae.magenta.api import gpus
        from gmd_vae.models.accelerated.select_layers import select_layers

        device = ", ".join(gpus) or "CPU"
        selected = select_layers(job.run.config, job.run.hparams, job.run.layers)
        layers = selected.describe()
        show(f"Device: {device}")
        show(f"Layers: encoder {layers['encoder']}; decoder {layers['decoder']}")
        if selected.precision == "bf16" and selected.encoder_fallback and selected.decoder_fallback:
            show("Note: --precision bf16 changes nothing here. Magenta's layers compute in fp32.")
        job.run.note_start(device, layers)
        return train(job, listener)
