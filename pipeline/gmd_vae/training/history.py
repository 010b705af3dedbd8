"""Measurements of a run: ``metrics.jsonl``, one JSON object per line. No TensorFlow here."""

from __future__ import annotations

import dataclasses
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gmd_vae.common import files
from gmd_vae.common.json_formats import Count, parse_json
from gmd_vae.common.json_text import json_text
from gmd_vae.common.regular_files import open_regular

NAME = "metrics.jsonl"
LOG_EVERY = 20  # steps between two lines of the training split
LONGEST_LINE = 1 << 16  # bytes; a line has about 400
_NUMBERS = ("elbo", "reconstruction", "kl_bits", "kl_bits_above_free")  # of a validation; NaN where a line has none
_cpu_before_this_run = 0.0  # CPU seconds of this process for earlier runs
_NOT_FINITE = re.compile(rb":\s*(NaN|-?Infinity)\b")


@dataclasses.dataclass(frozen=True)
class Measurements:
    """Figures of one training step, means over its batch.

    Attributes:
        step: Number of steps done since the run began, this one included.
        loss: Minimised loss: reconstruction plus β times the KL divergence above the free bits, nats per window.
        reconstruction: Reconstruction loss, nats per window.
        kl_bits: Whole KL divergence from posterior to prior, bits per window.
        elbo: Evidence lower bound: minus reconstruction, minus the whole KL divergence, nats per window.
        learning_rate: Learning rate of Adam.
        kl_beta: β, the weight of the KL divergence.
        sampling_probability: Probability that scheduled sampling feeds the decoder its own sample.
        gradient_norm: Global norm of the gradients before clipping.
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
    """Figures of the validation split at one checkpoint, means over its windows.

    Attributes:
        step: Step of the checkpoint; 0: the initial weights of a fine-tuning.
        windows: Number of windows in the split; each counts once.
        elbo: Evidence lower bound: minus reconstruction, minus the whole KL divergence, nats per window. One latent
            sample per window, with the same noise in every validation.
        reconstruction: Reconstruction loss, teacher-forced, nats per window.
        kl_bits: Whole KL divergence, bits per window.
        kl_bits_above_free: KL divergence above the free bits, bits per window.
        accuracy: Step accuracy, teacher-forced, from 0 to 1; ``None`` for decoders without this metric.
        objective: Loss at the end of the schedules of β and free bits (`objective`), nats per window; ``None`` in
            results of version 0.11.0 and older.
        best_by: Figure that chooses the best validation, the run's hyperparameter: ``elbo`` or ``objective``.
    """

    step: int
    windows: int
    elbo: float
    reconstruction: float
    kl_bits: float
    kl_bits_above_free: float
    accuracy: float | None
    objective: float | None = None
    best_by: str = "elbo"

    @property
    def score(self) -> float:
        """The figure ``best_by``, with the sign with which higher is better."""
        return self.elbo if self.objective is None or self.best_by == "elbo" else -self.objective

    @property
    def score_in_words(self) -> str:
        """The figure ``best_by`` with its name, for people."""
        if self.objective is None or self.best_by == "elbo":
            return f"ELBO {self.elbo:.1f} nats"
        return f"objective {self.objective:.1f} nats"


def improves(validation: Validation, best: Validation | None) -> bool:
    """Returns True if a validation is better than the best before it: a higher ELBO, or a lower objective.

    This rule chooses the checkpoint in ``best/`` and resets patience. ``best_by`` names the figure.
    """
    return best is None or validation.score > best.score


class History:
    """Reads and writes ``metrics.jsonl``. Use as a context manager around the run.

    Args:
        path: ``RUN/metrics.jsonl``.
        step: Step at which the run starts. Lines of later steps are dropped: a killed run wrote them after its last
            checkpoint, and the steps are done again.
        listener: Receives every new line.
    """

    def __init__(self, path: Path, step: int, listener: Callable[[str], None] | None = None) -> None:
        self._path, self._listener = path, listener
        self._keep_until(step)
        self._cpu_before = _cpu_seconds(self._kept)  # of the starts before this one, by the steps that are kept

    def __enter__(self) -> History:
        self._rewrite()
        return self

    def __exit__(self, *_: object) -> None:
        global _cpu_before_this_run
        _cpu_before_this_run = time.process_time()
        self._file.close()

    def rewind(self, step: int) -> None:
        """Drops the lines after a step: the session was recreated, and the steps are done again."""
        self._file.close()
        self._keep_until(step)
        self._rewrite()

    def train(self, measured: Measurements, steps_per_second: float) -> None:
        """Adds a line of the training split, with the CPU time of the run so far.

        Args:
            measured: Figures of the step.
            steps_per_second: Training steps per second since this start of the run.
        """
        cpu_seconds = self._cpu_before + time.process_time() - _cpu_before_this_run
        machine = {"steps_per_second": round(steps_per_second, 3), "cpu_seconds": round(cpu_seconds, 1)}
        self._write({"split": "train", **dataclasses.asdict(measured), **machine})

    def validation(self, measured: Validation) -> None:
        """Adds a line of the validation split."""
        self.validations.append(measured)
        self._write({"split": "validation", **dataclasses.asdict(measured)})

    @property
    def best(self) -> Validation | None:
        """The best validation by `improves`; the earliest of several equal ones."""
        best: Validation | None = None
        for validation in self.validations:
            if improves(validation, best):
                best = validation
        return best

    @property
    def without_improvement(self) -> int:
        """Number of validations since the best one."""
        best = self.best
        return len(self.validations) - 1 - self.validations.index(best) if best else 0

    def _keep_until(self, step: int) -> None:
        self._kept = [line for line in read_lines(self._path) if line["step"] <= step] if self._path.exists() else []
        self.validations = [_validation(line) for line in self._kept if line["split"] == "validation"]

    def _rewrite(self) -> None:
        with files.whole_file(self._path) as partial:
            partial.write_text("".join(json_text(line) + "\n" for line in self._kept), encoding="utf-8")
        self._file = self._path.open("a", encoding="utf-8")

    def _write(self, line: dict[str, Any]) -> None:
        text = json_text(line) + "\n"
        self._file.write(text)
        self._file.flush()
        if self._listener:
            self._listener(text)


class _TrainLine(msgspec.Struct, tag_field="split", tag="train"):
    """A line of the training split; its other figures are those of ``Measurements``.

    Attributes:
        step: Step.
        cpu_seconds: CPU time of the run so far, of all threads and starts; absent in lines of version 0.11.0 and older.
    """

    step: Count
    cpu_seconds: Annotated[float, msgspec.Meta(ge=0, le=1e12)] | None = None


class _ValidationLine(msgspec.Struct, tag_field="split", tag="validation"):
    """A line of the validation split; its figures are those of ``Validation``.

    A figure that is not finite is ``null``.
    """

    step: Count
    windows: Count
    elbo: float | None
    reconstruction: float | None
    kl_bits: float | None
    kl_bits_above_free: float | None
    accuracy: float | None = None
    objective: float | None = None
    best_by: Literal["elbo", "objective"] = "elbo"


_Line = _TrainLine | _ValidationLine


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the objects of a ``metrics.jsonl``; skips damaged lines, such as the last one of a killed run."""
    with open_regular(path, follow=False) as file:
        while text := file.readline(LONGEST_LINE):
            try:
                parse_line(text, _Line)
                yield parse_line(text, dict[str, Any])
            except ValueError:
                continue


