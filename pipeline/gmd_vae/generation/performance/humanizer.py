"""A GrooVAE as humanizer: it gives velocities and offsets to patterns of which only the hits are known."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.evaluation.model import LIKELIEST
from gmd_vae.families import family_of
from gmd_vae.families.groove_columns import Groove
from gmd_vae.generation.inputs.groove_reader import labels_to_groove_window
from gmd_vae.generation.inputs.input_windows import shown_path
from gmd_vae.generation.model import ModelSource, OpenedModel
from gmd_vae.generation.performance.groove_performance import GroovePerformance
from gmd_vae.models import checkpoints
from gmd_vae.training.run.folder import open_run, read_run


class Humanizer(Protocol):
    """A model that performs patterns."""

    def perform(self, patterns: Sequence[Sequence[int]], first_number: int) -> list[GroovePerformance]:
        """Returns the performance of each pattern.

        Args:
            patterns: Drum labels of the nine classes, one list for each file, each from the beginning of a bar.
            first_number: Number of the first file.
        """
        ...


@contextlib.contextmanager
def open_humanizer(path: Path, config: Config) -> Iterator[ModelSource]:
    """Finds the checkpoint of ``--humanize RUN``. No TensorFlow yet.

    Args:
        path: Run folder, or a checkpoint in one, such as ``RUN/latest``.
        config: Config of the model whose patterns are performed.

    Raises:
        UsageError: The run is no GrooVAE that keeps given hits, or the patterns have other drums than its nine.
        GmdVaeError: There is no such run, or no checkpoint in it.
    """
    runs = (read_run(folder) for folder in (path, *list(path.parents)[:2]))
    run = next(filter(None, runs), None) or open_run(path)  # open_run raises with the reason
    if not family_of(run.config).humanizes(run.config):
        raise UsageError(
            f"'{shown_path(path)}' is a run of '{run.config.name}', which does not humanize",
            "Give a run of groovae_2bar_humanize_small, or --humanize alone for the measured feel.",
        )
    grid = family_of(config).drum_grid(config)
    if grid is None or grid.pitch_classes != NINE_CLASSES or grid.steps_per_bar != 16:
        raise UsageError(
            f"GrooVAE plays nine kinds of drums on the sixteenth notes of 4/4, and '{config.name}' writes others",
            "Leave --humanize out.",
        )
    with checkpoints.open_checkpoint(path) as checkpoint:
        yield ModelSource(run.config, run.hparams, checkpoint)


class GrooVaeHumanizer:
    """Performs patterns of any length, window by window; implements ``Humanizer``."""

    def __init__(self, model: OpenedModel, name: str, task: Groove, steps: int, batch_size: int) -> None:
        """Takes an opened model.

        Args:
            model: The GrooVAE.
            name: Name of its config, for manifests.
            task: Its task; it keeps given hits.
            steps: Steps in a window.
            batch_size: Windows that the model decodes at once. Random draws depend on the row in the batch.
        """
        self._model, self._name, self._task, self._steps, self._batch_size = model, name, task, steps, batch_size

    def perform(self, patterns: Sequence[Sequence[int]], first_number: int) -> list[GroovePerformance]:
        """Returns the performance of each pattern; the last window of a pattern is padded with silence."""
        steps = self._steps
        pattern_windows: list[npt.NDArray[np.int64]] = []
        counts = []
        for pattern in patterns:
            count = max(1, -(-len(pattern) // steps))
            padded = np.pad(np.array(pattern, np.int64), (0, count * steps - len(pattern)))
            pattern_windows += np.split(padded, count)
            counts.append(count)
        # silent windows first, so that a file has the same rows of a batch however many files are written
        skip = first_number * counts[0] % self._batch_size
        silence = [np.zeros(steps, np.int64)] * skip
        windows = [labels_to_groove_window(labels, self._task) for labels in (*silence, *pattern_windows)]
        controls = [window.controls for window in windows if window.controls is not None]
        z = self._model.encode([window.inputs for window in windows], [steps] * len(windows), controls)
        hits = [window.given_hits for window in windows if window.given_hits is not None]
        values = np.concatenate(self._model.decode(z, LIKELIEST, range(skip, len(windows)), controls, hits))
        ends = np.cumsum(counts)[:-1] * steps
        return [GroovePerformance(self._name, part) for part in np.split(values, ends)]
