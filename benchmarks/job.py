"""What one measuring process is told to do, and the command line that starts it."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

WARM_UP = 3  # training steps after the first one that are not counted
SAMPLES = 1000  # MIDI files

STOCK = "stock"


@dataclasses.dataclass(frozen=True)
class Contender:
    """Who does the work.

    Attributes:
        name: ``stock`` or ``ours``.
        precision: of the matrix products; Magenta knows ``fp32`` only.
    """

    name: str
    precision: str = "fp32"

    @property
    def label(self) -> str:
        """As tables and charts name it."""
        return "stock Magenta" if self.name == STOCK else f"gmd-vae {self.precision}"


@dataclasses.dataclass(frozen=True)
class Job:
    """One measurement, made by a process of its own.

    Attributes:
        work: ``train``, ``evaluate`` or ``sample``.
        contender: who does it.
        config: the name of a config.
        batch_size: windows per batch; ``None`` where each has its own (``sample``).
        steps: training steps that count.
        notes: folder of NoteSequences, what stock Magenta reads.
        examples: folder of the config's prepared examples, what gmd-vae reads.
        run: a run folder: a new one to train in, or one of ours to evaluate and to sample from.
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
        """All training steps: the first, those to warm up, and those that count."""
        return 1 + WARM_UP + self.steps

    def command(self, started: float) -> list[str]:
        """The process to start.

        Args:
            started: ``time.monotonic()`` now.
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
        """The run's last checkpoint."""
        return self.run / "train" / f"model.ckpt-{self.num_steps}"

    @property
    def samples(self) -> Path:
        """Where the MIDI files go."""
        return self.run / f"samples-{self.contender.name}-{self.contender.precision}"

    def as_json(self) -> dict[str, Any]:
        """For the process, and for the results."""
        fields = dataclasses.asdict(self)
        return {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}


def from_json(text: str) -> tuple[Job, float]:
    """What `Job.command` told the process: the job, and when it was started."""
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
    """Everything that is measured, in order: the contenders take turns.

    The last contender's first run gives the checkpoint that all evaluate and sample from.

    Args:
        configs, batch_sizes, contenders: every combination is measured.
        steps: training steps that count.
        repeats: processes for each figure.
        notes: folder of NoteSequences.
        examples: folder of the configs' folders of examples.
        scratch: an empty folder, for the runs.
    """
    for config in configs:
        trained = scratch / f"{config}-{batch_sizes[0]}-0-{contenders[-1].name}-{contenders[-1].precision}"
        for work, sizes in (("train", batch_sizes), ("evaluate", batch_sizes), ("sample", (None,))):
            for batch_size in sizes:
                for repeat in range(repeats):
                    for contender in contenders:
                        if work != "train" and contender.precision != "fp32":
                            continue  # gmd-vae evaluates and samples in fp32, whatever it was trained in
                        new = f"{config}-{batch_size}-{repeat}-{contender.name}-{contender.precision}"
                        run = scratch / new if work == "train" else trained
                        yield Job(work, contender, config, batch_size, steps, notes, examples / config, run)