def parse_line(text: bytes, kind: Any) -> Any:
    """Returns one line of a ``metrics.jsonl``; NaN and infinity, which early versions wrote, become ``None``.

    Args:
        text: The line.
        kind: Its format, as for ``json_formats.parse_json``.

    Raises:
        ValueError: The line is not JSON, or has another format.
    """
    try:
        return parse_json(text, kind)
    except ValueError:
        if (finite := _NOT_FINITE.sub(b": null", text)) == text:
            raise
        return parse_json(finite, kind)


def cpu_seconds_of(path: Path) -> float:
    """Returns the CPU time of a run, in seconds, from its ``metrics.jsonl``; 0.0 if it is not known."""
    return _cpu_seconds(read_lines(path)) if path.exists() else 0.0


def _cpu_seconds(lines: Iterable[dict[str, Any]]) -> float:
    return max((line.get("cpu_seconds") or 0.0 for line in lines), default=0.0)


def elbo(reconstruction: float, kl_bits: float) -> float:
    """Returns the evidence lower bound in nats, from reconstruction in nats and KL divergence in bits."""
    return -(reconstruction + kl_bits * math.log(2))


def objective(hparams: Mapping[str, Any], reconstruction: float, kl_bits: float, kl_bits_above_free: float) -> float:
    """Returns the loss that a run minimises once its schedules are over, nats per window.

    It is the reconstruction loss plus ``max_beta`` times the KL divergence: above the free bits where these are
    constant, and the whole divergence where they expire (``free_bits_until``).

    Args:
        hparams: All hyperparameters.
        reconstruction: Reconstruction loss, nats per window.
        kl_bits: Whole KL divergence, bits per window.
        kl_bits_above_free: KL divergence above ``free_bits``, bits per window.
    """
    counted = kl_bits if hparams["free_bits_until"] else kl_bits_above_free
    return reconstruction + float(hparams["max_beta"]) * counted * math.log(2)


def _validation(line: dict[str, Any]) -> Validation:
    known = [field.name for field in dataclasses.fields(Validation)]
    found: dict[str, Any] = {name: line[name] for name in known if name in line}
    missing = {name: math.nan for name in _NUMBERS if found.get(name) is None}
    return Validation(**{"accuracy": None, **found, **missing})
