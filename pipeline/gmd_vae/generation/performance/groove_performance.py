"""Drum hits with the velocities and offsets that a GrooVAE decoded for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import NINE_CLASSES, DrumWindows
from gmd_vae.families.groove_columns import OFFSETS, VELOCITIES
from gmd_vae.generation.performance.feel import MAX_OFFSET, PlayedHit

Values = npt.NDArray[np.floating[Any]]
AUDIBLE = 1 / 240  # in steps; hits that are less early than this do not count as early


@dataclasses.dataclass(frozen=True, eq=False)
class GroovePerformance:
    """Velocities and offsets of one pattern; implements ``playing.Drummer``.

    Attributes:
        name: Name of the model, for manifests.
        values: Output of a GrooVAE, float ``[steps, 27]``: hits, velocities (0 to 1), and offsets (-1 to 1 of half a
            step, early is positive).
    """

    name: str
    values: Values

    def fits(self, windows: DrumWindows) -> bool:
        """Returns True for the nine drum classes on sixteenth notes."""
        return windows.pitch_classes == NINE_CLASSES and windows.steps_per_quarter == 4

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[PlayedHit]:
        """Yields the hits of the labels to which ``values`` belong. Nothing is drawn at random.

        A ``PlayedHit`` counts its offset in whole steps, late is positive: minus half of the GrooVAE's offset.
        """
        for step, label in enumerate(labels):
            if not label:
                continue
            values = self.values[step]
            for voice in range(VELOCITIES):
                if label >> voice & 1:
                    velocity = round(float(values[VELOCITIES + voice]) * 127)
                    late = -float(values[OFFSETS + voice]) / 2
                    yield PlayedHit(step, voice, min(max(velocity, 1), 127), min(max(late, -MAX_OFFSET), MAX_OFFSET))

    def early_hits(self, labels: Sequence[int]) -> int:
        """Returns the number of hits that would come before the file begins."""
        return sum(hit.offset < -AUDIBLE for hit in self.play(labels[:1], 0, 0))
