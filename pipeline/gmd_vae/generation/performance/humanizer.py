"""A GrooVAE that plays patterns of which only the hits are known: how loud each one is, and how early or late."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gmd_vae.common import manifest
from gmd_vae.common.errors import UsageError
from gmd_vae.configuration.config import Config
from gmd_vae.configuration.window_specs import NINE_CLASSES
from gmd_vae.evaluation.model import LIKELIEST
from gmd_vae.families import family_of
from gmd_vae.families.groove_columns import Groove
from gmd_vae.families.output_spec import Output
from gmd_vae.generation.decoded import Model
from gmd_vae.generation.inputs.conditioning import Encoder
from gmd_vae.generation.inputs.groove import humanizer_window
from gmd_vae.generation.inputs.midi_file import name_of
from gmd_vae.generation.performance.performed import Performed
from gmd_vae.models import checkpoints
from gmd_vae.training.run.folder import open_run, read_run


class GrooVae(Encoder, Model, Protocol):
    """What is asked of a model here."""


@dataclasses.dataclass(frozen=True)
class HumanizerRun:
    """Which trained GrooVAE it is.

    Attributes:
        config: its config.
        hparams: its hyperparameters.
        checkpoint: prefix.
    """

    config: Config
    hparams: dict[str, Any]
    checkpoint: Path

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "config": self.config.name,
            "checkpoint": self.checkpoint.name,
            "files": [manifest.describe_file(file) for file in checkpoints.files_of(self.checkpoint)],
        }


@contextlib.contextmanager
def open_humanizer(path: Path, config: Config) -> Iterator[HumanizerRun]:
    """The run of ``--humanize RUN``; no TensorFlow yet.

    Args:
        path: a run folder, or a checkpoint in one, such as ``RUN/latest``.
        config: whose drum patterns it shall play.

    Raises:
        UsageError: it is no GrooVAE that keeps hits, or the patterns have other drums than its nine.
        GmdVaeError: there is no such run, or no checkpoint in it.
    """
    found = (read_run(folder) for folder in (path, *list(path.parents)[:2]))
    run = next(filter(None, found), None) or open_run(path)  # which says what is missing
    groove = family_of(run.config).groove(run.config)
    if groove is None or not groove.humanizes:
        raise UsageError(
            f"'{name_of(path)}' is a run of '{run.config.name}', which does not humanize",
            "Give a run of groovae_2bar_humanize_small, or --humanize alone for the measured feel.",
        )
    windows = None if config.windows.converter else family_of(config).drum_grid(config)
    if windows is None or windows.pitch_classes != NINE_CLASSES or windows.steps_per_bar != 16:
        raise UsageError(
            f"GrooVAE plays nine kinds of drums on the sixteenth notes of 4/4, and '{config.name}' writes others",
            "Leave --humanize out.",
        )
    with checkpoints.open_checkpoint(path) as checkpoint:
        yield HumanizerRun(run.config, run.hparams, checkpoint)


class GrooVaeHumanizer:
    """Plays patterns of any length in windows of the model: a ``music.Humanizer``."""

    def __init__(self, model: GrooVae, name: str, groove: Groove, output: Output, at_once: int) -> None:
        """``at_once``: rows that the model decodes at a time; a pattern's place among them is always the same."""
        self._model, self._name, self._groove, self._output, self._at_once = model, name, groove, output, at_once

    def perform(self, patterns: Sequence[Sequence[int]], first: int) -> list[Performed]:
        """How each pattern is played. The last window of one is filled up with silence.

        Args:
            patterns: labels of the nine classes, each from the beginning of a bar.
            first: the number of the first pattern.
        """
        steps = self._output.steps
        split: list[npt.NDArray[np.int64]] = []
        counts = []
        for pattern in patterns:
            windows = max(1, -(-len(pattern) // steps))
            split += np.split(np.pad(np.array(pattern, np.int64), (0, windows * steps - len(pattern))), windows)
            counts.append(windows)
        # the same rows of a batch whichever of several patterns are asked for
        skip = first * counts[0] % self._at_once
        silence = [np.zeros(steps, np.int64)] * skip
        pieces = [humanizer_window(labels, self._groove) for labels in (*silence, *split)]
        controls = [piece.controls for piece in pieces if piece.controls is not None]
        z = self._model.encode([piece.inputs for piece in pieces], [steps] * len(pieces), controls)
        hits = [piece.kept for piece in pieces if piece.kept is not None]
        rows = range(skip, len(pieces))
        played = np.concatenate(self._model.decode(z, LIKELIEST, rows, controls, hits))
        ends = np.cumsum(counts)[:-1] * steps
        return [Performed(self._name, values) for values in np.split(played, ends)]
