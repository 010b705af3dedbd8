"""Repetition and density of drum windows: a groove is kept where bars repeat the bar before."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler


@dataclasses.dataclass(frozen=True)
class Repetition:
    """Repetition and density of a set of windows.

    Attributes:
        repeated_steps: Share of the steps, from the second bar on, whose label equals that of the same step of the
            bar before; NaN for windows of one bar.
        repeated_hits: Hits of a bar that the bar before has too, divided by the hits that are in one of the two
            (Jaccard index), over all pairs of neighbouring bars. Unlike repeated steps, it does not count silence.
        hits_per_bar: Hits of all drum classes in a bar.
        silent_steps: Share of the steps at which no drum begins.
    """

    repeated_steps: Estimate
    repeated_hits: Estimate
    hits_per_bar: Estimate
    silent_steps: Estimate


def measure_repetition(
    labels: Labels, files: npt.NDArray[np.int64] | None, *, steps_per_bar: int, resamples: int, seed: int
) -> Repetition:
    """Measures repetition and density.

    Args:
        labels: Windows, ``[n, steps]``; bit ``i`` of a label: a drum of class ``i`` begins. ``steps`` are whole bars.
        files: Number of each window's file, ``[n]``, for intervals over files; ``None`` for samples, which are
            independent of each other: the intervals are over windows then.
        steps_per_bar: Steps in one bar.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resamples.
    """
    count, steps = labels.shape
    bars = steps // steps_per_bar
    resampler = FileResampler(np.arange(count) if files is None else files, resamples, seed)
    by_bar = labels.reshape(count, bars, steps_per_bar)
    before, after = by_bar[:, :-1], by_bar[:, 1:]
    in_both, in_one = _count_hits(before & after), _count_hits(before | after)
    return Repetition(
        repeated_steps=resampler.ratio((before == after).sum(axis=(1, 2)), np.full(count, (bars - 1) * steps_per_bar)),
        repeated_hits=resampler.ratio(in_both, in_one),
        hits_per_bar=resampler.mean(_count_hits(by_bar) / bars),
        silent_steps=resampler.mean((labels == 0).mean(axis=1)),
    )


def _count_hits(labels: Labels) -> npt.NDArray[np.int64]:
    """Counts the hits of each window, ``[n]``, from the bits of its labels ``[n, bars, steps_per_bar]``."""
    return np.asarray(np.bitwise_count(labels).sum(axis=(1, 2), dtype=np.int64))
