"""The measured process of stock Magenta: its own scripts with their flags.

``music_vae_train`` and ``music_vae_generate`` run unchanged. Three additions do not change the results: our configs in
its ``CONFIG_MAP``, the hook that measures steps beside its own hooks, and a replacement for a function that crashes
TensorFlow.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any
from unittest import mock

from benchmarks.clock import Clock
from benchmarks.job import SAMPLES, Job, from_json


def main() -> None:
    """Runs the job of the command line."""
    job, started = from_json(sys.argv[1])
    clock = Clock(started)
    {"train": _train, "evaluate": _evaluate, "sample": _sample}[job.work](job, clock)


def _train(job: Job, clock: Clock) -> None:
    """Measures ``music_vae_train --mode=train``."""
    script = _script("music_vae_train", clock)
    from gmd_vae.magenta.api import configs, gpus

    _set_flags(script, job, "train", "train")
    train, get_input_tensors = script.tf_slim.training.train, script._get_input_tensors
    inputs: dict[str, Any] = {}

    def timed(*, hooks: list[Any], **arguments: Any) -> Any:
        from benchmarks.hook import StepTimer

        clock.stage("graph build")
        model = configs.CONFIG_MAP[job.config].model
        _check_pure(model)
        return train(hooks=[*hooks, StepTimer(clock, model.loss, inputs)], **arguments)

    def recorded(*arguments: Any) -> Any:
        tensors = get_input_tensors(*arguments)
        inputs.update({name: tensor for name, tensor in tensors.items() if tensor is not None})
        return tensors

    with (
        mock.patch.object(script.tf_slim.training, "train", timed),
        mock.patch.object(script, "_get_input_tensors", recorded),
    ):
        script.run(configs.CONFIG_MAP)
    clock.report(devices=gpus)


def _evaluate(job: Job, clock: Clock) -> None:
    """Measures ``music_vae_train --mode=eval``, which has no end: here it evaluates the same checkpoint twice."""
    script = _script("music_vae_train", clock)
    from gmd_vae.magenta.api import configs, gpus
    from tf_slim.training import evaluation

    _set_flags(script, job, "eval", "validation")

    def two_checkpoints(*_: Any, **__: Any) -> Iterator[str]:
        for name in ("first evaluation", "next evaluation"):
            yield str(job.checkpoint)
            clock.stage(name)

    with mock.patch.object(evaluation, "checkpoints_iterator", two_checkpoints):
        script.run(configs.CONFIG_MAP)
    _check_pure(configs.CONFIG_MAP[job.config].model)
    clock.report(devices=gpus)


def _sample(job: Job, clock: Clock) -> None:
    """Measures ``music_vae_generate --mode=sample`` at its defaults."""
    script = _script("music_vae_generate", clock)
    from gmd_vae.magenta.api import configs, gpus

    script.FLAGS(
        [
            "music_vae_generate",
            f"--config={job.config}",
            f"--checkpoint_file={job.checkpoint}",
            "--mode=sample",
            f"--num_outputs={SAMPLES}",
            f"--output_dir={job.samples}",
        ]
    )
    script.run(configs.CONFIG_MAP)
    _check_pure(configs.CONFIG_MAP[job.config].model)
    clock.report(devices=gpus)


def _script(name: str, clock: Clock) -> Any:
    """Imports one of Magenta's scripts, measures that, and then adds our configs and patches."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # Magenta cannot be imported without it
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    script = importlib.import_module(f"magenta.models.music_vae.{name}")
    clock.stage("import")
    importlib.import_module("gmd_vae.magenta.api")
    gc.unfreeze()
    clock.skip()
    return script


def _set_flags(script: Any, job: Job, mode: str, split: str) -> None:
    """Sets the flags of ``music_vae_train``."""
    script.FLAGS(
        [
            "music_vae_train",
            f"--config={job.config}",
            f"--hparams=batch_size={job.batch_size}",
            f"--run_dir={job.run}",
            f"--mode={mode}",
            f"--examples_path={job.notes / f'{split}.tfrecord'}",
            f"--num_steps={job.num_steps}",
        ]
    )


def _check_pure(model: Any) -> None:
    """Checks that the measured model contains no code of gmd-vae.

    Raises:
        RuntimeError: It does.
    """
    for part in (model, model.encoder, model.decoder):
        if not type(part).__module__.startswith("magenta.models.music_vae."):
            raise RuntimeError(f"{type(part).__qualname__} is not of stock Magenta")
    if any(name.startswith("gmd_vae.models.accelerated") for name in sys.modules):
        raise RuntimeError("gmd-vae's own layers have been imported")


if __name__ == "__main__":
    main()
