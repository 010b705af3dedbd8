"""The measured process of gmd-vae: its own training loop or validation."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any
from unittest import mock

from gmd_vae.configuration.hparams import resolve
from gmd_vae.configuration.layers import Layers
from gmd_vae.configuration.registry import get_config
from gmd_vae.training.examples import Examples, Split, open_examples
from gmd_vae.training.run.folder import Run
from gmd_vae.training.run.run_file import Plan
from gmd_vae.training.threads import share_processors

from benchmarks.clock import Clock
from benchmarks.job import Job, from_json


def main() -> None:
    """Runs the job of the command line."""
    job, started = from_json(sys.argv[1])
    clock = Clock(started)
    {"train": _train, "evaluate": _evaluate}[job.work](job, clock)


def _prepared(job: Job) -> tuple[Run, Examples]:
    config = get_config(job.config)
    examples = open_examples(job.examples, config)
    run = Run(
        folder=job.run,
        config=config,
        hparams=resolve(config, f"batch_size={job.batch_size}"),
        seed=0,
        examples=examples.folder,
        examples_digest=examples.digest,
        layers=Layers(accelerated=True, precision=job.contender.precision),
    )
    return run, examples


def _train(job: Job, clock: Clock) -> None:
    """Measures ``gmd-vae train`` without the validation at the end."""
    run, examples = _prepared(job)
    share_processors()
    from gmd_vae.magenta.api import gpus
    from gmd_vae.training import loop
    from gmd_vae.training.execution import SingleProcess
    from gmd_vae.training.graph import TrainingGraph, build

    from benchmarks.hook import StepTimer

    clock.stage("import")
    graphs: list[TrainingGraph] = []

    def timed(*arguments: Any) -> TrainingGraph:
        graphs.append(build(*arguments))
        clock.stage("graph build")
        return graphs[0]

    class TimedProcess(SingleProcess):
        def session(self, scaffold: Any, hooks: Any, latest: Any, description: str) -> Any:
            timer = StepTimer(clock, graphs[0].figures["loss"])
            return super().session(scaffold, [*hooks, timer], latest, description)

    without_validation = dataclasses.replace(examples, validation=Split([], 0, examples.layout))
    with mock.patch.object(loop, "build", timed):
        loop.train(run, without_validation, Plan(job.num_steps), execution=TimedProcess())
    clock.report(devices=gpus)


def _evaluate(job: Job, clock: Clock) -> None:
    """Measures two validations of ``gmd-vae train``; the first one builds the graph."""
    run, examples = _prepared(job)
    from gmd_vae.magenta.api import gpus
    from gmd_vae.training.validation import Validator

    clock.stage("import")
    with Validator(run, examples.validation) as validator:
        for name in ("first evaluation", "next evaluation"):
            validator.validate(job.checkpoint, job.num_steps)
            clock.stage(name)
    clock.report(devices=gpus)


if __name__ == "__main__":
    main()
