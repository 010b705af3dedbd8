"""A GrooVAE as humanizer: it gives velocities and offsets to patterns of which only the hits are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.families.groove_columns import Groove
from gmd_vae.generation.inputs.groove_reader import groove_window, labels_to_values
from gmd_vae.generation.model import OpenedModel
from gmd_vae.generation.performance.groove_performance import GroovePerformance


class Humanizer(Protocol):
    """A model that performs patterns."""

    def perform(self, patterns: Sequence[Sequence[int]]) -> list[GroovePerformance]:
        """Returns the performance of each pattern.

        Args:
            patterns: Drum labels of the nine classes, one list for each file, each from the beginning of a bar.
        """
        ...


class GrooVaeHumanizer:
    """Performs patterns of any length, window by window; implements ``Humanizer``."""

    def __init__(self, model: OpenedModel, name: str, task: Groove, steps: int) -> None:
        """Takes an opened model.

        Args:
            model: The GrooVAE.
            name: Name of its config, for manifests.
            task: Its task; it keeps given hits.
            steps: Steps in a window.
        """
        self._model, self._name, self._task, self._steps = model, name, task, steps

    def perform(self, patterns: Sequence[Sequence[int]]) -> list[GroovePerformance]:
        """Returns the performance of each pattern; the last window of a pattern is padded with silence."""
        steps = self._steps
        pattern_windows: list[npt.NDArray[np.int64]] = []
        counts = []
        for pattern in patterns:
            count = max(1, -(-len(pattern) // steps))
            padded = np.pad(np.array(pattern, np.int64), (0, count * steps - len(pattern)))
            pattern_windows += np.split(padded, count)
            counts.append(count)
        windows = [groove_window(labels_to_values(labels), self._task) for labels in pattern_windows]
        controls = [window.controls for window in windows if window.controls is not None]
        z = self._model.encode([window.inputs for window in windows], [steps] * len(windows), controls)
        hits = [window.given_hits for window in windows if window.given_hits is not None]
        values = np.concatenate(self._model.decode(z, 0.0, controls=controls, hits=hits))
        ends = np.cumsum(counts)[:-1] * steps
        return [GroovePerformance(self._name, part) for part in np.split(values, ends)]
