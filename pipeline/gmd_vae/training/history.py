"""What a run has measured so far: ``metrics.jsonl``, one line per log step. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gmd_vae.common import files

NAME = "metrics.jsonl"
LOG_EVERY = 20  # steps between two lines of the training split


@dataclasses.dataclass(frozen=True)
class Measurements:
    """The figures of one training step, in Magenta's terms; means over its batch.

    Attributes:
        step: steps done since the run began.
        loss: what is minimised: reconstruction plus β times the KL divergence above the free bits.
        reconstruction: nats per window.
        kl_bits: the whole KL divergence from posterior to prior, in bits per window.
        elbo: minus reconstruction, minus the whole KL divergence; nats per window.
        learning_rate: Adam's.
        kl_beta: β, the weight of the KL divergence.
        sampling_probability: share of the decoder's inputs that it drew itself (scheduled sampling).
        gradient_norm: global norm before clipping.
    """

    step: int
    loss: float
    reconstruction: float
    kl_bits: float
    elbo: float
    learning_rate: float
    kl_beta: float
    sampling_probability: float
    gradient_norm: float


@dataclasses.dataclass(frozen=True)
class Validation:
    """The figures of the validation split at one step; means over its windows.

    Attributes:
        step: of the checkpoint that was validated.
        windows: how many there are; all of them count.
        elbo: minus reconstruction, minus the whole KL divergence; nats per window. One latent sample
            a window, the same noise every time.
        reconstruction: nats per window, teacher-forced.
        kl_bits: the whole KL divergence, bits per window.
        kl_bits_above_free: what is left of it above the free bits.
        accuracy: share of steps whose likeliest class is right, teacher-forced; ``None`` for decoders
            that have no such figure.
    """

    step: int
    windows: int
    elbo: float
    reconstruction: float
    kl_bits: float
    kl_bits_above_free: float
    accuracy: float | None


class History:
    """Reads and writes ``metrics.jsonl``. Use as a context manager around the run.

    Args:
        path: the file.
        step: the step the run starts at. Lines of later steps are dropped: a killed run wrote them
            after its last checkpoint, and the steps will be done again.
        listener: is given every new line as well.
    """

    def __init__(self, path: Path, step: int, listener: Callable[[str], None] | None = None) -> None:
        self._path, self._listener = path, listener
        self._keep_until(step)

    def __enter__(self) -> History:
        self._rewrite()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rewind(self, step: int) -> None:
        """Drops what was measured after a step: a ps lost its variables, and the steps are done again."""
        self._file.close()
        self._keep_until(step)
        self._rewrite()

    def train(self, now: Measurements, steps_per_second: float) -> None:
        """Adds a line of the training split."""
        self._write({"split": "train", **dataclasses.asdict(now), "steps_per_second": round(steps_per_second, 3)})

    def validation(self, now: Validation) -> None:
        """Adds a line of the validation split."""
        self.validations.append(now)
        self._write({"split": "validation", **dataclasses.asdict(now)})

    @property
    def best(self) -> Validation | None:
        """The validation with the highest ELBO; the earliest, if several have it."""
        return max(self.validations, key=lambda one: one.elbo, default=None)

    @property
    def without_improvement(self) -> int:
        """How many validations there have been since the best."""
        best = self.best
        return len(self.validations) - 1 - self.validations.index(best) if best else 0

    def _keep_until(self, step: int) -> None:
        self._kept = [line for line in read_lines(self._path) if line["step"] <= step] if self._path.exists() else []
        self.validations = [_validation(line) for line in self._kept if line["split"] == "validation"]

    def _rewrite(self) -> None:
        with files.whole_file(self._path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in self._kept), encoding="utf-8")
        self._file = self._path.open("a", encoding="utf-8")

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps(line) + "\n"
        self._file.write(text)
        self._file.flush()
        if self._listener:
            self._listener(text)


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a ``metrics.jsonl``; half a line, left by a run that was killed, is passed over."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            try:
                line = json.loads(text)
                if isinstance(line["step"], int) and line["split"] in ("train", "validation"):
                    yield line
            except (ValueError, KeyError, TypeError):
                continue


def elbo(reconstruction: float, kl_bits: float) -> float:
    """The evidence lower bound in nats, from reconstruction in nats and the KL divergence in bits."""
    return -(reconstruction + kl_bits * math.log(2))


def _validation(line: dict[str, Any]) -> Validation:
    return Validation(**{field.name: line[field.name] for field in dataclasses.fields(Validation)})
