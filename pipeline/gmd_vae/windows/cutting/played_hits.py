"""Velocities and offsets of the hits of drum windows, as the music was played."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.configuration.window_specs import DrumWindows
from gmd_vae.windows.cutting.beat_time import Music
from gmd_vae.windows.cutting.drum_windows import pitch_bits
from gmd_vae.windows.cutting.positions import Place
from gmd_vae.windows.extraction import Labels

_LOUDEST = 127


class PlayedHits(NamedTuple):
    """Velocities and offsets of a drum grid.

    Attributes:
        velocities: MIDI velocities, 1 to 127, uint8 ``[steps, drums]``; 0 where there is no hit.
        offsets: Distances from the grid in steps, -0.5 to 0.5, late is positive, float32 ``[steps, drums]``.
    """

    velocities: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.float32]


class PlayedDrums:
    """The drum notes of some music in the order of time."""

    def __init__(self, spec: DrumWindows, music: Music) -> None:
        """Takes music that was moved to one tempo, and the drum classes."""
        notes = music.notes
        in_range = notes.is_drum & (notes.pitch >= 0) & (notes.pitch < 128) & (notes.velocity > 0)
        bits = np.where(in_range, pitch_bits(spec.pitch_classes)[np.where(in_range, notes.pitch, 0)], 0)
        known = np.flatnonzero((bits != 0) & np.isfinite(notes.start))
        known = known[np.argsort(notes.start[known], kind="stable")]
        self._classes = len(spec.pitch_classes)
        self._start = notes.start[known]
        self._drum = np.searchsorted(1 << np.arange(self._classes, dtype=np.int64), bits[known])
        self._velocity = np.minimum(notes.velocity[known], _LOUDEST)

    def hits_at(self, place: Place, labels: Labels) -> PlayedHits:
        """Returns the hits of a window. Of several hits of a drum at one step, the loudest counts.

        Args:
            place: Its grid.
            labels: Its drum labels, int64 ``[steps]``.
        """
        velocities = np.zeros((len(labels), self._classes), np.uint8)
        offsets = np.zeros(velocities.shape, np.float32)
        if place.steps_per_second > 0:
            edges = place.begin + (place.step + np.array([-1, len(labels) + 1])) / place.steps_per_second
            first, last = np.searchsorted(self._start, np.clip(edges, place.begin, place.end))
            position = (self._start[first:last] - place.begin) * place.steps_per_second
            step = np.floor(position + 0.5).astype(np.int64)
            offset, step, drum = position - step, step - place.step, self._drum[first:last]
            inside = (step >= 0) & (step < len(labels))
            inside[inside] = (labels[step[inside]] >> drum[inside]) & 1 == 1
            chosen = np.flatnonzero(inside)
            chosen = chosen[np.argsort(self._velocity[first:last][chosen], kind="stable")]  # the loudest is the last
            velocities[step[chosen], drum[chosen]] = self._velocity[first:last][chosen]
            offsets[step[chosen], drum[chosen]] = offset[chosen]
        return PlayedHits(velocities, offsets)
