"""What simple answers would score where windows are codes; those of drum labels (``baselines``) serve them too."""

from __future__ import annotations

import numpy as np

from gmd_vae.evaluation.data.codes import Coding
from gmd_vae.evaluation.data.label_data import Labels

_QUERIES = 64  # windows compared with all others at one time


def most_frequent_event(codes: Labels, training: Labels) -> Labels:
    """The commonest code of each step among the training windows.

    Args:
        codes: the windows to answer for, ``[n, steps]``.
        training: ``[m, steps]``, at least one; of codes that are equally common, the lowest counts.

    Returns:
        ``[n, steps]``, the dtype of ``training``.
    """
    commonest = []
    for column in training.T:
        values, counts = np.unique(column, return_counts=True)
        commonest.append(values[counts.argmax()])
    return np.tile(np.array(commonest, training.dtype), [len(codes), 1])


def random_training(codes: Labels, training: Labels, seed: int) -> Labels:
    """A training window for each window, drawn with the same probability from all; it knows nothing of the window."""
    chosen: Labels = training[np.random.default_rng([seed, _DRAWS]).integers(len(training), size=len(codes))]
    return chosen


_DRAWS = 31  # so that no two draws of one seed share their numbers


def nearest_by_events(codes: Labels, training: Labels, coding: Coding) -> Labels:
    """The training window that shares the most events, wherever they stand; among several, the first.

    Args:
        codes: the windows to answer for, ``[n, steps]``.
        training: ``[m, steps]``, at least one.
        coding: of both.

    Returns:
        ``[n, steps]``, the dtype of ``training``.
    """
    here, there = _counts(codes, coding), _counts(training, coding)
    sizes = here.sum(axis=1)[:, None] + there.sum(axis=1)[None]
    chosen = np.zeros(len(codes), np.int64)
    for start in range(0, len(codes), _QUERIES):
        rows = slice(start, start + _QUERIES)
        shared = np.zeros((len(here[rows]), len(there)), np.int64)
        for event in np.flatnonzero(here[rows].any(axis=0)):
            shared += np.minimum(here[rows, event, None], there[None, :, event])
        chosen[rows] = (2 * shared / np.maximum(sizes[rows], 1)).argmax(axis=1)
    nearest: Labels = training[chosen]
    return nearest


def _counts(codes: Labels, coding: Coding) -> Labels:
    """How often each window has each event, int32 ``[n, events]``; ends do not count, all have the same."""
    events = coding.end
    flat = np.where((codes > 0) & (codes <= events), codes - 1, events) + np.arange(len(codes))[:, None] * (events + 1)
    counted = np.bincount(flat.reshape(-1), minlength=len(codes) * (events + 1)).reshape(len(codes), -1)
    return counted[:, :events].astype(np.int32)
