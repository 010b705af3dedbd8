"""Drum patterns with the velocities and timing that a GrooVAE gave to each of their hits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows
from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.generation.performance.feel import MAX_OFFSET, Hit

Values = npt.NDArray[np.floating[Any]]
_AUDIBLE = 1 / 240  # of a step: what comes less early than that begins with the file all the same


@dataclasses.dataclass(frozen=True, eq=False)
class Performed:
    """How each hit of one pattern is played: a ``playing.Drummer``.

    Attributes:
        name: of what said so, for manifests.
        values: as a GrooVAE writes them, float ``[steps, 27]``: velocities 0 to 1, and offsets -1 to 1 of half a
            step, early is positive.
    """

    name: str
    values: Values

    def fits(self, windows: DrumWindows) -> bool:
        """Whether the windows have the nine drums on sixteenth notes."""
        return windows.pitch_classes == NINE_CLASSES and windows.steps_per_quarter == 4

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[Hit]:
        """Yields the hits of the labels that the values are of; draws nothing."""
        for step, label in enumerate(labels):
            if not label:
                continue
            values = self.values[step]
            for voice in range(VELOCITIES):
                if label >> voice & 1:
                    velocity = round(float(values[VELOCITIES + voice]) * 127)
                    late = -float(values[OFFSETS + voice]) / 2
                    yield Hit(step, voice, min(max(velocity, 1), 127), min(max(late, -MAX_OFFSET), MAX_OFFSET))

    def early(self, labels: Sequence[int]) -> int:
        """How many hits should come before the file begins."""
        return sum(hit.offset < -_AUDIBLE for hit in self.play(labels[:1], 0, 0))
