"""Hits of an input that its new version has too: they keep their velocity and timing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.generation.performance.feel import PlayedHit
from gmd_vae.generation.performance.groove_performance import AUDIBLE
from gmd_vae.generation.performance.playing import Drummer, Playing
from gmd_vae.windows.cutting.played_hits import PlayedHits


@dataclasses.dataclass(frozen=True, eq=False)
class KeptHits:
    """Velocities and offsets of an input, and for hits that it does not have those of a ``Playing``.

    Implements ``playing.Drummer``.

    Attributes:
        played: Hits of the input, at the steps of the labels that are played.
        playing: Feel or velocity of all other hits, and the parts that are kept.
    """

    played: PlayedHits
    playing: Playing

    @property
    def name(self) -> str:
        """Name for manifests: that of the feel of the other hits."""
        return "" if self.playing.feel is None else self.playing.feel.name

    def fits(self, windows: DrumWindows) -> bool:
        """Returns True where the feel of the other hits fits; without one, for all windows."""
        return self.playing.feel is None or self.playing.feel.fits(windows)

    def play(self, labels: Sequence[int], seed: int, number: int) -> Iterator[PlayedHit]:
        """Yields the hits of labels, by step and voice; arguments as for ``Drummer.play``."""
        velocities, offsets = self.played.velocities.tolist(), self.played.offsets.tolist()
        for hit in self._others(self.playing.feel, labels, seed, number):
            velocity, offset = velocities[hit.step][hit.voice], offsets[hit.step][hit.voice]
            if not velocity:
                yield hit
                continue
            yield PlayedHit(
                hit.step,
                hit.voice,
                velocity if self.playing.keeps_velocities else hit.velocity,
                offset if self.playing.keeps_timing else hit.offset,
            )

    def early_hits(self, labels: Sequence[int]) -> int:
        """Returns the number of kept hits that would come before the file begins."""
        if not self.playing.keeps_timing or not len(labels):
            return 0
        has_hit = (labels[0] >> np.arange(self.played.velocities.shape[1])) & 1 == 1
        return int((has_hit & (self.played.velocities[0] > 0) & (self.played.offsets[0] < -AUDIBLE)).sum())

    def _others(self, feel: Drummer | None, labels: Sequence[int], seed: int, number: int) -> Iterator[PlayedHit]:
        """Yields all hits as ``playing`` has them."""
        if feel is not None:
            yield from feel.play(labels, seed, number)
            return
        for step, label in enumerate(labels):
            for voice in range(label.bit_length()):
                if label >> voice & 1:
                    yield PlayedHit(step, voice, self.playing.even_velocity, 0.0)


def blended(first: PlayedHits | None, second: PlayedHits | None, share: float) -> PlayedHits | None:
    """Returns hits between two inputs: the mean where both have a hit, and else the hit of the one that has it.

    Args:
        first: Hits of one input; ``None``: they are not known.
        second: Hits of the other.
        share: Weight of the second, 0 to 1.
    """
    if first is None or second is None:
        return second if first is None else first
    one, other = first.velocities > 0, second.velocities > 0
    weight = np.where(one & other, share, other.astype(np.float32))
    velocities = (1 - weight) * first.velocities + weight * second.velocities
    offsets = (1 - weight) * first.offsets + weight * second.offsets
    return PlayedHits(np.rint(velocities).astype(np.uint8), offsets.astype(np.float32))
