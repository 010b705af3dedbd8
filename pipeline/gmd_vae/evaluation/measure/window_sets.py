"""Samples beside held-out windows and training windows: repetition, density, and the two-sample test."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.latent.space import choose_by_file
from gmd_vae.evaluation.metrics.contents import Contents
from gmd_vae.evaluation.metrics.intervals import FileResampler
from gmd_vae.evaluation.metrics.nearest import nearest, pack
from gmd_vae.evaluation.metrics.repetition import measure_repetition
from gmd_vae.evaluation.metrics.two_sample import Separation, separate, split_by_file, split_like
from gmd_vae.evaluation.result import WindowSet
from gmd_vae.evaluation.settings import Settings

_LARGEST = 1000  # windows of each set in the two-sample test: bounds its time

Integers = npt.NDArray[np.int64]


class Samples(NamedTuple):
    """Samples from the prior.

    Attributes:
        labels: Windows, ``[n, steps]``.
        temperature: Temperature at which they were drawn.
        prior: Prior of their z, one of ``priors.PRIORS``.
    """

    labels: Labels
    temperature: float
    prior: str


class Music(NamedTuple):
    """Windows of a split.

    Attributes:
        labels: Windows, ``[n, steps]``.
        files: Number of each window's source file, ``[n]``.
    """

    labels: Labels
    files: Integers


def measure_window_sets(
    samples: Mapping[str, Samples], held_out: Music, training: Music, contents: Contents, settings: Settings
) -> dict[str, WindowSet]:
    """Measures repetition and density of each set of windows, and its separation from the held-out windows.

    The two-sample test compares equally many windows of every set. Training windows are the yardstick: they differ from
    held-out windows as other music does.

    Args:
        samples: Sets of samples, by name.
        held_out: Windows of the split.
        training: Training windows.
        contents: The music in the windows.
        settings: Seed and number of resamples.

    Returns:
        The figures of the samples, of ``held_out`` and of ``training``, by name.
    """
    of_music = {"held_out": held_out, "training": training}
    sets = {name: _repetition(part.labels, None, contents, settings) for name, part in samples.items()}
    for name, part in samples.items():
        sets[name] = dataclasses.replace(sets[name], temperature=part.temperature, prior=part.prior)
    sets |= {name: _repetition(part.labels, part.files, contents, settings) for name, part in of_music.items()}
    size = min(_LARGEST, *(figures.windows for figures in sets.values()))
    chosen, of_training = (choose_by_file(part.files, size, settings.seed) for part in (held_out, training))
    test = _TwoSampleTest(held_out.labels[chosen], held_out.files[chosen], contents, settings)
    yardstick = test.separate(training.labels[of_training], training.files[of_training])
    sets["training"] = test.add_auc(sets["training"], yardstick)
    for name, part in samples.items():
        sets[name] = test.add_auc(sets[name], test.separate(part.labels[:size], np.arange(size)), yardstick)
    return sets


class _TwoSampleTest:
    """The held-out windows of the two-sample test, with their features and folds."""

    def __init__(self, labels: Labels, files: Integers, contents: Contents, settings: Settings) -> None:
        self._contents = contents
        self._packed, self._folds = pack(labels, contents.bits), split_by_file(files)
        self._features = contents.features(labels)
        self._resampler = FileResampler(files, settings.resamples, settings.seed)

    def separate(self, labels: Labels, files: Integers) -> Separation | None:
        """Separates other windows ``[m, steps]`` of files ``[m]`` from the held-out windows."""
        like = nearest(pack(labels, self._contents.bits), self._packed).index
        folds = split_like(like, files, self._folds)
        return separate(self._features, self._folds, self._contents.features(labels), folds)

    def add_auc(
        self, figures: WindowSet, separation: Separation | None, yardstick: Separation | None = None
    ) -> WindowSet:
        """Returns figures with the AUC of a separation, and its difference to that of the yardstick."""
        if separation is None:
            return figures
        above = separation.auc_above(yardstick, self._resampler) if yardstick else None
        return dataclasses.replace(figures, auc=separation.auc(self._resampler), auc_above_training=above)


def _repetition(labels: Labels, files: Integers | None, contents: Contents, settings: Settings) -> WindowSet:
    repetition = measure_repetition(labels, files, contents, resamples=settings.resamples, seed=settings.seed)
    return WindowSet(**vars(repetition), windows=len(labels))
