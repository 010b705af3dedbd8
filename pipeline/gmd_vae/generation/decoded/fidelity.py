"""Fidelity: agreement of the model's own version of an input with the input."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.windows.extraction import Labels

Window = npt.NDArray[Any]
_MS_PER_STEP_AT_1_BPM = 15_000  # a sixteenth note at one quarter note per minute


class Fidelity(Protocol):
    """Figures of one input. As text: the end of a line that begins with the file."""

    @property
    def file(self) -> Path:
        """MIDI file of the input."""
        ...

    def figures(self) -> dict[str, Any]:
        """Returns the figures for the manifest."""
        ...


@dataclasses.dataclass(frozen=True)
class HitFidelity:
    """Figures of drum patterns.

    Attributes:
        file: MIDI file of the input.
        steps: Number of steps.
        correct_steps: Steps with exactly the drums of the input.
        input_hits: Drum hits of the input.
        decoded_hits: Drum hits of the model's version.
        common_hits: Hits of both.
    """

    file: Path
    steps: int
    correct_steps: int
    input_hits: int
    decoded_hits: int
    common_hits: int

    @property
    def f1(self) -> float:
        """F1 of the hits, 0 to 1; 1 where both are silent."""
        hits = self.input_hits + self.decoded_hits
        return 2 * self.common_hits / hits if hits else 1.0

    def __str__(self) -> str:
        accuracy = f"{self.correct_steps / self.steps:.0%} ({self.correct_steps:,} of {self.steps:,} steps)"
        hits = f"{self.common_hits:,} of {self.input_hits:,} drum hits match"
        return f"step accuracy of the model's own version: {accuracy}; {hits}"

    def figures(self) -> dict[str, Any]:
        """Returns steps and hits for the manifest."""
        return {"steps": self.steps, "steps_right": self.correct_steps, "hits_f1": round(self.f1, 4)}


@dataclasses.dataclass(frozen=True)
class GrooveFidelity(HitFidelity):
    """Figures of drum patterns with velocities and timing.

    Attributes:
        timing_ms: Mean absolute difference in time of the common hits, in milliseconds; ``None`` without any.
        velocity: Mean absolute difference in velocity of the common hits, 0 to 127; ``None`` without any.
    """

    timing_ms: float | None
    velocity: float | None

    def __str__(self) -> str:
        if self.timing_ms is None or self.velocity is None:
            return super().__str__()
        return f"{super().__str__()}; their mean error is {self.timing_ms:.1f} ms and {self.velocity:.1f} in velocity"

    def figures(self) -> dict[str, Any]:
        """Returns steps, hits and the mean absolute errors for the manifest."""
        if self.timing_ms is None or self.velocity is None:
            return super().figures()
        errors = {"timing_mae_ms": round(self.timing_ms, 3), "velocity_mae": round(self.velocity, 3)}
        return {**super().figures(), **errors}


@dataclasses.dataclass(frozen=True)
class StreamFidelity:
    """Figures of music in several streams.

    Attributes:
        file: MIDI file of the input.
        window: Number of the window in the file.
        steps: Number of steps.
        correct_steps: Steps with the class of the input, for each stream by name.
    """

    file: Path
    window: int | None
    steps: int
    correct_steps: dict[str, int]

    def __str__(self) -> str:
        accuracies = ", ".join(
            f"{name} {correct / self.steps:.0%} ({correct:,} of {self.steps:,} steps)"
            for name, correct in self.correct_steps.items()
        )
        return f"step accuracy of the model's own version of window {self.window}: {accuracies}"

    def figures(self) -> dict[str, Any]:
        """Returns the steps of each stream for the manifest."""
        return {"steps": self.steps, "steps_right": self.correct_steps}


def hit_fidelity(file: Path, target: Labels, decoded: Labels) -> HitFidelity:
    """Returns the figures of two patterns.

    Args:
        file: MIDI file of the input.
        target: Drum labels of the input, int64 ``[steps]``.
        decoded: Drum labels of the model's version, int64 ``[steps]``.
    """
    hits = (sum(int(label).bit_count() for label in labels) for labels in (target, decoded, target & decoded))
    return HitFidelity(file, len(target), int((target == decoded).sum()), *hits)


def groove_fidelity(
    file: Path, labels: tuple[Labels, Labels], target: Window, decoded: Window, tempo: float
) -> GrooveFidelity:
    """Returns the figures of two grooves.

    Args:
        file: MIDI file of the input.
        labels: Drum labels of input and version, int64 ``[steps]`` each.
        target: Hits, velocities and offsets of the input, ``[steps, 27]``.
        decoded: Hits, velocities and offsets of the model's version, ``[steps, 27]``.
        tempo: Quarter notes per minute.
    """
    hits = hit_fidelity(file, *labels)
    common = (target[:, :VELOCITIES] > 0.5) & (decoded[:, :VELOCITIES] > 0.5)
    difference = np.abs(target - decoded)
    timing = velocity = None
    if common.any():
        timing = float(difference[:, OFFSETS:][common].mean() / 2 * _MS_PER_STEP_AT_1_BPM / tempo)
        velocity = float(difference[:, VELOCITIES:OFFSETS][common].mean() * 127)
    return GrooveFidelity(**dataclasses.asdict(hits), timing_ms=timing, velocity=velocity)
