"""Jobs of measured processes, and their command lines."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

WARM_UP = 3  # training steps after the first one that are not measured
SAMPLES = 1000  # MIDI files

STOCK = "stock"


@dataclasses.dataclass(frozen=True)
class Contender:
    """A measured implementation.

    Attributes:
        name: ``stock`` or ``ours``.
        precision: Precision of the matrix products; Magenta has only ``fp32``.
    """

    name: str
    precision: str = "fp32"

    @property
    def label(self) -> str:
        """Name in tables and charts."""
        return "stock Magenta" if self.name == STOCK else f"gmd-vae {self.precision}"


@dataclasses.dataclass(frozen=True)
class Job:
    """One measurement in a process of its own.

    Attributes:
        work: ``train``, ``evaluate`` or ``sample``.
        contender: Measured implementation.
        config: Name of the config.
        batch_size: Windows in a batch; ``None`` for ``sample``, where each contender has its own.
        steps: Measured training steps.
        notes: Folder of NoteSequences, the input of stock Magenta.
        examples: Examples folder of the config, the input of gmd-vae.
        run: Run folder: a new one for ``train``, a trained one of gmd-vae for the others.
    """

    work: str
    contender: Contender
    config: str
    batch_size: int | None
    steps: int
    notes: Path
    examples: Path
    run: Path

    @property
    def num_steps(self) -> int:
        """Number of training steps: the first one, the warm-up, and the measured ones."""
        return 1 + WARM_UP + self.steps

    def command(self, started: float) -> list[str]:
        """Returns the command line.

        Args:
            started: ``time.monotonic()`` at the start of the process.
        """
        if self.work == "sample" and self.contender.name != STOCK:
            options = ["--checkpoint-file", str(self.checkpoint), "--config", self.config]
            options += ["--output-dir", str(self.samples)]
            options += ["--num-outputs", str(SAMPLES)]
            return [sys.executable, "-m", "gmd_vae", "generate", *options]
        module = f"benchmarks.{self.contender.name}"
        return [sys.executable, "-m", module, json.dumps({**self.as_json(), "started": started})]

    @property
    def checkpoint(self) -> Path:
        """Prefix of the last checkpoint of the run."""
        return self.run / "train" / f"model.ckpt-{self.num_steps}"

    @property
    def samples(self) -> Path:
        """Folder for the MIDI files."""
        return self.run / f"samples-{self.contender.name}-{self.contender.precision}"

    def as_json(self) -> dict[str, Any]:
        """Returns the job as JSON values, for the process and for the results file."""
        fields = dataclasses.asdict(self)
        return {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}


def from_json(text: str) -> tuple[Job, float]:
    """Returns the job and the start time from the command line of ``Job.command``."""
    fields = json.loads(text)
    started = float(fields.pop("started"))
    contender = Contender(**fields.pop("contender"))
    notes, examples, run = (Path(fields.pop(name)) for name in ("notes", "examples", "run"))
    return Job(**fields, contender=contender, notes=notes, examples=examples, run=run), started


def jobs(
    configs: Sequence[str],
    batch_sizes: Sequence[int],
    contenders: Sequence[Contender],
    steps: int,
    repeats: int,
    notes: Path,
    examples: Path,
    scratch: Path,
) -> Iterator[Job]:
    """Yields all measurements in order; the contenders take turns.

    All contenders evaluate and sample from the checkpoint of the last contender's first run.

    Args:
        configs: Names of configs.
        batch_sizes: Batch sizes.
        contenders: Contenders; every combination of these three is measured.
        steps: Measured training steps.
        repeats: Number of processes for each figure.
        notes: Folder of NoteSequences.
        examples: Folder with an examples folder for each config.
        scratch: Empty folder for the runs.
    """
    for config in configs:
        trained = scratch / f"{config}-{batch_sizes[0]}-0-{contenders[-1].name}-{contenders[-1].precision}"
        for work, sizes in (("train", batch_sizes), ("evaluate", batch_sizes), ("sample", (None,))):
            for batch_size in sizes:
                for repeat in range(repeats):
                    for contender in contenders:
                        if work != "train" and contender.precision != "fp32":
                            continue  # gmd-vae always evaluates and samples in fp32
                        new = f"{config}-{batch_size}-{repeat}-{contender.name}-{contender.precision}"
                        run = scratch / new if work == "train" else trained
                        yield Job(work, contender, config, batch_size, steps, notes, examples / config, run)
