"""Stock Magenta, measured: its own scripts with their flags, in a process of their own.

``music_vae_train`` and ``music_vae_generate`` are loaded and run as they are. Three things are added,
none of which changes what is computed: our configs stand in its ``CONFIG_MAP``, the hook that takes the
time is put beside its own, and a function is replaced that crashes TensorFlow.
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
    """Does the job that the command line names."""
    job, started = from_json(sys.argv[1])
    clock = Clock(started)
    {"train": _train, "evaluate": _evaluate, "sample": _sample}[job.work](job, clock)


def _train(job: Job, clock: Clock) -> None:
    """``music_vae_train --mode=train``."""
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

    def remembered(*arguments: Any) -> Any:
        found = get_input_tensors(*arguments)
        inputs.update({name: tensor for name, tensor in found.items() if tensor is not None})
        return found

    with (
        mock.patch.object(script.tf_slim.training, "train", timed),
        mock.patch.object(script, "_get_input_tensors", remembered),
    ):
        script.run(configs.CONFIG_MAP)
    clock.report(devices=gpus)


def _evaluate(job: Job, clock: Clock) -> None:
    """``music_vae_train --mode=eval``, which would go on for ever: here it finds two checkpoints, the same twice."""
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
    """``music_vae_generate --mode=sample`` with its defaults."""
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
    """One of Magenta's scripts, with everything that it loads by itself; then our configs, and what it dies of."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # without it Magenta cannot be loaded
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    script = importlib.import_module(f"magenta.models.music_vae.{name}")
    clock.stage("import")
    importlib.import_module("gmd_vae.magenta.api")
    gc.unfreeze()
    clock.skip()
    return script


def _set_flags(script: Any, job: Job, mode: str, split: str) -> None:
    """What ``music_vae_train`` is told on its command line."""
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
    """Makes sure that what is measured as stock holds nothing of ours."""
    for part in (model, model.encoder, model.decoder):
        if not type(part).__module__.startswith("magenta.models.music_vae."):
            raise RuntimeError(f"{type(part).__qualname__} is not of stock Magenta")
    if any(name.startswith("gmd_vae.models.accelerated") for name in sys.modules):
        raise RuntimeError("gmd-vae's own layers have been imported")


if __name__ == "__main__":
    main()
