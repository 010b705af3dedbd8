"""Repetition and density of windows: a groove is kept where bars repeat the bar before."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from gmd_vae.evaluation.data.arrays import Labels
from gmd_vae.evaluation.metrics.contents import Contents
from gmd_vae.evaluation.metrics.intervals import Estimate, FileResampler


@dataclasses.dataclass(frozen=True)
class Repetition:
    """Repetition and density of a set of windows.

    Attributes:
        repeated_steps: Share of the steps, from the second bar on, that equal the same step of the bar before; NaN for
            windows of one bar.
        repeated_hits: Hits of a bar that the bar before has too, divided by the hits that are in one of the two
            (Jaccard index), over all pairs of neighbouring bars. Unlike repeated steps, it does not count silence.
        hits_per_bar: Hits of all drum classes in a bar; of streams, the notes that begin in it.
        silent_steps: Share of the steps at which no drum and no note begins.
    """

    repeated_steps: Estimate
    repeated_hits: Estimate
    hits_per_bar: Estimate
    silent_steps: Estimate


def measure_repetition(
    windows: Labels, files: npt.NDArray[np.int64] | None, contents: Contents, *, resamples: int, seed: int
) -> Repetition:
    """Measures repetition and density.

    Args:
        windows: Windows, ``[n, steps]``; ``steps`` are whole bars.
        files: Number of each window's file, ``[n]``, for intervals over files; ``None`` for samples, which are
            independent of each other: the intervals are over windows then.
        contents: The music in these windows.
        resamples: Number of bootstrap resamples.
        seed: Seed of the resamples.
    """
    count, per_bar = len(windows), contents.steps_per_bar
    resampler = FileResampler(np.arange(count) if files is None else files, resamples, seed)
    before, after = windows[:, :-per_bar], windows[:, per_bar:]
    hits, present = contents.hits(windows), contents.is_step(windows)
    shared = contents.shared(before, after).sum(axis=1)
    either = hits[:, :-per_bar].sum(axis=1) + hits[:, per_bar:].sum(axis=1) - shared
    with_bar_before = present[:, per_bar:]
    return Repetition(
        repeated_steps=resampler.ratio(((before == after) & with_bar_before).sum(axis=1), with_bar_before.sum(axis=1)),
        repeated_hits=resampler.ratio(shared, either),
        hits_per_bar=resampler.ratio(hits.sum(axis=1), present.sum(axis=1) / per_bar),
        silent_steps=resampler.ratio(((hits == 0) & present).sum(axis=1), present.sum(axis=1)),
    )
